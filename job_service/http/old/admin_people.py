"""The old paths of admins to people: who they are, which projects they may use, who is banned.

What changes something is a POST: of a GET, as these once were, anybody's page or crawler makes another one.
"""

from collections import defaultdict
from collections.abc import AsyncIterator

from job_service.http.admin.actor import Actor
from job_service.http.caller import Administering
from job_service.http.given import TheService
from job_service.http.old import named
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldUser
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.service import Service
from job_service.store.accounting import Person

router = made(TAG)

_AT_ONCE = 500


@router.get("/admin/users/", summary="Users")
async def users(_: Administering, service: TheService) -> list[OldUser]:
    """List everybody who has used the service."""
    known = await _Known.of(service)
    return [known.user(each) async for each in _people(service)]


@router.post("/admin/ban/{user}/{project}/", summary="Ban a user from a project")
async def ban(actor: Actor, service: TheService, user: Word, project: Word) -> OldUser:
    """Take a user's right to send jobs to a project; their jobs go on."""
    name, found = await named.person(service, user), await named.project(service, project)
    await service.administration.ban(actor, name, found.system, found.name)
    return await _user(service, name)


@router.post("/admin/unban/{user}/{project}/", summary="Lift a ban")
async def unban(actor: Actor, service: TheService, user: Word, project: Word) -> OldUser:
    """Give it back; 404 if it was not taken."""
    name, found = await named.person(service, user), await named.project(service, project)
    await service.administration.unban(actor, name, found.system, found.name)
    return await _user(service, name)


@router.post("/admin/groups/add/{user}/{project}/", summary="Add a user to a project")
async def add(actor: Actor, service: TheService, user: Word, project: Word) -> OldUser:
    """Let a user use a project."""
    name, found = await named.person(service, user), await named.project(service, project)
    await service.administration.add_member(actor, found.system, found.name, "user", name)
    return await _user(service, name)


@router.post("/admin/groups/remove/{user}/{project}/", summary="Take a user out of a project")
async def remove(actor: Actor, service: TheService, user: Word, project: Word) -> OldUser:
    """Let a user use a project no longer; their jobs go on.  404 if they could not by themselves."""
    name, found = await named.person(service, user), await named.project(service, project)
    await service.administration.remove_member(actor, found.system, found.name, "user", name)
    return await _user(service, name)


async def _user(service: Service, name: str) -> OldUser:
    return (await _Known.of(service)).user(await service.store.people.get(name))


async def _people(service: Service) -> AsyncIterator[Person]:
    cursor: str | None = None
    while True:
        page = await service.administration.people(_AT_ONCE, cursor)
        for each in page.items:
            yield each
        if (cursor := page.next_cursor) is None:
            return


class _Known:
    """Who may use which projects by name, who is banned; what the groups of the hub add, is not known here."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._members: defaultdict[str, set[int]] = defaultdict(set)
        self._banned: set[str] = set()
        self._banned_from: defaultdict[str, set[int]] = defaultdict(set)

    @classmethod
    async def of(cls, service: Service) -> "_Known":
        """Return what the service knows now."""
        known = cls()
        for project in await service.administration.projects():
            if project.is_open:
                known._open.add(project.id)
            for member in await service.administration.members(project.system, project.name):
                if member.kind == "user":
                    known._members[member.name].add(project.id)
        for each in await service.administration.bans():
            if each.project is None:
                known._banned.add(each.user)
            else:
                known._banned_from[each.user].add(each.project.id)
        return known

    def user(self, person: Person) -> OldUser:
        """Return one of them."""
        return OldUser(
            id=person.number,
            username=person.name,
            groups=sorted(self._open | self._members[person.name]),
            banned=person.name in self._banned,
            banned_from=sorted(self._banned_from[person.name]),
        )
