"""Goes through all groups of checks, in order: those of sites last, of all sites at once."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kerberos_auth.outcome import Outcome, State
from profiles.loading import load
from profiles.loading.load import Loaded
from profiles.loading.problems import CatalogueInvalid, Problem
from slurm_ssh.text import one_line
from slurm_ssh_spawner.doctor import addresses, check, kerberos, logins, machine, menu
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import JOB_SECONDS, SITE_SECONDS, Examined
from slurm_ssh_spawner.doctor.site.look import look
from slurm_ssh_spawner.hub.configured import CannotRead, Configured, configured
from slurm_ssh_spawner.sentences import doctor as sentences

GROUPS = ("A", "B", "C", "D", "E", "F", "G")
_CHECKS = {"A": machine.CHECKS, "B": kerberos.CHECKS, "C": addresses.CHECKS, "D": menu.CHECKS}
_OF_SITES = frozenset("EFG")
_OF_JOBS = frozenset("FG")
# So long a look may go on beyond its budget, before it is cut off.
_GRACE_SECONDS = 2
_MOST_PROBLEMS = 20
_LONGEST = 300


@dataclass(frozen=True)
class Asked:
    """What is to be examined: `sites` and `groups` are all if they are empty, `person` is "" for nobody."""

    file: Path
    sites: tuple[str, ...] = ()
    person: str = ""
    with_job: bool = False
    partition: str | None = None
    groups: frozenset[str] = frozenset()

    def wants(self, group: str) -> bool:
        """Return whether a group is to be looked at; those of jobs only with one."""
        return group in (self.groups or GROUPS) and (self.with_job or group not in _OF_JOBS)

    @property
    def wants_to_get_in(self) -> bool:
        """Whether somebody has to log in, which is a check of its own, and needed for those of sites."""
        return self.wants("B") or any(self.wants(group) for group in _OF_SITES)


@dataclass(frozen=True)
class Found:
    """What one check found, at a site if it is one of a site."""

    outcome: Outcome
    site: str = ""


@dataclass(frozen=True)
class Read:
    """What was read before anything is looked at: a configuration with its catalogue, or why there is none."""

    asked: Asked
    configured: Configured | None = None
    loaded: Loaded | None = None
    problems: tuple[Problem, ...] = ()
    unreadable: Outcome | None = None

    @property
    def needs_password(self) -> bool:
        """Whether the person's password has to be asked for."""
        return bool(self.asked.person and self.configured and self.configured.logins)


def read(asked: Asked) -> Read:
    """Return what can be read of what is asked for."""
    try:
        found = configured(asked.file)
    except CannotRead as error:
        return Read(asked, unreadable=Outcome("A1", State.FAIL, str(error), error.fix, place=error.place))
    except Exception as error:  # noqa: BLE001 - JupyterHub raises what it likes
        reason = one_line(f"{type(error).__name__}: {error}", _LONGEST)
        said = sentences.NOT_RUN.format(reason=reason)
        return Read(asked, unreadable=Outcome("A1", State.FAIL, said, place=str(asked.file)))
    try:
        loaded = load.loaded(found.settings.catalogue_file)
    except CatalogueInvalid as error:
        return Read(asked, found, problems=error.problems)
    return Read(asked, found, loaded, loaded.off)


async def examine(what: Read, password: str, folder: Path) -> AsyncIterator[Found]:
    """Yield what all checks find.  `password` is the person's; `folder` is private, and removed by the caller."""
    asked = what.asked
    if what.configured is None or what.unreadable is not None:
        for each in _nothing(what):
            yield each
        return
    examined = Examined(what.configured, what.loaded, folder, asked.person or None)
    if asked.wants("A"):
        yield Found(Outcome("A1", State.OK, sentences.READ.format(file=asked.file)))
    broken = _of_catalogue(what)
    wrong = {each.check: each for each in broken if each.state is State.FAIL}
    for group, checks in _CHECKS.items():
        outcomes = await _of(checks, examined, wrong) if asked.wants(group) else []
        if group == "B" and asked.wants_to_get_in:
            examined, found = await _entered(examined, password, wrong)
            outcomes += found
        outcomes += broken if group == "D" else ()
        for one in check.in_order(outcomes) if asked.wants(group) else ():
            yield Found(one)
    async for of_site in _of_sites(asked, examined):
        yield of_site


