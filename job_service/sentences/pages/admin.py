"""What administrators read on their pages."""

from languages import sentence as _
from languages import speaks

EVERYBODYS_JOBS = _("Everybody's jobs")
PEOPLE = _("People, projects and bans")
PERSON = _("Person")
FOLLOWED = _("How the clusters are followed")
OBSERVER = _("Asked as {name}, last at {time}")
NOT_ASKED = _("Nobody was asked yet.")
AWAY = _("Away since {time}: {reason}")
COUNTED = _("Jobs that go on: {live}. In doubt: {doubts}. Cancellations or removals that are owed: {owed}.")
CANCEL_OF = _("Cancel {title} of {owner}")
LAST_SEEN = _("Last seen")
FIRST_SEEN = _("First seen")
BANS = _("Bans")
NO_BANS = _("Nobody is banned.")
BAN = _("Ban")
BAN_SOMEBODY = _("Ban somebody")
ALL_PROJECTS = _("All projects")
LIFT = _("Lift the ban of {name}")
GRANT = _("Give time")
GRANT_TIME = _("Give")
HOURS = _("Hours")
HOURS_HINT = _("A negative number takes some back.")
TO_PROJECT = _("Empty: to the project itself.")
PICK_A_PROJECT = _("Choose a project.")
NOT_HOURS = _("Write a number of hours, such as 10 or 0.5.")
FIND_PEOPLE = _("Find people")
ADMINS_ALONE = _("This page is for administrators of batch jobs alone.")
NO_PEOPLE = _("Nobody has used the service.")

speaks(__name__)
