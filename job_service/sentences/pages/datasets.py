"""What people read where they choose datasets for a new job, and of those that have none."""

from languages import counted, speaks
from languages import sentence as _

DATASETS = _("Datasets")
DATASET = _("Dataset")
DATASETS_OF = _("New job: datasets for {name}")
FIND_DATASETS = _("A part of the name or id")
KIND = _("Kind")
FOUND = _("Found")
CHOSEN = _("Chosen")
NO_DATASET_FOUND = _("No dataset is like that.")
ALL_OF_THEM_CHOSEN = _("All that are shown here are chosen.")
CHOOSE_ALL = _("Choose all that are found")
CHOOSE_TICKED = _("Choose the ticked ones")
MORE_DATASETS = _("Show further ones")
UNTICK = _("Untick what you do not want.")
TO_FORM = _("Go on")
CHOOSE_DATASETS = _("Choose datasets")
NONE_OF_THEM = _("None is chosen.")
MODE_OF_THEM = _("What becomes of them")
MODES = {
    "single": _("One job that works on all of them"),
    "each": _("A job of its own for each"),
    "array": _("One array: a task for each, which wait in the queue as one and share a folder"),
}
SERVER_OF_THEM = _("The server knows all of them.")
NOT_FOR_ALL = _("Not all datasets have a job")
SENT_FOR = _("Jobs were sent for {count} of {all} datasets.")
TO_THE_SENT = _("See what was sent")
WHY_NOT = _("Why not")
TRY_OTHERS = _("Try it again with these")


def chosen(count: int) -> str:
    """Return how many datasets are chosen."""
    return counted("{count} dataset is chosen", "{count} datasets are chosen", count).format(count=count)


def none_for(count: int) -> str:
    """Return that there is no job for so many datasets."""
    return counted(
        "{count} dataset has no job:",
        "{count} datasets have no job:",
        count,
    ).format(count=count)


def takes(least: int, most: int) -> str:
    """Return how many datasets may be chosen."""
    if least == most:
        return counted("Choose {count} dataset.", "Choose {count} datasets.", most).format(count=most)
    return _RANGE.format(least=least, most=most)


_RANGE = _("Choose {least} to {most} datasets.")

speaks(__name__)
