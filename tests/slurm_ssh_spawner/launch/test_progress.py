import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch.progress import Progress, stage_of


@pytest.fixture
async def progress() -> Progress:
    return Progress()


async def _until(events: AsyncIterator[dict[str, Any]], name: str, count: int = 1) -> list[Any]:
    """Return what the events said under a name, after so many of them."""
    seen: list[Any] = []
    async for event in events:
        if name in event:
            seen.append(event[name])
        if len(seen) == count:
            return seen
    raise AssertionError


def _states(progress: Progress) -> list[tuple[str, str, bool, bool]]:
    return [(each.name, each.text, each.ended is not None, each.failed) for each in progress.stages]


async def test_a_stage_lasts_until_the_next_one(progress: Progress) -> None:
    progress.reported("modules", "Loading a")
    progress.reported("starting", "python")
    assert _states(progress) == [("modules", "Loading a", True, False), ("starting", "python", False, False)]
    progress.end()
    assert progress.stages[-1].ended is not None


async def test_a_failure_marks_the_stage_that_lasted(progress: Progress) -> None:
    progress.reported("modules", "Loading a")
    progress.reported("failed", "There is no a.")
    progress.reported("failed", "Again.")
    assert _states(progress) == [("modules", "Loading a", True, True)]
    assert progress.failing.result() == "There is no a."
    assert re.search(r"modules: Loading a \(\d+ s, failed\)$", str(progress.stages[0]))


async def test_a_notice_is_no_stage(progress: Progress) -> None:
    progress.reported("notice", "Without a.")
    assert (progress.stages, progress.notices, progress.sentences) == ([], ["Without a."], ["Without a."])


async def test_a_job_that_never_stops_reporting_is_not_listened_to_for_ever(progress: Progress) -> None:
    news = 0
    for _ in range(70):
        news += progress.reported("kernel", "again") + progress.reported("notice", "again")
        news += progress.reported("failed", "again")
    # What is no news is neither kept nor written anywhere.
    assert news == 101
    assert (len(progress.stages), len(progress.notices)) == (50, 50)
    assert len(progress.sentences) == 101


async def test_everybody_who_looks_sees_every_sentence_once(progress: Progress) -> None:
    progress.tell("one")
    first, second = progress.events(), progress.events()
    assert not progress.is_watched
    assert [await _until(each, "message") for each in (first, second)] == [["one"], ["one"]]
    assert progress.is_watched
    waiting = [asyncio.create_task(_until(each, "message", 2)) for each in (first, second)]
    await asyncio.sleep(0)
    progress.tell("two")
    progress.tell("three")
    assert [await each for each in waiting] == [["two", "three"]] * 2
    await first.aclose()
    assert progress.is_watched
    await second.aclose()
    assert not progress.is_watched


async def test_what_happens_while_an_event_is_sent_is_not_missed(progress: Progress) -> None:
    progress.tell("one")
    events = progress.events()
    assert await _until(events, "message") == ["one"]
    progress.tell("two")
    assert await _until(events, "message") == ["two"]


async def test_a_page_is_told_how_things_stand_whenever_that_changes(progress: Progress) -> None:
    events = progress.events()
    waiting = asyncio.create_task(_until(events, "stages"))
    await asyncio.sleep(0)
    progress.reported("kernels", "a <b>")
    ((stage,),) = await waiting
    assert (stage["name"], stage["text"], stage["seconds"], stage["failed"]) == ("kernels", "a <b>", None, False)
    waiting = asyncio.create_task(_until(events, "output"))
    progress.show_output("line")
    assert await waiting == ["line"]
    waiting = asyncio.create_task(_until(events, "stages"))
    progress.show_output("line")
    progress.end(failed=True)
    ((stage,),) = await waiting
    assert (stage["failed"], stage["seconds"] >= 0) == (True, True)


async def test_a_page_is_told_what_slurm_says_of_the_job(progress: Progress) -> None:
    events = progress.events()
    waiting = asyncio.create_task(_until(events, "job"))
    await asyncio.sleep(0)
    begins = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority", begins=begins))
    (job,) = await waiting
    assert (job["state"], job["reason"], job["begins"]) == ("pending", "Priority", begins.timestamp())
    assert progress.runs_since is None
    progress.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1"))
    since = progress.runs_since
    progress.saw(JobReport(JobState.ENDING, "COMPLETING", node="n1"))
    assert since is not None
    assert progress.runs_since == since


async def test_a_job_that_reports_runs(progress: Progress) -> None:
    progress.reported("job", "Running on n1")
    assert progress.runs_since == progress.stages[0].began
    assert Progress.of([stage.to_json() for stage in progress.stages]).runs_since is not None
    assert Progress.of([]).runs_since is None


@pytest.mark.parametrize("name", ["", "A", "a b", "1", "<b>", None, 1, "a" * 32, "a\n"])
def test_what_is_no_name_of_a_stage_is_refused(name: Any) -> None:
    assert stage_of(name) is None


def test_a_text_is_one_line_that_can_be_printed() -> None:
    assert stage_of("a", "x\ny\x1b\u2028\ud800<b>") == ("a", "x y   <b>")
    assert stage_of("a", "x" * 3001) is None


async def test_what_is_kept_of_one_launch_is_limited(progress: Progress) -> None:
    news = [progress.reported("kernel", "x" * 3000) for _ in range(100)]
    assert news == [True] * 20 + [False] * 80
    assert sum(len(stage.text) for stage in progress.stages) == 60_000
    assert progress.reported("failed", "There is no a.")
    assert not progress.reported("failed", "There is no a.")
