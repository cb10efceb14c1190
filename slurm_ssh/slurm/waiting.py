"""How many jobs wait in each partition: what is asked, how the answer is read.  Pure."""

from collections import Counter
from collections.abc import Mapping

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh.slurm.jobs import command

BEGIN, END = "== waiting", "== end of waiting"
# What waits for something else than its turn is before nobody.
_NOT_IN_TURN = ("Dependency", "BeginTime", "JobHeld", "JobHold", "DeadLine", "JobArrayTaskLimit")
# Cut there, or each reason that lists nodes would be a line of its own.
_FORMAT = "%100P|%24r"
_MOST_LINES = 1000


def question(site: Site) -> Shell:
    """Return the program that counts, there, the jobs that wait, by partition and reason; it always succeeds.

    Slurm says so much of a job only to whom it shows it (`PrivateData`).  An array counts once.
    """
    listed = command(site, "squeue", "-a", "-h", "-t", "PD", "-o", _FORMAT)
    counted = (
        f"""jobs=$({listed}) && printf '%s\\n' "$jobs" | sort | uniq -c | head -n {_MOST_LINES} && echo '{END}'"""
    )
    return Shell(f"{{ echo '{BEGIN}'; {counted}; :; }} 2>/dev/null")


def parse(text: str) -> Mapping[str, int] | None:
    """Return how many jobs wait in each partition that has any, in what follows BEGIN; None if it is not whole.

    A job that may start in several partitions waits in each of them.
    """
    counts, end, _ = text.partition(f"{END}\n")
    if not end:
        return None
    found: Counter[str] = Counter()
    for line in counts.splitlines():
        number, _, described = line.strip().partition(" ")
        partitions, bar, reason = described.partition("|")
        if not bar or not number.isdecimal() or len(number) > len("1000000"):
            continue
        if not reason.startswith(_NOT_IN_TURN):
            for name in partitions.split(","):
                found[name.strip()] += int(number)
    return +found
