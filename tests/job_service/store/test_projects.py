import pytest

from job_service.errors import Banned, Invalid, NotAMember, NotFound, QuotaExceeded, WrongStage
from job_service.stages import Stage
from job_service.store.accounting import Member, NewProject
from job_service.store.store import Store
from tests.job_service.store.builders import RUNS, Time, a_project, accepted, brought, new, within


async def names(store: Store, user: str, *groups: str) -> list[str]:
    return [project.name for project in await store.projects.of_person(user, frozenset(groups))]


async def test_a_project_is_kept_as_it_was_made(store: Store) -> None:
    made = await store.projects.add(
        NewProject("geneva", "neuro", "Neurons", "proj3", "core", 2**40, 5, 2**33, 6, True, False, {"nodes": 4}),
        "ruth",
    )
    assert made.time_left == 2**40
    assert await store.projects.get("geneva", "neuro") == made
    assert await store.projects.by_number(made.id) == made
    assert await store.projects.all() == await store.projects.all("geneva") == (made,)
    assert await store.projects.all("lugano") == ()
    for nothing in (store.projects.get("lugano", "neuro"), store.projects.by_number(made.id + 1)):
        with pytest.raises(NotFound):
            await nothing


async def test_all_projects_are_told_with_which_of_them_somebody_may_use(store: Store) -> None:
    theirs = await a_project(store, name="neuro")
    await a_project(store, "bob", name="other")
    for_all = await a_project(store, system="lugano", is_open=True)
    of_group = await a_project(store, "bob", system="lugano", name="group")
    await store.projects.add_member(of_group, Member("group", "lab"), "ruth")
    for groups, mine in ((frozenset[str](), (theirs, for_all)), (frozenset({"lab"}), (theirs, for_all, of_group))):
        found, numbers = await store.projects.with_those_of("alice", groups)
        assert found == await store.projects.all()
        assert numbers == {each.id for each in mine}
        assert numbers == {each.id for each in await store.projects.of_person("alice", groups)}


async def test_a_name_is_had_once_at_a_system(store: Store) -> None:
    project = await a_project(store)
    other = await a_project(store, name="other")
    await a_project(store, system="lugano")
    for taken in (
        store.projects.add(NewProject("geneva", "neuro"), "ruth"),
        store.projects.change(other, {"name": "neuro"}, "ruth"),
    ):
        with pytest.raises(Invalid) as refused:
            await taken
        assert list(refused.value.fields) == ["name"]
    await store.projects.change(project, {"name": "neuro", "title": "Neurons"}, "ruth")


async def test_a_default_project_of_another_system(store: Store) -> None:
    first = await a_project(store, is_default=True)
    there = await a_project(store, system="lugano", name="there", is_default=True)
    second = await a_project(store, name="second", is_default=True)
    defaults = [project.id for project in await store.projects.all() if project.is_default]
    assert defaults == [second.id, there.id]
    await store.projects.change(first, {"is_default": True}, "ruth")
    defaults = [project.id for project in await store.projects.all() if project.is_default]
    assert defaults == [first.id, there.id]
    with pytest.raises(NotAMember):
        await store.jobs.accept(new(system="geneva", project="there", project_id=there.id))


async def test_groups_edited_as_text(store: Store) -> None:
    """Old: "1," was found inside "11,", so people of one project were in another."""
    one = await a_project(store, "ann", name="1")
    eleven = await a_project(store, "anna", name="11")
    assert await names(store, "ann") == ["1"]
    assert await names(store, "anna") == ["11"]
    assert not await store.projects.remove_member(eleven, Member("user", "ann"), "ruth")
    assert await store.projects.remove_member(one, Member("user", "ann"), "ruth")
    assert (await names(store, "ann"), await names(store, "anna")) == ([], ["11"])
    with pytest.raises(NotAMember):
        await store.jobs.accept(within(eleven, owner="ann"))
    with pytest.raises(NotAMember):
        await store.jobs.accept(within(eleven, owner="a%"))


async def test_a_user_and_a_group_of_one_name_are_two(store: Store) -> None:
    project = await a_project(store, "physics")
    assert await names(store, "alice", "physics") == []
    assert await store.projects.add_member(project, Member("group", "physics"), "ruth")
    assert not await store.projects.add_member(project, Member("group", "physics"), "ruth")
    assert await names(store, "alice", "chess", "physics") == ["neuro"]
    await accepted(store, within(project, groups=frozenset({"physics"})))
    with pytest.raises(NotAMember):
        await store.jobs.accept(within(project))
    assert await store.projects.members(project) == (Member("group", "physics"), Member("user", "physics"))


