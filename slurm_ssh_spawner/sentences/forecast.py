"""When a job would start, and what is before one that waits; `{begins}` is a moment that the page fills in."""

from languages import counted, speaks
from languages import sentence as _

AT_ONCE = _("Slurm would start it at once.")
EXPECTED = _("Slurm expects it to start at about {begins}.")
NEXT = _("Yours is the next one in the queue of its partition.")


def waiting(count: int) -> str:
    """Return how many jobs wait where somebody's would."""
    return counted("{count} job already waits there.", "{count} jobs already wait there.", count).format(
        count=count
    )


def before(count: int) -> str:
    """Return how many jobs are before somebody's own."""
    return counted("{count} job is before yours.", "{count} jobs are before yours.", count).format(count=count)


speaks(__name__)
