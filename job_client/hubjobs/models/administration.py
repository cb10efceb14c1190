"""What admins see and do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Ban:
    """Somebody may not send jobs, to one project or at all."""

    user: str
    id: int | None = None
    system: str | None = None
    project: str | None = None
    reason: str = ""
    by: str = ""
    at: datetime | None = None
    lifted: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """Seconds that somebody in a project, or (`user` None) the project itself, gained, or lost if negative."""

    kind: str
    seconds: int
    user: str | None = None
    at: datetime | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class PersonalQuota:
    """What somebody has left of a project, in its seconds."""

    user: str
    system: str
    project: str
    time_left: int


@dataclass(frozen=True)
class Member:
    """Somebody (`user`), or everybody in a group of the hub (`group`), who may use a project."""

    kind: str
    name: str


@dataclass(frozen=True)
class Stand:
    """How the jobs at a system are followed: as whom it was asked, when it answered, how many jobs there are.

    `doubts` are jobs of which nobody knows whether Slurm has them, `owed` what could not be carried out yet.
    """

    key: str
    observer: str = ""
    asked: datetime | None = None
    away_since: datetime | None = None
    reason: str = ""
    stale: bool = False
    live: int = 0
    doubts: int = 0
    owed: int = 0


@dataclass(frozen=True)
class ServiceProject:
    """A project as admins see it: what it has in all, each member begins with, and is left, in its seconds.

    `limits` bind one job (`nodes`, `cores` of a node, `time` in seconds) and a person (`active` jobs).  Its jobs
    run as people (`identity` "person"), or as the account of the system ("service").
    """

    system: str
    name: str
    title: str = ""
    account: str | None = None
    charge: str = ""
    init_time: int = 0
    user_time: int = 0
    time_left: int = 0
    is_default: bool = False
    is_open: bool = False
    identity: str = "person"
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Deed:
    """What an admin did, and to what."""

    actor: str
    action: str
    target: str = ""
    detail: str = ""
    at: datetime | None = None
