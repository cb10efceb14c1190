"""When a job would start, and what is before one that waits; `{begins}` is a moment that the page fills in."""

from languages import sentence as _
from languages import speaks

AT_ONCE = _("Slurm would start it at once.")
EXPECTED = _("Slurm expects it to start at about {begins}.")
ONE_WAITS = _("{expected} One job already waits there.")
SEVERAL_WAIT = _("{expected} {count} jobs already wait there.")

NEXT = _("Yours is the next one in the queue of its partition.")
ONE_BEFORE = _("One job is before yours.")
SEVERAL_BEFORE = _("{count} jobs are before yours.")

speaks(__name__)
