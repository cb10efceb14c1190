from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.steps import Step, StepState, steps
from tests.slurm_ssh_spawner.launch.test_servers import BEGUN, NOW
from tests.support import builders

PROFILE = {
    "modules": ["neuron/{param.release}"],
    "parameters": {"release": {"title": "Release", "options": {"7.5": "7.5", "8.0": "8.0"}}},
    "kernels": [{"script": "/apps/make", "kernelspecs": ["thalamus"]}],
}
RECORD = replace(BEGUN, choices={"release": "7.5"})


@pytest.fixture
async def progress() -> Progress:
    return Progress()


def _of(progress: Progress, record: LaunchRecord = RECORD, last: Any = ()) -> tuple[Step, ...]:
    return steps(builders.catalogue(profiles={"jupyterlab": builders.profile(**PROFILE)}), record, progress, last)


def _told(found: tuple[Step, ...]) -> list[tuple[str, str]]:
    return [(each.state.value, f"{each.text}{': ' if each.note else ''}{each.note}") for each in found]


async def test_before_slurm_has_the_job_all_is_to_come(progress: Progress) -> None:
    assert _told(_of(progress, replace(RECORD, job_id=""))) == [
        ("now", "Connect to Geneva as alice, and submit the job"),
        ("to-come", "Wait in the queue"),
        ("to-come", "Load modules: neuron/7.5"),
        ("to-come", "Make kernels: thalamus"),
        ("to-come", "Start the notebook server"),
    ]


async def test_in_the_queue_the_clock_runs_from_the_submission(progress: Progress) -> None:
    progress.saw(JobReport(JobState.PENDING, submitted=NOW))
    submitted, waits, *_ = _of(progress)
    assert (submitted.text, submitted.seconds) == ("Geneva has accepted job 17", None)
    assert (waits.state, waits.began) == (StepState.NOW, NOW)
    progress.accepted()
    submitted, waits, *_ = _of(progress)
    assert submitted.seconds is not None
    assert waits.began == progress.accepted_at


async def test_what_the_job_reports_are_steps_in_words_with_what_they_took_the_last_time(
    progress: Progress,
) -> None:
    progress.accepted()
    progress.saw(JobReport(JobState.RUNNING, node="n1"))
    assert _told(_of(progress))[1:3] == [("done", "A node was found"), ("now", "Begin on n1")]
    for name, text in (
        ("job", "Running on n1"),
        ("modules", "Loading neuron/7.5"),
        ("loaded", "neuron/7.5:cuda"),
        ("kernel", "script 1432774b9967bf22: /apps/make"),
        ("waiting", "Job 4 is already building it"),
    ):
        progress.reported(name, text)
    last = Progress()
    for name in ("job", "modules", "loaded", "kernel", "spark", "starting"):
        last.reported(name, "")
    last.stages = [
        replace(each, began=NOW + timedelta(seconds=2 * number), ended=NOW + timedelta(seconds=2 * number + 2))
        for number, each in enumerate(last.stages)
    ]
    found = _of(progress, last=[stage.to_json() for stage in last.stages])
    assert _told(found)[2:] == [
        ("done", "Begin on n1"),
        ("done", "Load modules: Loading neuron/7.5"),
        ("now", "Make kernels: Job 4 is already building it"),
        ("to-come", "Start Spark"),
        ("to-come", "Start the notebook server"),
    ]
    assert [each.usual_seconds for each in found[2:]] == [2, 4, 2, 2, 2]
    assert [each.seconds is None for each in found] == [False, False, False, False, True, True, True]


async def test_after_a_failure_nothing_is_to_come(progress: Progress) -> None:
    progress.reported("modules", "Loading neuron/7.5")
    progress.reported("failed", "There is no neuron.")
    assert _told(_of(progress))[-1] == ("failed", "Load modules: Loading neuron/7.5")


async def test_a_stage_of_a_hook_has_its_own_name_and_an_unknown_profile_does_no_harm(progress: Progress) -> None:
    progress.reported("data-cache", "Copying <b>")
    found = _of(progress, replace(RECORD, profile_key="gone"))
    assert _told(found)[2:] == [
        ("now", "Data cache: Copying <b>"),
        ("to-come", "Start the notebook server"),
    ]
