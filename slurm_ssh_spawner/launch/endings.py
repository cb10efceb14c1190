"""Why launches ended: found out at the site, kept in their records, told to their owners for a day."""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from languages import in_each
from slurm_ssh import sentences as slurm_sentences
from slurm_ssh.core import Core
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, JobReport, LaunchId
from slurm_ssh.jobs.ending import Explained, explain, why
from slurm_ssh.scheduler import Ending
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.clock import clock
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.records.stops import BY_ADMIN, BY_OWNER, OWNER, STOPPED, Reader, is_stop, who

GONE = "gone from Slurm"
NOT_SUBMITTED = "not submitted"
NO_JOB = "no job"

_TOLD = timedelta(days=1)
# Three looks at an accounting that is late, and the log.
_EXPLAIN_SECONDS = 90.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndNotice:
    """What a person is told of a server that ended: a sentence, and the last lines of its log, "" for none.

    `template` is the sentence with `{ended}` in the place of that moment.
    `never_up`: it is the end of a start, of which a page may say more.  `server` is its name, "" the default one.
    """

    template: str
    sentence: str
    log: str = ""
    never_up: bool = False
    server: str = ""

    @property
    def log_title(self) -> str:
        """What stands above the lines of the log."""
        return sentences.LOG_TITLE

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence

    def __html__(self) -> Markup:
        """Return the sentence as templates show it: its moment in the reader's zone."""
        return escape(self.sentence)


