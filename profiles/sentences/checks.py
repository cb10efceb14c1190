"""What is wrong between the entries of a catalogue, in its conditions, and against Slurm; and what to write.

Each stands behind the place of a value, such as `sites.geneva.title`, whose name begins the sentence.  `{hint}` is
one of the first three of `mistakes`.
"""

from languages import sentence as _
from languages import speaks

# -- conditions over datasets ------------------------------------------------------------------------------
DOES_NOT_HOLD = _("The condition {condition} does not hold: {reason}.")
NO_SUCH_NAME = _("there is no {name}")
NO_NUMBER = _("{kind} is no number")
NO_ORDER = _("{kind} has no order")
NOT_COMPARABLE = _("{one} cannot be compared with {other}")
NOT_FINITE = _("no number can be divided by 0, or be that large")
CONDITION_TOO_LONG = _("has {count} characters, more than the {most} allowed; write a shorter condition")
CONDITION_TOO_DEEP = _("is more than {most} brackets and signs deep at character {at}; write a simpler condition")
CONDITION_EMPTY = _("is empty; write a condition such as `channels > 1`, or omit it")
CONDITION_ENDS = _("ends too early; write a comparison such as `channels > 1`, and close all brackets")
CONDITION_TEXT_OPEN = _("has a text that begins at character {at} and does not end; write a quote behind it")
CONDITION_CHARACTER = _(
    "has {found} at character {at}, which means nothing there; write names, numbers, 'texts', brackets and "
    "`== != < <= > >= + - * / % ! && ||`"
)
CONDITION_WORD = _(
    "has {found} at character {at}, which cannot stand there; write comparisons such as `channels > 1`, joined by "
    "`&&` or `||`"
)

# -- names of other entries --------------------------------------------------------------------------------
NO_SITE = _("there is no site `{name}`; {hint}")
NO_PARTITION = _("{site} has no partition `{name}`; {hint}")
PROJECT_NOT_AT_SITE = _("this site does not list the project `{name}`; {hint}")
PROJECT_NOT_AT_SITES = _("none of its sites lists the project `{name}`; {hint}")
NO_CONTAINER = _("{site} does not say how to start a container; write `container` there, or remove it here")
NO_RUN_AS = _("{site} has no account for that; write `run_as` in its `jobs`, or remove it here")
SERVICE_WITHOUT_RUN = _(
    "is service, but people would run what they like as an account that they share; write `run` with a program of "
    "yours, or remove it"
)
SERVICE_WITH_ARGUMENTS = _(
    "lets people write words of their own for a program that runs as an account that they share; remove it, or "
    "`identity: service`"
)
PROGRAM_OF_PEOPLE = _(
    "lets people say which program runs as an account that they share; write `options`, or a `pattern`, for the "
    "parameter that stands here, or name a program of yours"
)
SERVICE_FOR_PROJECTS = _(
    "names projects of the site, and people without an account have none there; name `groups` instead, or remove "
    "`identity: service`"
)
TAKES_NO_JOBS = _("{site} takes no jobs; write `jobs` there, or remove it here")
NONE_TAKES_JOBS = _("no site takes jobs; write `jobs` for one of them")
KEY_OF_A_SITE = _("is the name of a site too; write another name")
LINES_AT_GATEWAY = _(
    "lets people write what runs at {gateway}, where all jobs are one account's; write `own_lines: true` there if "
    "everybody may see and end everybody's jobs, or remove it here"
)
NOT_AT_GATEWAY = _("means nothing at {gateway}, which is no site with Slurm; remove it for {gateway}")
NO_TOOL = _("{gateway} has no tool `{name}`; {hint}")
TOO_SHORT = _(
    "is at least {least}, but partition `{partition}` of {site} allows {most}; "
    "write a shorter time, or other `partitions`"
)
ITS_TIME_TOO_SHORT = _(
    "its time is at least {least}, but partition `{partition}` of {site} allows {most}; "
    "write a shorter time, or other `partitions`"
)
GPU_TYPES_ALONE = _("requires GPUs; write `gpus` beside it, or remove it")
NOT_REPLACED = _("{name} is not replaced here, only in `modules` and `environment`; remove it")
NOT_REPLACED_OF_JOB = _("{name} is not replaced here, only in `run`, `modules` and `environment`; remove it")
SET_BY_ENVIRONMENT = _("is set by `environment` too; write another variable")
SET_BY_PARAMETER = _("is set by the parameter `{parameter}` too; write another variable")
NO_PARAMETER = _("there is no parameter `{name}` here; {hint}")
BRACES = _("{name} has no meaning here; write {example} with the name of a parameter")
BRACES_OF_PARAMETER = _("{name} has no meaning here; write {example} for the parameter")

# -- what Slurm or PBS says of them --------------------------------------------------------------------------
NOT_THERE = _("{scheduler} has no such partition; {hint}")
DOWN = _("is down in {scheduler}, so no job starts there; remove it until it is up")
OVER_ITS_LIMIT = _("is {time}, but {scheduler} allows {most} there; write {most}")
NO_RESERVATION = _("Slurm has no reservation `{name}`; {hint}")
NO_GPU_OF_TYPE = _("no node in {place} has a GPU of type `{name}`; {hint}")
NOT_AT_ONCE = _("no node in {place} has that many cores, that much memory and that many GPUs at once; write less")
PLACE = _("{partitions} of {site}")
TOO_MUCH = {
    "time": _("is {asked}, but the longest in {place} is {most}; write at most {most}"),
    "cores": _("is {asked}, but the largest node in {place} has {most}; write at most {most}"),
    "memory": _("is {asked}, but the largest node in {place} has {most}; write at most {most}"),
    "gpus": _("is {asked}, but the largest node in {place} has {most}; write at most {most}"),
    "nodes": _("is {asked}, but the largest partition in {place} has {most}; write at most {most}"),
}
ITS_DEFAULT_TOO_MUCH = {
    "time": _("its default for time is {asked}, but the longest in {place} is {most}; write at most {most}"),
    "cores": _(
        "its default for cores is {asked}, but the largest node in {place} has {most}; write at most {most}"
    ),
    "memory": _(
        "its default for memory is {asked}, but the largest node in {place} has {most}; write at most {most}"
    ),
    "gpus": _("its default for GPUs is {asked}, but the largest node in {place} has {most}; write at most {most}"),
    "nodes": _(
        "its default for nodes is {asked}, but the largest partition in {place} has {most}; write at most {most}"
    ),
}

speaks(__name__)
