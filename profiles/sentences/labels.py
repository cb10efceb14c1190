"""What the options form says beside its fields and of each cluster."""

from languages import counted, speaks
from languages import sentence as _

LABELS = {
    "profile": _("Profile"),
    "type": _("Job type"),
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
BY_PARTITION = _("As the partition has it")
DEFAULT_IN = _("{value} in {partition}")
DEFAULTS_ARE = _("Default: {values}.")
NONE = _("None")
DEFAULT_PROJECT = _("Your default project")
NO_PROJECT = _("You have no project there")

YES = _("Yes")
NO = _("No")

# -- hints below a field -----------------------------------------------------------------------------------
RANGE = _("{least} to {most}.")
RANGE_ON_EACH_NODE = _("{least} to {most} on each node.")
AT_LEAST = _("{least} or more.")
UP_TO = _("{most} or less.")
ANY_WHOLE = _("A whole number.")
ANY_DECIMAL = _("A decimal number.")
PATTERN = _("It has to match {pattern}.")
ON_EACH_NODE = _("On each node.")
ONE_OF = _("One of: {options}.")
ONLY_FOR_PROFILES = _("Only for {profiles}.")
ONLY_AT_SITES = _("Only at {sites}.")
ONLY_FOR_PROFILES_AT_SITES = _("Only for {profiles} at {sites}.")

# -- partitions and clusters, with what is known of them -----------------------------------------------------
WITH_NEWS = _("{title} ({news})")
AMOUNT = _("{number} {unit}")
AN_HOUR = _("from {amount} an hour")
AT_MOST = _("at most {time}")
DOWN = _("down")
IN_MAINTENANCE = _("in maintenance until {time}")
UNREACHABLE = _("unreachable since {time}")
TOO_SMALL = _("no node is large enough")
STARTS_AT_ONCE = _("starts at once: {free} free")
LIKELY_TO_WAIT = _("likely to wait: {free} free")
CORES_OF = _("{free} of {all} cores")
FREE = _("{free} free")
ONLY_FOR_GROUPS = _("only for {groups}")
GPUS_OF = _("{free} of {all} {kind}")
NO_PROJECT_CLOSES = _("you have no project there; ask its support for one")
NO_PROJECT_ASK = _("you have no project there; ask for one: {support}")
REFUSED_ASK = _("{said} Its support: {support}")
NOW = _("now")
MINUTES_AGO = _("{minutes} min ago")
NO_NEWS_SINCE = _("no news since {time}")
NOT_OFFERED_THERE = {"profile": _("does not offer this profile"), "type": _("does not offer this job type")}

# -- above the form ----------------------------------------------------------------------------------------
MAINTENANCE = _("{site} will be in maintenance from {begins} to {ends}.")
MAINTENANCE_OF_PARTITIONS = _("{site} ({partitions}) will be in maintenance from {begins} to {ends}.")
NOTHING_OFFERED = _("Nothing is offered to you here. Contact the administrators.")

# -- the parts of the form -----------------------------------------------------------------------------------
WHAT = _("What")
WHERE = _("Where")
HOW_MUCH = _("How much")
OTHER_CATEGORY = _("Other")

# -- what the script of the form shows -----------------------------------------------------------------------
SCRIPT = {
    "find": _("Find among {count} profiles: name, module, package"),
    "category": _("Category"),
    "all_categories": _("All categories"),
    "recent": _("Your recent ones first"),
    "found": _("{count} of {all} profiles"),
    "show_all": _("Show all {count}"),
    "last_time": _("{when} on {site}"),
    "usual": _("{value} (default)"),
    "kept": _("Kept from {profile}."),
    "copied": _("The link is copied. It fills in this form and starts nothing."),
    "not_copied": _("Copy this link:"),
    "ask_again": _("Ask again"),
    "asks_again": _("Asking …"),
    "draft": _("What you had filled in here is back."),
    "dismiss": _("Begin anew"),
    "unit": _("Unit"),
    "units": _("MB GB TB"),
    "instead": _("{site} could start it at once."),
    "take": _("Take {site}"),
}
"""By the names by which the form's script knows them; it puts values into the braces."""

FILLED_BY_LINK = _("Filled in by a link you opened. Check it and press Start.")

# -- what would be started, in one sentence ------------------------------------------------------------------
SUMMARY = _("{profile} on {place}: {resources}, {time}, until {end}.")
SUMMARY_CHARGED = _("{profile} on {place}: {resources}, {time}, until {end}, charged to {project}.")
COSTS = _("It costs {amount} if it runs for all of its time.")
COST_TOGETHER = _("Together they cost {amount} if each runs for all of its time.")
PLACE_WITH_PARTITION = _("{site}, {partition}")
ECHO_TIME = _("= {time}, until {end}")
ECHO = _("= {value}")
CANNOT_START = _("{site}: {reason}.")
DAYS_HOURS = _("{days} d {hours} h")
DAYS = _("{days} d")
HOURS_MINUTES = _("{hours} h {minutes} min")
HOURS = _("{hours} h")
MINUTES = _("{minutes} min")
GIGABYTES = _("{number} GB")
MEGABYTES = _("{number} MB")


def nodes(count: int) -> str:
    """Return a number of nodes, each of which has what is said before."""
    return counted("on {count} node", "on each of {count} nodes", count).format(count=count)


def longest(count: int) -> str:
    """Return how long a text may be, as a sentence."""
    return counted("At most {count} character.", "At most {count} characters.", count).format(count=count)


def open_range(least: str | None, most: str | None, *, is_whole: bool) -> str:
    """Return which numbers there are with one end, or with none, as a sentence."""
    if least is not None:
        return AT_LEAST.format(least=least)
    if most is not None:
        return UP_TO.format(most=most)
    return ANY_WHOLE if is_whole else ANY_DECIMAL


def duration(total: int) -> str:
    """Return minutes in words: `1 h 30 min`."""
    days, rest = divmod(total, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days and not minutes:
        return (DAYS_HOURS if hours else DAYS).format(days=days, hours=hours)
    if not total // 60:
        return MINUTES.format(minutes=total)
    return (HOURS_MINUTES if minutes else HOURS).format(hours=total // 60, minutes=minutes)


def memory(total_mib: int) -> str:
    """Return MiB in words: `16 GB`."""
    whole, rest = divmod(total_mib, 1024)
    return MEGABYTES.format(number=total_mib) if rest else GIGABYTES.format(number=whole)


speaks(__name__)
