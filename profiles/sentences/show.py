"""What `jupyterhub-sites show` tells an administrator of one person's offer."""

from languages import sentence as _
from languages import speaks

NO_PROFILE = _("There is no profile {profile}.")
NO_SITE = _("There is no site {site}.")
NOT_OFFERED = _("{profile} is not offered at {site}.")
FOR_GROUPS = _("{user} does not see {profile} at {site}: it is for members of {groups}.")
FOR_PROJECTS = _("{user} does not see {profile} at {site}: it is for people who may charge {projects}.")
FOR_GROUPS_OR_PROJECTS = _(
    "{user} does not see {profile} at {site}: "
    "it is for members of {groups} and for people who may charge {projects}."
)
PROJECTS_UNKNOWN = _("Which projects {user} may charge there is not known.")

CANNOT_START_ANYTHING = _("{user} cannot start anything.")
CANNOT_START = _("{user} cannot start:")
REFUSED = _("{profile} at {site}: {reason}")
PARTITIONS = _("partitions: {names}")
PROJECTS = _("projects: {names}")
PROJECTS_OF_ACCOUNTING = _(
    "projects: those that Slurm's accounting lists for the person (name them with --projects)"
)
PARAMETER = _("{name}: {accepted}, default {value}")
NUMBER = _("{name} {accepted}")
NUMBER_OF_KINDS = _("{name} {accepted} ({kinds})")

speaks(__name__)
