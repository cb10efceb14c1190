"""Who may enter a server besides its owner: JupyterHub's shares and share codes, made and ended by rules of ours.

A server is shared while it is up and its profile says `sharing`.  A share ends with its invitation's time, with
the server, or when somebody takes it back.  JupyterHub counts shares that have ended until it removes them, once
an hour; here that is done every few seconds.  Each change is one line of the log that begins with `sharing:`; it
calls an invitation by the first letters of its code, because the database uses its numbers again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub import orm
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import object_session
from tornado.ioloop import PeriodicCallback

from kerberos_auth.shutdown import at_the_end
from profiles.catalogue.catalogue import Catalogue
from profiles.loading.live import LiveCatalogue
from slurm_ssh_spawner.hub.moments import utc
from slurm_ssh_spawner.hub.storing import commit
from slurm_ssh_spawner.sentences import guest_labels, labels

MOST = 20
"""Guests and open invitations of one server."""

_SCOPE = "access:servers"
_SWEEP_MS = 5000
_A_SECOND = timedelta(seconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guest:
    """Somebody who may enter.  Times are in UTC."""

    key: int
    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Invitation:
    """One that nobody has accepted yet; of its code the hub keeps a hash."""

    key: int
    made: datetime
    until: datetime


@dataclass(frozen=True)
class SharedServer:
    """Somebody else's server that a person may enter; `server` is its name, `title` what people read."""

    owner: str
    server: str
    title: str
    url: str
    until: datetime

    @property
    def key(self) -> str:
        """What tells it apart on a page."""
        return f"shared-{self.url}"


def is_shareable(catalogue: Catalogue, profile_key: str) -> bool:
    """Return whether servers of a profile may be shared."""
    profile = catalogue.profiles.get(profile_key)
    return profile is not None and profile.sharing


def guests(row: Any) -> tuple[Guest, ...]:
    """Return who may enter a server, a row of JupyterHub's; the first one let in first."""
    found = sorted((share for share in row.shares if _goes_on(share)), key=lambda share: int(share.id))
    return tuple(Guest(each.id, _whom(each), utc(each.created_at), utc(each.expires_at)) for each in found)


def invitations(row: Any) -> tuple[Invitation, ...]:
    """Return the open invitations to a server, the oldest first."""
    found = sorted((code for code in row.share_codes if _goes_on(code)), key=lambda code: int(code.id))
    return tuple(Invitation(each.id, utc(each.created_at), utc(each.expires_at)) for each in found)


def shared_with(user: Any) -> tuple[SharedServer, ...]:
    """Return the servers of others that a user, JupyterHub's, may enter."""
    users = user.settings["users"]
    return tuple(
        SharedServer(
            owner=share.owner.name,
            server=share.spawner.name,
            title=share.spawner.display_name or share.spawner.name or labels.DEFAULT_SERVER,
            url=users[share.owner].server_url(share.spawner.name),
            until=utc(share.expires_at),
        )
        for share in user.orm_user.shared_with_me
        if _goes_on(share) and share.spawner.server is not None
    )


def invite(db: Any, row: Any, minutes: int, job_ends: datetime | None) -> tuple[str, datetime]:
    """Return the code of a new invitation and its end: after so many minutes, but never after that of the job."""
    lasts = timedelta(minutes=minutes)
    if job_ends:
        # Of one that is about to end: JupyterHub takes 0 for a day.
        lasts = max(_A_SECOND, min(lasts, job_ends - datetime.now(UTC)))
    made, code = orm.ShareCode.new(db, row, scopes=[_SCOPE], expires_in=lasts.total_seconds())
    until = utc(made.expires_at)
    who, to = row.user.name, _server(row)
    _log.info("sharing: %s made invitation %s to %s, until %s", who, made.prefix, to, _said(until))
    return str(code), until


def invitation(db: Any, code: str) -> Any:
    """Return the row of an invitation by its code, None if it cannot be used (any more)."""
    found = orm.ShareCode.find(db, code=code)
    return found if found is not None and _goes_on(found) else None


