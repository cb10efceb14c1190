"""What is done and asked at a site as the owner of jobs there, a few exchanges for all their jobs."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from job_service.record import JobRecord
from job_service.running import folder, tasks
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.ends import Ends
from job_service.running.errands import Errand
from job_service.running.places import Places
from job_service.running.settling import Settling
from job_service.running.sightings import Question, Sightings
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.values import Changes
from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import delivery, sentences
from slurm_ssh.errors import Unavailable
from slurm_ssh.schedulers.queries import survey
from slurm_ssh.slurm import jobs as slurm_jobs

Item = TypeVar("Item")

_AT_ONCE = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visits:
    """Does what an errand wants; what that changes, the board tells everybody."""

    board: Board
    places: Places
    sightings: Sightings
    settling: Settling
    ends: Ends
    clock: Clock

    async def visit(self, errand: Errand, now: datetime) -> None:
        """Do what is due.  Raises LaunchError, StoreAway; what was done by then stays done."""
        jobs = self.board.of(errand.system, errand.whom)
        errand.forget_all_but(jobs)
        not_cancelled = await self._cancel(errand, now)
        await self._ask(errand, now)
        await self._tell_apart(errand)
        await self._conclude(errand, now)
        await self._cancel_strays(errand)
        await self._tidy(errand)
        await self._remove(errand)
        if not_cancelled:
            raise not_cancelled

    def _jobs(self, errand: Errand) -> list[JobRecord]:
        return list(self.board.of(errand.system, errand.whom).values())

    async def _cancel(self, errand: Errand, now: datetime) -> Unavailable | None:
        """Cancel what is to be; return what to tell if Slurm did not do it: the rest can be done all the same."""
        problem = None
        jobs = self.board.of(errand.system, errand.whom)
        due = [each for each in jobs.values() if (at := errand.cancel_at(each, now)) and at <= now]
        with_others = [each for each in due if _goes_with_array(each, jobs)]
        errand.told.update((each.job_id, now) for each in with_others)
        due = [each for each in due if each not in with_others]
        for some in chunks(due, _AT_ONCE):
            remote = self.places.remote(some[0])
            marks = list(dict.fromkeys(self.places.mark(each) for each in some))
            answer = await remote.run(slurm_jobs.one_after_the_other(self._cancels(remote.site, some)))
            if answer.status:
                told = sentences.STOP_FAILED.format(scheduler="Slurm", site=remote.site.title)
                problem = Unavailable(told, answer.stderr.strip())
                continue
            _log.info("%s at %s: cancelled %s", errand.whom, errand.system, ", ".join(marks))
            errand.told.update((each.job_id, now) for each in some)
        return problem

    def _cancels(self, site: Site, records: Sequence[JobRecord]) -> list[Shell]:
        """Return the commands that cancel these jobs: whatever has the mark, but of tasks these alone."""
        of_arrays: dict[str, list[JobRecord]] = {}
        commands = []
        for record in records:
            if record.kind == "task":
                of_arrays.setdefault(record.sent_as, []).append(record)
            else:
                commands.append(slurm_jobs.cancel(site, record.login, self.places.mark(record)))
        for some in of_arrays.values():
            mark = self.places.mark(some[0])
            commands += tasks.cancels(
                site, some[0].login, mark, [each.native_id for each in some if each.native_id]
            )
        return commands

    async def _ask(self, errand: Errand, now: datetime) -> None:
        """Put the owner's own question, whose answer counts for all their jobs, if some need it."""
        doubts = {
            each.job_id: each for each in self._jobs(errand) if (at := errand.doubt_at(each, now)) and at <= now
        }
        to_ask = dict(errand.to_ask)
        first = next(iter((*to_ask.values(), *doubts.values())), None)
        if first is None:
            return
        asked = Question(errand.system, errand.whom, self.clock.now())
        listing = await survey(self.places.remote(first), self.places.marks, first.login)
        judged = self.sightings.judge(self._jobs(errand), listing, asked)
        await self.board.change_all(judged.changes)
        for job_id in to_ask:
            errand.to_ask.pop(job_id, None)
        for record in judged.gone:
            errand.gone.setdefault(record.job_id, (0, None))
        errand.twins.update({record.job_id: rows for record, rows in judged.twins})
        absent = [each for each in judged.doubts if each.job_id in doubts]
        for some in chunks(absent, folder.LEFT_AT_ONCE):
            await self.settling.look(errand, some, asked.began)

    async def _tell_apart(self, errand: Errand) -> None:
        twins, errand.twins = errand.twins, {}
        records = [each for each in self._jobs(errand) if each.job_id in twins]
        for some in chunks(records, folder.LEFT_AT_ONCE):
            await self.ends.tell_apart(some, twins)

    async def _conclude(self, errand: Errand, now: datetime) -> None:
        due = [each for each in self._jobs(errand) if (at := errand.end_at(each, now)) and at <= now]
        for some in chunks(due, folder.LEFT_AT_ONCE):
            await self.ends.conclude(errand, some)

    async def _cancel_strays(self, errand: Errand) -> None:
        """Cancel what nothing of ours goes on for; what had no effect is seen by a later answer of the site."""
        for record, numbers in list(errand.strays.values()):
            remote, mark = self.places.remote(record), self.places.mark(record)
            commands = tasks.cancels(remote.site, record.login, mark, numbers)
            await remote.run(slurm_jobs.one_after_the_other(commands))
            errand.strays.pop(record.job_id, None)
            _log.warning(
                "%s: Slurm at %s took %s after it was given up: cancels", mark, record.system, ", ".join(numbers)
            )

    async def _tidy(self, errand: Errand) -> None:
        """Take away the tickets of jobs that could not do it at their end, and say more of those that failed."""
        ended = list(errand.ended.values())
        for some in chunks([each for each in ended if _may_have_more_to_say(each)], _AT_ONCE):
            await self.ends.explain(some)
        for record in ended:
            if record.kind != "task" and _may_have_left_ticket(record):
                job, remote = self.places.job(record), self.places.remote(record)
                await self.places.core.upkeep.settled(job)
                await delivery.of(remote.site).release(remote.run, job.owner, job.launch_id)
            errand.ended.pop(record.job_id, None)

    async def _remove(self, errand: Errand) -> None:
        failed = ""
        for record in list(errand.removals.values()):
            answer = await self.places.remote(record).run(folder.remove(record))
            is_strange = folder.is_strange(answer)
            if answer.status and not is_strange:
                # One that cannot be removed keeps no other.
                failed = answer.stderr or str(answer.status)
                continue
            said = say.FOLDER_STRANGE if is_strange else say.FOLDER_REMOVED
            done = Change(Changes(removed=self.clock.now()), said)
            await self.board.change(record, lambda each, done=done: None if each.removed else done)  # type: ignore[misc]
            errand.removals.pop(record.job_id, None)
        if failed:
            raise Unavailable(say.REMOVAL_OWED.format(site=self.places.title(errand.system)), failed)


def _may_have_more_to_say(record: JobRecord) -> bool:
    """Return whether the last words of a job may tell why it failed, of which Slurm says only that it did."""
    return record.native_state == "FAILED" and bool(record.exit_code or record.signal)


def _goes_with_array(record: JobRecord, jobs: Mapping[str, JobRecord]) -> bool:
    """Return whether a task is cancelled with all the others."""
    array = jobs.get(record.parent or "")
    return array is not None and array.cancel_wanted is not None


def _may_have_left_ticket(record: JobRecord) -> bool:
    """Return whether a job that is over did not come to the end of its script, where it removes its ticket."""
    if record.kind == "array":
        return True
    return record.stage is not Stage.SUCCESSFUL and not (record.stage is Stage.FAILED and record.exit_code)


def chunks(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Yield the items, so many at once."""
    return (items[at : at + most] for at in range(0, len(items), most))
