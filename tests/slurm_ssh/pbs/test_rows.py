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
from slurm_ssh.scheduler import Ending, Listing, UnreadableAnswer, observe
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
ENDED = {**RUNNING, "job_state": "F", "Exit_status": 0, "substate": 92}
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


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        (
            {"start_time": "Sat Nov 28 09:30:00 2026", "exec_vnode": "(n1:ncpus=4)"},
            datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
        ),
        ({"start_time": "UNKNOWN"}, None),
        ({"start_time": 0}, None),
        ("UNKNOWN", None),
        ({}, None),
    ],
)
def test_when_a_job_is_expected_to_begin_is_told_as_far_as_pbs_plans(said: Any, begins: datetime | None) -> None:
    # It was put back: `stime` is that of its first start.
    (row,) = rows.parse_queue(_answer({**RUNNING, "job_state": "Q", "estimated": said}))
    assert (row.report.begins, row.report.ends) == (begins, None)
    (row,) = rows.parse_queue(_answer({**RUNNING, "estimated": said}))
    assert row.report.begins == datetime(2026, 11, 6, 8, tzinfo=UTC)


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


def test_arrays_and_their_parts_are_no_jobs_of_ours() -> None:
    numbers = (NUMBER, "7[].pbs.test", "7[3].pbs.test")
    shown = {"Jobs": {number: {**RUNNING, "job_state": "B" if "[]" in number else "R"} for number in numbers}}
    found = rows.parse_queue(_around(json.dumps(shown), "\n".join(numbers)))
    assert [row.job_id for row in found] == [NUMBER]


def test_the_same_number_of_another_server_is_another_job() -> None:
    other = "1234.other.test"
    found = rows.parse_queue(_around(json.dumps({"Jobs": {other: RUNNING}}), other))
    assert [(row.job_id, row.mark) for row in found] == [(other, MARK)]
    assert observe(_job(), found) is None
    assert rows.parse_ending(json.dumps({"Jobs": {other: ENDED}}), _job()) == Ending()


@pytest.mark.parametrize("name", ["[1, 2]", '{"job_state": "F"}', "null", "true", "1e999", "007", "NaN", '"'])
def test_a_name_that_qstat_takes_for_json_is_a_job_that_is_not_ours(name: str) -> None:
    """As qstat printed names until 2026: what can be read as JSON is put there as such, all else as a text."""
    try:
        json.loads(name, parse_constant=int)
        printed = name
    except ValueError:
        printed = json.dumps(name)
    theirs = json.dumps({**RUNNING, "Job_Name": "?"}).replace('"?"', printed)
    shown = f'{{"Jobs": {{"{NUMBER}": {json.dumps(RUNNING)}, "1235.pbs.test": {theirs}}}}}'
    status, listing = rows.parse_listing(_around(shown, f"{NUMBER}\n1235.pbs.test"), "jupyter-hub-")
    assert (status, [row.job_id for row in listing.rows]) == (0, [NUMBER])


def test_no_variable_of_a_job_is_a_word_of_pbs_about_it() -> None:
    variables = {
        "job_state": "F",
        "Job_Owner": "bob@x",
        "A": {"job_state": "F"},
        "Jobs": {NUMBER: {"job_state": "F"}},
    }
    (row,) = rows.parse_queue(_answer({**RUNNING, "Variable_List": variables}))
    assert (row.owner, row.report.state) == ("alice", JobState.RUNNING)


def test_a_job_that_another_server_took_over_is_not_over() -> None:
    (row,) = rows.parse_queue(_answer({**RUNNING, "job_state": "M"}))
    assert (row.report.state, row.report.wait_status) == (JobState.UNKNOWN, None)


def test_restrictions_of_a_queue_may_stand_there_twice() -> None:
    """As qstat printed them until 2025."""
    queue = """{
    "Queue":{
        "workq":{
            "queue_type":"Execution",
            "max_run":"[u:PBS_GENERIC=5]",
            "max_run":"[o:PBS_ALL=9]",
            "resources_max":{
                "walltime":"08:00:00"
            },
            "enabled":"True",
            "started":"True"
        }
    }
}"""
    text = f'{queue}\n\n== server\n{{"Server": {{}}}}\n\n== nodes\n'
    facts = queues.parse_snapshot(text, builders.NOW).partitions
    assert facts is not None
    assert (facts["workq"].is_up, facts["workq"].time_max_minutes) == (True, 480)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted({**RUNNING, "estimated": 1, "Exit_status": 1})), _JSON), st.data())
def test_no_kind_of_value_breaks_the_reader(said: dict[str, Any], data: st.DataObject) -> None:
    whole = {**RUNNING, **said}
    for row in rows.parse_queue(_answer(whole)):
        assert row.report.reason.isprintable()
    ended = rows.parse_ending(json.dumps({"Jobs": {NUMBER: {**whole, "job_state": "F"}}}), _job())
    assert 0 <= ended.status <= 256
    queue = {name: data.draw(_JSON) for name in ("enabled", "queue_type", "resources_max", "default_chunk")}
    text = json.dumps({"Queue": {"q": queue}})
    facts = queues.parse_snapshot(f'{text}\n\n== server\n{{"Server": {{}}}}\n\n== nodes\n', builders.NOW)
    assert facts.partitions is not None


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_the_reader(one: str, other: str) -> None:
    for shown in (f"{{{one}\n{other}}}", f'{{\n"Jobs":{{\n"{one}":{{\n"job_state":"{other}"\n}}\n}}\n}}'):
        try:
            found = rows.parse_queue(_around(shown, ""))
        except UnreadableAnswer:
            continue
        assert all(row.report.node == "" and row.report.word.isprintable() for row in found)


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
    text = text.replace("\n== server", "\n\n== server") + "\n\n== nodes\n"
    known = queues.parse_snapshot(text, builders.NOW).partitions
    assert known is not None
    assert [(name, each.is_up, each.is_default, each.time_max_minutes) for name, each in known.items()] == [
        ("workq", True, False, None),
        ("long", False, True, 6000),
    ]
    with pytest.raises(UnreadableAnswer):
        queues.parse_snapshot("qstat: hm", builders.NOW)
    with pytest.raises(UnreadableAnswer):
        queues.parse_snapshot(text.partition("\n== nodes")[0], builders.NOW)


@pytest.mark.parametrize(
    ("said", "sentence", "choice"),
    [
        ("qsub: Unknown queue\n", "the partition short does not exist there", "partition"),
        ("qsub: Access to queue is denied\n", "your groups may not use the partition short", "partition"),
        ("qsub: Invalid Account\n", "you may not charge the project physics", "project"),
        (
            "qsub: Maximum number of jobs for user alice already in queue short\n",
            "as many jobs there as you may",
            "",
        ),
        ("qsub: Maximum number of jobs in 'Q' state for user alice already in complex\n", "you already have", ""),
        ("qsub: would exceed queue short's per-user limit\n", "as many jobs there as you may", ""),
        ("qsub: Maximum number of jobs already in queue short\n", "accept the job: Maximum number of jobs", ""),
        ("qsub: Maximum number of jobs for project p already in complex\n", "the job: Maximum number of jobs", ""),
        (
            "qsub: would exceed per-user limit on resource ncpus in complex\n",
            "accept the job: would exceed per",
            "",
        ),
        ("", "gave no reason", ""),
    ],
)
def test_a_refusal_is_a_sentence(said: str, sentence: str, choice: str) -> None:
    assert sentence in refusals.refusal("Geneva", said, "physics", "short")
    assert refusals.choice(said) == choice
    assert not refusals.is_unreachable(said)
