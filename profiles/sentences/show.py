"""What `jupyterhub-sites show` tells an administrator of one person's offer."""

from languages import sentence as _
from languages import speaks

NO_ENTRY = {"profile": _("There is no profile {key}."), "type": _("There is no job type {key}.")}
"""By the choice that picks one, as Menu.field says it."""

NO_SITE = _("There is no site {site}.")
NOT_OFFERED = _("{name} is not offered at {site}.")
FOR_GROUPS = _("{user} does not see {name} at {site}: it is for members of {groups}.")
FOR_PROJECTS = _("{user} does not see {name} at {site}: it is for people who may charge {projects}.")
FOR_GROUPS_OR_PROJECTS = _(
    "{user} does not see {name} at {site}: it is for members of {groups} and for people who may charge {projects}."
)
FOR_USERS = _("{user} does not see {name} at {site}: it is for {users}.")
FOR_USERS_TOO = _("It is for {users} too.")
PROJECTS_UNKNOWN = _("Which projects {user} may charge there is not known.")

CANNOT_START_ANYTHING = {
    "profile": _("{user} cannot start anything."),
    "type": _("{user} cannot run any job."),
}
CANNOT_START = {"profile": _("{user} cannot start:"), "type": _("{user} cannot run:")}
REFUSED = _("{name} at {site}: {reason}")
PARTITIONS = _("partitions: {names}")
PROJECTS = _("projects: {names}")
PROJECTS_OF_ACCOUNTING = _(
    "projects: those that Slurm's accounting lists for the person (name them with --project)"
)
PARAMETER = _("{name}: {accepted}, default {value}")
NOTHING = _("nothing")
WHEN = _("for datasets with {condition}")
NUMBER = _("{name} {accepted}")
NUMBER_OF_KINDS = _("{name} {accepted} ({kinds})")

speaks(__name__)
