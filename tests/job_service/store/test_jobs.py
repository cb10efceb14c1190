import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, cast

import pytest
import sqlalchemy as sa

from job_service.errors import Banned, KeyReused, NotAMember, NotFound, QuotaExceeded, TooMany, WrongStage
from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.errors import Outdated
from job_service.store.store import Store
from job_service.store.values import Changes, Group, IdempotencyKey, JobFilter, NewJob
from profiles.catalogue.dataset import Dataset
from tests.job_service.store.builders import NOW, RUNS, Time, a_project, accepted, brought, new, within

_KEY = IdempotencyKey("monday", "abc")


# -- accepting ---------------------------------------------------------------------------------------------


async def test_what_was_accepted_is_what_is_kept(store: Store) -> None:
    spec = JobSpec(
        "command", "geneva", title="Ünïcode ☃", choices={"time": "1h"}, arguments=("a b", ""), inputs=("x.zip",)
    )
    record = await accepted(store, new(spec=spec, title="Ünïcode ☃", account="proj3", stage=Stage.STAGINGIN))
    assert (record.spec, record.stage, record.created, record.version) == (spec, Stage.STAGINGIN, NOW, 1)
    assert await store.jobs.get(record.job_id) == record
    assert await store.jobs.get(record.job_id, "alice") == record
    (event,) = await store.jobs.events(record.job_id)
    assert (event.job_id, event.owner, event.at, event.stage) == (record.job_id, "alice", NOW, Stage.STAGINGIN)
    assert event.text == "The job was accepted."


async def test_the_job_of_somebody_else_is_not_found(store: Store) -> None:
    record = await accepted(store, new())
    for nobody in (
        store.jobs.get(record.job_id, "bob"),
        store.jobs.get("0" * 12),
    ):
        with pytest.raises(NotFound):
            await nobody


async def test_a_key_that_came_with_one_job_stands_for_that_where_several_are_wanted(store: Store) -> None:
    dataset = Dataset("demo:1", "1", "scan", "/data/1")
    wanted = new(spec=JobSpec("recon", "geneva", datasets=("demo:1",), mode="each"), datasets=(dataset,))
    first, _ = await store.jobs.accept(wanted, _KEY)
    assert await store.jobs.known_group("alice", _KEY) == Group(first.job_id, (first,))
    assert await store.jobs.accept_group([wanted], (), _KEY) == (Group(first.job_id, (first,)), False)
    assert await store.jobs.count(JobFilter()) == 1


async def test_of_forty_datasets_those_have_tasks_for_which_there_are_seconds(store: Store) -> None:
    project = await a_project(store)
    known = [Dataset(f"demo:{at}", str(at), "scan", f"/data/{at}") for at in range(40)]

    def made(*datasets: Dataset) -> NewJob:
        spec = JobSpec("recon", "geneva", datasets=tuple(each.id for each in datasets), mode="array")
        return within(project, limit_s=600, spec=spec, datasets=datasets, stage=Stage.READY)

    whole = made(*known)
    wanted = [made(each) for each in known]
    group, is_new = await store.jobs.accept_group(wanted, (), _KEY, whole)
    (array,) = group.jobs
    tasks = await store.jobs.tasks(array.job_id)
    assert (is_new, array.kind, array.held_s, len(array.spec.datasets)) == (True, "array", 0, 30)
    assert [(each.kind, each.task, each.sent_as) for each in tasks] == [
        ("task", at, array.job_id) for at in range(30)
    ]
    assert [(each.dataset, each.code) for each in group.errors] == [
        (f"demo:{at}", "quota_exceeded") for at in range(30, 40)
    ]
    assert {each.folder for each in tasks} == {array.folder}
    assert await store.jobs.tasks(array.job_id, 7, 2) == tasks[7:9]
    assert await store.jobs.tasks(array.job_id, 29, 2) == tasks[29:]
    assert await store.jobs.accept_group(wanted, (), _KEY, whole) == (group, False)
    assert await store.jobs.count(JobFilter()) == 1
    assert await store.jobs.count(JobFilter(parent=array.job_id)) == 30

    async def changed(jobs: Sequence[JobRecord | None], **changes: Any) -> list[JobRecord | None]:
        return await store.jobs.change_all([(each, cast(Changes, changes), "news") for each in jobs if each])

    sent = await changed(tasks, submission="sent", native_id="7_0", stage=Stage.QUEUED)
    done = [*await changed(sent[:10], stage=Stage.CANCELED)]
    ran = await changed(sent[10:], stage=Stage.RUNNING)
    assert list((await store.jobs.stages_of_tasks(array.job_id)).items()) == [
        (Stage.CANCELED, 10),
        (Stage.RUNNING, 20),
    ]
    done += await changed(ran, stage=Stage.FAILED, elapsed_s=7)
    assert [each.stage for each in done if each] == [Stage.CANCELED] * 10 + [Stage.FAILED] * 20
    assert (await store.ledger.quota(project, "alice")).time_left == 18_000 - 20 * 7


