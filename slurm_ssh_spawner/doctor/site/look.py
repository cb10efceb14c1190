"""Looks at one site, as somebody who may log in there."""

import asyncio
from urllib.parse import urlsplit

from kerberos_auth.errors import AuthFailed
from kerberos_auth.outcome import Outcome, State
from profiles.offer.launch import NotebookLaunch
from profiles.offer.offer import Person
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.doctor.examined import JOB_SECONDS, SITE_SECONDS, Examined
from slurm_ssh_spawner.doctor.site import forwarding, front_ends, job, offers, pbs, places, slurm
from slurm_ssh_spawner.doctor.site.front_ends import Entered
from slurm_ssh_spawner.doctor.site.visit import Visit, skipped
from slurm_ssh_spawner.sentences import doctor_sites as sentences

# What a job has left is removed also when the time is up.
_CLEAN_UP_SECONDS = 45
_AFTER_LOGIN = ("E7", "E8", "E9", "E10", "E11")
_AFTER_E7 = sentences.BECAUSE_OF.format(check="E7")


async def look(examined: Examined, key: str, *, with_job: bool, partition: str | None) -> list[Outcome]:
    """Return how a site stands: E, its front ends; with a job also F, what is on a node, and G, both ways.

    Keeps to SITE_SECONDS, with a job to JOB_SECONDS; what is not done by then is said to be so.
    `examined.whom` has the site.
    """
    seconds = JOB_SECONDS - _CLEAN_UP_SECONDS if with_job else SITE_SECONDS
    return await looked(_visit(examined, key, partition or ""), seconds, with_job=with_job)


async def looked(visit: Visit, seconds: float, *, with_job: bool) -> list[Outcome]:
    """Return what is found within so many seconds, and what was not looked at by then."""
    found: list[Outcome] = []
    try:
        async with asyncio.timeout(seconds):
            await _all(visit, found, with_job=with_job)
    except TimeoutError:
        made = {each.check for each in found}
        wanted = (*front_ends.CHECKS, *_AFTER_LOGIN, *(job.CHECKS if with_job else ()))
        left = tuple(each for each in wanted if each not in made)
        found += skipped(left, sentences.NO_TIME_LEFT.format(seconds=seconds))
    return found


def _visit(examined: Examined, key: str, partition: str) -> Visit:
    whom, site = examined.whom[key], examined.catalogue.sites[key]
    own = examined.api_url
    api_url = f"{site.hub_url}{urlsplit(own).path or '/hub/api'}" if site.hub_url else own
    try:
        ticket = examined.credentials.read(whom.user) if whom.ticket and not whom.is_monitor else b""
    except AuthFailed:
        ticket = b""
    return Visit(
        key=key,
        site=site,
        catalogue=examined.catalogue,
        person=Person(whom.user, examined.groups),
        login=Login(whom.user, whom.owner, key),
        where=examined.where,
        hub_name=examined.settings.hub_name,
        api_url=api_url,
        ticket=whom.ticket,
        ticket_bytes=ticket,
        is_monitor=whom.is_monitor,
        partition=partition,
        doors=examined.doors,
    )


async def _all(visit: Visit, found: list[Outcome], *, with_job: bool) -> None:
    """Add to `found` what is found, as it comes."""
    async with front_ends.looked_at(visit) as seen:
        found += [each for one in seen for each in one.outcomes]
        let_in = [each.entered for each in seen if each.entered]
        if not let_in:
            because = sentences.NOT_WITHOUT_LOGIN
            found += skipped((*_AFTER_LOGIN, *(job.CHECKS if with_job else ())), because)
            return
        taken = await _behind_login(visit, let_in, found)
        if not with_job:
            return
        failed = {each.check for each in found if each.state is State.FAIL}
        if visit.is_monitor:
            found += skipped(job.CHECKS, sentences.NOT_AS_MONITOR)
        elif "E10" in failed or (not taken and not failed.isdisjoint(_AFTER_LOGIN)):
            found += skipped(job.CHECKS, sentences.NOT_AFTER_FAILURE)
        else:
            await job.look(visit, let_in[0].pool, taken, found, is_forbidden="E11" in failed)


async def _behind_login(visit: Visit, let_in: list[Entered], found: list[Outcome]) -> list[NotebookLaunch]:
    """Add what is seen once a front end has let in; return what the scheduler would take there.

    PBS is not asked: what is offered.
    """
    look_at = slurm.commands if _has_slurm(visit) else pbs.commands
    commands = await asyncio.gather(*(look_at(each.visit, each.pool, each.host) for each in let_in))
    found += commands
    able = [each for each, one in zip(let_in, commands, strict=True) if one.state is not State.FAIL]
    known, taken = None, list[NotebookLaunch]()
    if able:
        let_in[:] = [*able, *(each for each in let_in if each not in able)]
        facts, known = await slurm.facts(visit, able[0].pool)
        found += facts
    else:
        found += skipped(("E8",), _AFTER_E7)
    if visit.is_monitor:
        found += skipped(("E9",), sentences.NOT_AS_MONITOR)
    elif known is None:
        found += skipped(("E9",), _without_facts(visit) if able else _AFTER_E7)
    elif not _has_slurm(visit):
        found += skipped(("E9",), sentences.NOT_BEFORE_A_JOB)
        taken = offers.untried(visit, known)
    else:
        tried, taken = await offers.test_only(visit, able[0].pool, known)
        found += tried
    found += await _places(visit, let_in)
    found += await _forwarding(visit, able)
    return taken


def _without_facts(visit: Visit) -> str:
    return sentences.NOT_WITHOUT_FACTS.format(scheduler=visit.site.scheduler.name)


def _has_slurm(visit: Visit) -> bool:
    return visit.site.scheduler.kind == "slurm"


async def _places(visit: Visit, let_in: list[Entered]) -> list[Outcome]:
    if visit.is_monitor:
        return skipped(("E10",), sentences.NOT_AS_MONITOR)
    return list(await places.look(visit, let_in))


async def _forwarding(visit: Visit, able: list[Entered]) -> list[Outcome]:
    if visit.site.tunnel.kind != "ssh":
        return []
    if not able:
        return skipped(("E11",), _AFTER_E7)
    return list(await asyncio.gather(*(forwarding.look(each.visit, each.pool, each.host) for each in able)))
