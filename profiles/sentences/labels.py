"""What the options form says beside its fields and of each cluster."""

from profiles.sentences import counted
from profiles.sentences import translated as _

LABELS = {
    "profile": _("Profile"),
    "site": _("Cluster"),
    "partition": _("Partition"),
    "project": _("Project"),
    "time": _("Time"),
    "cores": _("Cores"),
    "memory": _("Memory"),
    "gpus": _("GPUs"),
    "gpu_type": _("GPU type"),
    "nodes": _("Nodes"),
    "reservation": _("Reservation"),
    "qos": _("Quality of service"),
}

# -- what a field holds while nothing is chosen ------------------------------------------------------------
DEFAULT = _("Default")
DEFAULT_IS = _("Default: {value}")
NONE = _("None")
DEFAULT_PROJECT = _("Your default project")
NO_PROJECT = _("You have no project there")

# -- hints below a field -----------------------------------------------------------------------------------
RANGE = _("{least} to {most}.")
RANGE_ON_EACH_NODE = _("{least} to {most} on each node.")
ON_EACH_NODE = _("On each node.")
ONE_OF = _("One of: {options}.")
ONLY_FOR_PROFILES = _("Only for {profiles}.")
ONLY_AT_SITES = _("Only at {sites}.")
ONLY_FOR_PROFILES_AT_SITES = _("Only for {profiles} at {sites}.")

# -- partitions and clusters, with what is known of them -----------------------------------------------------
WITH_NEWS = _("{title} ({news})")
AT_MOST = _("at most {time}")
DOWN = _("down")
IN_MAINTENANCE = _("in maintenance until {time}")
UNREACHABLE = _("unreachable since {time}")
TOO_SMALL = _("no node is large enough")
NO_NODES = _("no nodes available")
MINUTES_AGO = _("{minutes} min ago")
NO_NEWS_SINCE = _("no news since {time}")
NOT_OFFERED_THERE = _("does not offer this profile")


def nodes_available(count: int) -> str:
    """Return how many nodes are available."""
    return counted("{count} node available", "{count} nodes available", count).format(count=count)


# -- above the form ----------------------------------------------------------------------------------------
MAINTENANCE = _("{site} is in maintenance from {begins} to {ends}.")
MAINTENANCE_OF_PARTITIONS = _("{site} ({partitions}) is in maintenance from {begins} to {ends}.")
NOTHING_OFFERED = _("Nothing is offered to you here. Contact the administrators.")
