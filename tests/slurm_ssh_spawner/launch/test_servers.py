from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slurm_ssh.job import Job, JobReport, JobState, LaunchId
from slurm_ssh_spawner.launch.asked import asked
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import STOPPED, by_admin
from slurm_ssh_spawner.launch.seen import Seen
from slurm_ssh_spawner.launch.servers import Facts, Known, Phase, State, is_worth_a_card, servers
from tests.support import builders

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEGUN = LaunchRecord(
    launch_id=builders.LAUNCH_ID,
    user="alice",
    owner="alice",
    site_key="geneva",
    profile_key="jupyterlab",
    choices={"cores": "2", "partition": "debug"},
    job_id="17",
    node="",
    port=0,
    local_port=0,
    stop_wanted=False,
    begun=NOW - HOUR,
    ended=None,
    end_reason="",
    started_with=None,
    ticket_ends=None,
    server="",
    mark="",
    token_hash="",
    wait_until=NOW + 5 * HOUR,
    released=None,
    end_log="",
)
ENDED = replace(BEGUN, node="n1", ended=NOW - HOUR / 6, end_reason="The job's time limit of 1h was up.")
OFF, UP = Known("", "Default server", Phase.OFF), Known("", "Default server", Phase.UP)
STARTING = replace(UP, phase=Phase.STARTING, launch_id=builders.LAUNCH_ID)
STOPPING = replace(UP, phase=Phase.STOPPING)
PENDING = JobReport(JobState.PENDING, "PENDING", "Priority", begins=NOW + HOUR)


def _facts(report: JobReport | None = None) -> Facts:
    reports = {builders.LAUNCH_ID: report} if report else {}
    return Facts(builders.catalogue(), reports, {"geneva": NOW - HOUR}, NOW)


@pytest.mark.parametrize(
    ("known", "record", "report", "state"),
    [
        (UP, replace(BEGUN, node="n1"), JobReport(JobState.RUNNING, node="n1"), State.RUNNING),
        (UP, None, None, State.RUNNING),
        (UP, replace(BEGUN, node="n1"), JobReport(JobState.ENDED, "TIMEOUT"), State.STOPPING),
        (STARTING, BEGUN, PENDING, State.WAITING),
        (STARTING, BEGUN, None, State.STARTING),
        (STARTING, None, None, State.STARTING),
        (STARTING, BEGUN, JobReport(JobState.RUNNING), State.STARTING),
        (STARTING, ENDED, None, State.STARTING),
        (STOPPING, replace(BEGUN, stop_wanted=True), None, State.STOPPING),
        (OFF, replace(BEGUN, stop_wanted=True), None, State.STOP_OWED),
        (OFF, BEGUN, PENDING, State.WAITING),
        (OFF, ENDED, None, State.ENDED),
        (OFF, replace(ENDED, node=""), None, State.FAILED),
        (OFF, replace(ENDED, node="", end_reason=STOPPED), None, State.ENDED),
        (OFF, replace(ENDED, node="", end_reason=by_admin("ruth")), None, State.ENDED),
        (OFF, replace(ENDED, ended=NOW - 8 * 24 * HOUR), None, State.OFF),
        (OFF, None, None, State.OFF),
    ],
)
def test_the_state_of_a_server_is_what_jupyterhub_has_of_it_then_its_record_then_its_job(
    known: Known, record: LaunchRecord | None, report: JobReport | None, state: State
) -> None:
    (view,) = servers([known], [record] if record else [], _facts(report))
    assert view.state is state


def test_a_job_is_known_to_run_only_if_its_server_was_heard_of_while_its_site_is_away() -> None:
    for last_used, is_heard_of in ((NOW, True), (NOW - 2 * HOUR, False), (None, False)):
        (view,) = servers([replace(UP, last_used=last_used)], [replace(BEGUN, node="n1")], _facts())
        assert view.is_heard_of is is_heard_of


def test_a_server_that_waits_says_why_and_no_start_that_was_expected_before_now() -> None:
    (waits,) = servers([STARTING], [BEGUN], _facts(PENDING))
    assert waits.why_waits == "Other jobs are before yours in the queue of Geneva. (Priority)"
    assert waits.begins == NOW + HOUR
    (late,) = servers([STARTING], [BEGUN], _facts(replace(PENDING, begins=NOW - HOUR)))
    assert late.begins is None
    (runs,) = servers([UP], [BEGUN], _facts())
    assert (runs.why_waits, runs.begins) == ("", None)


