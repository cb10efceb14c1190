"""Where tickets live: one private file for each user, in a folder that only the hub can enter."""

import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from . import names, sentences
from .errors import AuthFailed, BadTicket, ForeignTicket, NameRefused, TicketExpired
from .reader import TicketReader, real, unusable
from .tickets import TEMPORARY, Ticket

_MARK = ".leaving-"
_DAY_SECONDS = 24 * 3600

_log = logging.getLogger(__name__)


class TicketStore(TicketReader):
    """The tickets of all users, as credential caches in one folder, which is made if missing.

    The constructor raises AuthFailed as a reader's does, and when another store is open on the folder, in whatever
    process.  A ticket is replaced by writing a new file and renaming it, so readers (libkrb5 too) always see a
    whole one.
    """

    def __init__(self, folder: Path, realm: str = "") -> None:
        _make_private(folder)
        super().__init__(folder, realm)
        self._lock()
        self._subscribers: list[Callable[[str], None]] = []

    def close(self) -> None:
        """Let another store use the folder, as the end of the process does; this one is of no use any more."""
        os.close(self._fd)

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called with the user after each ticket that was put, in the thread that put it.

        The hub puts tickets, of logins and of renewals, on its event loop only.
        """
        self._subscribers.append(callback)

    def put(self, user: str, data: bytes, principal: str) -> Ticket:
        """Keep the cache in `data` as the user's only ticket.

        On any failure the ticket stored before stays as it was.  Raises NameRefused, BadTicket (also when
        `data` is not of `principal`, or that is not the user's), TicketExpired, AuthFailed (disk full).
        """
        if not names.is_user(user):
            raise NameRefused("the name is no local user name")
        facts = self._check(user, data)
        if facts.principal != principal:
            raise BadTicket(f"asked for {principal}, got {facts.principal}")
        ticket = self._ticket(user, facts)
        try:
            self._replace(user, data[: facts.whole])
        except OSError as error:
            raise AuthFailed(sentences.TICKET_NOT_STORED, str(error)) from error
        self._tell(user)
        return ticket

    def remove(self, user: str) -> None:
        """Forget the user's ticket and its mark; no error when there is none."""
        if names.is_user(user):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(user, dir_fd=self._fd)
            self.unmark(user)

    def mark(self, user: str) -> None:
        """Note beside the ticket that it is to go soon: tickets that are put later, and a restart, keep the mark.

        Raises OSError (disk full).
        """
        if names.is_user(user):
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(_MARK + user, flags, 0o600, dir_fd=self._fd))

    def unmark(self, user: str) -> None:
        """Take the mark back; no error when there is none."""
        if names.is_user(user):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_MARK + user, dir_fd=self._fd)

    def marked(self) -> set[str]:
        """Return the users with a mark."""
        return {name.removeprefix(_MARK) for name in self._files() if name.startswith(_MARK)}

    def sweep(self) -> dict[str, AuthFailed]:
        """Remove half-written files, stray marks, and tickets of no use; return whose those were, and why.

        Tickets of another realm stay if there are no others: then it is the hub's realm that is wrong.  So do
        those that ended within the last day: it may be the machine's clock that is.
        Only for the start of a hub: logins use files that look half-written.
        """
        for name in self._files():
            if name.startswith(TEMPORARY):
                os.unlink(name, dir_fd=self._fd)
        useless = self._useless()
        foreign = _foreign(useless)
        if foreign and not set(self.users()) - set(useless):
            useless = {user: error for user, error in useless.items() if user not in foreign}
        useless = {user: error for user, error in useless.items() if not self._has_just_ended(user, error)}
        for user in useless:
            with contextlib.suppress(IsADirectoryError):
                self.remove(user)
        for user in self.marked().difference(self.users()):
            self.unmark(user)
        return useless

    def all_foreign(self) -> str:
        """Return a sentence for the administrator if there are valid tickets, all of another realm, else ""."""
        useless = self._useless()
        foreign = _foreign(useless)
        if not foreign or set(self.users()) - set(useless):
            return ""
        realms = ", ".join(sorted({each.realm for each in foreign.values()}))
        return sentences.FOREIGN_TICKETS.format(count=len(foreign), realms=realms, realm=self.realm)

    def _useless(self) -> dict[str, AuthFailed]:
        found: dict[str, AuthFailed] = {}
        for user in self.users():
            try:
                self.get(user)
            except AuthFailed as error:
                found[user] = error
        return found

    def _has_just_ended(self, user: str, error: AuthFailed) -> bool:
        return isinstance(error, TicketExpired) and self._load(user)[1].end > time.time() - _DAY_SECONDS

    def _tell(self, user: str) -> None:
        for callback in self._subscribers:
            try:
                callback(user)
            except Exception:  # noqa: BLE001 - the ticket is stored, and the others want to know
                _log.exception("After %s's new ticket", user)

    def _lock(self) -> None:
        try:
            # On the folder itself: a lock file could be removed.
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise AuthFailed(sentences.FOLDER_IN_USE.format(folder=self.folder)) from error

    def _replace(self, user: str, data: bytes) -> None:
        name = TEMPORARY + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(name, flags, 0o600, dir_fd=self._fd)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(data)
            os.rename(name, user, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except OSError:
            os.unlink(name, dir_fd=self._fd)
            raise


def _foreign(useless: Mapping[str, AuthFailed]) -> dict[str, ForeignTicket]:
    """Return those that are of another realm and have not ended."""
    now = time.time()
    return {user: error for user, error in useless.items() if isinstance(error, ForeignTicket) and error.end > now}


def _make_private(folder: Path) -> None:
    try:
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            real(folder).mkdir(mode=0o700)
    except OSError as error:
        raise unusable(folder, error) from error