@pytest.mark.parametrize("mode", ["each", "array"])
async def test_more_datasets_ask_the_database_no_more_often(store: Store, mode: Literal["each", "array"]) -> None:
    project = await a_project(store, init_time=10**6, user_time=10**6)
    known = [Dataset(f"demo:{at}", str(at), "scan", f"/data/{at}") for at in range(60)]

    def made(*datasets: Dataset) -> NewJob:
        spec = JobSpec("recon", "geneva", datasets=tuple(each.id for each in datasets), mode=mode)
        return within(project, limit_s=600, spec=spec, datasets=datasets)

    asked: list[str] = []
    engine = store.jobs._database._engines.writing.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    counts = []
    # With the first the owner begins in the project.
    for datasets in (known[:1], known[:3], known):
        asked.clear()
        whole = made(*datasets) if mode == "array" else None
        group, _ = await store.jobs.accept_group([made(each) for each in datasets], (), None, whole)
        counts.append(len(asked))
        jobs = await store.jobs.tasks(group.id) if whole else group.jobs
        assert [each.spec.datasets for each in jobs] == [(each.id,) for each in datasets]
        assert [each.id for each in jobs] == list(range(jobs[0].id, jobs[0].id + len(datasets)))
        for each in jobs:
            assert await store.jobs.datasets(each.job_id) == tuple(
                one for one in known if one.id in each.spec.datasets
            )
            assert [event.text for event in await store.jobs.events(each.job_id)] == ["The job was accepted."]
    assert counts[1] == counts[2]
    assert (await store.ledger.quota(project, "alice")).time_left == 10**6 - 64 * 600


async def test_a_retry_was_a_second_job(store: Store) -> None:
    first, is_new = await store.jobs.accept(new(), _KEY)
    assert is_new
    assert await store.jobs.accept(new(), _KEY) == (first, False)
    assert await store.jobs.known("alice", _KEY) == first
    assert await store.jobs.count(JobFilter()) == 1
    assert len(await store.jobs.events_after(None, 0)) == 1


