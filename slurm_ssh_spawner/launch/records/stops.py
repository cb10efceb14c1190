"""Who has stopped a launch, as the reason of its end says it: what is known, and no more."""

from dataclasses import dataclass

import sqlalchemy as sa

STOPPED = "stopped"
"""The reason of a launch that was stopped, and nobody knows by whom."""
BY_OWNER = "stopped by its owner"
BY_HUB = "stopped by the hub"
BY_ADMIN = "stopped by an administrator"
BY_SERVICE = "stopped by a service"
"""After these two a name may stand."""

_BY = "stopped by "
_NAME = ": "


@dataclass(frozen=True)
class Reader:
    """Whom an end is told: whether the launch is theirs, and whether they may know which administrator it was."""

    is_owner: bool = True
    sees_names: bool = False


OWNER = Reader()
ADMIN = Reader(is_owner=False, sees_names=True)


def by_admin(name: str) -> str:
    """Return the reason of a launch that another person has stopped, who may do so."""
    return f"{BY_ADMIN}{_NAME}{name}"


def by_service(name: str) -> str:
    """Return the reason of a launch that a service of the hub has stopped."""
    return f"{BY_SERVICE}{_NAME}{name}"


def is_stop(reason: str) -> bool:
    """Return whether that is the reason of a launch that was stopped, by whomever."""
    return reason == STOPPED or reason.startswith(_BY)


def is_stop_in(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the same for a column of a table."""
    return sa.or_(column == STOPPED, column.startswith(_BY))


def who(reason: str) -> tuple[str, str]:
    """Return by whom a launch was stopped, as one of the words above, and the name, "" for none."""
    kind, _, name = reason.partition(_NAME)
    return kind, name


def told(reason: str, reader: Reader) -> str:
    """Return the reason of an end for a program of somebody's, who may not know the names of administrators."""
    kind, _ = who(reason)
    return kind if kind == BY_ADMIN and not reader.sees_names else reason
