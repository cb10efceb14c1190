"""What admins do: bans, members, grants, quotas, projects, people; each change leaves a row in the audit."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from job_service.accepting import settings
from job_service.errors import NotFound
from job_service.sentences import accepting as sentences
from job_service.store.accounting import (
    AuditEntry,
    Ban,
    LedgerEntry,
    Member,
    MemberKind,
    NewProject,
    Person,
    Project,
    ProjectChanges,
    Quota,
)
from job_service.store.store import Store
from job_service.store.values import Page
from languages import for_keeping
from profiles.catalogue.system import System
from profiles.loading.live import LiveCatalogue
from profiles.sentences import shown


class Administration:
    """Acts of admins, whose names are `actor`; whether somebody is one, the driver knows.

    Projects are named by system and name.  What makes no sense is refused with Invalid, naming each field; of what
    there is not NotFound is raised, and StoreAway of everything.
    """

    def __init__(self, store: Store, catalogue: LiveCatalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    # -- projects ---------------------------------------------------------------------------------------

    async def projects(self, system: str | None = None) -> tuple[Project, ...]:
        """Return all projects of the service."""
        return await self._store.projects.all(system)

    async def project(self, system: str, name: str) -> Project:
        """Return one project."""
        return await self._store.projects.get(system, name)

    async def create_project(self, actor: str, fields: Mapping[str, Any]) -> Project:
        """Make a project of the fields of NewProject, as JSON values; `system` and `name` are needed."""
        others = {name: value for name, value in fields.items() if name != "system"}
        site = await self._site(fields.get("system"))
        checked = settings.of_project(site, {"name": "", **others})
        return await self._store.projects.add(NewProject(system=fields["system"], **checked), actor)

    async def change_project(self, actor: str, system: str, name: str, fields: Mapping[str, Any]) -> Project:
        """Change a project, of the same fields but its system."""
        project = await self._store.projects.get(system, name)
        site = self._catalogue.sites.get(system) or await self._site(system)
        changes = cast(ProjectChanges, settings.of_project(site, fields))
        return await self._store.projects.change(project, changes, actor)

    async def remove_project(self, actor: str, system: str, name: str) -> None:
        """Take a project away.  Raises WrongStage while jobs of it are not over."""
        await self._store.projects.remove(await self._store.projects.get(system, name), actor)

    async def _site(self, system: Any) -> System:
        """Return the site of a system that takes jobs.  Raises Invalid."""
        menu = (await self._catalogue.refreshed()).jobs
        if system not in menu.taking:
            sentence = sentences.ONE_OF.format(value=shown(system), names=", ".join(menu.taking))
            settings.refuse({"system": sentence})
        return menu.sites[system]

    # -- members ----------------------------------------------------------------------------------------

    async def members(self, system: str, name: str) -> tuple[Member, ...]:
        """Return the members of a project."""
        return await self._store.projects.members(await self._store.projects.get(system, name))

    async def add_member(self, actor: str, system: str, name: str, kind: str, member: str) -> tuple[Member, ...]:
        """Let a `user`, or the members of a `group` of the hub, use a project; return all its members."""
        project = await self._store.projects.get(system, name)
        await self._store.projects.add_member(project, _member(kind, member), actor)
        return await self._store.projects.members(project)

    async def remove_member(
        self, actor: str, system: str, name: str, kind: str, member: str
    ) -> tuple[Member, ...]:
        """Take that again, their jobs go on; return all members.  Raises NotFound for who is none."""
        project = await self._store.projects.get(system, name)
        if not await self._store.projects.remove_member(project, _member(kind, member), actor):
            raise NotFound(sentences.NO_MEMBER.format(member=member, project=name))
        return await self._store.projects.members(project)

    # -- quotas -----------------------------------------------------------------------------------------

    async def quotas(self, system: str, name: str) -> tuple[Quota, ...]:
        """Return what each has left of a project who has begun to use it, or is named as its member."""
        return await self._store.ledger.quotas_of(await self._store.projects.get(system, name))

    async def quota(self, system: str, name: str, user: str) -> Quota:
        """Return what a person has left of a project, or would begin with."""
        settings.refuse({"user": settings.why_no_person(user)})
        return await self._store.ledger.quota(await self._store.projects.get(system, name), user)

    async def grant(
        self, actor: str, system: str, name: str, user: str | None, seconds: int, note: str = ""
    ) -> LedgerEntry:
        """Give a person, or for None a project, so many seconds more; a negative number takes what is left."""
        most = settings.MOST_SECONDS
        settings.refuse(
            {
                "user": "" if user is None else settings.why_no_person(user),
                "seconds": settings.why_not(-most)(seconds) or ("" if seconds else sentences.GRANT_OF_NOTHING),
                "note": settings.why_no_text(note),
            }
        )
        project = await self._store.projects.get(system, name)
        left = project.time_left if user is None else (await self._store.ledger.quota(project, user)).time_left
        if left + seconds < 0:
            sentence = sentences.NOT_SO_MUCH_LEFT.format(left=left, seconds=-seconds)
            settings.refuse({"seconds": sentence})
        return await self._store.ledger.grant(project, user, seconds, actor, note)

    async def set_time_left(
        self, actor: str, system: str, name: str, user: str, seconds: int, note: str = ""
    ) -> Quota:
        """Have a person have exactly so many seconds left of a project."""
        settings.refuse(
            {
                "user": settings.why_no_person(user),
                "time_left": settings.why_not(0)(seconds),
                "note": settings.why_no_text(note),
            }
        )
        project = await self._store.projects.get(system, name)
        return await self._store.ledger.set_time_left(project, user, seconds, actor, note)

    # -- bans -------------------------------------------------------------------------------------------

    async def bans(self, user: str | None = None, *, lifted: bool = False) -> tuple[Ban, ...]:
        """Return the bans that hold, with `lifted` those that did as well."""
        return await self._store.people.bans(user, lifted=lifted)

    async def ban(
        self, actor: str, user: str, system: str | None = None, project: str | None = None, reason: str = ""
    ) -> Ban:
        """Take a person's right to send jobs, to one project or at all; their jobs go on.

        They read the `reason`.
        """
        settings.refuse(
            {
                "user": settings.why_no_person(user) or (sentences.OWN_BAN if user == actor else ""),
                "project": _why_no_place(system, project),
                "reason": settings.why_no_text(reason),
            }
        )
        found = await self._place(system, project)
        why = reason.strip() or for_keeping(sentences.NO_REASON)
        return await self._store.people.ban(user, found, why, actor)

    async def unban(self, actor: str, user: str, system: str | None = None, project: str | None = None) -> Ban:
        """Give it back.  Raises NotFound if it was not taken so."""
        settings.refuse({"project": _why_no_place(system, project)})
        return await self._store.people.unban(user, await self._place(system, project), actor)

    async def _place(self, system: str | None, project: str | None) -> Project | None:
        return None if system is None or project is None else await self._store.projects.get(system, project)

    # -- who was there, and what was done -----------------------------------------------------------------

    async def people(self, limit: int = 50, cursor: str | None = None, q: str | None = None) -> Page[Person]:
        """Return the people who have used the service, or those whose names hold `q`."""
        return await self._store.people.page(limit, cursor, q)

    async def audit(
        self, limit: int = 50, cursor: str | None = None, actor: str | None = None, target: str | None = None
    ) -> Page[AuditEntry]:
        """Return what was done, by an admin or to something if given, the newest first."""
        return await self._store.audit.entries(limit, cursor, actor, target)


def _member(kind: str, name: str) -> Member:
    kinds = get_args(MemberKind)
    settings.refuse(
        {
            "kind": "" if kind in kinds else sentences.ONE_OF.format(value=shown(kind), names=", ".join(kinds)),
            "member": settings.why_no_person(name),
        }
    )
    return Member(cast(MemberKind, kind), name)


def _why_no_place(system: str | None, project: str | None) -> str:
    """Return why these do not name a project, or none at all."""
    return "" if (system is None) == (project is None) else sentences.SYSTEM_AND_PROJECT
