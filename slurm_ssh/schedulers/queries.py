"""What a site's scheduler is asked as a person: an answer, or None with a line in the log; no failure is one."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from kernels.shell import Shell
from languages import for_log
from profiles.facts import SiteFacts
from slurm_ssh import schedulers, sentences
from slurm_ssh.errors import Broken, LaunchError, Unavailable
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import Forecast, Listing, Row, UnreadableAnswer
from slurm_ssh.slurm import forecast as forecasts
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import refusals
from slurm_ssh.ssh.remote import Remote

Answer = TypeVar("Answer")

# Some 400 bytes for each of ten thousand nodes.
_LONGEST_SNAPSHOT = 4 * 1024 * 1024
# Characters that are parsed in some milliseconds; with more, everybody else would wait.
_QUICK = 8 * 1024
# Not those of the loop, which may all wait for a login server.
_PARSERS = ThreadPoolExecutor(2, thread_name_prefix="parser")

_log = logging.getLogger(__name__)


async def list_jobs(remote: Remote, marks: Iterable[str]) -> tuple[Row, ...] | None:
    """Return the rows of the owner's jobs with these marks, in every state that is remembered."""
    scheduler = schedulers.of(remote.site)
    return await _ask(remote, scheduler.queue(remote.site, remote.login.owner, marks), scheduler.parse_queue)


async def marked_jobs(remote: Remote, beginning: str) -> tuple[Row, ...] | None:
    """Return the rows of the owner's jobs that wait or run and whose mark begins so."""
    scheduler = schedulers.of(remote.site)
    question = scheduler.marked(remote.site, remote.login.owner, beginning)
    rows = await _ask(remote, question, scheduler.parse_queue)
    return None if rows is None else tuple(row for row in rows if row.mark.startswith(beginning))


async def survey(remote: Remote, marks: str, owner: str | None = None) -> Listing:
    """Return the jobs whose marks begin so, everybody's or one owner's, in all states that are remembered.

    Raises Unavailable if the site or its scheduler does not answer, Broken for a failure or an answer that we do
    not know, and what `Remote.run` raises.
    """
    scheduler, title = schedulers.of(remote.site), remote.site.title
    answer = await remote.run(scheduler.listing(remote.site, marks, owner), limit_bytes=_LONGEST_SNAPSHOT)
    named, said = {"program": scheduler.names.lists, "site": title}, answer.stderr.strip()
    try:
        status, listing = await _parsed(lambda text: scheduler.parse_listing(text, marks), answer.stdout)
    except UnreadableAnswer as error:
        raise Broken(sentences.QUEUE_NOT_UNDERSTOOD.format(**named), f"{error} {said}") from error
    if status and scheduler.is_unreachable(said):
        raise _silent(remote, said)
    if status:
        raise Broken(sentences.QUEUE_REFUSED.format(**named), said)
    return listing


async def forecast(
    remote: Remote, request: JobRequest, options: tuple[str, ...] = (), unset: tuple[str, ...] = ()
) -> Forecast:
    """Return what would become of a job that is not submitted; for `options` and `unset` see forecast.question.

    Raises Unavailable if the site or its Slurm does not answer, Broken for an answer that we do not know, and what
    `Remote.run` raises; ValueError for what no job can hold.
    """
    script = slurm_jobs.batch_script(request).encode()
    answer = await remote.run(forecasts.question(remote.site, options, unset), script)
    title, said = remote.site.title, answer.stderr.strip()
    if answer.status and refusals.is_unreachable(said):
        raise _silent(remote, said)
    try:
        return forecasts.parse(remote.site, request, answer)
    except UnreadableAnswer as error:
        raise Broken(sentences.SUBMIT_NOT_UNDERSTOOD.format(program="sbatch", site=title), str(error)) from error


async def facts_about(remote: Remote, owner: str) -> SiteFacts | None:
    """Return what the site's accounting knows of an owner, who need not be the one who asks."""

    def read(stdout: str) -> SiteFacts:
        return SiteFacts(projects=slurm_jobs.parse_projects(remote.site, stdout))

    return await _ask(remote, slurm_jobs.projects(remote.site, owner), read)


async def snapshot(remote: Remote) -> SiteFacts | None:
    """Return what `collect` does, or None with a line in the log."""
    try:
        return await collect(remote)
    except LaunchError as error:
        _warn(schedulers.of(remote.site).names.informs.split()[0], remote, str(error))
        return None


async def collect(remote: Remote, *, with_waiting: bool = False) -> SiteFacts:
    """Return the site's partitions, nodes and reservations as of now; `projects` is None.

    What waits is counted if wanted; Slurm may show a person only their own.  Raises Unavailable if the site
    or its Slurm does not answer, Refused if that is the person's matter, and Broken for an answer that we do not
    know.
    """
    scheduler = schedulers.of(remote.site)
    answer = await remote.run(
        scheduler.snapshot(remote.site, with_waiting=with_waiting), limit_bytes=_LONGEST_SNAPSHOT
    )
    asked_at, title, said = datetime.now(UTC), remote.site.title, answer.stderr.strip()
    if answer.status:
        if scheduler.is_unreachable(said):
            raise _silent(remote, said)
        raise Broken(sentences.FACTS_REFUSED.format(scheduler=remote.site.scheduler.name, site=title), said)
    try:
        return await _parsed(lambda text: scheduler.parse_snapshot(text, asked_at), answer.stdout)
    except UnreadableAnswer as error:
        strange = sentences.FACTS_NOT_UNDERSTOOD.format(program=scheduler.names.informs, site=title)
        raise Broken(strange, f"{error} {said}") from error


async def _ask(remote: Remote, question: Shell, read: Callable[[str], Answer]) -> Answer | None:
    try:
        answer = await remote.run(question)
        if answer.status == 0:
            return await _parsed(read, answer.stdout)
        problem = answer.stderr.strip()
    except (LaunchError, UnreadableAnswer) as error:
        problem = str(error)
    _warn(question.split()[0].rsplit("/", 1)[-1], remote, problem)
    return None


async def _parsed(parse: Callable[[str], Answer], text: str) -> Answer:
    """Return what a parser makes of an answer, in a thread if that is long."""
    if len(text) <= _QUICK:
        return parse(text)
    return await asyncio.get_running_loop().run_in_executor(_PARSERS, parse, text)


def _silent(remote: Remote, said: str) -> Unavailable:
    name = remote.site.scheduler.name
    return Unavailable(sentences.SCHEDULER_SILENT.format(scheduler=name, site=remote.site.title), said)


def _warn(program: str, remote: Remote, problem: str) -> None:
    _log.warning("%s at %s for %s: %s", program, remote.login.site_key, remote.login.owner, for_log(problem))
