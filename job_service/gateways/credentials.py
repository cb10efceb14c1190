"""What lets the service in at a gateway: a private file on the hub."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from job_service.sentences import gateways as say
from slurm_ssh.errors import Broken

_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Credentials:
    """A name and a password there; `others` are further words of the file.  Only the name is ever shown."""

    user: str
    password: str = field(repr=False)
    others: Mapping[str, str] = field(default_factory=dict, repr=False)


def read(path: str, title: str) -> Credentials:
    """Return what a file says: `NAME:PASSWORD`, or a JSON object with `user`, `password` and maybe more.

    Raises Broken if it cannot be read, is open to others, or says something else; that never says what is in it.
    """
    try:
        return _parsed(_contents(Path(path)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Broken(say.NO_CREDENTIALS.format(site=title), f"{path}: {reason}") from None


def _contents(path: Path) -> str:
    # A FIFO, which anybody may have put there, would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a regular file")
        if found.st_uid not in {0, os.geteuid()} or stat.S_IMODE(found.st_mode) & 0o077:
            raise ValueError(f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}; it must be 0600")
        data = file.read(_LARGEST_BYTES + 1)
    if len(data) > _LARGEST_BYTES:
        raise ValueError("too large")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def _parsed(text: str) -> Credentials:
    text = text.strip("\r\n")
    if text.lstrip().startswith("{"):
        return _of_json(text)
    user, colon, password = text.partition(":")
    if not colon or not user or not password or not text.isprintable():
        raise ValueError("neither NAME:PASSWORD on one line nor a JSON object")
    return Credentials(user, password)


def _of_json(text: str) -> Credentials:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        # Its words might be those of the password.
        raise ValueError("no JSON") from None
    if not isinstance(said, dict) or not all(
        isinstance(each, str) and each.isprintable() for each in said.values()
    ):
        raise ValueError("not a JSON object of texts")
    if not said.get("user") or not said.get("password") or ":" in said["user"]:
        raise ValueError("user or password is missing")
    others = {name: value for name, value in said.items() if name not in {"user", "password"}}
    return Credentials(said["user"], said["password"], others)
