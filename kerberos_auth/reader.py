"""Reads tickets: one private file for each user, in a folder that only the hub can enter."""

import errno
import os
import stat
import time
from pathlib import Path

from . import names, sentences
from .ccache import MAX_BYTES, Facts, parse
from .errors import AuthFailed, BadTicket, ForeignTicket, NameRefused, TicketExpired, TicketMissing
from .tickets import Ticket

# Inode, size, times of content and of everything else.
_Stamp = tuple[int, int, int, int]


class TicketReader:
    """The tickets of all users in a folder that a store of this process, or of another one, keeps.

    `folder` belongs to this process's user with mode 0700.  The constructor raises AuthFailed, with a sentence for
    the administrator, when the folder is missing or not private, or when someone else could replace one of its
    parents.  `realm` is the only one whose principals are users here ("" takes the default of krb5.conf).

    Every load opens the file once and checks what was opened: its owner, mode, size and that the principal inside
    is that user's.  Its facts hold for as long as the file system says that nothing about the file has changed.
    """

    def __init__(self, folder: Path, realm: str = "") -> None:
        self.realm = realm or _default_realm()
        self.folder, self._fd = _open_private(folder)
        self._seen: dict[str, tuple[_Stamp, Facts]] = {}

    def close(self) -> None:
        """Let go of the folder; this object is of no use any more."""
        os.close(self._fd)

    def get(self, user: str) -> Ticket:
        """Return the facts of the user's ticket, which has not expired at this moment.

        Raises TicketMissing, TicketExpired or BadTicket, each with a sentence for the user.  Reads the file only
        if it has changed; never asks a KDC.
        """
        # Taken first: if the file changes meanwhile, it is read again the next time.
        stamp = self._stamp(user)
        known = self._seen.pop(user, None)
        facts = known[1] if stamp and known and known[0] == stamp else self._load(user)[1]
        if stamp:
            self._seen[user] = stamp, facts
        return self._ticket(user, facts)

    def read(self, user: str) -> bytes:
        """Return the credential cache itself, checked as by `get`: a secret, for delivery to a job."""
        data, facts = self._load(user)
        self._ticket(user, facts)
        return data[: facts.whole]

    def users(self) -> list[str]:
        """Return who has a ticket file, sorted; the file may still turn out expired or bad."""
        return sorted(filter(names.is_user, self._files()))

    def stamp(self, user: str) -> tuple[int, int] | None:
        """Return inode and mtime (in ns) of the user's file, None if it is missing.

        It is another one after each new ticket, and also when libkrb5 has kept a service's ticket in the file:
        whether the ticket is new, `get` says.
        """
        found = self._stamp(user) if names.is_user(user) else None
        return (found[0], found[2]) if found else None

    def _stamp(self, user: str) -> "_Stamp | None":
        """Return what changes with the file of a user: its content, its owner, its mode or its names."""
        try:
            found = os.stat(user, dir_fd=self._fd, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

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
            realm, end = facts.principal.rpartition("@")[2], facts.end
            if realm != self.realm:
                raise ForeignTicket(f"{facts.principal} is nobody here: {error.detail}", realm, end) from error
            raise BadTicket(f"{facts.principal} is nobody here: {error.detail}") from error
        if owner != user:
            raise BadTicket(f"the ticket is of {facts.principal}, not of {user}")
        return facts


def real(folder: Path) -> Path:
    """Return the folder without symbolic links above it.

    Raises AuthFailed if somebody else could replace one of its parents, OSError if there are none.
    """
    found = folder.parent.resolve(strict=True) / folder.name
    for parent in found.parents:
        _check_parent(found, parent)
    return found


def unusable(folder: Path, error: OSError) -> AuthFailed:
    """Return what to tell the administrator of a folder that cannot be made or opened."""
    is_none = error.errno in {errno.ELOOP, errno.ENOTDIR}
    sentence = sentences.FOLDER_IS_NONE if is_none else sentences.FOLDER_UNREACHABLE
    return AuthFailed(sentence.format(folder=folder, reason=error.strerror))


def _open_private(folder: Path) -> tuple[Path, int]:
    """Return the folder without symbolic links above it, and a descriptor that stays on it."""
    try:
        path = real(folder)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise unusable(folder, error) from error
    found = os.fstat(fd)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o700:
        os.close(fd)
        raise AuthFailed(sentences.FOLDER_NOT_PRIVATE.format(folder=folder, uid=os.geteuid()))
    return path, fd


def _check_file(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadTicket("not a regular file")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o600:
        raise BadTicket(f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}")
    if found.st_nlink > 1:  # 0 is a file that a new ticket replaced since it was opened: still whole
        raise BadTicket("the file has a second name")
    if found.st_size > MAX_BYTES:
        raise BadTicket(f"the file is larger than {MAX_BYTES} bytes")


def _check_parent(folder: Path, parent: Path) -> None:
    found = parent.stat()
    if found.st_uid not in {0, os.geteuid()}:
        raise AuthFailed(sentences.FOLDER_REPLACEABLE.format(folder=folder, parent=parent, uid=found.st_uid))
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise AuthFailed(sentences.FOLDER_WRITABLE.format(folder=folder, parent=parent))


def _default_realm() -> str:
    # Who names the realm needs no libkrb5.
    from . import gss  # noqa: PLC0415

    return gss.default_realm()