def test_a_server_that_runs_says_what_where_and_until_when() -> None:
    report = JobReport(JobState.RUNNING, node="n1", ends=NOW + timedelta(minutes=12, seconds=40))
    (view,) = servers([UP], [BEGUN], _facts(report))
    assert (view.node, view.minutes_left, view.is_little) == ("n1", 12, True)
    assert (view.asked.profile, view.asked.site, view.asked.minutes) == ("JupyterLab", "Geneva", 60)
    assert view.asked.resources == "2 cores, 1 GB, 1 h, partition Debug"
    assert view.unreachable_since == NOW - HOUR


@pytest.mark.parametrize("before", [ENDED, replace(BEGUN, stop_wanted=True)])
def test_what_was_before_is_no_part_of_a_start_that_the_gate_still_looks_at(before: LaunchRecord) -> None:
    known = replace(STARTING, launch_id=None)
    first, *rest = servers([known], [before], _facts())
    assert (first.state, first.record, first.asked.profile) == (State.STARTING, None, "")
    assert first.is_jupyterhubs
    assert [view.state for view in rest] == ([] if before.ended else [State.STOP_OWED])


def test_an_end_says_why_and_with_what_it_can_be_started_again() -> None:
    (view,) = servers([OFF], [ENDED], _facts())
    assert (view.why, view.time_was_up, view.minutes_since) == ("The job's time limit of 1h was up.", True, 10)
    assert view.again == {"profile": "jupyterlab", "site": "geneva", "cores": "2", "partition": "debug"}


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (STOPPED, "It was stopped."),
        ("stopped by its owner", "You stopped it."),
        ("TIMEOUT", "The job's time limit was up."),
        ("gone from Slurm", "Slurm at Geneva does not say why the job ended."),
        ("not submitted: Geneva cannot be reached. [No route to host]", "Geneva cannot be reached."),
        ("The node n1 failed.", "The node n1 failed."),
    ],
)
def test_why_a_server_ended_is_a_sentence_whatever_its_record_has(reason: str, why: str) -> None:
    (view,) = servers([OFF], [replace(ENDED, end_reason=reason)], _facts())
    assert view.why == why
    assert view.time_was_up == (reason == "TIMEOUT")


def test_the_most_urgent_comes_first_and_an_owed_stop_stands_beside_the_server_of_that_name() -> None:
    owed = replace(BEGUN, launch_id=LaunchId("f" * 12), stop_wanted=True, begun=NOW - 2 * HOUR)
    south = replace(ENDED, launch_id=LaunchId("e" * 12), server="south")
    known = [Known("new", "New", Phase.OFF), Known("south", "South", Phase.OFF), UP]
    shown = servers(known, [BEGUN, south, owed], _facts())
    assert [(view.title, view.state) for view in shown] == [
        ("Default server", State.RUNNING),
        ("Default server", State.STOP_OWED),
        ("South", State.ENDED),
        ("New", State.OFF),
    ]
    assert all(is_worth_a_card(view) for view in shown)
    assert not is_worth_a_card(*servers([OFF], [], _facts()))


@pytest.mark.parametrize("changed", [{"site_key": "rome"}, {"profile_key": "gone"}])
def test_what_the_catalogue_has_no_more_is_called_by_its_key(changed: dict[str, str]) -> None:
    record = replace(BEGUN, **changed)  # type: ignore[arg-type]
    told = asked(builders.catalogue(), record)
    assert (told.resources, told.minutes) == ("", 0)
    assert set(changed.values()) < {told.profile, told.site}


def test_whatever_a_record_says_of_its_resources_is_read_or_passed_over() -> None:
    record = replace(
        BEGUN, choices={"cores": "many", "memory": "900M", "gpus": "2", "gpu_type": "a100", "time": "1h30m"}
    )
    assert asked(builders.catalogue(), record).resources == "1 core, 900 MB, 2 a100 GPUs, 1 h 30 min"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (-1, "< 1 min"),
        (0, "< 1 min"),
        (59, "59 min"),
        (60, "1 h"),
        (61, "1 h 1 min"),
        (2880, "2 d"),
        (1441, "1 d"),
        (1500, "1 d 1 h"),
    ],
)
def test_how_long_something_lasts_is_said_in_two_parts_at_most(minutes: int, text: str) -> None:
    assert lasting(minutes) == text


def test_what_slurm_said_last_stays_known_while_it_is_silent_and_goes_with_the_job() -> None:
    seen, job, said = Seen(), builders.job(), {builders.LAUNCH_ID: PENDING}
    silent = JobReport(JobState.UNKNOWN)

    def latest(job: Job, _young_seconds: float) -> JobReport:
        return said.get(job.launch_id, silent)

    assert seen.of("alice", [job], latest) == said
    said.clear()
    assert seen.of("alice", [job], latest) == {job.launch_id: PENDING}
    assert seen.of("bob", [job], latest) == {job.launch_id: silent}
    assert seen.of("alice", [], latest) == {}
    assert seen.of("alice", [job], latest) == {job.launch_id: silent}