async def _entered(examined: Examined, password: str, wrong: dict[str, Outcome]) -> tuple[Examined, list[Outcome]]:
    """Return what is examined, with those who could log in, and what was found of it."""
    try:
        entered = await logins.enter(examined, password, wrong)
    except Exception as error:  # noqa: BLE001 - the others go on
        found = [check.broken("B5", error)]
        entered = logins.nobody(examined, found)
    wrong |= {each.check: each for each in entered.outcomes if each.state is State.FAIL}
    return entered.examined, entered.outcomes


async def _of(checks: Iterable[Check], examined: Examined, wrong: dict[str, Outcome]) -> list[Outcome]:
    """Return what the checks of a group found, and add to `wrong` what failed."""
    outcomes = []
    for each in checks:
        if each.applies(examined):
            found = await check.made(each, examined, wrong)
            wrong |= {one.check: one for one in found if one.state is State.FAIL}
            outcomes += found
    return outcomes


def _nothing(what: Read) -> Iterator[Found]:
    """Yield why nothing can be looked at."""
    if what.unreadable is not None:
        yield Found(what.unreadable)
        for group in filter(what.asked.wants, GROUPS):
            yield Found(Outcome(group, State.SKIP, sentences.BECAUSE.format(check=what.unreadable.check)))


def unknown_site(what: Read) -> str:
    """Return what to say of a site that was named, and of which the catalogue has none; "" if there is each."""
    known = what.loaded.catalogue.sites if what.loaded else what.asked.sites
    for key in what.asked.sites:
        if key not in known:
            return sentences.NO_SUCH_SITE.format(site=one_line(key, 64), known=", ".join(known))
    return ""


def _of_catalogue(what: Read) -> list[Outcome]:
    """Return what is wrong with the catalogue, which the hub is without; job types in XML it only leaves out."""
    state = State.WARN if what.loaded else State.FAIL
    found = [
        Outcome(
            "D1", state, f"{each.path}: {each.text}" if each.path else each.text, place=f"{each.file}:{each.line}"
        )
        for each in what.problems[:_MOST_PROBLEMS]
    ]
    if (more := len(what.problems) - _MOST_PROBLEMS) > 0:
        found.append(Outcome("D1", state, sentences.MORE_PROBLEMS.format(count=more), sentences.RUN_CHECK))
    return found


async def _of_sites(asked: Asked, examined: Examined) -> AsyncIterator[Found]:
    """Yield what is found at each site, the sites in the order of the catalogue."""
    groups = [group for group in GROUPS if group in _OF_SITES and asked.wants(group)]
    if not groups:
        return
    if examined.loaded is None:
        for group in groups:
            yield Found(Outcome(group, State.SKIP, sentences.BECAUSE.format(check="D1")))
        return
    keys = [key for key in examined.catalogue.sites if key in (asked.sites or (key,))]
    looks = {key: asyncio.create_task(_at(asked, examined, key, groups)) for key in keys}
    try:
        for key, each in looks.items():
            for outcome in await each:
                yield Found(outcome, key)
    finally:
        for each in looks.values():
            each.cancel()
        # A job that was submitted is cancelled first.
        await asyncio.gather(*looks.values(), return_exceptions=True)


async def _at(asked: Asked, examined: Examined, key: str, groups: list[str]) -> list[Outcome]:
    if key not in examined.whom:
        return [Outcome(group, State.SKIP, examined.why_nobody[key]) for group in groups]
    seconds = JOB_SECONDS if asked.with_job else SITE_SECONDS
    try:
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            found = await look(examined, key, with_job=asked.with_job, partition=asked.partition)
    except TimeoutError:
        return [Outcome(groups[0], State.FAIL, sentences.SITE_TOO_SLOW.format(seconds=seconds))]
    except Exception as error:  # noqa: BLE001 - the other sites go on
        return [check.broken(groups[0], error)]
    return check.in_order(each for each in found if each.check[:1] in groups)