def accept(db: Any, found: Any, user: Any) -> Any:
    """Let a user in by an open invitation, which is used up by that; return the row of the server."""
    row, until = found.spawner, found.expires_at
    before = orm.Share.find(db, row, user.orm_user)
    share = orm.Share.grant(db, row, user.orm_user, [_SCOPE])
    # Whoever accepts a second one stays as long as the longer one lets them.
    share.expires_at = max(until, before.expires_at or until) if before else until
    db.delete(found)
    commit(row)
    end = _said(utc(share.expires_at))
    _log.info("sharing: %s accepted invitation %s to %s, until %s", user.name, found.prefix, _server(row), end)
    return row


def take_back_access(row: Any, key: int, by: str) -> None:
    """End the access of one guest; nothing if there is no such one."""
    _end_all((share for share in row.shares if share.id == key), f"revoked by {by}")


def take_back_invitation(row: Any, key: int, by: str) -> None:
    """End one invitation; nothing if there is no such one."""
    _end_all((code for code in row.share_codes if code.id == key), f"revoked by {by}")


def leave(user: Any, owner: str, server: str) -> None:
    """End a user's own access to somebody else's server."""
    found = user.orm_user.shared_with_me
    wanted = (each for each in found if (each.owner.name, each.spawner.name) == (owner, server))
    _end_all(wanted, f"revoked by {user.name}")


def end_with_server(row: Any) -> None:
    """End all access to a server that stops or starts, and all invitations to it."""
    _end_all((*row.shares, *row.share_codes), "the server has stopped")


def end_with_guest(user: Any) -> None:
    """End all access of a user who is removed from JupyterHub to the servers of others."""
    _end_all(user.orm_user.shared_with_me, f"{user.name} was removed")


def sweep(db: Any, users: Any, catalogue: Catalogue) -> None:
    """End what has come to its end: by its time, with its server, or as its profile is shared no more.

    What cannot be ended holds up nothing else, and is in the log.
    """
    for each in (*db.query(orm.Share), *db.query(orm.ShareCode)):
        try:
            if why := _why_over(each, users, catalogue):
                _end_all((each,), why)
        except Exception:  # noqa: BLE001 - whatever it is, others' access has to end
            _log.exception("sharing: what has come to its end could not be ended; it is tried again")


def keep_sweeping(db: Any, users: Any, catalogue: LiveCatalogue) -> None:
    """Sweep every few seconds until the hub ends; call this on its event loop."""

    def once() -> None:
        try:
            sweep(db, users, catalogue.current)
        except SQLAlchemyError:
            _log.exception("sharing: what has come to its end is not known; it is looked at again")

    async def stop() -> None:
        timer.stop()

    timer = PeriodicCallback(once, _SWEEP_MS)
    timer.start()
    at_the_end(stop)


def _why_over(each: Any, users: Any, catalogue: Catalogue) -> str:
    if not _goes_on(each):
        return "its time was up"
    row = each.spawner
    if row.server is None:
        return "the server has stopped"
    if not is_shareable(catalogue, users[row.user].spawners[row.name].profile_key):
        return "its profile is not shared"
    return ""


def _end_all(rows: Iterable[Any], why: str) -> None:
    ended = []
    for each in tuple(rows):
        what = f"access of {_logged(each)}" if isinstance(each, orm.Share) else f"invitation {each.prefix}"
        ended.append((what, each.spawner))
        session: Any = object_session(each)
        session.delete(each)
    if ended:
        commit(ended[0][1])
    for what, row in ended:
        _log.info("sharing: %s to %s ended: %s", what, _server(row), why)


def _server(row: Any) -> str:
    return f"{row.user.name}/{row.name}"


def _whom(share: Any) -> str:
    return str(share.user.name) if share.user else guest_labels.ALL_MEMBERS.format(group=share.group.name)


def _logged(share: Any) -> str:
    return str(share.user.name) if share.user else f"group {share.group.name}"


def _goes_on(each: Any) -> bool:
    """Return whether a share or an invitation has an end that is still to come; all of ours have one."""
    return each.expires_at is not None and not each.expired


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
