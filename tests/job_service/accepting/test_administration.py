"""What admins do is done and kept in the audit; what makes no sense is refused, and kept nowhere."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from job_service.errors import Invalid, NotFound, WrongStage
from job_service.spec import JobSpec
from job_service.store.accounting import Member
from tests.job_service.accepting.deciding import ALICE
from tests.job_service.accepting.serving import Service

Act = Callable[[Service], Awaitable[Any]]


async def _audit(service: Service) -> list[tuple[str, str, str]]:
    """Return what was done, the newest first."""
    page = await service.administration.audit()
    return [(each.actor, each.action, each.target) for each in page.items]


async def test_a_project_is_made_changed_and_taken_away(service: Service) -> None:
    admin = service.administration
    made = await admin.create_project("ruth", {"system": "geneva", "name": "p1", "init_time": 36_000})
    assert (made.name, made.charge, made.time_left) == ("p1", "wall", 36_000)
    changed = await admin.change_project("ruth", "geneva", "p1", {"title": "First", "limits": {"nodes": 2}})
    assert (changed.title, changed.limits) == ("First", {"nodes": 2})
    assert await admin.project("geneva", "p1") == changed
    assert await admin.projects() == await admin.projects("geneva") == (changed,)
    await admin.remove_project("ruth", "geneva", "p1")
    assert await admin.projects() == ()
    assert len(await _audit(service)) == 3
    assert {actor for actor, _, _ in await _audit(service)} == {"ruth"}


async def test_a_project_with_live_jobs_stays(service: Service) -> None:
    await service.project("p1", "alice")
    await service.accepting.accept(ALICE, JobSpec("recon", "geneva"))
    with pytest.raises(WrongStage):
        await service.administration.remove_project("ruth", "geneva", "p1")


async def test_members_come_and_go(service: Service) -> None:
    admin = service.administration
    await service.project("p1")
    assert await admin.add_member("ruth", "geneva", "p1", "user", "bob") == (Member("user", "bob"),)
    both = await admin.add_member("ruth", "geneva", "p1", "group", "staff")
    assert (
        set(both) == {Member("user", "bob"), Member("group", "staff")} == set(await admin.members("geneva", "p1"))
    )
    assert await admin.remove_member("ruth", "geneva", "p1", "group", "staff") == (Member("user", "bob"),)
    with pytest.raises(NotFound, match="staff is not a member of the project p1"):
        await admin.remove_member("ruth", "geneva", "p1", "group", "staff")


async def test_seconds_are_given_taken_and_set(service: Service) -> None:
    admin = service.administration
    await service.project("p1", "alice")
    await admin.grant("ruth", "geneva", "p1", "alice", 1000, "for the beam time")
    assert (await admin.quota("geneva", "p1", "alice")).time_left == 19_000
    await admin.grant("ruth", "geneva", "p1", "alice", -19_000)
    assert [each.time_left for each in await admin.quotas("geneva", "p1")] == [0]
    assert (await admin.set_time_left("ruth", "geneva", "p1", "alice", 20_000)).time_left == 20_000
    await admin.grant("ruth", "geneva", "p1", None, -36_000)
    assert (await admin.project("geneva", "p1")).time_left == 0
    actions = [action for _, action, _ in await _audit(service)][:4]
    assert actions == ["grant", "adjust", "grant", "grant"]


async def test_bans_are_told_with_their_reason_and_lifted(service: Service) -> None:
    admin = service.administration
    await service.project("p1", "alice")
    everywhere = await admin.ban("ruth", "alice", reason="Mining coins.")
    there = await admin.ban("ruth", "alice", "geneva", "p1")
    assert (everywhere.project, everywhere.reason) == (None, "Mining coins.")
    assert there.project is not None
    assert (there.project.name, there.reason) == ("p1", "an administrator has decided so.")
    assert len(await admin.bans()) == len(await admin.bans("alice")) == 2
    await admin.unban("ruth", "alice", "geneva", "p1")
    assert await admin.bans() == (everywhere,)
    assert len(await admin.bans(lifted=True)) == 2
    with pytest.raises(NotFound):
        await admin.unban("ruth", "alice", "geneva", "p1")


async def test_people_who_sent_something_are_known(service: Service) -> None:
    await service.accepting.accept(ALICE, JobSpec("recon", "geneva"))
    (alice,) = (await service.administration.people(q="LIC")).items
    assert alice.name == "alice"
    assert (await service.administration.people(q="bob")).items == ()


_NONSENSE: dict[str, tuple[Act, list[str]]] = {
    "a project nowhere": (lambda it: it.administration.create_project("ruth", {"name": "p2"}), ["system"]),
    "a project where no jobs are": (
        lambda it: it.administration.create_project("ruth", {"system": "bern", "name": "p2"}),
        ["system"],
    ),
    "a project without a name": (
        lambda it: it.administration.create_project("ruth", {"system": "geneva", "colour": 1}),
        ["name", "colour"],
    ),
    "a project twice": (
        lambda it: it.administration.create_project("ruth", {"system": "geneva", "name": "p1"}),
        ["name"],
    ),
    "a project that moves": (
        lambda it: it.administration.change_project("ruth", "geneva", "p1", {"system": "lugano", "init_time": -1}),
        ["system", "init_time"],
    ),
    "a member of a third kind": (
        lambda it: it.administration.add_member("ruth", "geneva", "p1", "robot", " "),
        ["kind", "member"],
    ),
    "a grant of nothing": (
        lambda it: it.administration.grant("ruth", "geneva", "p1", "alice\n", 0, "a\nb"),
        ["user", "seconds", "note"],
    ),
    "more than is left": (
        lambda it: it.administration.grant("ruth", "geneva", "p1", "alice", -18_001),
        ["seconds"],
    ),
    "more than the project has left": (
        lambda it: it.administration.grant("ruth", "geneva", "p1", None, -36_001),
        ["seconds"],
    ),
    "less than nothing left": (
        lambda it: it.administration.set_time_left("ruth", "geneva", "p1", "alice", -1),
        ["time_left"],
    ),
    "a ban of oneself": (lambda it: it.administration.ban("ruth", "ruth"), ["user"]),
    "a ban from half a project": (
        lambda it: it.administration.ban("ruth", "alice", "geneva", reason="x" * 201),
        ["project", "reason"],
    ),
    "lifting a ban from half a project": (
        lambda it: it.administration.unban("ruth", "alice", None, "p1"),
        ["project"],
    ),
}


@pytest.mark.parametrize("what", _NONSENSE)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(service: Service, what: str) -> None:
    project = await service.project("p1", "alice")
    before = await _audit(service)
    act, fields = _NONSENSE[what]
    with pytest.raises(Invalid) as found:
        await act(service)
    assert list(found.value.fields) == fields
    assert await _audit(service) == before
    assert await service.administration.projects() == (project,)


@pytest.mark.parametrize(
    "act",
    [
        lambda it: it.administration.project("geneva", "p2"),
        lambda it: it.administration.members("geneva", "p2"),
        lambda it: it.administration.change_project("ruth", "geneva", "p2", {}),
        lambda it: it.administration.grant("ruth", "lugano", "p1", None, 1),
        lambda it: it.administration.ban("ruth", "alice", "lugano", "p1"),
    ],
)
async def test_of_what_there_is_not_nothing_is_changed(service: Service, act: Act) -> None:
    await service.project("p1", "alice")
    before = await _audit(service)
    with pytest.raises(NotFound):
        await act(service)
    assert await _audit(service) == before
