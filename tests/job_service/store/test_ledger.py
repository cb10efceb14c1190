from dataclasses import replace

import pytest

from job_service.errors import NotFound, QuotaExceeded
from job_service.stages import Stage
from job_service.store.accounting import Member, Project
from job_service.store.store import Store
from tests.job_service.store.builders import RUNS, Time, a_project, accepted, brought, within


async def left(store: Store, project: Project) -> tuple[int, int]:
    """What alice and the project have left."""
    quota = await store.ledger.quota(project, "alice")
    return quota.time_left, (await store.projects.by_number(project.id)).time_left


async def entries(store: Store, project: Project) -> list[tuple[str, int]]:
    """The entries of a project, the oldest first."""
    found = await store.ledger.entries(project)
    return [(entry.kind, entry.seconds) for entry in reversed(found.items)]


async def test_the_ledger_row_by_row(store: Store) -> None:
    project = await a_project(store)
    assert await left(store, project) == (18_000, 36_000)

    job_a = await accepted(store, within(project, limit_s=7200))
    assert await entries(store, project) == [("grant", 18_000), ("hold", -7200)]
    assert await left(store, project) == (10_800, 28_800)

    with pytest.raises(QuotaExceeded) as refused:
        await store.jobs.accept(within(project, limit_s=14_400))
    assert (refused.value.needed, refused.value.left) == (14_400, 10_800)
    assert "14400 seconds" in refused.value.message
    assert "10800 seconds" in refused.value.message
    assert "28800" in refused.value.message
    assert await left(store, project) == (10_800, 28_800)

    await brought(store, job_a, *RUNS, Stage.SUCCESSFUL, elapsed_s=1234)
    assert (await entries(store, project))[2:] == [("release", 7200), ("charge", -1234)]
    assert await left(store, project) == (16_766, 34_766)

    job_c = await accepted(store, within(project, limit_s=3600))
    await brought(store, job_c, Stage.READY, Stage.QUEUED, Stage.CANCELED)
    assert (await entries(store, project))[4:] == [("hold", -3600), ("release", 3600)]
    assert await left(store, project) == (16_766, 34_766)

    project = await store.projects.change(project, {"charge": "node"}, "ruth")
    job_d = await accepted(store, within(project, limit_s=1800, nodes=2, cores=8))
    assert job_d.held_s == 3600
    await brought(store, job_d, *RUNS, Stage.FAILED, elapsed_s=601, exit_code=7)
    assert (await entries(store, project))[6:] == [("hold", -3600), ("release", 3600), ("charge", -1202)]
    assert await left(store, project) == (15_564, 33_564)

    quota = await store.ledger.set_time_left(project, "alice", 20_000, "ruth", "for her thesis")
    assert (await entries(store, project))[9:] == [("adjust", 4436)]
    assert quota == await store.ledger.quota(project, "alice")
    assert await left(store, project) == (20_000, 33_564)


async def test_an_entry_says_of_whom_which_job_and_by_whom_it_is(store: Store, time: Time) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project))
    time.passes(hours=1)
    granted = await store.ledger.grant(project, None, 600, "ruth", "a present")
    hold, first = (await store.ledger.entries(project, "alice")).items
    assert (hold.user, hold.job_id, hold.kind, hold.by) == ("alice", job.job_id, "hold", "")
    assert (first.user, first.job_id, first.kind, first.seconds) == ("alice", "", "grant", 18_000)
    assert (granted.user, granted.job_id, granted.by, granted.note) == (None, "", "ruth", "a present")
    assert (granted.at, hold.at) == (time.now, job.created)
    page = await store.ledger.entries(project, limit=2)
    assert page.items == (granted, hold)
    rest = await store.ledger.entries(project, limit=2, cursor=page.next_cursor)
    assert (rest.items, rest.next_cursor) == ((first,), None)


async def test_a_grant_to_the_project_is_nobodys_and_one_to_a_person_is_not_the_projects(store: Store) -> None:
    project = await a_project(store)
    await store.ledger.grant(project, None, 1000, "ruth")
    assert await left(store, project) == (18_000, 37_000)
    await store.ledger.grant(project, "alice", -8000, "ruth")
    assert await left(store, project) == (10_000, 37_000)


async def test_a_job_may_not_take_more_than_the_project_has(store: Store) -> None:
    project = await a_project(store, init_time=7200)
    with pytest.raises(QuotaExceeded) as refused:
        await store.jobs.accept(within(project, limit_s=7201))
    assert (refused.value.needed, refused.value.left) == (7201, 7200)
    await accepted(store, within(project, limit_s=7200))
    assert await left(store, project) == (10_800, 0)


@pytest.mark.parametrize(("unit", "held", "charged"), [("wall", 100, 40), ("node", 300, 120), ("core", 1200, 480)])
async def test_a_job_holds_and_costs_what_its_project_counts(
    store: Store, unit: str, held: int, charged: int
) -> None:
    project = await a_project(store, charge=unit)
    job = await accepted(store, within(project, limit_s=100, nodes=3, cores=4))
    assert job.held_s == held
    await brought(store, job, *RUNS, Stage.SUCCESSFUL, elapsed_s=40)
    assert (await entries(store, project))[1:] == [("hold", -held), ("release", held), ("charge", -charged)]