async def test_everybody_is_a_member_of_an_open_project(store: Store) -> None:
    project = await a_project(store, "bob", is_open=True)
    await accepted(store, within(project))
    await store.projects.change(project, {"is_open": False}, "ruth")
    with pytest.raises(NotAMember):
        await store.jobs.accept(within(project))


async def test_an_exhausted_quota_refilled_itself(store: Store, time: Time) -> None:
    project = await a_project(store, user_time=100)
    await brought(store, await accepted(store, within(project, limit_s=100)), *RUNS, Stage.FAILED, elapsed_s=100)
    await store.projects.change(project, {"user_time": 5000}, "ruth")
    await store.projects.remove_member(project, Member("user", "alice"), "ruth")
    await store.projects.add_member(project, Member("user", "alice"), "ruth")
    time.passes(days=400)
    with pytest.raises(QuotaExceeded) as refused:
        await store.jobs.accept(within(project, limit_s=1))
    assert refused.value.left == 0
    nothing = await a_project(store, name="nothing", user_time=0)
    await store.ledger.set_time_left(nothing, "alice", 0, "ruth")
    await store.projects.change(nothing, {"user_time": 5000}, "ruth")
    with pytest.raises(QuotaExceeded):
        await store.jobs.accept(within(nothing, limit_s=1))


async def test_project_totals_never_charged(store: Store) -> None:
    project = await a_project(store, "alice", "bob")
    for owner in ("alice", "bob"):
        job = await accepted(store, within(project, owner=owner, limit_s=1000))
        await brought(store, job, *RUNS, Stage.SUCCESSFUL, elapsed_s=600)
    assert (await store.projects.get("geneva", "neuro")).time_left == 36_000 - 2 * 600


async def test_the_used_time_refunded_instead_of_the_unused(store: Store) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project, limit_s=3600))
    await brought(store, job, *RUNS, Stage.CANCELED, elapsed_s=600)
    assert (await store.ledger.quota(project, "alice")).time_left == 18_000 - 600


async def test_refunds_in_hours_into_a_column_of_seconds(store: Store) -> None:
    project = await a_project(store)
    await brought(store, await accepted(store, within(project, limit_s=7200)), Stage.CANCELED)
    (release, hold, _) = (await store.ledger.entries(project)).items
    assert (release.kind, release.seconds, hold.seconds) == ("release", 7200, -7200)


async def test_a_project_goes_when_its_jobs_are_over_and_its_name_may_be_had_again(store: Store) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project))
    with pytest.raises(WrongStage):
        await store.projects.remove(project, "ruth")
    await brought(store, job, *RUNS, Stage.SUCCESSFUL, elapsed_s=5)
    await store.projects.remove(project, "ruth")
    for gone in (
        store.projects.get("geneva", "neuro"),
        store.projects.change(project, {"title": "x"}, "ruth"),
        store.projects.remove(project, "ruth"),
        store.projects.add_member(project, Member("user", "bob"), "ruth"),
        store.ledger.grant(project, "alice", 5, "ruth"),
    ):
        with pytest.raises(NotFound):
            await gone
    with pytest.raises(NotAMember):
        await store.jobs.accept(within(project))
    assert len((await store.ledger.entries(project)).items) == 4
    again = await a_project(store)
    assert (again.id != project.id, again.time_left) == (True, 36_000)
    await accepted(store, within(again))


async def test_a_job_counts_against_the_project_that_it_names(store: Store) -> None:
    project = await a_project(store)
    for other in ({"project": "other"}, {"system": "lugano"}, {"project_id": project.id + 1}):
        values = {"system": "geneva", "project": "neuro", "project_id": project.id, **other}
        with pytest.raises(NotAMember):
            await store.jobs.accept(new(**values))


@pytest.mark.parametrize("projects", [("neuro",), (None,), ("neuro", None)])
async def test_a_ban_that_did_nothing_or_banned_from_everything(
    store: Store, projects: tuple[str | None, ...]
) -> None:
    neuro = await a_project(store, "alice", "bob")
    other = await a_project(store, name="other")
    for name in projects:
        await store.people.ban("alice", neuro if name else None, "You let jobs run wild.", "ruth")
    with pytest.raises(Banned, match=r"You let jobs run wild\."):
        await store.jobs.accept(within(neuro))
    await accepted(store, within(neuro, owner="bob"))
    for elsewhere in (within(other), new()):
        if None in projects:
            with pytest.raises(Banned):
                await store.jobs.accept(elsewhere)
        else:
            await accepted(store, elsewhere)
    for name in projects:
        await store.people.unban("alice", neuro if name else None, "ruth")
    await accepted(store, within(neuro))
    await accepted(store, new())


