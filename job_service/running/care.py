"""What follows from a change of a job: who has to act now, and what a job needs from here on."""

from collections import deque
from collections.abc import Container

from job_service.record import JobRecord
from job_service.running.errands import Errands
from job_service.running.following import Followers
from job_service.running.places import Places
from job_service.running.sending import Sender
from job_service.running.sightings import Sightings
from job_service.running.tickets import Tickets
from job_service.stages import Stage

_RAN = {Stage.RUNNING, Stage.STAGINGOUT}


class Care:
    """Passes on what has changed."""

    def __init__(
        self,
        places: Places,
        sender: Sender,
        errands: Errands,
        followers: Followers,
        sightings: Sightings,
        tickets: Tickets,
    ) -> None:
        self._places = places
        self._sender = sender
        self._errands = errands
        self._followers = followers
        self._sightings = sightings
        self._tickets = tickets
        self.known_before: deque[JobRecord] = deque()
        """Jobs that Slurm had when the service began, and whose tickets nobody keeps fresh yet."""

    def changed(self, before: JobRecord | None, record: JobRecord) -> None:
        """See to what a change, or a job that was not known, asks for."""
        if record.stage.is_over:
            self._is_over(before, record)
            return
        is_new = before is None or (before.stage, before.submission) != (record.stage, record.submission)
        # What is sent, and has a ticket, is the array of a task.
        if is_new and record.kind != "task":
            self._sender.wake(record)
            self._keep_up(before, record)
        if record.submission in {"in_doubt", "sent"}:
            self._followers.wake(record.system)
        if record.submission == "in_doubt" or record.cancel_wanted:
            self._errands.wake(self._errands.of(record.system, record.whom))

    def _keep_up(self, before: JobRecord | None, record: JobRecord) -> None:
        """Have the ticket of a job that Slurm has kept fresh; one that begins again has removed its own."""
        if record.submission != "sent":
            return
        if before is None:
            self.known_before.append(record)
            return
        job, upkeep = self._places.job(record), self._places.core.upkeep
        if record.kind == "batch" and before.stage in _RAN and record.stage not in _RAN:
            upkeep.forget(job)
            self._tickets.lost(job)
        upkeep.add(job)

    def look_for_inputs(self, record: JobRecord) -> None:
        """Have it looked whether the inputs of a job that waits for them are there."""
        self._sender.wake(record)

    def take_up_one(self, live: Container[str]) -> None:
        """Have the ticket of one of those kept fresh that Slurm had before, if it is still one of the `live`.

        Those whose owner has a newer one by now are given that: not all of them at the same time.
        """
        record = self.known_before.popleft()
        if record.job_id in live:
            self._places.core.upkeep.add(self._places.job(record))

    def _is_over(self, before: JobRecord | None, record: JobRecord) -> None:
        job = self._places.job(record)
        self._places.core.upkeep.forget(job)
        self._tickets.forget(job)
        self._sightings.forget(record)
        has_just_ended = before is not None and not before.stage.is_over
        errand = self._errands.of(record.system, record.whom)
        if has_just_ended and record.attempts:
            errand.ended[record.job_id] = record
        if record.stage is Stage.DELETED and not record.removed:
            errand.removals[record.job_id] = record
        self._errands.wake(errand)
