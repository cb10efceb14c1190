"""What one person may still have: bans, projects, jobs under way, seconds; each asked once in a transaction."""

from dataclasses import dataclass

import sqlalchemy as sa

from job_service import charges
from job_service.errors import Banned, NotAMember, QuotaExceeded, TooMany
from job_service.sentences import store as say
from job_service.store import bans, books, membership
from job_service.store.accounting import Project
from job_service.store.schema import JOBS, PROJECTS
from job_service.store.searching import LIVE
from job_service.store.values import NewJob


@dataclass(frozen=True)
class Allowed:
    """A job that may be kept; the project of the service that it counts against (or None), what it holds of it."""

    new: NewJob
    project: Project | None = None
    held_s: int = 0


class Allowance:
    """Says of the jobs of one owner, one after the other, whether each may be kept beside those before it.

    What it asks of the database it asks once, however many jobs there are: it is good for one transaction, which
    has locked whatever must not change meanwhile.
    """

    def __init__(self, connection: sa.Connection, owner: str) -> None:
        self._connection = connection
        self._owner = owner
        self._bans = bans.standing(connection, owner)
        self._projects: dict[tuple[int, frozenset[str]], Project | None] = {}
        self._live: dict[str, int] = {}
        self._left: dict[int, tuple[int, int]] = {}

    def take(self, new: NewJob) -> Allowed:
        """Return a job that may be kept, and count it from now on; raises as `Jobs.accept`, and does not then."""
        self._refuse_banned(new)
        project = self._project(new)
        self._refuse_more_than(new)
        held = charges.hold(project.charge, new.limit_s, new.nodes, new.cores) if project else 0
        if project:
            theirs, all_left = self._paid(new, project, held)
            self._left[project.id] = theirs - held, all_left - held
        self._live[new.system] += 1
        return Allowed(new, project, held)

    def _refuse_banned(self, new: NewJob) -> None:
        for ban in self._bans:
            if ban.project is None:
                raise Banned(say.BANNED.format(reason=ban.reason), say.ASK_ADMINS)
            if ban.project.id == new.project_id:
                raise Banned(say.BANNED_FROM.format(project=new.project, reason=ban.reason), say.ASK_ADMINS)

    def _project(self, new: NewJob) -> Project | None:
        """Return the job's project, None if it is one of Slurm's accounts."""
        if new.project_id is None:
            return None
        project = self._usable(new.project_id, new.groups)
        if project is None or (project.system, project.name, project.identity) != (
            new.system,
            new.project,
            new.identity,
        ):
            refused = say.NOT_A_MEMBER.format(project=new.project, system=new.system)
            raise NotAMember(refused, say.NOT_A_MEMBER_HINT)
        return project

    def _usable(self, number: int, groups: frozenset[str]) -> Project | None:
        # Requests of the same moment may know different groups of a person.
        if (asked := (number, groups)) not in self._projects:
            is_usable = membership.usable_by(self._owner, groups)
            self._projects[asked] = membership.found(self._connection, PROJECTS.c.id == number, is_usable)
        return self._projects[asked]

    def _refuse_more_than(self, new: NewJob) -> None:
        if new.system not in self._live:
            # An array's tasks are its jobs.
            is_one = (JOBS.c.stage.in_(LIVE), JOBS.c.kind != "array")
            of_theirs = (JOBS.c.owner == self._owner, JOBS.c.system == new.system, *is_one)
            asked = sa.select(sa.func.count()).select_from(JOBS).where(*of_theirs)
            self._live[new.system] = self._connection.execute(asked).scalar_one()
        if (count := self._live[new.system]) >= new.active_max:
            raise TooMany(say.too_many(count, new.system), say.TOO_MANY_HINT)

    def _paid(self, new: NewJob, project: Project, held: int) -> tuple[int, int]:
        """Return the seconds that the owner, and the project, have before this job, which are enough for it."""
        if project.id not in self._left:
            theirs = books.time_left(self._connection, project, new.owner)
            self._left[project.id] = theirs, project.time_left
        theirs, all_left = self._left[project.id]
        if held > min(theirs, all_left):
            text = say.QUOTA_EXCEEDED.format(needed=held, project=project.name, left=theirs, project_left=all_left)
            raise QuotaExceeded(text, held, min(theirs, all_left), say.QUOTA_EXCEEDED_HINT)
        return theirs, all_left
