"""Where tickets live: one private file for each user, in a folder that only the hub can enter."""

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from . import names, sentences
from .ccache import MAX_BYTES, Facts, parse
from .errors import AuthFailed, BadTicket, NameRefused, TicketExpired, TicketMissing
from .tickets import TEMPORARY, Ticket, default_realm

_MARK = ".leaving-"

_log = logging.getLogger(__name__)


class TicketStore:
    """The tickets of all users, as credential caches in one folder.

    `folder` belongs to this process's user with mode 0700; it is made if missing.  The constructor raises
    AuthFailed, with a sentence for the administrator, when the folder is not private, when someone else could
    replace one of its parents, or when another store is open on it, in whatever process.  `realm` is the only
    one whose principals are users here ("" takes the default of krb5.conf).

    A ticket is replaced by writing a new file and renaming it, so readers (libkrb5 too) always see a whole
    one.  Every load opens the file once and checks what was opened: its owner, mode, size and that the
    principal inside is that user's.
    """

    def __init__(self, folder: Path, realm: str = "") -> None:
        self.realm = realm or default_realm()
        self.folder, self._fd = _open_private(folder)
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

    def get(self, user: str) -> Ticket:
        """Return the facts of the user's ticket, which has not expired at this moment.

        Raises TicketMissing, TicketExpired or BadTicket, each with a sentence for the user.  Costs one
        small file read; never asks a KDC.
        """
        _, facts = self._load(user)
        return self._ticket(user, facts)

    def read(self, user: str) -> bytes:
        """Return the credential cache itself, checked as by `get`: a secret, for delivery to a job."""
        data, facts = self._load(user)
        self._ticket(user, facts)
        return data[: facts.whole]

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

    def users(self) -> list[str]:
        """Return who has a ticket file, sorted; the file may still turn out expired or bad."""
        return sorted(filter(names.is_user, self._files()))

    def sweep(self) -> dict[str, AuthFailed]:
        """Remove half-written files, stray marks, and tickets of no use; return whose those were, and why.

        Only for the start of a hub: logins use files that look half-written.
        """
        useless: dict[str, AuthFailed] = {}
        for name in self._files():
            if name.startswith(TEMPORARY):
                os.unlink(name, dir_fd=self._fd)
        for user in self.users():
            try:
                self.get(user)
            except AuthFailed as error:
                useless[user] = error
                with contextlib.suppress(IsADirectoryError):
                    self.remove(user)
        for user in self.marked().difference(self.users()):
            self.unmark(user)
        return useless

    def _tell(self, user: str) -> None:
        for callback in self._subscribers:
            try:
                callback(user)
            except Exception:  # noqa: BLE001 - the ticket is stored, and the others want to know
                _log.exception("After %s's new ticket", user)

    def _files(self) -> list[str]:
        return os.listdir(self._fd)  # noqa: PTH208 - a descriptor, not a path

    def _ticket(self, user: str, facts: Facts) -> Ticket:
        if facts.end <= time.time():
            raise TicketExpired(f"{facts.principal} ended at {facts.end}")
        return Ticket.of(user, facts, self.folder / user)

    def _load(self, user: str) -> tuple[bytes, Facts]:
        if not names.is_user(user):
            raise TicketMissing("the name is no local user name")
        # O_NONBLOCK: opening a FIFO somebody put there must not wait for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(user, flags, dir_fd=self._fd)
        except FileNotFoundError:
            raise TicketMissing from None
        except OSError as error:
            raise BadTicket(f"the file does not open: {error.strerror}") from error
        try:
            _check_file(os.fstat(fd))
            data = os.read(fd, MAX_BYTES + 1)
        finally:
            os.close(fd)
        return data, self._check(user, data)

    def _check(self, user: str, data: bytes) -> Facts:
        facts = parse(data)
        try:
            owner = names.user_of(facts.principal, self.realm)
        except NameRefused as error:
            raise BadTicket(f"{facts.principal} is nobody here: {error.detail}") from error
        if owner != user:
            raise BadTicket(f"the ticket is of {facts.principal}, not of {user}")
        return facts

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


def _check_file(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadTicket("not a regular file")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o600:
        raise BadTicket(f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}")
    if found.st_nlink > 1:  # 0 is a file that a new ticket replaced since it was opened: still whole
        raise BadTicket("the file has a second name")
    if found.st_size > MAX_BYTES:
        raise BadTicket(f"the file is larger than {MAX_BYTES} bytes")


def _open_private(folder: Path) -> tuple[Path, int]:
    """Return the folder without symbolic links above it, and a descriptor that stays on it."""
    try:
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        real = folder.parent.resolve(strict=True) / folder.name
        for parent in real.parents:
            _check_parent(real, parent)
        with contextlib.suppress(FileExistsError):
            real.mkdir(mode=0o700)
        fd = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        is_none = error.errno in {errno.ELOOP, errno.ENOTDIR}
        sentence = sentences.FOLDER_IS_NONE if is_none else sentences.FOLDER_UNREACHABLE
        raise AuthFailed(sentence.format(folder=folder, reason=error.strerror)) from error
    found = os.fstat(fd)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o700:
        os.close(fd)
        raise AuthFailed(sentences.FOLDER_NOT_PRIVATE.format(folder=folder, uid=os.geteuid()))
    try:
        # On the folder itself: a lock file could be removed.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise AuthFailed(sentences.FOLDER_IN_USE.format(folder=folder)) from error
    return real, fd


def _check_parent(folder: Path, parent: Path) -> None:
    found = parent.stat()
    if found.st_uid not in {0, os.geteuid()}:
        raise AuthFailed(sentences.FOLDER_REPLACEABLE.format(folder=folder, parent=parent, uid=found.st_uid))
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise AuthFailed(sentences.FOLDER_WRITABLE.format(folder=folder, parent=parent))