async def test_what_a_project_counts_from_now_on_is_for_later_jobs(store: Store) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project, limit_s=100, nodes=3))
    await store.projects.change(project, {"charge": "node"}, "ruth")
    await brought(store, job, *RUNS, Stage.SUCCESSFUL, elapsed_s=40)
    assert (await entries(store, project))[-1] == ("charge", -40)


async def test_a_job_that_ran_longer_than_it_may_is_charged_what_it_held(store: Store) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project, limit_s=100))
    await brought(store, job, *RUNS, Stage.FAILED, elapsed_s=117)
    assert await left(store, project) == (17_900, 35_900)


async def test_a_job_is_charged_until_it_was_last_seen_running_if_nobody_knows_more(
    store: Store, time: Time
) -> None:
    project = await a_project(store)
    job = await brought(store, await accepted(store, within(project)), *RUNS, started=time.now)
    time.passes(seconds=250)
    job = await store.jobs.change(job, {"observed": time.now, "observed_by": "alice"})
    time.passes(hours=5)
    await brought(store, job, Stage.FAILED, reason="The job vanished.")
    assert (await entries(store, project))[-1] == ("charge", -250)


@pytest.mark.parametrize(
    "stages", [(), (Stage.STAGINGIN,), (Stage.READY,), (Stage.READY, Stage.QUEUED, Stage.HELD)]
)
@pytest.mark.parametrize("end", [Stage.CANCELED, Stage.FAILED])
async def test_a_job_that_never_ran_costs_nothing(store: Store, stages: tuple[Stage, ...], end: Stage) -> None:
    project = await a_project(store)
    await brought(store, await accepted(store, within(project)), *stages, end)
    assert (await entries(store, project))[1:] == [("hold", -3600), ("release", 3600)]


async def test_a_job_is_settled_once_whatever_changes_later(store: Store) -> None:
    project = await a_project(store)
    job = await brought(store, await accepted(store, within(project)), *RUNS, Stage.SUCCESSFUL, elapsed_s=9)
    before = await entries(store, project)
    job = await store.jobs.change(job, {"elapsed_s": 10, "exit_code": 0})
    await brought(store, job, Stage.DELETED)
    assert await entries(store, project) == before


async def test_a_job_of_a_slurm_account_holds_nothing(store: Store) -> None:
    project = await a_project(store, name="other")
    job = await accepted(store, replace(within(project), project="proj3", project_id=None, account="proj3"))
    assert job.held_s == 0
    await brought(store, job, *RUNS, Stage.SUCCESSFUL, elapsed_s=9)
    assert await entries(store, project) == []


async def test_quotas_are_those_of_the_projects_that_one_may_use(store: Store) -> None:
    neuro = await a_project(store, "alice", "bob")
    await a_project(store, "bob", name="others")
    grouped = await a_project(store, "bob", name="by-group", system="lugano", user_time=5)
    opened = await a_project(store, "bob", name="open", is_open=True, user_time=6)
    await store.projects.add_member(grouped, Member("group", "physics"), "ruth")
    await accepted(store, within(neuro))
    quotas = await store.ledger.quotas("alice", frozenset({"physics", "chess"}))
    assert [(quota.project.name, quota.time_left) for quota in quotas] == [
        ("neuro", 14_400),
        ("open", 6),
        ("by-group", 5),
    ]
    assert [quota.id is None for quota in quotas] == [False, True, True]
    (at_lugano,) = await store.ledger.quotas("alice", frozenset({"physics"}), "lugano")
    assert at_lugano.project.id == grouped.id
    assert [quota.user for quota in await store.ledger.quotas_of(opened)] == ["bob"]
    assert {quota.user: quota.time_left for quota in await store.ledger.quotas_of(neuro)} == {
        "alice": 14_400,
        "bob": 18_000,
    }


async def test_a_quota_is_found_by_its_number_which_stays(store: Store) -> None:
    project = await a_project(store)
    job = await accepted(store, within(project))
    quota = await store.ledger.quota(project, "alice")
    assert quota.id
    await brought(store, job, Stage.CANCELED)
    assert await store.ledger.by_number(quota.id) == await store.ledger.quota(project, "alice")
    for number in (quota.id + 1, 10**9):
        with pytest.raises(NotFound):
            await store.ledger.by_number(number)


async def test_what_an_admin_gives_is_in_the_audit(store: Store) -> None:
    project = await a_project(store)
    await store.ledger.grant(project, "alice", 600, "ruth", "a present")
    await store.ledger.set_time_left(project, "alice", 5, "rob")
    adjusted, granted, *_ = (await store.audit.entries()).items
    assert (granted.actor, granted.action, granted.target) == ("ruth", "grant", "alice geneva/neuro")
    assert granted.detail == "+600 a present"
    assert (adjusted.actor, adjusted.action, adjusted.detail) == ("rob", "adjust", "-18595")
