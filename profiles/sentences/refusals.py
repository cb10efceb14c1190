"""Why a choice is refused, and what is accepted.  `{label}` is what the form calls the field."""

from dataclasses import dataclass

from languages import counted, speaks
from languages import sentence as _


@dataclass(frozen=True)
class Placed:
    """A sentence about a partition, and the same about a cluster whose own default partition is used."""

    of_partition: str
    of_site: str

    def about(self, site: str, partition: str | None, **values: object) -> str:
        """Return the sentence about a place, both given by their titles."""
        text = self.of_site if partition is None else self.of_partition
        return text.format(site=site, partition=partition, **values)


# -- what was sent -----------------------------------------------------------------------------------------
NO_CHOICES = _("Choices must be names with texts, such as profile and site.")
NO_BATCH_JOB = _("{type} is interactive: it starts a server, and no batch job can be of it.")
NO_SUCH_CHOICE = _("There is no choice named {name}. Choices are {names} and param.<name>.")
NOT_ONE_LINE = _("The choice {name} must be one line of text with at most {most} characters.")
TOO_MANY = _("These are too many choices: at most {most} can be made, of {bytes} bytes together.")
SENT_TWICE = _("The choice {name} was sent more than once. Send each field once.")

# -- one choice --------------------------------------------------------------------------------------------
NOT_ONE_OF = _("{label}: {value} is not offered. Choose one of: {options}.")
NONE_OFFERED = _("{label}: {value} is not offered. Nothing can be chosen here: omit it.")
NOT_WITHIN = _("{label}: {value} is not offered. Choose {accepted}.")
WHOLE_NUMBER = _("a whole number")
WHOLE_FROM = _("a whole number from {least}")
WHOLE_TO = _("a whole number up to {most}")
WHOLE_BETWEEN = _("a whole number from {least} to {most}")
DECIMAL_NUMBER = _("a decimal number such as 0.5")
DECIMAL_FROM = _("a decimal number from {least}")
DECIMAL_TO = _("a decimal number up to {most}")
DECIMAL_BETWEEN = _("a decimal number from {least} to {most}")
TEXT_MATCHING = _("{text}, of the pattern {pattern}")
NOT_FOR_THESE = _("{label} is not offered for all of these datasets. Omit it, or choose other datasets.")
ONLY_FOR_DATASETS = _("{label} is offered for some datasets only. Omit it, or choose datasets.")
UNREADABLE = _("{label}: {problem}.")
MEMORY_WITHOUT_UNIT = _("Memory: write {value}G for gigabytes, or {value}M for megabytes.")
RANGE = _("{least} to {most}")
NO_PROJECT_CHARGED = _("{site} does not charge projects. Omit the project.")
NO_PROJECT_NAME = _("{project} is not a valid project name. Use letters, digits, _, . and -, or omit it.")
GPU_TYPE_ALONE = _("GPU type: {value} requires GPUs. Ask for at least one, or omit the type.")
NO_PARAMETERS = _("{profile} has no parameter named {name}. It has no parameters: omit it.")
PARAMETERS_ARE = _("{profile} has no parameter named {name}. Its parameters are: {names}.")


def servers_max(count: int, profile: str) -> str:
    """Return the sentence for somebody who has as many servers of a profile as one person may have."""
    return counted(
        "You already have {count} server of {profile}, the maximum for one person. "
        "Stop it, or choose another profile.",
        "You already have {count} servers of {profile}, the maximum for one person. "
        "Stop one, or choose another profile.",
        count,
    ).format(count=count, profile=profile)


def number(least: str | None, most: str | None, *, is_whole: bool) -> str:
    """Return which numbers are accepted; None is for any."""
    texts = {
        (False, False): (WHOLE_NUMBER, DECIMAL_NUMBER),
        (True, False): (WHOLE_FROM, DECIMAL_FROM),
        (False, True): (WHOLE_TO, DECIMAL_TO),
        (True, True): (WHOLE_BETWEEN, DECIMAL_BETWEEN),
    }
    whole, decimal = texts[least is not None, most is not None]
    return (whole if is_whole else decimal).format(least=least, most=most)


def text(longest: int, pattern: str | None) -> str:
    """Return which texts are accepted."""
    said = counted("at most {count} character", "at most {count} characters", longest).format(count=longest)
    return said if pattern is None else TEXT_MATCHING.format(text=said, pattern=pattern)


NO_FREE_ARGUMENTS = _("This job type takes no further arguments. Choose among its parameters.")
ARGUMENT_NOT_ONE_LINE = _("Each argument must be one line of text with at most {most} characters.")


def free_arguments(most: int) -> str:
    """Return the sentence for somebody who adds too many words to a program."""
    return counted(
        "This job type takes at most {count} further argument. Omit the others.",
        "This job type takes at most {count} further arguments. Omit the others.",
        most,
    ).format(count=most)


# -- why it is no more -------------------------------------------------------------------------------------
NO_MORE_TIME = Placed(_("The partition {partition} allows no more."), _("{site} allows no more."))
NO_LARGER_NODE = Placed(_("No node of the partition {partition} has more."), _("No node of {site} has more."))
NO_MORE_NODES = Placed(_("The partition {partition} has no more."), _("{site} has no more."))
MAINTENANCE_BEGINS = _("The maintenance of {site} begins at {time}.")
SLURM_PAUSES = Placed(
    _("The maintenance of the partition {partition} begins at {time}."),
    _("The maintenance of {site} begins at {time}."),
)
RESERVATION_ENDS = _("The reservation {reservation} ends at {time}.")
NO_TIME_LEFT = {
    "profile": _("There is not enough time left for this profile."),
    "type": _("There is not enough time left for this job type."),
}
"""By the choice that picks one, as Menu.field says it."""


# -- what does not fit -------------------------------------------------------------------------------------
NO_SUCH_NODE = Placed(
    _("The partition {partition} has no node with {wanted}. It has {nodes}."),
    _("{site} has no node with {wanted}. It has {nodes}."),
)
TOO_FEW_NODES = Placed(
    _("The partition {partition} does not have {count} nodes with {wanted}. It has {nodes}."),
    _("{site} does not have {count} nodes with {wanted}. It has {nodes}."),
)
NODES_ALIKE = _("{count} x {node}")
ASK_FOR_LESS = _("Ask for less, or choose another partition or cluster.")
ANOTHER_PARTITION = _("Choose another partition or cluster.")
ANOTHER_CLUSTER = _("Choose another cluster.")


def cores(count: int) -> str:
    """Return a number of cores."""
    return counted("{count} core", "{count} cores", count).format(count=count)


def gpus(count: int, kind: str | None) -> str:
    """Return a number of GPUs, of a type if one is given."""
    if kind is None:
        return counted("{count} GPU", "{count} GPUs", count).format(count=count)
    return counted("{count} {kind} GPU", "{count} {kind} GPUs", count).format(count=count, kind=kind)


# -- maintenance -------------------------------------------------------------------------------------------
IN_MAINTENANCE = _("{site} is in maintenance until {time}.")
IN_MAINTENANCE_FOR = _("{site} is in maintenance until {time} ({reason}).")
CHOOSE_ANOTHER = _("Choose one of: {sites}.")
TRY_AGAIN = _("Try again when it is over.")

speaks(__name__)
