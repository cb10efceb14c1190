"""Jobs on their way to Slurm: prepared any number of times, each attempt written down before it is made."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from job_service import errors as job_errors
from job_service.record import JobRecord
from job_service.running import folder, observing, scripts
from job_service.running.attempts import complete, doubted, lacks, named, not_sent, noted, sending, taken
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.lanes import Lanes
from job_service.running.observing import Keep
from job_service.running.places import Places
from job_service.running.scripts import Scripts
from job_service.running.together import Together
from job_service.sentences import running as say
from job_service.stages import Stage
from kerberos_auth.errors import AuthFailed
from languages import for_keeping
from slurm_ssh.credentials import Credentials
from slurm_ssh.errors import InDoubt, LaunchError, Refused
from slurm_ssh.job import LaunchId
from slurm_ssh.jobs import attempt
from slurm_ssh.jobs.attempt import Accepted, Prepared
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed

AT_ONCE = 4
"""How many exchanges in which jobs of one person are sent to one site go on at the same time."""

TOGETHER = 16
"""How many of those that wait go in one of them."""

_log = logging.getLogger(__name__)


class Sender:
    """Owner of the submissions under way.

    What comes of an attempt that was not answered is found out elsewhere.  `given` is told with which ticket a job
    is sent, by when that ends.
    """

    def __init__(
        self,
        board: Board,
        places: Places,
        scripts: Scripts,
        credentials: Credentials,
        keep: Keep,
        given: Callable[[LaunchId, datetime], None],
        clock: Clock,
    ) -> None:
        self._board = board
        self._places = places
        self._scripts = scripts
        self._credentials = credentials
        self._keep = keep
        self._given = given
        self._clock = clock
        self._together = Together(board, places, scripts, credentials, given, clock)
        self._lanes = Lanes(self._send_some, AT_ONCE, TOGETHER, clock)

    def wake(self, record: JobRecord) -> None:
        """Send a job that can be sent, or look for the inputs it waits for; any other is left alone."""
        if record.kind == "task":
            return
        if record.stage is Stage.STAGINGIN or (record.stage is Stage.READY and record.submission == "none"):
            self._lanes.add((record.system, record.whom), record.job_id)

    def ticket_changed(self, user: str) -> None:
        """Go on with what waited for somebody's ticket."""
        self._lanes.hurry(user)

    async def close(self) -> None:
        """End what is under way; an attempt that was written down is in doubt then."""
        await self._lanes.close()

    async def _send_some(self, job_ids: tuple[str, ...]) -> frozenset[str]:
        """Send those of these jobs that are to be sent; return of which that is not to be tried again."""
        settled, others = set[str](), list(job_ids)
        try:
            for record, outcome in await self._together.send(job_ids):
                is_settled = isinstance(outcome, Accepted) or await self._is_settled(record, outcome)
                if outcome is None:
                    # Nothing is known against it: it is sent by itself now.
                    continue
                others.remove(record.job_id)
                if is_settled:
                    settled.add(record.job_id)
        except job_errors.StoreAway as error:
            _log.warning("%s: not sent while the database is away: %s", ", ".join(others), error)
            return frozenset(settled)
        settled.update([job_id for job_id in others if await self._send(job_id)])
        return frozenset(settled)

    async def _is_settled(self, record: JobRecord, error: LaunchError | None) -> bool:
        """Write down, as `_came_to` does, what came of a job that was sent with others.

        Return whether it is not to be tried again because of that.
        """
        try:
            await self._came_to(record, error)
        except _Later as later:
            return await self._is_noted(record.job_id, later.reason)
        except (job_errors.NotFound, job_errors.WrongStage):
            pass
        return True

    async def _came_to(self, record: JobRecord, error: LaunchError | None) -> None:
        """Write down what came of an attempt that Slurm has not accepted, None: it was none after all.

        Raises _Later if the job may be sent later.
        """
        if isinstance(error, InDoubt):
            mark = self._places.mark(record)
            _log.warning("%s: whether Slurm at %s has it is in doubt: %s", mark, record.system, error)
            await self._board.change(record, lambda each: doubted(each, self._clock))
            return
        now, keep = self._clock.now(), self._keep(record)
        record = await self._board.change(record, lambda each: not_sent(each, now, keep))
        if error and not record.stage.is_over:
            await self._failed(record, error)

    async def _send(self, job_id: str) -> bool:
        """Send a job if it is to be sent; return False if that is to be tried again."""
        try:
            try:
                ready = await self._ready(await self._board.newest(job_id))
                if ready:
                    await self._attempt(*ready)
            except _Later as later:
                return await self._is_noted(job_id, later.reason)
            return True
        except (job_errors.NotFound, job_errors.WrongStage):
            return True
        except job_errors.StoreAway as error:
            _log.warning("%s: is not sent while the database is away: %s", job_id, error)
            return False

    async def _ready(self, record: JobRecord) -> tuple[JobRecord, Remote, Prepared, float | None] | None:
        """Return a job that only has to be sent, with the end of the ticket if it has one; None if not to be sent.

        Raises _Later.
        """
        if record.submission == "sending":
            # What came of an attempt could not be written down.
            await self._board.change(record, lambda job: doubted(job, self._clock))
            return None
        if record.stage is not Stage.STAGINGIN and (record.stage, record.submission) != (Stage.READY, "none"):
            return None
        try:
            ticket = self._places.ticket(record)
            data = self._credentials.read(record.whom) if ticket else b""
        except AuthFailed as error:
            raise _Later(_awaited(record, error)) from error
        try:
            remote = self._places.remote(record)
            if not await self._is_made(record, remote):
                return None
            if record.stage is Stage.STAGINGIN:
                record = await self._board.change(record, complete)
                if record.stage is not Stage.READY:
                    return None
            text = await self._scripts.kept(record)
            delivered = await attempt.place(remote, self._places.job(record), data)
        except LaunchError as error:
            await self._failed(record, error)
            return None
        request = scripts.request(record, self._places.mark(record), text)
        return record, remote, Prepared(request, text, delivered), ticket.end if ticket else None

    async def make_folder(self, record: JobRecord, remote: Remote) -> None:
        """Make a job's folder, with what is ours in it.  Raises LaunchError."""
        await self._made(record, remote, ())

    async def _made(self, record: JobRecord, remote: Remote, awaited: tuple[str, ...]) -> Completed:
        datasets = await self._scripts.datasets(record)
        answer = await remote.run(*folder.make(record, awaited, datasets))
        if answer.status:
            raise folder.not_made(record, remote.site.title, answer)
        return answer

    async def _is_made(self, record: JobRecord, remote: Remote) -> bool:
        """Make the folder, and return whether all that is waited for is in it."""
        awaited = record.spec.inputs if record.stage is Stage.STAGINGIN else ()
        lacking = folder.lacking(await self._made(record, remote, awaited), awaited)
        if lacking:
            now, keep, names = self._clock.now(), self._keep(record), named(lacking)
            await self._board.change(record, lambda job: lacks(job, names, now, keep))
        return not lacking

    async def _attempt(
        self, record: JobRecord, remote: Remote, prepared: Prepared, ticket_end: float | None
    ) -> None:
        """Write down that the job is sent, send it, and write down what came of it."""
        title = remote.site.title
        record = await self._board.change(record, lambda job: sending(job, self._clock, title))
        if record.submission != "sending":
            return
        job = self._places.job(record)
        if ticket_end is not None:
            self._given(job.launch_id, datetime.fromtimestamp(ticket_end, UTC))
        try:
            accepted = await attempt.sbatch(remote, job, prepared)
        except LaunchError as error:
            await self._came_to(record, error)
        except Exception:
            # Whatever went wrong, it may have been sent.
            await self._board.change(record, lambda each: doubted(each, self._clock))
            raise
        else:
            await self._board.change(record, lambda each: taken(each, accepted, self._clock, title))

    async def _failed(self, record: JobRecord, error: LaunchError) -> None:
        """End a job that cannot be sent.  Raises _Later if it may be sent later."""
        lacks = ""
        try:
            self._places.ticket(record)
        except AuthFailed as ended:
            lacks = _awaited(record, ended)
        if lacks:
            raise _Later(lacks) from error
        if not isinstance(error, Refused):
            reason = say.NOT_SENT_YET.format(problem=error.in_one_line)
            if record.reason != for_keeping(reason):
                _log.warning("%s: could not be sent yet: %s", self._places.mark(record), error)
            raise _Later(reason) from error
        _log.info("%s: will not be sent: %s", self._places.mark(record), error)
        now, keep = self._clock.now(), self._keep(record)

        def decide(job: JobRecord) -> Change | None:
            if job.stage.is_over or job.submission != "none":
                return None
            return observing.over(Stage.FAILED, error.in_one_line, now, keep)

        await self._board.change(record, decide)

    async def _is_noted(self, job_id: str, reason: str) -> bool:
        """Tell why a job is not sent yet, and return False: it will be tried again; True if it is not to be."""
        record = await self._board.newest(job_id)
        waits = (Stage.READY, Stage.STAGINGIN)
        changed = await self._board.change(record, lambda job: noted(job, reason, *waits))
        return changed.stage not in waits


class _Later(Exception):  # noqa: N818
    """A job cannot be sent now, for this reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _awaited(record: JobRecord, error: AuthFailed) -> str:
    """Return what a job waits for without a ticket: its owner's login, or what its site's account lacks."""
    return say.TICKET_AWAITED if record.identity == "person" else say.ACCOUNT_AWAITED.format(problem=error.message)
