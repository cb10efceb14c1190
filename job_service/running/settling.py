"""Whether Slurm has a job whose submission was not answered: nothing is sent again on a guess."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from job_service.record import JobRecord
from job_service.running import folder, observing, tasks
from job_service.running.attempts import ABSENCES, SETTLED_AFTER, not_there
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.errands import Errand
from job_service.running.observing import Keep
from job_service.running.places import Places
from slurm_ssh.slurm import accounting

# Clocks of two machines differ.
_EARLIER = timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settling:
    """Settles doubts about jobs that their owner's own question did not list."""

    board: Board
    places: Places
    keep: Keep
    clock: Clock

    async def look(self, errand: Errand, records: Sequence[JobRecord], asked: datetime) -> None:
        """Look whether these jobs, of one owner, have begun, or are known to the accounting; else they are absent.

        Slurm did not list them when it was `asked`.  Raises LaunchError if they cannot be looked for, StoreAway.
        """
        remote, login = self.places.remote(records[0]), records[0].login
        left = folder.read_left((await remote.run(folder.left(records))).stdout)
        marks = [self.places.mark(record) for record in records]
        since = min(record.sent or record.created for record in records) - _EARLIER
        answer = await remote.run(accounting.marked(remote.site, login, marks, since))
        numbers = {
            past.mark: tasks.array_of(past.job_id)
            for past in accounting.parse(answer.stdout) or ()
            if past.owner == login
        }
        for record in records:
            found = left.get(record.job_id)
            if found is None:
                continue
            number = tasks.array_of(found.started or numbers.get(self.places.mark(record), ""))
            if number:
                await self._adopt(record, number)
            else:
                await self._absent(errand, record, asked, has_folder=found.has_folder)

    async def _adopt(self, record: JobRecord, number: str) -> None:
        title, now = self.places.title(record.system), self.clock.now()

        def decide(job: JobRecord) -> Change | None:
            return observing.adopted(number, now, title) if job.submission == "in_doubt" else None

        await self.board.change(record, decide)

    async def _absent(self, errand: Errand, record: JobRecord, asked: datetime, *, has_folder: bool) -> None:
        before = errand.doubts.get(record.job_id, (0, asked))[0]
        # Its folder was there before it was sent: while that cannot be seen, nobody knows whether it has begun.
        times = before + 1 if has_folder or record.cancel_wanted else before
        errand.doubts[record.job_id] = (times, asked)
        if times < ABSENCES or (record.sent and asked - record.sent < SETTLED_AFTER):
            return
        _log.info("%s: Slurm at %s does not have it", self.places.mark(record), record.system)
        now, keep = self.clock.now(), self.keep(record)
        title = self.places.title(record.system)
        await self.board.change(record, lambda job: not_there(job, now, keep, title))
        errand.doubts.pop(record.job_id, None)
