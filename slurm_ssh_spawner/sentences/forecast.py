"""When a job would start that somebody is about to ask for; `{begins}` is a moment that the page fills in."""

from languages import sentence as _
from languages import speaks

AT_ONCE = _("Slurm would start it at once.")
EXPECTED = _("Slurm expects it to start at about {begins}.")
ONE_WAITS = _("{expected} One job already waits there.")
SEVERAL_WAIT = _("{expected} {count} jobs already wait there.")

speaks(__name__)
