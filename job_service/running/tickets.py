"""People's tickets, read beside the hub that keeps them, and which of them jobs have been given."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from job_service.running.accounts import Accounts
from kerberos_auth.errors import AuthFailed
from kerberos_auth.reader import TicketReader
from kerberos_auth.tickets import Ticket
from profiles.catalogue.identity import site_of
from slurm_ssh.credentials import NoTickets
from slurm_ssh.job import Job, LaunchId


class NobodysTickets(NoTickets):
    """In the place of a reader on a hub where nobody has a ticket."""

    def stamp(self, user: str) -> None:
        """There is none."""


class Tickets:
    """The tickets of people, and which of them jobs have; a core is opened with it as credentials and as ledger.

    Names are those of `JobRecord.whom`: under that of a site's account are its tickets, and never anybody else's.

    `look` tells those who have subscribed whose ticket is another one than at the look before, or than the one
    that was got before the first.
    """

    def __init__(self, reader: TicketReader | NobodysTickets, accounts: Accounts) -> None:
        self._reader = reader
        self.accounts = accounts
        self._subscribers: list[Callable[[str], None]] = []
        self._stamps: dict[str, tuple[int, int] | None] = {}
        self._known: dict[str, Ticket | None] = {}
        self._given: dict[LaunchId, datetime] = {}
        self._unwritten: dict[str, datetime | None] = {}

    def get(self, user: str) -> Ticket:
        """Return the facts of the user's valid ticket.  Raises AuthFailed with a sentence for the user."""
        if user in self._known:
            return self._get(user)
        # A job may have this one, and the next look be at a newer one: it has to be known as that.
        stamp, ticket = self._stamp(user), self._get(user)
        self._stamps[user], self._known[user] = stamp, ticket
        return ticket

    def read(self, user: str) -> bytes:
        """Return the valid ticket itself: a secret.  Raises AuthFailed likewise."""
        site = site_of(user)
        return self._reader.read(user) if site is None else self.accounts.read(site)

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the user's name, on the event loop, whenever somebody has a new ticket."""
        self._subscribers.append(callback)

    def look(self, users: Iterable[str]) -> None:
        """Look at the tickets of these people; those of others are forgotten.

        The file changes also when libkrb5 keeps a service's ticket in it, which is no news.
        """
        stamps, known = self._stamps, self._known
        self._stamps, self._known = {}, {}
        changed = []
        for user in users:
            stamp = self._stamps[user] = self._stamp(user)
            if user in stamps and stamps[user] == stamp:
                self._known[user] = known[user]
                continue
            ticket = self._known[user] = self._valid(user)
            if user in stamps and ticket and ticket != known[user]:
                changed.append(user)
        for user in changed:
            for callback in self._subscribers:
                callback(user)

    # -- what jobs have ---------------------------------------------------------------------------------

    async def ticket_ends(self, launch_id: LaunchId) -> datetime | None:
        """Return the end of the ticket that a job was last given, None if that is not known."""
        return self._given.get(launch_id)

    def ticket_given(self, launch_id: LaunchId, ends: datetime) -> None:
        """Keep the end of the ticket that a job was given."""
        self._given[launch_id] = self._unwritten[launch_id] = ends

    def given_before(self, ends: Mapping[str, datetime]) -> None:
        """Take in what was written down before the service began, by job id."""
        self._given.update({LaunchId(job_id): end for job_id, end in ends.items()})

    def unwritten(self) -> dict[str, datetime | None]:
        """Return what is to be written down; it counts as written from now on."""
        unwritten, self._unwritten = self._unwritten, {}
        return unwritten

    def not_written(self, ends: Mapping[str, datetime | None]) -> None:
        """Take back what could not be written down: it is written the next time, but for what is known better."""
        self._unwritten = {**ends, **self._unwritten}

    def lost(self, job: Job) -> None:
        """Keep in mind that a job that goes on has lost its ticket."""
        self._given.pop(job.launch_id, None)
        self._unwritten[job.launch_id] = None

    def forget(self, job: Job) -> None:
        """Drop what is known of a job that is over."""
        self._given.pop(job.launch_id, None)
        self._unwritten.pop(job.launch_id, None)

    def stopped(self, job: Job) -> None:
        """Drop what is known of a job that was cancelled and has ended."""
        self.forget(job)

    def _get(self, user: str) -> Ticket:
        site = site_of(user)
        return self._reader.get(user) if site is None else self.accounts.get(site)

    def _stamp(self, user: str) -> tuple[int, int] | None:
        site = site_of(user)
        return self._reader.stamp(user) if site is None else self.accounts.stamp(site)

    def _valid(self, user: str) -> Ticket | None:
        try:
            return self._get(user)
        except AuthFailed:
            return None
