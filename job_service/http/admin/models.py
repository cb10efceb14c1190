"""The bodies of requests and answers of the routes of admins.  Times are ISO 8601 in UTC, `time` is seconds."""

from datetime import datetime
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from job_service.charges import ChargeUnit
from job_service.http.sent import Sent
from job_service.running.stand import Stand
from job_service.store import accounting
from job_service.store.values import Page
from profiles.catalogue.identity import Identity

Item = TypeVar("Item")

_MOST = 10**12

# What no control character is in.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"

Text = Annotated[StrictStr, Field(max_length=200, pattern=_PLAIN)]
Count = Annotated[StrictInt, Field(ge=0, le=_MOST)]
_Seconds = Annotated[StrictInt, Field(ge=-_MOST, le=_MOST)]


class Listed(BaseModel, Generic[Item]):
    """Some of many, and the `cursor` for the next ones; none if these were the last."""

    items: list[Item]
    next: str | None = None


def listed(items: tuple[Item, ...]) -> Listed[Item]:
    """Return all of them."""
    return Listed[Item](items=list(items))


def paged(page: Page[Item]) -> Listed[Item]:
    """Return some of them."""
    return Listed[Item](items=list(page.items), next=page.next_cursor)


class ProjectFields(Sent):
    """What may be said of a project; what is not said stays, or has its default."""

    title: Text = Field("", description="Its name for people.")
    account: Text | None = Field(None, description="The account that Slurm charges; none: Slurm's default.")
    charge: ChargeUnit = Field("wall", description="What of a job counts: its time, that of each node or core.")
    init_time: Count = Field(0, description="Seconds that it has in all.")
    init_space: Count = 0
    user_time: Count = Field(0, description="Seconds that each member begins with.")
    user_space: Count = 0
    is_default: StrictBool = Field(False, description="Whether jobs count against it that name no project.")
    is_open: StrictBool = Field(False, description="Whether everybody is a member.")
    identity: Identity = Field("person", description="`service`: for jobs that run as the account of the system.")
    limits: dict[Text, Count] = Field(
        default_factory=dict,
        description="Most `nodes`, `cores` of a node and `time` (seconds) of one job; `active` jobs of a person.",
    )


class ServiceProject(ProjectFields):
    """A project of the service: what it has in all, and `time_left` of that."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    system: str
    name: str
    time_left: int


class NewProject(ProjectFields):
    """A project that is to be made."""

    system: Text = Field(description="Key of the system.")
    name: Text = Field(description="Its name there, for requests.")


class ProjectChanges(ProjectFields):
    """What is to be changed of a project."""

    name: Text = Field("", description="Its new name.")


class Grant(Sent):
    """Seconds that a person, or without `user` the project itself, is given; negative ones are taken back."""

    seconds: _Seconds
    user: Text | None = None
    note: Text = Field("", description="Why, for the ledger.")


class TimeLeft(Sent):
    """What somebody is to have left, in seconds."""

    time_left: Count
    note: Text = Field("", description="Why, for the ledger.")


class NewBan(Sent):
    """Who may send no more jobs: to one project, if it is named with its system, else at all."""

    user: Text
    system: Text | None = None
    project: Text | None = None
    reason: Text = Field("", description="A sentence that the person reads.")


class QuotaOf(BaseModel):
    """What somebody has left of a project; `id` is none until they have begun to use it."""

    id: int | None
    user: str
    system: str
    project: str
    time_left: int

    @classmethod
    def of(cls, quota: accounting.Quota) -> Self:
        """Return somebody's quota."""
        return cls(
            id=quota.id,
            user=quota.user,
            system=quota.project.system,
            project=quota.project.name,
            time_left=quota.time_left,
        )


class Ban(BaseModel):
    """That somebody may not send jobs, to one project or (none) at all."""

    id: int
    user: str
    system: str | None
    project: str | None
    reason: str
    by: str
    at: datetime
    lifted: datetime | None

    @classmethod
    def of(cls, ban: accounting.Ban) -> Self:
        """Return a ban."""
        return cls(
            id=ban.id,
            user=ban.user,
            system=ban.project.system if ban.project else None,
            project=ban.project.name if ban.project else None,
            reason=ban.reason,
            by=ban.by,
            at=ban.at,
            lifted=ban.lifted,
        )


class PersonInFull(BaseModel):
    """Somebody who has used the service, with their bans and what they have left."""

    name: str
    number: int = Field(description="For the old paths.")
    first_seen: datetime
    last_seen: datetime
    bans: list[Ban]
    quotas: list[QuotaOf] = Field(description="Of projects that are theirs by name, or open to everybody.")


class FollowedSystem(BaseModel):
    """How the jobs at a system are followed."""

    key: str
    observer: str = Field(description="As whom it was asked last; empty before anybody was.")
    asked: datetime | None = Field(description="When it answered last.")
    away_since: datetime | None
    reason: str = Field(description="A sentence: why it cannot be asked.")
    stale: bool
    live: int = Field(description="Jobs that are not over.")
    doubts: int = Field(description="Those of which nobody knows whether Slurm has them.")
    owed: int = Field(description="Cancellations and removals that could not be carried out yet.")

    @classmethod
    def of(cls, stand: Stand) -> Self:
        """Return how one stands."""
        return cls(
            key=stand.system,
            observer=stand.observer,
            asked=stand.asked,
            away_since=stand.away_since,
            reason=stand.reason,
            stale=stand.is_stale,
            live=stand.live,
            doubts=stand.doubts,
            owed=stand.owed,
        )