async def test_just_the_ban_that_is_named_is_lifted(store: Store, time: Time) -> None:
    neuro = await a_project(store)
    everything = await store.people.ban("alice", None, "one", "ruth")
    just_one = await store.people.ban("alice", neuro, "two", "ruth")
    assert (everything.project, just_one.project and just_one.project.id) == (None, neuro.id)
    with pytest.raises(NotFound):
        await store.people.unban("bob", None, "ruth")
    time.passes(hours=1)
    lifted = await store.people.unban("alice", None, "rob")
    assert (lifted.id, lifted.lifted) == (everything.id, time.now)
    assert await store.people.bans("alice") == (just_one,)
    assert await store.people.bans(lifted=True) == (just_one, lifted)
    with pytest.raises(NotFound):
        await store.people.unban("alice", None, "ruth")


async def test_a_second_ban_gives_the_first_a_new_reason(store: Store) -> None:
    first = await store.people.ban("alice", None, "one", "ruth")
    second = await store.people.ban("alice", None, "two", "rob")
    assert (second.id, second.reason, second.by) == (first.id, "two", "rob")
    assert await store.people.bans() == (second,)


async def test_people_have_numbers_that_stay(store: Store, time: Time) -> None:
    alice = await store.people.seen("alice")
    await accepted(store, new(owner="bob"))
    time.passes(days=1)
    again = await store.people.seen("alice")
    assert (again.number, again.first_seen, again.last_seen) == (alice.number, alice.first_seen, time.now)
    assert await store.people.get("alice") == await store.people.by_number(alice.number) == again
    for nobody in (store.people.get("al"), store.people.by_number(99)):
        with pytest.raises(NotFound):
            await nobody
    page = await store.people.page(limit=1)
    assert [person.name for person in page.items] == ["bob"]
    assert (await store.people.page(limit=1, cursor=page.next_cursor)).items == (again,)
    assert (await store.people.page(q="LIC")).items == (again,)


async def test_every_act_of_an_admin_is_in_the_audit(store: Store) -> None:
    project = await a_project(store)
    await store.projects.change(project, {"title": "Neurons"}, "ruth")
    await store.projects.remove_member(project, Member("user", "alice"), "ruth")
    await store.people.ban("alice", project, "wild", "ruth")
    await store.people.unban("alice", project, "ruth")
    await store.projects.remove(project, "rob")
    await store.audit.add("rob", "cancel", "0123456789ab", "of alice")
    entries = (await store.audit.entries()).items
    assert [(entry.actor, entry.action, entry.target, entry.detail) for entry in reversed(entries)][1:] == [
        ("ruth", "add member", "geneva/neuro", "user alice"),
        ("ruth", "change project", "geneva/neuro", "title=Neurons"),
        ("ruth", "remove member", "geneva/neuro", "user alice"),
        ("ruth", "ban", "alice geneva/neuro", "wild"),
        ("ruth", "unban", "alice geneva/neuro", ""),
        ("rob", "remove project", "geneva/neuro", ""),
        ("rob", "cancel", "0123456789ab", "of alice"),
    ]
    assert [entry.action for entry in (await store.audit.entries(actor="rob")).items] == [
        "cancel",
        "remove project",
    ]
    assert [entry.action for entry in (await store.audit.entries(target="alice geneva/neuro")).items] == [
        "unban",
        "ban",
    ]
    page = await store.audit.entries(limit=2)
    assert (await store.audit.entries(limit=1, cursor=page.next_cursor)).items == entries[2:3]


async def test_what_was_done_to_somebody_is_all_that_was_done_to_them(store: Store) -> None:
    project = await a_project(store)
    await store.people.ban("alice", None, "wild", "ruth")
    await store.people.ban("alice", project, "wild", "ruth")
    await store.ledger.grant(project, "alice", 60, "ruth")
    await store.audit.add("ruth", "cancel job", "0123456789ab", "alice")
    # Those of others, whose names are alike.
    await store.people.ban("al_ce", project, "alice!", "ruth")
    await store.ledger.grant(project, "alices", 60, "ruth")

    async def about(target: str) -> list[str]:
        return [entry.action for entry in reversed((await store.audit.entries(target=target)).items)]

    assert await about("alice") == ["add member", "ban", "ban", "grant", "cancel job"]
    assert await about("geneva/neuro") == ["add project", "add member", "ban", "grant", "ban", "grant"]
    assert await about("0123456789ab") == ["cancel job"]
    assert await about("al%") == []
