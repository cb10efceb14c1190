"""What the pages for admins say."""

from languages import sentence as _
from languages import speaks

TITLE = _("Launches")
LAUNCH_TITLE = _("Launch {launch}")

# -- how sites stand -------------------------------------------------------------------------------------
ANSWERS = _("answered in {milliseconds} ms, {time} ago")
NO_ANSWER_SINCE = _("no answer since {since}")
HAS_PROBLEM = _("answered, but:")
NOT_ASKED = _("not asked yet")
GOING_ON = _("{running} running, {waiting} waiting, {starting} starting")
FAILED_OF = _("{failed} of {all} launches of the last day failed to start")
ONE_STOP_OWED = _("1 stop not carried out yet")
STOPS_OWED = _("{count} stops not carried out yet")
MONITOR_VALID = _("ticket of its monitor valid for {time}")
MONITOR_NONE = _("its monitor has no ticket")
CATALOGUE = _("Catalogue")
CATALOGUE_GOOD = _("no problem (sites: {sites}, profiles: {profiles})")

# -- launches --------------------------------------------------------------------------------------------
WORDS = _("Words")
WORDS_HINT = _("person, server, node, job, words of an error")
STATE = _("State")
ANY = _("any")
PERSON = _("Person")
PLACE = _("Cluster, node, job")
WHY = _("Why")
DETAILS = _("Details")
DETAILS_OF = _("Details of launch {launch}")
SHOW = _("Show")
SHOW_SAME = _("show")
CSV = _("Table as CSV")
NEWER = _("Newer")
OLDER = _("Older")
SAME_ERRORS = _("The same error")
SAME_ERROR = _("{count} times since {since} in profile {profile} on {site}: {why}")
STANDS = {
    "on-its-way": _("waiting or starting"),
    "up": _("running"),
    "stop-owed": _("stop not carried out yet"),
    "failed": _("failed to start"),
    "ended": _("ended"),
}
LEFT = _("{time} left")
LASTED = _("after {time}")

# -- one launch ------------------------------------------------------------------------------------------
OWNER = _("Login at the cluster")
BEGAN = _("Begun")
WAITED_FOR_UNTIL = _("Waited for until")
ENDED = _("Ended")
TICKET_ENDS = _("Its ticket ends")
CHOICES = _("What was chosen")
STAGES = _("Stages")
SECONDS = _("{seconds} s")
HAS_FAILED = _("failed")
LOG_END = _("The last lines of its log")
SCRIPT = _("The script that was sent")
STOP_LAUNCH = _("Stop this launch")

# -- announcements ---------------------------------------------------------------------------------------
ANNOUNCEMENT = _("Announcement")
ANNOUNCEMENT_HINT = _("shown on all pages, also before the login")
FOR = _("For")
ANNOUNCE = _("Announce")
TAKE_BACK = _("Take back")
SHOWN_UNTIL = _("Shown until {until}, by {author}")

speaks(__name__)
