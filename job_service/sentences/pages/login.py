"""What people read when their login has ended, or another one has begun."""

from languages import sentence as _
from languages import speaks

LOGGED_OUT = _("You are not logged in any more, so nothing was done.")
LOG_IN_ELSEWHERE = _(
    "Log in at the hub in another tab. Then go back to the page that you come from, load it again, and send it."
)
OTHER_LOGIN = _("You have logged in anew since this page was shown, so nothing was done.")
NOT_SENT = _("Nothing was sent")
TYPED_IS_KEPT = _("What you have typed is kept here; files have to be picked again.")
LOG_IN_AND_ON = _("Log in and go on with the form")
LOG_IN_BESIDE = _("Log in in another tab, then come back to this one.")
LOG_IN_HERE = _("Log in in another tab")
SHOW_FORM = _("Show the form again")
LOGIN_FAILED = _("The hub did not log you in.")
LOGIN_UNKNOWN = _("This login was begun by another browser, or more than ten minutes ago.")

speaks(__name__)
