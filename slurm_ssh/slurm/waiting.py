"""What waits in a site's queue, in the order in which Slurm starts it: what is asked, how it is read.  Pure."""

import re

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from profiles.facts import Queue
from slurm_ssh.slurm.jobs import command

BEGIN, END = "== waiting", "== end of waiting"
# By falling priority, of equal ones the older first.  A reason is cut, and of a name no more is there than marks
# begin with: with a line break in it, a longer one could hold a row about a job of somebody else.
_ORDER = "-p,i"
_FORMAT = "%100P|%i|%24r|%8j"
_MARKS = "jupyter-"
_MOST_PLACES = 2000
# What waits for something else than its turn is before nobody.
_NOT_IN_TURN = "Dependency|BeginTime|JobHeld|JobHold|DeadLine|JobArrayTaskLimit"
# Counted there, so that a long queue has a short answer; a job of several partitions is in each of their queues.
_COUNT = f"""\
NF >= 4 {{
  gsub(/ /, "", $1); n = split($1, partitions, ",")
  if ($4 == "{_MARKS}" && m++ < {_MOST_PLACES}) print "job|" $2 "|" waiting[partitions[1]] + 0
  if ($3 !~ /^({_NOT_IN_TURN})/) for (i = 1; i <= n; i++) waiting[partitions[i]]++
}}
END {{ for (name in waiting) print "partition|" name "|" waiting[name] }}"""
_JOB = re.compile(r"job\|([0-9]{1,10})\|([0-9]{1,7})")
_PARTITION = re.compile(r"partition\|([^|]{1,100})\|([0-9]{1,7})")


def question(site: Site) -> Shell:
    """Return the program that says how many jobs wait in each partition, and before each job of a hub.

    It always succeeds.  Slurm tells of a job only whom it shows it to (`PrivateData`); an array counts once.
    """
    listed = command(site, "squeue", "-a", "-h", "-t", "PD", "-S", _ORDER, "-o", _FORMAT)
    counted = f"""printf '%s\\n' "$jobs" | LC_ALL=C awk -F '|' {quote(_COUNT)} && echo '{END}'"""
    return Shell(f"{{ echo '{BEGIN}'; jobs=$({listed}) && {counted}; :; }} 2>/dev/null")


def parse(text: str) -> Queue | None:
    """Return what waits, by what follows BEGIN in the answer; None if that is not whole."""
    said, end, _ = text.partition(f"{END}\n")
    if not end:
        return None
    lines = said.splitlines()
    return Queue(
        waiting={found[1]: int(found[2]) for line in lines if (found := _PARTITION.fullmatch(line))},
        before={found[1]: int(found[2]) for line in lines if (found := _JOB.fullmatch(line))},
    )