class Endings:
    """Owner of the questions under way, and of what people are told.

    `when_ended` hears of each launch that is over, with Slurm's word or ours.
    """

    def __init__(self, core: Core, records: LaunchRecords) -> None:
        self._core = core
        self._records = records
        self._asked: dict[LaunchId, asyncio.Task[Explained]] = {}
        self._ended: dict[tuple[str, str], LaunchRecord] = {}
        self._begun: dict[tuple[str, str], datetime] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._explaining: dict[LaunchId, asyncio.Task[None]] = {}
        self.when_ended: Callable[[LaunchRecord, str], None] = lambda _record, _word: None
        records.subscribe(self._stopped)

    async def close(self) -> None:
        """End the questions under way: Slurm's words stay."""
        tasks = [*self._asked.values(), *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def seen(self, job: Job, report: JobReport) -> "asyncio.Task[Explained]":
        """Keep Slurm's word for the end of a job, and soon why it ended; return what finds that out.

        A second call for a job changes nothing, while the first one goes on.
        """
        task = self._asked.get(job.launch_id)
        if task is None:
            self._records.end(job.launch_id, report.word or GONE)
            task = self._asked[job.launch_id] = asyncio.create_task(self._explain(job, report.word))
            telling = self._do(self._tell_why(job, report.word or GONE, task))
            self._explaining[job.launch_id] = telling
            telling.add_done_callback(lambda _: self._explaining.pop(job.launch_id, None))
        return task

    async def explained(self, launch_id: LaunchId, seconds: float) -> bool:
        """Return once the record has why a launch ended, if that is being found out, or after so many seconds.

        False if it is not, and nothing was waited for.
        """
        telling = self._explaining.get(launch_id)
        if telling:
            await asyncio.wait((telling,), timeout=seconds)
        return telling is not None

    def over(self, job: Job, reason: str) -> None:
        """Keep and tell the end of a launch of which there is no job."""
        self._records.end(job.launch_id, reason)
        self._do(self._tell(job, NO_JOB))

    def forget(self, job: Job) -> None:
        """Nobody will see the job's end once more."""
        self._asked.pop(job.launch_id, None)

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return task

    async def _explain(self, job: Job, word: str) -> Explained:
        try:
            return await explain(self._core.remote(job, Deadline.after(_EXPLAIN_SECONDS)), job, word)
        except LaunchError as error:
            # There is no such site any more.
            return Explained(error.message, problem=error.message)

    async def _tell_why(self, job: Job, word: str, asked: "asyncio.Task[Explained]") -> None:
        explained = await asked
        self._records.explain(job.launch_id, word, explained.sentence, explained.log)
        await self._tell(job, word)

    def _stopped(self, job: Job) -> None:
        # JupyterHub also stops what has ended.
        if job.launch_id not in self._asked:
            self._do(self._tell(job, "CANCELLED"))

    async def _tell(self, job: Job, word: str) -> None:
        """Tell the end of a job, as its record has it, in a line of the log and to its owner."""
        try:
            await self._records.settled()
            record = await self._records.get(job.launch_id)
        except LaunchError as error:
            _log.warning("%s: why it ended (%s) is not told: %s", job.mark, word, error)
            return
        reason = record.end_reason if record else ""
        _log.info(
            "%s, job %s at %s for %s, ended (%s): %s", job.mark, job.job_id, job.site_key, job.user, word, reason
        )
        if record:
            self.when_ended(record, word)
            self._keep(record)

    def begun(self, user: str, server: str) -> None:
        """Tell no more of a server's last end: it is started again."""
        self._begun[user, server] = datetime.now(UTC)
        self._ended.pop((user, server), None)

    def forget_person(self, user: str) -> None:
        """Tell nobody of a person's servers that ended."""
        self._ended = {server: record for server, record in self._ended.items() if record.user != user}

    async def recall(self) -> None:
        """Tell also what ended before the hub started."""
        try:
            found = await self._records.last_ended(datetime.now(UTC) - _TOLD)
        except LaunchError as error:
            _log.warning("what ended before the hub started is not told: %s", error)
            return
        for record in found:
            self._keep(record)

    def _keep(self, record: LaunchRecord) -> None:
        server = record.user, record.server
        last = self._begun.get(server, record.begun)
        if server in self._ended:
            last = max(last, self._ended[server].begun)
        if _is_news(record) and record.begun >= last:
            self._ended[server] = record

    def notices(self, user: str) -> tuple[EndNotice, ...]:
        """Return what a person is told of their servers that ended within a day, the last one first."""
        since = datetime.now(UTC) - _TOLD
        self._ended = {server: record for server, record in self._ended.items() if _ended(record) >= since}
        mine = [record for record in self._ended.values() if record.user == user]
        mine.sort(key=_ended, reverse=True)
        return tuple(self.notice(record) for record in mine)

    def notice(self, record: LaunchRecord, reader: Reader = OWNER) -> EndNotice:
        """Return what people are told of a launch that is over."""
        site, never_up = self._core.title(record.site_key), not record.node
        reason = why_ended(record, site, reader)
        ended, did_not_come = (
            (sentences.NAMED_SERVER_ENDED, sentences.NAMED_SERVER_NEVER_UP)
            if record.server
            else (sentences.SERVER_ENDED, sentences.SERVER_NEVER_UP)
        )
        words = did_not_come if never_up else ended
        names = {"server": record.server, "site": site, "problem": reason}
        template = words.format(**names, ended="{ended}")
        sentence = words.format(**names, ended=clock(_ended(record)))
        return EndNotice(template, sentence, record.end_log, never_up, record.server)


def why_ended(record: LaunchRecord, site: str, reader: Reader = OWNER) -> str:
    """Return the sentence that tells somebody why a launch ended at a site, which is named by its title."""
    reason = record.end_reason
    if is_stop(reason):
        return _who_stopped(record, reader)
    if reason.startswith(NOT_SUBMITTED):
        # What stands in brackets is for the log.
        return reason.removeprefix(f"{NOT_SUBMITTED}: ").partition(" [")[0]
    if " " not in reason or reason == GONE:
        # The hub ended before it had asked.
        return why(site, Ending("" if reason == GONE else reason), "", "")
    return reason


def _who_stopped(record: LaunchRecord, reader: Reader) -> str:
    kind, name = who(record.end_reason)
    words = sentences.STOPPED_BY if record.node else sentences.CANCELLED_BY
    if kind == BY_OWNER and reader.is_owner:
        return words["you"]
    named = f"{kind}: {{name}}"
    is_named = name and named in words and (kind != BY_ADMIN or reader.sees_names)
    return words[named].format(name=name) if is_named else words.get(kind, words[STOPPED])


def time_was_up(reason: str) -> bool:
    """Return whether that is the reason of a launch that ended because its time was up."""
    # A hub's default language may have been another one when it was kept.
    if reason in {"TIMEOUT", *in_each(slurm_sentences.SOME_TIME_WAS_UP)}:
        return True
    return any(_like(each).fullmatch(reason) for each in in_each(slurm_sentences.TIME_WAS_UP))


@lru_cache(64)
def _like(with_a_time: str) -> re.Pattern[str]:
    """Return what matches a sentence with any time in the place of its own."""
    return re.compile(".{1,20}".join(map(re.escape, with_a_time.split("{time}"))))


def _is_news(record: LaunchRecord) -> bool:
    """Return whether the owner may not know of a launch's end: what they did themselves they know."""
    theirs = record.end_reason in {STOPPED, BY_OWNER} or record.end_reason.startswith(NOT_SUBMITTED)
    return record.ended is not None and not theirs


def _ended(record: LaunchRecord) -> datetime:
    return record.ended or datetime.min.replace(tzinfo=UTC)
