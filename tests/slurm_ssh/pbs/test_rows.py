"""What PBS says of jobs and queues: as it is documented, as old versions print it, and as nobody should."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.job import Job, JobState
from slurm_ssh.pbs import answers, queues, refusals, rows
from slurm_ssh.scheduler import Ending, Listing, UnreadableAnswer
from tests.support import builders

NUMBER = "1234.pbs.test"
MARK = "jupyter-hub-0123456789ab"
RUNNING = {
    "Job_Name": MARK,
    "Job_Owner": "alice@login1.pbs.test",
    "job_state": "R",
    "exec_host": "n1/0*4+n1/1+n2/0*4",
    "qtime": "Fri Nov 27 18:24:49 2026",
    "stime": "Fri Nov  6 08:00:00 2026",
    "comment": "Job run at Fri Nov 06 at 08:00 on (n1:ncpus=4)+(n2:ncpus=4)",
    "Resource_List": {"walltime": "50:00:00", "mem": "8gb"},
    "resources_used": {"walltime": "00:01:05", "mem": "5kb"},
    "substate": 42,
}
# Printed by 19.1: a variable with an escaped quote, one with a comma, one that looks like a number and is none.
OLD = """{
    "timestamp":1566249420,
    "pbs_version":"19.1.2",
    "pbs_server":"testpbs",
    "Jobs":{
        "1234.pbs.test":{
            "Job_Name":"jupyter-hub-0123456789ab",
            "Job_Owner":"alice@login1.pbs.test",
            "job_state":"R",
            "exec_host":"n1/0*4",
            "Variable_List":{
                "MYVAR":"\\'\\"asads\\"\\'",
                "LIST":"ab\\,c",
                "job_state":"F",
                "foo":005,
                "bare":
            },
            "comment":"HEALTH: reboot "zaskly sdileny" (Sep 04)",
            "Resource_List":{
                "walltime":"50:00:00"
            },
            "Submit_arguments":"-v foo=005"
        },
    "Jobs":{
        "1235.pbs.test":{
            "Job_Name":"STDIN",
            "Job_Owner":"alice@login1.pbs.test",
            "job_state":"Q"
        }
    }
}
"""


def _job(**changed: Any) -> Job:
    return builders.job(job_id=NUMBER, mark=MARK, **changed)


def _answer(*said: dict[str, Any], ids: str = NUMBER, status: int = 0, errors: str = "") -> str:
    found = {NUMBER if not at else f"{at}.pbs.test": each for at, each in enumerate(said)}
    shown = json.dumps({"timestamp": 1, "pbs_server": "pbs", "Jobs": found}, indent="\t")
    return _around(shown, ids, status, errors)


def _around(shown: str, ids: str = NUMBER, status: int = 0, errors: str = "") -> str:
    return f"\n== ids\n{ids}\n\n== jobs\n{shown}\n\n== said {status}\n{errors}\n"


def test_a_job_that_runs_is_seen_with_its_nodes_and_times() -> None:
    (row,) = rows.parse_queue(_answer(RUNNING))
    assert (row.job_id, row.owner, row.mark, row.task) == (NUMBER, "alice", MARK, None)
    report = row.report
    assert (report.state, report.word, report.reason) == (JobState.RUNNING, "RUNNING", "")
    assert (report.node, report.nodes, report.used_seconds) == ("n1", "n1,n2", 65)
    assert report.submitted == datetime(2026, 11, 27, 18, 24, 49, tzinfo=UTC)
    assert report.begins == datetime(2026, 11, 6, 8, tzinfo=UTC)
    assert report.ends == datetime(2026, 11, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "stime", ["Fri Dec 31 23:59:59 9999", "Mon Jan  1 00:00:00 0000", "Fri Nov 31 08:00:00 2026"]
)
def test_a_job_that_ends_when_no_time_is_has_no_end(stime: str) -> None:
    (row,) = rows.parse_queue(_answer({**RUNNING, "stime": stime}))
    assert (row.report.state, row.report.ends) == (JobState.RUNNING, None)


@pytest.mark.parametrize(
    ("letter", "state"),
    [
        ("Q", JobState.PENDING),
        ("H", JobState.PENDING),
        ("W", JobState.PENDING),
        ("T", JobState.PENDING),
        ("S", JobState.RUNNING),
        ("U", JobState.RUNNING),
        ("E", JobState.ENDING),
        ("F", JobState.ENDED),
        ("M", JobState.UNKNOWN),
        ("Z", JobState.UNKNOWN),
        (7, JobState.UNKNOWN),
    ],
)
def test_each_letter_is_a_state_and_others_are_not_known(letter: Any, state: JobState) -> None:
    (row,) = rows.parse_queue(_answer({**RUNNING, "job_state": letter}))
    assert row.report.state is state


def test_why_a_job_waits_is_on_one_line() -> None:
    waits = {**RUNNING, "job_state": "Q", "comment": "Not Running:\n\x1b[1mno cores" + "x" * 1000}
    (row,) = rows.parse_queue(_answer(waits))
    assert row.report.reason.startswith("Not Running:  [1mno cores")
    assert len(row.report.reason) == 200


def test_what_old_versions_print_is_read_line_by_line() -> None:
    with pytest.raises(ValueError, match="escape"):
        json.loads(OLD)
    found = rows.parse_queue(_around(OLD, f"{NUMBER}\n1235.pbs.test"))
    assert [(row.job_id, row.mark, row.report.state) for row in found] == [
        (NUMBER, MARK, JobState.RUNNING),
        ("1235.pbs.test", "STDIN", JobState.PENDING),
    ]
    said = answers.read(OLD, "Jobs")[NUMBER]
    assert said["Variable_List"]["MYVAR"] == "'\"asads\"'"
    assert said["Variable_List"]["foo"] == "005"
    assert answers.text_of(said, "Resource_List", "walltime") == "50:00:00"


def test_only_jobs_of_the_hub_are_listed() -> None:
    answer = _answer(RUNNING, {**RUNNING, "Job_Name": "job-hub-0123456789ab"}, ids=f"{NUMBER} 1.pbs.test")
    status, listing = rows.parse_listing(answer, "jupyter-hub-")
    assert (status, [row.job_id for row in listing.rows]) == (0, [NUMBER])


@pytest.mark.parametrize("errors", ["qstat: Unknown Job Id 9.pbs.test", "qstat: 9.pbs.test Job has finished"])
def test_a_job_that_ended_between_the_two_questions_is_not_there(errors: str) -> None:
    answer = _answer(RUNNING, ids=f"{NUMBER}\n9.pbs.test", status=153, errors=errors)
    assert [row.job_id for row in rows.parse_queue(answer)] == [NUMBER]


def test_nobody_has_a_job_where_none_was_selected() -> None:
    assert rows.parse_listing("\n== ids\n\n== jobs\n\n== said 0\n\n", "jupyter-hub-") == (0, Listing(()))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Welcome\n",
        "\n== ids\n\n== jobs\n",
        "\n== ids\n\n== jobs\n\n== said x\n\n",
        _around("{", NUMBER),
        _around("qstat: Segmentation fault", NUMBER),
        _around("", NUMBER),
        _answer(RUNNING, ids=f"{NUMBER} 9.pbs.test", errors="qstat: System error"),
        _answer(RUNNING, ids=f"{NUMBER} 9.pbs.test", errors="qstat: Unknown Job Id 8.pbs.test"),
        _answer(RUNNING, ids=f"{NUMBER} 9.pbs.test"),
        _around("{" + '"Jobs":{' * 20 + "}", NUMBER),
        _around("[" * 100_000 + "]", NUMBER),
    ],
)
def test_an_answer_of_another_shape_is_none(answer: str) -> None:
    with pytest.raises(UnreadableAnswer):
        rows.parse_queue(answer)


def test_a_question_that_failed_is_no_answer() -> None:
    answer = "\n== ids\n\n== jobs\n\n== said 111\n\n"
    assert rows.parse_listing(answer, "jupyter-hub-") == (111, Listing(()))
    with pytest.raises(UnreadableAnswer, match="failed with 111"):
        rows.parse_queue(answer)
    failed = _answer(status=15, errors="qstat: cannot connect to server pbs (errno=15010)")
    assert rows.parse_listing(failed, "jupyter-hub-")[0] == 15


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_the_reader(one: str, other: str) -> None:
    for shown in (f"{{{one}\n{other}}}", f'{{\n"Jobs":{{\n"{one}":{{\n"job_state":"{other}"\n}}\n}}\n}}'):
        try:
            found = rows.parse_queue(_around(shown, ""))
        except UnreadableAnswer:
            continue
        assert all(row.report.node == "" and row.report.word.isprintable() for row in found)


ENDED = {**RUNNING, "job_state": "F", "Exit_status": 0, "substate": 92}


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ({}, Ending("COMPLETED")),
        ({"Exit_status": 7, "substate": 93}, Ending("FAILED", status=7)),
        ({"Exit_status": 137, "substate": 93}, Ending("FAILED", status=137)),
        ({"Exit_status": 265, "substate": 93}, Ending("FAILED", signal=9)),
        ({"Exit_status": 271, "substate": 91}, Ending("CANCELLED", signal=15)),
        ({"Exit_status": -29, "substate": 93}, Ending("TIMEOUT")),
        ({"Exit_status": -27, "substate": 93}, Ending("OUT_OF_MEMORY")),
        ({"Exit_status": -1, "substate": 93}, Ending("NOT_RUN_1")),
    ],
)
def test_history_says_how_a_job_ended(said: dict[str, Any], ending: Ending) -> None:
    text = json.dumps({"Jobs": {NUMBER: {**ENDED, **said}}})
    assert rows.parse_ending(text, _job()) == replace(ending, nodes="n1,n2", minutes=3000, memory="8G")


@pytest.mark.parametrize(
    "said",
    [
        {"job_state": "R"},
        {"Job_Name": "jupyter-hub-000000000000"},
        {"Job_Owner": "bob@login1.pbs.test"},
    ],
)
def test_nothing_is_said_of_another_job_or_of_one_that_goes_on(said: dict[str, Any]) -> None:
    text = json.dumps({"Jobs": {NUMBER: {**ENDED, **said}}})
    assert rows.parse_ending(text, _job()) == Ending()
    assert rows.parse_ending("", _job()) == Ending()


def test_queues_are_partitions() -> None:
    said = {
        "workq": {"enabled": "True", "started": "True"},
        "long": {"enabled": "True", "started": "False", "resources_max": {"walltime": "100:00:00"}},
    }
    text = json.dumps({"Queue": said}) + "\n== server\n" + json.dumps({"Server": {"s": {"default_queue": "long"}}})
    text = text.replace("\n== server", "\n\n== server")
    known = queues.parse_snapshot(text, builders.NOW).partitions
    assert known is not None
    assert [(name, each.is_up, each.is_default, each.time_max_minutes) for name, each in known.items()] == [
        ("workq", True, False, None),
        ("long", False, True, 6000),
    ]
    with pytest.raises(UnreadableAnswer):
        queues.parse_snapshot("qstat: hm", builders.NOW)


@pytest.mark.parametrize(
    ("said", "sentence", "choice"),
    [
        ("qsub: Unknown queue\n", "the partition short does not exist there", "partition"),
        ("qsub: Access to queue is denied\n", "your groups may not use the partition short", "partition"),
        ("qsub: Invalid Account\n", "you may not charge the project physics", "project"),
        ("qsub: Maximum number of jobs already in queue short\n", "as many jobs there as you may", ""),
        ("qsub: would exceed queue short's per-user limit\n", "did not accept the job: would exceed queue", ""),
        ("", "gave no reason", ""),
    ],
)
def test_a_refusal_is_a_sentence(said: str, sentence: str, choice: str) -> None:
    assert sentence in refusals.refusal("Geneva", said, "physics", "short")
    assert refusals.choice(said) == choice
    assert not refusals.is_unreachable(said)
