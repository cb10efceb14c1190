"""Jobs of one person that wait to be sent to one site, sent in one exchange where nothing is in the way of any."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from job_service.record import JobRecord
from job_service.running import folder, scripts
from job_service.running.attempts import doubted, sending, taken
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.places import Places, parent
from job_service.running.scripts import Scripts
from job_service.stages import Stage
from kerberos_auth.errors import AuthFailed
from slurm_ssh.credentials import Credentials
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import LaunchId
from slurm_ssh.jobs import attempt, together
from slurm_ssh.jobs.attempt import Accepted, Prepared
from slurm_ssh.jobs.together import Outcome
from slurm_ssh.ssh.remote import Remote

_TO_BE_SENT = (Stage.READY, "none")

Sent = list[tuple[JobRecord, Outcome]]


class Together:
    """Sends jobs of one person at one site; `given` is told with which ticket, by when that ends."""

    def __init__(
        self,
        board: Board,
        places: Places,
        scripts: Scripts,
        credentials: Credentials,
        given: Callable[[LaunchId, datetime], None],
        clock: Clock,
    ) -> None:
        self._board = board
        self._places = places
        self._scripts = scripts
        self._credentials = credentials
        self._given = given
        self._clock = clock

    async def send(self, job_ids: Sequence[str]) -> Sent:
        """Send those that only have to be sent, if there are some; return what came of each that was.

        That one was accepted is written down, anything else is not.  The others, of which nothing is returned,
        are as they were: whatever is in the way of them, it is found by sending each by itself.  Raises StoreAway.
        """
        records = await self._ready(job_ids)
        if len(records) < 2:
            return []
        try:
            ticket = self._places.ticket(records[0])
            remote = self._places.remote(records[0])
            data = self._credentials.read(records[0].whom) if ticket else b""
            prepared = await self._prepared(records, remote, data)
        except (AuthFailed, LaunchError):
            return []
        ends = datetime.fromtimestamp(ticket.end, UTC) if ticket else None
        return await self._attempt(records, remote, prepared, ends)

    async def _ready(self, job_ids: Sequence[str]) -> list[JobRecord]:
        """Return those that are ready and of the same login, with their folders beside each other.

        What an array sends alone may be as much as what can be sent at once.  One that did not arrive goes by
        itself: Slurm may be too slow for as many as there are, and then those at the end would never arrive.
        """
        if len(job_ids) < 2:
            return []
        known = await self._board.newest_of(job_ids)
        records = [known[job_id] for job_id in job_ids if job_id in known]
        new = [each for each in records if each.kind == "batch" and not each.attempts]
        ready = [each for each in new if (each.stage, each.submission) == _TO_BE_SENT]
        return [each for each in ready if _place(each) == _place(ready[0])]

    async def _prepared(self, records: Sequence[JobRecord], remote: Remote, data: bytes) -> dict[str, Prepared]:
        """Make the folders, and return what is sent of each, by job id.  `data` is their ticket.

        Raises LaunchError.
        """
        jobs = [(each, await self._scripts.datasets(each)) for each in records]
        answer = await remote.run(*folder.make_all(jobs))
        if answer.status:
            raise folder.not_made(records[0], remote.site.title, answer)
        texts = await self._scripts.kept_all(records)
        prepared = {}
        for each in records:
            delivered = await attempt.place(remote, self._places.job(each), data)
            text = texts[each.job_id]
            request = scripts.request(each, self._places.mark(each), text)
            prepared[each.job_id] = Prepared(request, text, delivered)
        return prepared

    async def _attempt(
        self, records: Sequence[JobRecord], remote: Remote, prepared: dict[str, Prepared], ends: datetime | None
    ) -> Sent:
        title = remote.site.title
        begin = partial(sending, clock=self._clock, title=title)
        changed = await self._board.change_each([(each, begin) for each in records])
        under_way = [each for each in changed if each and each.submission == "sending"]
        if not under_way:
            return []
        if ends:
            for each in under_way:
                self._given(LaunchId(each.job_id), ends)
        jobs = [(self._places.job(each), prepared[each.job_id]) for each in under_way]
        outcomes: list[Outcome]
        try:
            outcomes = await together.sbatch(remote, jobs)
        except LaunchError as error:
            outcomes = [error] * len(under_way)
        except Exception:
            # Whatever went wrong, they may have been sent.
            doubt = partial(doubted, clock=self._clock)
            await self._board.change_each([(each, doubt) for each in under_way])
            raise
        for each, outcome in zip(under_way, outcomes, strict=True):
            if outcome is None:
                # It may be cancelled before it is sent again, and nobody would look for its ticket then.
                await attempt.clean_up(remote, self._places.job(each))
        sent = list(zip(under_way, outcomes, strict=True))
        await self._board.change_each(
            [
                (each, partial(taken, accepted=outcome, clock=self._clock, title=title))
                for each, outcome in sent
                if isinstance(outcome, Accepted)
            ]
        )
        return sent


def _place(record: JobRecord) -> tuple[str, str]:
    return record.login, parent(record)
