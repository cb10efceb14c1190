"""Who may use how much: people, projects, quotas, bans, and what admins did.  Frozen values; times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypedDict

from job_service.charges import ChargeUnit
from profiles.catalogue.identity import Identity

MemberKind = Literal["user", "group"]
EntryKind = Literal["grant", "hold", "release", "charge", "adjust"]


@dataclass(frozen=True)
class Person:
    """Somebody who has used the service: `number` for the old paths, `name` on the hub."""

    number: int
    name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class NewProject:
    """A project of the service, whose jobs hold and charge seconds of what `charge` counts.

    `name` is unique at its system.  `account` is Slurm's to charge (None: its default).  `init_time` are all its
    seconds, `user_time` those that a member begins with; the two spaces are shown only.  With `is_open` everybody
    is a member.  `is_default`: for jobs at this system that name none.  `limits`, of one job: `nodes cores
    time`, of one person's live jobs: `active`; what is not there is not limited.  Of jobs that run as the account
    of their site the `identity` is "service"; no others count against it.
    """

    system: str
    name: str
    title: str = ""
    account: str | None = None
    charge: ChargeUnit = "wall"
    init_time: int = 0
    init_space: int = 0
    user_time: int = 0
    user_space: int = 0
    is_default: bool = False
    is_open: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    identity: Identity = "person"


@dataclass(frozen=True)
class Project(NewProject):
    """A project as it is kept: `id` is its number, `time_left` what no hold and no charge took of its seconds."""

    id: int = 0
    time_left: int = 0


class ProjectChanges(TypedDict, total=False):
    """What may change of a project; its system may not.  A new `user_time` is for those who have not begun."""

    name: str
    title: str
    account: str | None
    charge: ChargeUnit
    init_time: int
    init_space: int
    user_time: int
    user_space: int
    is_default: bool
    is_open: bool
    limits: Mapping[str, int]
    identity: Identity


@dataclass(frozen=True)
class Member:
    """Somebody, or everybody in a group of the hub, who may use a project."""

    kind: MemberKind
    name: str


@dataclass(frozen=True)
class Quota:
    """What somebody has left in a project, in its seconds; `id` is None until they have begun to use it."""

    id: int | None
    user: str
    project: Project
    time_left: int


@dataclass(frozen=True)
class LedgerEntry:
    """Seconds that somebody in a project gained or lost (negative); `user` None: the project itself did.

    `job_id` is the job that it is about, "" for none; `by` is who did it, the service's own are "".
    """

    id: int
    at: datetime
    project_id: int
    user: str | None
    job_id: str
    kind: EntryKind
    seconds: int
    by: str
    note: str


@dataclass(frozen=True)
class Ban:
    """Somebody may not send jobs, to one project or (`project` None) at all; `lifted` is when that ended."""

    id: int
    user: str
    project: Project | None
    reason: str
    by: str
    at: datetime
    lifted: datetime | None = None


@dataclass(frozen=True)
class AuditEntry:
    """What an admin has done: `action` is a word such as `ban`, `target` what it was done to."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: str
