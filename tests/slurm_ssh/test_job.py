import json
import re
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh import job
from slurm_ssh.job import Job
from slurm_ssh.started import StartedWith
from tests.support import builders
from tests.support.folders import DATA


def test_a_handle_survives_the_database() -> None:
    handle = builders.job()
    assert Job.from_state(json.loads(json.dumps(handle.to_state()))) == handle


def test_what_a_later_version_adds_is_ignored() -> None:
    assert Job.from_state({**builders.job().to_state(), "colour": "red"}) == builders.job()


_STARTED = StartedWith.at(builders.catalogue().sites["geneva"])


def test_what_a_job_was_started_with_survives_the_database() -> None:
    handle = builders.job(started_with=_STARTED)
    stored = Job.from_state(json.loads(json.dumps(handle.to_state())))
    assert stored is not None
    assert stored.started_with == _STARTED


@pytest.mark.parametrize(
    "state", sorted((DATA / "releases").glob("*/spawner_state.json")), ids=lambda path: path.parent.name
)
def test_the_handle_that_every_release_stored_is_whole(state: Path) -> None:
    handle = Job.from_state(json.loads(state.read_text())["job"])
    assert handle is not None
    assert (handle.launch_id, handle.job_id, handle.mark) == ("000000000002", "18", "jupyter-hub-000000000002")


@pytest.mark.parametrize(
    "damaged", [None, 17, "", [], {}, {"job_folder": 1}, {"job_folder": "/a", "ticket": {"delivery": "fly"}}]
)
def test_a_handle_is_whole_without_what_it_was_started_with(damaged: Any) -> None:
    handle = Job.from_state({**builders.job().to_state(), "started_with": damaged})
    assert handle == builders.job()
    assert handle.started_with is None


def test_handles_of_one_job_are_one_whatever_is_known_of_its_start() -> None:
    assert len({builders.job(), builders.job(started_with=_STARTED)}) == 1


def test_a_site_is_reached_as_it_is_now_with_the_folders_of_then() -> None:
    now = builders.catalogue(
        sites={"geneva": builders.site(title="Genf", job_folder="/new/{owner}", ticket={"delivery": "none"})}
    ).sites["geneva"]
    site = _STARTED.site(now)
    assert (site.title, site.job_folder, site.ticket.delivery) == ("Genf", "/scratch/{owner}/jupyter", "copy")


@pytest.mark.parametrize("name", builders.job().to_state())
def test_a_handle_with_a_part_missing_is_none(name: str) -> None:
    state = builders.job().to_state()
    del state[name]
    assert Job.from_state(state) is None


@pytest.mark.parametrize("damaged", [None, 17, "", ["17"], {}])
def test_a_handle_with_a_damaged_part_is_none(damaged: Any) -> None:
    assert Job.from_state({**builders.job().to_state(), "job_id": damaged}) is None


@pytest.mark.parametrize("state", [{}, [], None, "17", 17, {"job": {}}])
def test_what_is_no_handle_is_none(state: Any) -> None:
    assert Job.from_state(state) is None


def test_launch_ids_are_twelve_hex_digits_and_never_the_same() -> None:
    ids = [job.new_launch_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in ids)


def test_the_mark_names_the_kind_the_hub_and_the_launch() -> None:
    assert job.mark("jupyter", "lab", builders.LAUNCH_ID) == "jupyter-lab-0123456789ab"
    assert job.mark("job", "lab", builders.LAUNCH_ID) == "job-lab-0123456789ab"


def test_a_mark_is_known_again_by_its_own_kind_and_hub_alone() -> None:
    kinds: tuple[job.Kind, ...] = ("jupyter", "job")
    hubs = ("hub", "hub-2", "job", "job-hub", "jupyter", "jupyter-hub")
    all_marks = {(kind, hub): job.mark(kind, hub, builders.LAUNCH_ID) for kind in kinds for hub in hubs}
    for (kind, hub), own in all_marks.items():
        assert [text for text in all_marks.values() if job.marked_launch(kind, hub, text)] == [own]


@pytest.mark.parametrize(
    "text", ["", "job-hub-", "job-hub-0123456789a", "job-hub-0123456789abc", "xjob-hub-0123456789ab"]
)
def test_what_is_no_mark_names_no_launch(text: str) -> None:
    assert job.marked_launch("job", "hub", text) is None


def test_that_time_has_passed_is_no_news_of_a_job() -> None:
    seen = job.JobReport(job.JobState.RUNNING, "RUNNING", used_seconds=7)
    assert seen == job.JobReport(job.JobState.RUNNING, "RUNNING", used_seconds=9)
    assert seen != job.JobReport(job.JobState.RUNNING, "RUNNING", wait_status=9)
