"""What a site's Slurm is asked as a person: an answer, or None with a line in the log; a failure is no answer."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from kernels.shell import Shell
from languages import for_log
from profiles.facts import SiteFacts
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, LaunchError, Unavailable
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import forecast as forecasts
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import nodes, refusals
from slurm_ssh.slurm import survey as surveys
from slurm_ssh.slurm.forecast import Forecast
from slurm_ssh.ssh.remote import Remote

Answer = TypeVar("Answer")

# Some 400 bytes for each of ten thousand nodes.
_LONGEST_SNAPSHOT = 4 * 1024 * 1024
# Characters that are parsed in some milliseconds; with more, everybody else would wait.
_QUICK = 8 * 1024
# Not those of the loop, which may all wait for a login server.
_PARSERS = ThreadPoolExecutor(2, thread_name_prefix="parser")

_log = logging.getLogger(__name__)


async def list_jobs(remote: Remote, marks: Iterable[str]) -> tuple[slurm_jobs.Row, ...] | None:
    """Return the rows of the owner's jobs with these marks, in every state Slurm remembers."""
    return await _ask(remote, slurm_jobs.queue(remote.site, remote.login.owner, marks), slurm_jobs.parse_queue)


async def marked_jobs(remote: Remote, beginning: str) -> tuple[slurm_jobs.Row, ...] | None:
    """Return the rows of the owner's jobs that wait or run and whose mark begins so."""
    question = slurm_jobs.marked(remote.site, remote.login.owner, beginning)
    return await _ask(remote, question, slurm_jobs.parse_queue)


async def survey(remote: Remote, marks: str, owner: str | None = None) -> surveys.Listing:
    """Return the jobs whose marks begin so, everybody's or one owner's, in all states that Slurm remembers.

    Raises Unavailable if the site or its Slurm does not answer, Broken for a failure or an answer that we do not
    know, and what `Remote.run` raises.
    """
    answer = await remote.run(surveys.listing(remote.site, marks, owner), limit_bytes=_LONGEST_SNAPSHOT)
    title, said = remote.site.title, answer.stderr.strip()
    try:
        status, listing = await _parsed(lambda text: surveys.parse(text, marks), answer.stdout)
    except slurm_jobs.UnreadableAnswer as error:
        raise Broken(sentences.QUEUE_NOT_UNDERSTOOD.format(site=title), f"{error} {said}") from error
    if status and refusals.is_unreachable(said):
        raise Unavailable(sentences.SLURM_SILENT.format(site=title), said)
    if status:
        raise Broken(sentences.QUEUE_REFUSED.format(site=title), said)
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
        raise Unavailable(sentences.SLURM_SILENT.format(site=title), said)
    try:
        return forecasts.parse(remote.site, request, answer)
    except slurm_jobs.UnreadableAnswer as error:
        raise Broken(sentences.SUBMIT_NOT_UNDERSTOOD.format(site=title), str(error)) from error


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
        _warn("sinfo", remote, str(error))
        return None


async def collect(remote: Remote, *, with_waiting: bool = False) -> SiteFacts:
    """Return the site's partitions, nodes and reservations as of now; `projects` is None.

    What waits is counted if wanted; Slurm may show a person only their own.  Raises Unavailable if the site
    or its Slurm does not answer, Refused if that is the person's matter, and Broken for an answer that we do not
    know.
    """
    answer = await remote.run(
        nodes.snapshot(remote.site, with_waiting=with_waiting), limit_bytes=_LONGEST_SNAPSHOT
    )
    asked_at, title, said = datetime.now(UTC), remote.site.title, answer.stderr.strip()
    if answer.status:
        if refusals.is_unreachable(said):
            raise Unavailable(sentences.SLURM_SILENT.format(site=title), said)
        raise Broken(sentences.FACTS_REFUSED.format(site=title), said)
    try:
        return await _parsed(lambda text: nodes.parse_snapshot(text, asked_at), answer.stdout)
    except slurm_jobs.UnreadableAnswer as error:
        raise Broken(sentences.FACTS_NOT_UNDERSTOOD.format(site=title), f"{error} {said}") from error


async def _ask(remote: Remote, question: Shell, read: Callable[[str], Answer]) -> Answer | None:
    try:
        answer = await remote.run(question)
        if answer.status == 0:
            return await _parsed(read, answer.stdout)
        problem = answer.stderr.strip()
    except (LaunchError, slurm_jobs.UnreadableAnswer) as error:
        problem = str(error)
    _warn(question.split()[0].rsplit("/", 1)[-1], remote, problem)
    return None


async def _parsed(parse: Callable[[str], Answer], text: str) -> Answer:
    """Return what a parser makes of an answer, in a thread if that is long."""
    if len(text) <= _QUICK:
        return parse(text)
    return await asyncio.get_running_loop().run_in_executor(_PARSERS, parse, text)


def _warn(program: str, remote: Remote, problem: str) -> None:
    _log.warning("%s at %s for %s: %s", program, remote.login.site_key, remote.login.owner, for_log(problem))
