from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from job_service.errors import Invalid
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store import searching
from job_service.store.schema import JOBS
from job_service.store.store import Store
from job_service.store.values import JobFilter
from tests.job_service.store.builders import NOW, Time, accepted, brought, new


async def ids(store: Store, wanted: JobFilter) -> list[int]:
    found = [record.id for record in (await store.jobs.page(wanted)).items]
    assert await store.jobs.count(wanted) == len(found)
    return found


async def test_pages_go_on_where_the_one_before_ended_whatever_comes_meanwhile(store: Store) -> None:
    jobs = [await accepted(store, new()) for _ in range(7)]
    newest_first = jobs[::-1]
    shown = []
    cursor = None
    while True:
        page = await store.jobs.page(JobFilter("alice"), 3, cursor)
        shown += page.items
        await accepted(store, new())
        if (cursor := page.next_cursor) is None:
            break
    assert shown == newest_first
    second = await store.jobs.page(JobFilter("alice"), limit=2, offset=3)  # three came meanwhile
    assert list(second.items) == newest_first[:2]


@pytest.mark.parametrize("cursor", ["", "-1", "1 OR 1", "٣", "9" * 19, "1.0"])
async def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    for asked in (store.jobs.page(JobFilter(), cursor=cursor), store.audit.entries(cursor=cursor)):
        with pytest.raises(Invalid) as refused:
            await asked
        assert list(refused.value.fields) == ["cursor"]


async def test_a_page_of_nothing(store: Store) -> None:
    page = await store.jobs.page(JobFilter("alice"))
    assert (page.items, page.next_cursor) == ((), None)


async def test_every_filter_finds_its_jobs(store: Store, time: Time) -> None:
    first = await accepted(store, new(title="100% of _all_", job_id="abcdef012345"))
    time.passes(days=1)
    recon = await accepted(store, new(spec=JobSpec("recon"), title="Brain", system="lugano", project="neuro"))
    bobs = await accepted(store, new(owner="bob", title="brainstorm"))
    gone = await brought(store, await accepted(store, new(title="x")), Stage.CANCELED, Stage.DELETED)
    first = await brought(store, first, Stage.READY, Stage.QUEUED, native_id="4711")
    for wanted, found in (
        (JobFilter(), [bobs, recon, first]),
        (JobFilter("alice"), [recon, first]),
        (JobFilter("alice", frozenset({Stage.DELETED})), [gone]),
        (JobFilter("alice", frozenset()), []),
        (JobFilter(stages=frozenset({Stage.NEW, Stage.DELETED})), [gone, bobs, recon]),
        (JobFilter(system="lugano"), [recon]),
        (JobFilter(project="neuro"), [recon]),
        (JobFilter(type="recon"), [recon]),
        (JobFilter(q="BRAIN"), [bobs, recon]),
        (JobFilter("alice", q="brain"), [recon]),
        (JobFilter(q="100%"), [first]),
        (JobFilter(q="_all_"), [first]),
        (JobFilter(q="%"), [first]),
        (JobFilter(q="ABCDEF"), [first]),
        (JobFilter(q="bcdef"), []),
        (JobFilter(q="4711"), [first]),
        (JobFilter(q="471"), []),
        (JobFilter(q="' OR 1=1 --"), []),
        (JobFilter(since=NOW + timedelta(hours=1)), [bobs, recon]),
        (JobFilter(since=NOW), [bobs, recon, first]),
        (JobFilter("alice", frozenset({Stage.QUEUED}), "geneva", "default", "command", "100", NOW), [first]),
    ):
        assert await ids(store, wanted) == [record.id for record in found], wanted


@pytest.fixture(scope="module")
def ten_thousand() -> Iterator[sa.Connection]:
    """A database in memory with 10,000 jobs of one owner among those of others."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        JOBS.metadata.create_all(connection)
        row = {
            "stage": Stage.SUCCESSFUL,
            "system": "geneva",
            "project": "default",
            "type": "command",
            "created": NOW,
            "title": "a job",
            "login": "alice",
            "folder": "/scratch",
            "reason": "",
            "request": {"type": "command", "command": "x" * 8000},
            "submission": "sent",
            "native_state": "",
            "observed_by": "",
            "failed": False,
        }
        numbers = ("nodes", "cores", "memory_mib", "gpus", "limit_s", "held_s", "attempts", "version")
        row |= dict.fromkeys(numbers, 1)
        jobs = [
            {**row, "job_id": f"{number:012x}", "owner": "alice" if number % 3 else f"other{number}"}
            for number in range(15_000)
        ]
        connection.execute(sa.insert(JOBS), jobs)
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter("alice"),
        JobFilter("alice", frozenset({Stage.FAILED})),
        JobFilter("alice", system="lugano"),
        JobFilter("alice", q="no such title"),
        JobFilter("alice", type="recon", since=NOW),
        JobFilter(),
    ],
)
@pytest.mark.parametrize("last", [None, 9000])
async def test_the_newest_of_ten_thousand_jobs_are_read_in_order_and_no_others_are_sorted(
    ten_thousand: sa.Connection, wanted: JobFilter, last: int | None
) -> None:
    asked = searching.page(wanted, last, 51, 0)
    told = asked.compile(ten_thousand, compile_kwargs={"render_postcompile": True})
    plan = ten_thousand.exec_driver_sql(f"EXPLAIN QUERY PLAN {told}", tuple(told.params.values())).all()
    (step,) = [row[3] for row in plan]
    assert "TEMP B-TREE" not in step
    if wanted.owner:
        assert step.startswith("SEARCH jobs USING INDEX ix_jobs_owner (owner=?")
    found = ten_thousand.execute(asked).all()
    plain = wanted in (JobFilter("alice"), JobFilter())
    assert len(found) == (51 if plain else 0)
