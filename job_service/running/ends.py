"""How jobs ended that Slurm lists no more, and which of several is the job: learned as their owner."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from job_service.record import JobRecord
from job_service.running import folder, observing, tasks
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.errands import Errand
from job_service.running.folder import Left
from job_service.running.observing import Ended, Keep
from job_service.running.places import Places
from job_service.running.sightings import Sightings
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_keeping
from slurm_ssh.scheduler import Row
from slurm_ssh.slurm import accounting
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm.accounting import Past
from slurm_ssh.slurm.ending import is_over
from slurm_ssh.ssh.remote import Remote

# The accounting may be away, or hear of an end later than the controller has forgotten the job; and a file system
# may not be mounted.
_MOST_LATE = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ends:
    """Concludes jobs of one owner at a time.  What is done here raises LaunchError, StoreAway."""

    board: Board
    places: Places
    sightings: Sightings
    keep: Keep
    clock: Clock

    async def conclude(self, errand: Errand, records: Sequence[JobRecord]) -> None:
        """Write down how these jobs ended, which Slurm lists no more; of some that is asked again later."""
        listed = [record for record in records if not self.sightings.is_missing(record)]
        for record in listed:
            errand.gone.pop(record.job_id, None)
        records = [record for record in records if record not in listed]
        if not records:
            return
        remote = self.places.remote(records[0])
        left = await self._left(remote, records)
        pasts = await self._pasts(remote, records)
        for record in records:
            times = errand.gone.get(record.job_id, (0, None))[0] + 1
            errand.gone[record.job_id] = (times, self.clock.now())
            if record.job_id not in left:
                continue
            found, past = left[record.job_id], (pasts or {}).get(record.job_id)
            may_be_known = pasts is None or not found.has_folder or (past and not is_over(past.word))
            change = self._end(record, past, found, is_late=bool(may_be_known) and times < _MOST_LATE)
            if change:
                await self.board.change(record, lambda job, change=change: _if_sent(job, change))  # type: ignore[misc]
                errand.gone.pop(record.job_id, None)

    def _end(self, record: JobRecord, past: Past | None, left: Left, *, is_late: bool) -> Change | None:
        title, now, keep = self.places.title(record.system), self.clock.now(), self.keep(record)
        end = Ended.of_past(past, left) if past and is_over(past.word) else Ended.of_left(record, left)
        if end and (change := observing.ended(record, end, record.whom, now, title, keep)):
            return change
        if is_late:
            return None
        stage, sentence = _unknown(record, left, title)
        change = observing.over(stage, sentence, now, keep)
        change.changes["started"] = observing.since(record, left)
        ran = self.sightings.last_ran(record)
        if ran and record.started:
            change.changes["elapsed_s"] = max(0, int((ran - record.started).total_seconds()))
        return change

    async def explain(self, records: Sequence[JobRecord]) -> None:
        """Say of jobs that failed what their last words add to it."""
        left = await self._left(self.places.remote(records[0]), records)
        for record in records:
            found = left.get(record.job_id)
            log = found.log if found else ""
            end = Ended(record.native_state, record.exit_code or 0, record.signal or 0, log=log)
            sentence = for_keeping(observing.why(record, end, self.places.title(record.system)))
            if found and found.log and sentence != record.reason:
                change = Change(Changes(reason=sentence), sentence)
                await self.board.change(record, lambda job, change=change: _if_failed(job, change))  # type: ignore[misc]

    async def tell_apart(self, records: Sequence[JobRecord], twins: Mapping[str, tuple[Row, ...]]) -> None:
        """Find out which of several jobs of Slurm's each of these is: the one that began; cancel the others."""
        remote = self.places.remote(records[0])
        left = await self._left(remote, records)
        for record in records:
            if found := left.get(record.job_id):
                await self._one_of(remote, record, twins[record.job_id], found.started)

    async def _one_of(self, remote: Remote, record: JobRecord, rows: tuple[Row, ...], started: str | None) -> None:
        going_on = [row.job_id for row in rows if not row.report.state.is_over]
        numbers = [row.job_id for row in rows]
        if started is None and record.native_id in going_on:
            # None has begun: the first to do so will be the job.
            return
        number = started if started in numbers else next(iter(going_on), record.native_id)
        others = [each for each in going_on if each != number]
        if others:
            _log.warning("%s: %s is the job, cancels %s", self.places.mark(record), number, ", ".join(others))
            commands = tasks.cancels(remote.site, record.login, self.places.mark(record), others)
            await remote.run(slurm_jobs.one_after_the_other(commands))
        if number and number != record.native_id:
            await self.board.change(record, lambda job: _taken_over(job, number))
        for each in numbers:
            if each != number:
                self.sightings.settle(record, each)

    async def _left(self, remote: Remote, records: Sequence[JobRecord]) -> dict[str, Left]:
        return folder.read_left((await remote.run(folder.left(records))).stdout)

    async def _pasts(self, remote: Remote, records: Sequence[JobRecord]) -> dict[str, Past] | None:
        """Return what the accounting knows of these jobs, by their ids; None if it is away."""
        numbers = [record.native_id for record in records if record.native_id]
        answer = await remote.run(accounting.numbered(remote.site, numbers))
        pasts = accounting.parse(answer.stdout)
        if pasts is None:
            return None
        known = {(past.job_id, past.mark, past.owner): past for past in pasts}
        theirs = (
            (each, known.get((each.native_id or "", self.places.mark(each), each.login))) for each in records
        )
        return {record.job_id: past for record, past in theirs if past}


def _unknown(record: JobRecord, left: Left, title: str) -> tuple[Stage, str]:
    """Return the end of a job that nobody has written down."""
    if not left.has_folder:
        return Stage.FAILED, say.FOLDER_GONE.format(site=title)
    if left.started == record.native_id or record.started:
        return Stage.FAILED, say.VANISHED
    if record.cancel_wanted:
        return Stage.CANCELED, say.CANCELED
    if record.kind == "task":
        # Of one that was cancelled before it began Slurm keeps nothing.
        return Stage.CANCELED, say.CANCELED_ELSEWHERE
    return Stage.FAILED, say.NEVER_BEGAN.format(site=title)


def _if_sent(record: JobRecord, change: Change) -> Change | None:
    return change if record.submission == "sent" and not record.stage.is_over else None


def _if_failed(record: JobRecord, change: Change) -> Change | None:
    return change if record.stage is Stage.FAILED else None


def _taken_over(record: JobRecord, number: str) -> Change | None:
    return Change(Changes(native_id=number)) if record.submission == "sent" else None