async def test_retries_at_once_are_one_job(store: Store) -> None:
    project = await a_project(store)
    answers = await asyncio.gather(*(store.jobs.accept(within(project), _KEY) for _ in range(10)))
    assert len({record.job_id for record, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
    assert (await store.ledger.quota(project, "alice")).time_left == 18_000 - 3600


async def test_a_key_is_its_owners_and_stands_for_one_request_for_a_week(store: Store, time: Time) -> None:
    first, _ = await store.jobs.accept(new(), _KEY)
    other = replace(_KEY, digest="abd")
    for again in (store.jobs.accept(new(), other), store.jobs.known("alice", other)):
        with pytest.raises(KeyReused):
            await again
    assert (await store.jobs.accept(new(owner="bob"), other))[1]
    time.passes(days=7)
    assert await store.jobs.accept(new(), _KEY) == (first, False)
    time.passes(seconds=1)
    assert await store.jobs.known("alice", _KEY) is None
    assert (await store.jobs.accept(new(), other))[1]


async def test_a_repeated_request_is_answered_whatever_has_changed_since(store: Store) -> None:
    first, _ = await store.jobs.accept(new(active_max=1), _KEY)
    await store.people.ban("alice", None, "enough", "ruth")
    assert await store.jobs.accept(new(active_max=1), _KEY) == (first, False)


async def test_of_ten_holds_at_once_for_the_last_seconds_one_succeeds(store: Store) -> None:
    project = await a_project(store, user_time=100)
    answers = await asyncio.gather(
        *(store.jobs.accept(within(project, limit_s=60)) for _ in range(10)), return_exceptions=True
    )
    assert [isinstance(answer, QuotaExceeded) for answer in answers].count(True) == 9
    assert (await store.ledger.quota(project, "alice")).time_left == 40


async def test_somebody_has_so_many_jobs_at_a_system_at_once(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.jobs.accept(new(active_max=3)) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(answer, TooMany) for answer in answers].count(True) == 2
    await accepted(store, new(active_max=3, system="lugano"))
    await accepted(store, new(active_max=3, owner="bob"))
    first = (await store.jobs.page(JobFilter("alice", system="geneva"))).items[-1]
    await brought(store, first, Stage.CANCELED)
    await accepted(store, new(active_max=3))
    with pytest.raises(TooMany, match="3 jobs of yours are under way at geneva"):
        await store.jobs.accept(new(active_max=3))


async def test_of_a_job_that_is_refused_nothing_is_kept(store: Store) -> None:
    project = await a_project(store)
    with pytest.raises(QuotaExceeded):
        await store.jobs.accept(within(project, limit_s=10**9), _KEY)
    assert await store.jobs.count(JobFilter()) == 0
    assert await store.jobs.last_event() == 0
    assert (await store.ledger.entries(project)).items == ()
    assert await store.jobs.known("alice", _KEY) is None
    with pytest.raises(NotFound):
        await store.people.get("alice")


async def test_a_job_that_is_tried_hears_what_accepting_it_would_say_and_leaves_nothing(store: Store) -> None:
    project = await a_project(store, "bob")
    with pytest.raises(NotAMember):
        await store.jobs.check(within(project))
    with pytest.raises(QuotaExceeded):
        await store.jobs.check(within(project, owner="bob", limit_s=18_001))
    await store.jobs.check(within(project, owner="bob", limit_s=18_000))
    assert (await store.ledger.entries(project)).items == ()
    await store.people.ban("bob", None, "enough", "ruth")
    with pytest.raises(Banned):
        await store.jobs.check(within(project, owner="bob"))


# -- what the poller asks ----------------------------------------------------------------------------------


async def test_live_are_the_jobs_that_are_not_over_and_of_others_folders_are_removed_in_time(
    store: Store, time: Time
) -> None:
    ready = await brought(store, await accepted(store, new()), Stage.READY)
    running = await brought(store, await accepted(store, new(owner="bob")), *RUNS)
    await accepted(store, new(owner="carol", system="lugano"))
    over = await brought(
        store, await accepted(store, new(owner="dave")), Stage.CANCELED, remove_after=NOW + timedelta(days=1)
    )
    assert await store.jobs.live("geneva") == (ready, running)
    assert await store.jobs.systems() == {"geneva", "lugano"}
    assert await store.jobs.owners_to_remove("geneva") == frozenset()
    time.passes(days=1)
    assert await store.jobs.live("geneva") == (ready, running)
    assert await store.jobs.owners_to_remove("geneva") == {("dave", "person")}
    assert over in await store.jobs.newest_with_folders("geneva")
    assert await store.jobs.to_remove("geneva", "dave") == (over,)
    assert await store.jobs.to_remove("geneva", "alice") == ()
    await store.jobs.change(over, {"removed": time.now})
    assert await store.jobs.to_remove("geneva", "dave") == ()
    assert await store.jobs.owners_to_remove("geneva") == frozenset()
    assert over.job_id not in {each.job_id for each in await store.jobs.newest_with_folders("geneva")}


async def test_of_each_person_the_newest_job_with_a_folder_is_known(store: Store) -> None:
    await accepted(store, new())
    second, bobs, gone = [await accepted(store, new(owner=owner)) for owner in ("alice", "bob", "alice")]
    await accepted(store, new(system="bern"))
    gone = await brought(store, gone, Stage.CANCELED)
    await store.jobs.change(gone, {"removed": NOW})
    assert await store.jobs.newest_with_folders("geneva") == (second, bobs)
    assert await store.jobs.live("nowhere") == ()


async def test_events_come_in_order_to_those_whose_jobs_they_are(store: Store) -> None:
    assert await store.jobs.last_event() == 0
    job = await brought(store, await accepted(store, new()), Stage.READY)
    begin = await store.jobs.last_event()
    other = await accepted(store, new(owner="bob"))
    await brought(store, job, Stage.CANCELED)
    (event,) = await store.jobs.events_after("alice", begin)
    assert (event.job_id, event.stage) == (job.job_id, Stage.CANCELED)
    assert [each.job_id for each in await store.jobs.events_after(None, begin)] == [other.job_id, job.job_id]
    assert [each.stage for each in await store.jobs.events_after("alice", 0, limit=2)] == [Stage.NEW, Stage.READY]
    assert await store.jobs.events_after("alice", await store.jobs.last_event()) == ()


async def test_a_script_is_kept_in_place_of_an_earlier_one(store: Store) -> None:
    job = await accepted(store, new())
    assert await store.jobs.text(job.job_id) is None
    for script in ("#!/bin/bash\n", "#!/bin/bash\necho 'é'\n"):
        await store.jobs.keep_texts({job.job_id: script})
        assert await store.jobs.text(job.job_id) == script
    with pytest.raises(NotFound):
        await store.jobs.keep_texts({"0" * 12: "x"})
    assert await store.jobs.text("0" * 12) is None


async def test_inputs_are_declared_while_a_job_waits_for_them(store: Store) -> None:
    record = await accepted(store, new(spec=JobSpec("command", "geneva", inputs=("a",), command="true")))
    declared = await store.jobs.declare(record, ["a", "b"])
    assert declared == await store.jobs.get(record.job_id)
    assert (declared.spec.inputs, declared.spec.command, declared.version) == (
        ("a", "b"),
        "true",
        record.version + 1,
    )
    with pytest.raises(Outdated):
        await store.jobs.declare(record, ["c"])
    ready = await store.jobs.change(declared, {"stage": Stage.READY}, "Started.")
    with pytest.raises(WrongStage):
        await store.jobs.declare(ready, ["c"])
    assert (await store.jobs.get(record.job_id)).spec.inputs == ("a", "b")
