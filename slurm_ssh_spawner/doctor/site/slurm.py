"""E7: whether Slurm's commands are on a front end and answer; E8: whether a scheduler has what is promised."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kerberos_auth.outcome import Outcome, State
from kernels.shell import Shell, join, quote
from profiles.catalogue.site import Site
from profiles.checks import capacity
from profiles.facts import SiteFacts
from slurm_ssh.errors import LaunchError
from slurm_ssh.schedulers import queries
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.doctor.site.visit import SLOW_SECONDS, Visit, ended, judged, outcome, quoted, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_PROGRAMS = ("sbatch", "squeue", "scancel", "sinfo", "scontrol")
_USUAL = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/slurm/bin",
    "/usr/local/slurm/bin",
    "/cm/shared/apps/slurm/current/bin",
)
_OLDEST = (22, 5)
_VERSION = re.compile(r"slurm(?:-wlm)? ([0-9]{2})\.([0-9]{2})(\.[0-9]{1,3})?\b")


@dataclass(frozen=True)
class _Said:
    """What a front end says of Slurm's commands; `queue` is how squeue ended and what it said."""

    missing: tuple[str, ...]
    elsewhere: str
    version: str
    name: str
    queue: Completed


def _question(site: Site, owner: str) -> Shell:
    programs = (*_PROGRAMS, *(("sacctmgr",) if site.projects == "accounting" else ()))
    path = quote(site.slurm_path)
    look = f'for each in {" ".join(programs)}; do [ -x {path}/$each ] || echo "missing $each"; done'
    usual = f'for at in {" ".join(_USUAL)}; do if [ -x $at/sbatch ]; then echo "elsewhere $at"; break; fi; done'
    version = f'echo "version $({path}/sbatch --version 2>&1 | head -n 1)"'
    config = join((f"{site.slurm_path}/scontrol", "show", "config"))
    name = f"echo \"name $({config} 2>/dev/null | sed -n 's/^ClusterName *= *//p')\""
    queue = slurm_jobs.command(site, "squeue", "-h", "-u", owner, "-o", "%i")
    # A controller that does not answer would hold up scontrol as well.
    unless_silent = "" if site.slurm_cluster else "[ $s != 0 ] || "
    queue_first = f'{queue} >/dev/null; s=$?\necho "queue $s"\n{unless_silent}{name}\n:'
    return Shell(f"{look}\n{usual}\n{version}\n{queue_first}")


def _parse(answer: Completed) -> _Said:
    words = [line.partition(" ")[::2] for line in answer.stdout.splitlines()]

    def last(name: str) -> str:
        return next((text.strip() for word, text in reversed(words) if word == name), "")

    missing = tuple(text for word, text in words if word == "missing" and text in (*_PROGRAMS, "sacctmgr"))
    elsewhere = last("elsewhere")
    return _Said(
        missing,
        elsewhere if elsewhere in _USUAL else "",
        last("version"),
        last("name"),
        ended(last("queue"), answer.stderr),
    )


async def commands(visit: Visit, pool: ConnectionPool, host: str) -> Outcome:
    """E7: Return how Slurm's commands are on a front end, by its name."""
    question = _question(visit.site, visit.login.owner)
    return await judged(visit, pool, question, lambda *heard: _judged(visit, host, *heard))


def _judged(visit: Visit, host: str, answer: Completed, seconds: float) -> Outcome:
    said = _parse(answer)
    site, place = visit.site, visit.place("slurm_path")
    named = {"host": host, "path": site.slurm_path, "seconds": round(seconds), "scheduler": "Slurm"}
    if said.missing:
        fix = sentences.SLURM_IS_ELSEWHERE.format(elsewhere=said.elsewhere) if said.elsewhere else ""
        is_here = said.elsewhere == site.slurm_path or not fix
        listed = ", ".join(f"{site.slurm_path}/{each}" for each in said.missing)
        text = sentences.NO_COMMANDS.format(**named, programs=listed)
        return outcome("E7", State.FAIL, text, sentences.FIND_SLURM.format(**named) if is_here else fix, place)
    found = _VERSION.search(said.version)
    if found and (int(found[1]), int(found[2])) < _OLDEST:
        text = sentences.SLURM_TOO_OLD.format(**named, version=quoted(said.version))
        return outcome("E7", State.FAIL, text, sentences.UPGRADE_SLURM)
    if said.queue.status:
        text = sentences.SQUEUE_FAILS.format(**named, said=quoted(said.queue.stderr))
        if site.slurm_cluster and "cluster" in said.queue.stderr.lower():
            fix = sentences.SEE_CLUSTER.format(name=said.name or "?")
            return outcome("E7", State.FAIL, text, fix, visit.place("slurm_cluster"))
        line = shlex.join((f"{site.slurm_path}/squeue", "-u", visit.login.owner))
        return outcome("E7", State.FAIL, text, sentences.TRY_SQUEUE.format(**named, line=line))
    if seconds > SLOW_SECONDS:
        return outcome("E7", State.WARN, sentences.SCHEDULER_SLOW.format(**named), sentences.SEE_SLURMCTLD)
    version = f"{found[1]}.{found[2]}{found[3] or ''}" if found else quoted(said.version)
    known = {"version": version, "name": quoted(said.name)}
    return outcome("E7", State.OK, sentences.SLURM_ANSWERS.format(**named, **known))


async def facts(visit: Visit, pool: ConnectionPool) -> tuple[list[Outcome], SiteFacts | None]:
    """E8: Return whether the scheduler has what the catalogue promises of the site, and what it said if it did."""
    remote, kind = visit.remote(pool), visit.site.scheduler.kind
    try:
        known = await queries.collect(remote)
    except LaunchError as error:
        return [outcome("E8", State.FAIL, told(error), sentences.TRY_FACTS[kind], visit.place())], None
    found = [_misfit(visit, each.path, str(each)) for each in capacity.at_site(visit.catalogue, visit.key, known)]
    if visit.site.projects == "accounting" and not visit.is_monitor:
        projects = await queries.facts_about(remote, visit.login.owner)
        known = replace(known, projects=projects.projects if projects else None)
        found += _projects(visit, known.projects)
    if not found:
        partitions = ", ".join(known.partitions or {})
        named = {"scheduler": visit.site.scheduler.name, "partitions": quoted(partitions), "site": visit.key}
        text = sentences.HAS_ALL[kind].format(**named)
        found = [outcome("E8", State.OK, text)]
    return found, known


def _misfit(visit: Visit, path: Sequence[str], text: str) -> Outcome:
    written = ".".join(path)
    return outcome(
        "E8",
        State.FAIL,
        f"{written}: {text}",
        sentences.MEND_PROMISE[visit.site.scheduler.kind],
        visit.where(tuple(path)),
    )


def _projects(visit: Visit, projects: tuple[str, ...] | None) -> Iterator[Outcome]:
    named, place = {"owner": visit.login.owner, "site": visit.key}, visit.place("projects")
    if projects is None:
        yield outcome("E8", State.FAIL, sentences.ACCOUNTING_SILENT.format(**named), sentences.TRY_SACCTMGR, place)
    elif not projects:
        fix = sentences.ADD_PROJECT.format(**named)
        yield outcome("E8", State.FAIL, sentences.NO_PROJECT.format(**named), fix, place)


def a_node(site: Site) -> Shell:
    """Return the program that prints the name of a node that is up."""
    nodes = slurm_jobs.command(site, "sinfo", "-h", "-N", "-t", "idle,mix,alloc", "-o", "%N")
    return Shell(f"{nodes} | grep -v '^CLUSTER' | head -n 1")
