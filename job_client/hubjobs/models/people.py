"""Whose the token is, and the hub."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Ticket:
    """The valid Kerberos ticket that the hub keeps, with which jobs are sent."""

    principal: str = ""
    expires: datetime | None = None
    renewable_until: datetime | None = None


@dataclass(frozen=True)
class Me:
    """Whose the token is, and what it may; without a ticket nothing can be sent.  `version` is the service's."""

    name: str
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    is_admin: bool = False
    ticket: Ticket | None = None
    version: str = ""


@dataclass(frozen=True)
class Hub:
    """The hub that the service belongs to: JupyterHub's version."""

    version: str = ""
