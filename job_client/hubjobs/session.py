"""Who is logged in where, on this machine: what `hubjobs login` keeps.

The token is in the keyring, if there is one, else in the file, which nobody else can read.
"""

import contextlib
import json
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from hubjobs import sentences
from hubjobs.errors import NotLoggedIn, Unreadable
from hubjobs.reading import read

_SERVICE = "hubjobs"
_MOST_BYTES = 64 * 1024
_LONGEST_ADDRESS = 2000


@dataclass(frozen=True)
class Session:
    """A login: the hub's address, the person's name there, their token, and until when it is good."""

    url: str
    user: str
    token: str = field(repr=False)
    expires_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether the token's time is up."""
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)


def place() -> Path:
    """Return the file."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(config) if Path(config).is_absolute() else Path.home() / ".config"
    return base / "hubjobs" / "session.json"


def keep(session: Session) -> bool:
    """Keep a login in the place of the last one; return whether its token is in the keyring."""
    forget()
    in_keyring = _to_keyring(session)
    kept: dict[str, Any] = {
        "url": session.url,
        "user": session.user,
        "expires_at": session.expires_at.isoformat() if session.expires_at else None,
        **({} if in_keyring else {"token": session.token}),
    }
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(kept, file)
    part.replace(path)
    return in_keyring


def kept() -> Session:
    """Return the login that is kept.  Raises NotLoggedIn."""
    path = place()
    try:
        with path.open(encoding="utf-8") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise NotLoggedIn(sentences.OPEN_TO_OTHERS.format(path=path), sentences.LOG_IN)
            found = json.loads(file.read(_MOST_BYTES))
        if isinstance(found, dict) and "token" not in found:
            found["token"] = _from_keyring(str(found.get("url")), str(found.get("user")))
        return read(Session, found)
    except FileNotFoundError:
        raise NotLoggedIn(sentences.NOT_LOGGED_IN, sentences.LOG_IN) from None
    except (ValueError, Unreadable):
        raise NotLoggedIn(sentences.SESSION_BROKEN.format(path=path), sentences.LOG_IN) from None


def forget() -> Session | None:
    """Remove the login that is kept, and return it."""
    try:
        session = kept()
    except NotLoggedIn:
        place().unlink(missing_ok=True)
        return None
    _out_of_keyring(session)
    _hub_place().write_text(session.url, encoding="utf-8")
    place().unlink(missing_ok=True)
    return session


def last_hub() -> str | None:
    """Return what stands for the hub where somebody is logged in, or was last."""
    with contextlib.suppress(NotLoggedIn):
        return kept().url
    with contextlib.suppress(OSError, ValueError), _hub_place().open(encoding="utf-8") as file:
        return file.read(_LONGEST_ADDRESS)
    return None


def _hub_place() -> Path:
    return place().with_name("hub")


def _keyring() -> ModuleType | None:
    """Return the library, if it is installed; whether it has a keyring, its calls say."""
    try:
        import keyring  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        return None
    module: ModuleType = keyring
    return module


def _name(url: str, user: str) -> str:
    return f"{user} {url}"


def _to_keyring(session: Session) -> bool:
    if (ring := _keyring()) is None:
        return False
    try:
        ring.set_password(_SERVICE, _name(session.url, session.user), session.token)
        return bool(ring.get_password(_SERVICE, _name(session.url, session.user)) == session.token)
    except Exception:  # noqa: BLE001 - each system has errors of its own: then the file it is
        return False


def _from_keyring(url: str, user: str) -> str | None:
    if (ring := _keyring()) is None:
        return None
    try:
        token = ring.get_password(_SERVICE, _name(url, user))
    except Exception:  # noqa: BLE001 - a keyring that is locked has no token for us
        return None
    return token if isinstance(token, str) else None


def _out_of_keyring(session: Session) -> None:
    if (ring := _keyring()) is not None:
        with contextlib.suppress(Exception):
            ring.delete_password(_SERVICE, _name(session.url, session.user))
