"""E7 at sites with OpenPBS: whether its commands are on a front end and answer; and a node for E11."""

import re
import shlex
from dataclasses import dataclass

from kerberos_auth.outcome import Outcome, State
from kernels.shell import Shell, join, quote
from profiles.catalogue.site import Site
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.doctor.site.visit import SLOW_SECONDS, Visit, ended, judged, outcome, quoted
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_PROGRAMS = ("qsub", "qstat", "qselect", "qdel")
_USUAL = ("/opt/pbs/bin", "/usr/bin", "/usr/local/bin", "/usr/pbs/bin", "/opt/openpbs/bin")
# pbs_version = 23.06.06
_VERSION = re.compile(r"pbs_version = ([0-9A-Za-z.]{1,32})")
# The one that it has by default may be in a comment.
_DELIMITER = "|/|"
_UP = "free|busy|job-busy|job-exclusive|resv-exclusive"
# A node says its state before its resources; its host is what jobs call it.
_FIRST_UP = (
    r"awk -F'[|]/[|]' '{up=0; for (i=1; i<=NF; i++) {if ($i ~ /^state=(" + _UP + r")$/) up=1; "
    r'if (up && sub(/^resources_available.host=/, "", $i)) {print $i; exit}}}'
    "'"
)


@dataclass(frozen=True)
class _Said:
    """What a front end says of PBS's commands; `queue` is how qselect ended and what it said."""

    missing: tuple[str, ...]
    elsewhere: str
    version: str
    queue: Completed


def _question(site: Site, owner: str) -> Shell:
    path = quote(site.scheduler_path)
    look = f'for each in {" ".join(_PROGRAMS)}; do [ -x {path}/$each ] || echo "missing $each"; done'
    usual = f'for at in {" ".join(_USUAL)}; do if [ -x $at/qsub ]; then echo "elsewhere $at"; break; fi; done'
    version = f'echo "version $({path}/qstat --version 2>&1 | head -n 1)"'
    queue = f'{join((f"{site.scheduler_path}/qselect", "-u", owner))} >/dev/null; echo "queue $?"'
    return Shell(f"{look}\n{usual}\n{version}\n{queue}\n:")


def _parse(answer: Completed) -> _Said:
    words = [line.partition(" ")[::2] for line in answer.stdout.splitlines()]
    last = {word: text.strip() for word, text in words}
    return _Said(
        tuple(text for word, text in words if word == "missing" and text in _PROGRAMS),
        elsewhere if (elsewhere := last.get("elsewhere", "")) in _USUAL else "",
        last.get("version", ""),
        ended(last.get("queue", ""), answer.stderr),
    )


async def commands(visit: Visit, pool: ConnectionPool, host: str) -> Outcome:
    """E7: Return how PBS's commands are on a front end, by its name."""
    question = _question(visit.site, visit.login.owner)
    return await judged(visit, pool, question, lambda *heard: _judged(visit, host, *heard))


def _judged(visit: Visit, host: str, answer: Completed, seconds: float) -> Outcome:
    said = _parse(answer)
    path = visit.site.scheduler_path
    named = {"host": host, "seconds": round(seconds), "scheduler": "PBS"}
    if said.missing:
        is_known = said.elsewhere not in ("", path)
        fix = sentences.PBS_IS_ELSEWHERE if is_known else sentences.FIND_PBS
        listed = ", ".join(f"{path}/{each}" for each in said.missing)
        text = sentences.NO_COMMANDS.format(**named, programs=listed)
        place = visit.place("scheduler", "path")
        return outcome("E7", State.FAIL, text, fix.format(**named, elsewhere=said.elsewhere), place)
    if said.queue.status:
        text = sentences.QSELECT_FAILS.format(**named, said=quoted(said.queue.stderr))
        line = shlex.join((f"{path}/qselect", "-u", visit.login.owner))
        return outcome("E7", State.FAIL, text, sentences.TRY_QSELECT.format(**named, line=line))
    if seconds > SLOW_SECONDS:
        return outcome("E7", State.WARN, sentences.SCHEDULER_SLOW.format(**named), sentences.SEE_PBS_SERVER)
    found = _VERSION.search(said.version)
    version = found[1] if found else quoted(said.version)
    return outcome("E7", State.OK, sentences.PBS_ANSWERS.format(**named, version=version))


def a_node(site: Site) -> Shell:
    """Return the program that prints the name of a node that is up; nothing where PBS does not say it."""
    nodes = join((f"{site.scheduler_path}/pbsnodes", "-a", "-F", "dsv", "-D", _DELIMITER))
    return Shell(f"{nodes} 2>/dev/null | {_FIRST_UP}")
