"""What the harness of `make faults` counts: each kind of wrong is seen, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from faults.count import Counts, Expected, count, count_left
from faults.row import Outcome
from faults.seen import File, Listed, LiveJob, Seen

_ID = "0123456789ab"
_JOB = LiveJob("geneva", "7", "RUNNING", "p01", _ID)
_ANSWER = {"host": "geneva-n1.lab.test", "job": "7", "user": "p01"}
_LISTED = Listed("p01", "", ready=True, launch_id=_ID, job_id="7", answer=_ANSWER)
_RECORD: dict[str, Any] = {
    "user": "p01",
    "owner": "p01",
    "site_key": "geneva",
    "server": "",
    "begun": "2026-01-01",
    "ended": None,
    "end_reason": "",
    "stop_wanted": 0,
}
_OVER = _RECORD | {"ended": "2026-01-02", "end_reason": "TIMEOUT"}
_WELL = Seen(jobs=(_JOB,), listed=(_LISTED,), records={_ID: _RECORD})
_GONE = Seen(records={_ID: _OVER})
_THERE = Expected("p01", "", "geneva", Outcome.THERE, "7")
_SHOULD_BE_GONE = replace(_THERE, outcome=Outcome.GONE)
_MAY_BE = replace(_THERE, outcome=Outcome.EITHER)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (_WELL, _THERE),
        (_GONE, _SHOULD_BE_GONE),
        (_WELL, _MAY_BE),
        (_GONE, _MAY_BE),
        # Refused before there was a launch.
        (Seen(), _MAY_BE),
    ],
)
def test_what_is_as_expected_is_not_counted(seen: Seen, expected: Expected) -> None:
    assert not count(seen, [expected])


@pytest.mark.parametrize(
    ("seen", "expected", "why"),
    [
        (replace(_WELL, listed=None), _THERE, "the hub does not answer"),
        (replace(_WELL, listed=()), _THERE, "not listed"),
        (replace(_WELL, listed=(replace(_LISTED, ready=False),)), _THERE, "listed, not ready"),
        (replace(_WELL, listed=(replace(_LISTED, answer={}),)), _THERE, "listed, does not answer"),
        (replace(_WELL, jobs=()), _THERE, "answers as job 7, but their jobs are: none"),
        (_WELL, replace(_THERE, job_id="6"), "was job 6, answers as job 7"),
        (
            replace(_WELL, records={_ID: _RECORD | {"stop_wanted": 1}}),
            _THERE,
            "runs on, though its stop was noted",
        ),
        (_WELL, _SHOULD_BE_GONE, "is over, and still listed"),
        (replace(_GONE, jobs=(_JOB,)), _SHOULD_BE_GONE, "is over, and job 7 runs"),
        (Seen(records={_ID: _RECORD}), _SHOULD_BE_GONE, "is over, and its record is open"),
        (Seen(records={_ID: _OVER | {"end_reason": ""}}), _MAY_BE, "is over without a reason"),
        (Seen(), replace(_MAY_BE, accepted=True), "was accepted, and nothing is known of it"),
    ],
)
def test_what_is_lost_is_counted_with_its_reason(seen: Seen, expected: Expected, why: str) -> None:
    assert f"p01 at geneva: {why}" in count(seen, [expected]).lost


def test_a_job_that_no_server_is_about_is_an_orphan() -> None:
    other = replace(_JOB, job_id="8", launch_id="ba9876543210")
    record = _RECORD | {"user": "p03", "owner": "p03"}
    seen = replace(
        _WELL, jobs=(_JOB, replace(other, owner="p03")), records={_ID: _RECORD, other.launch_id: record}
    )
    assert count(seen, [_THERE]) == Counts(orphaned=("job 8 (RUNNING) of p03 at geneva",))


def test_a_job_of_a_server_that_is_being_submitted_is_no_orphan() -> None:
    pending = Listed("p01", "", ready=False, launch_id="", job_id="")
    assert not count(replace(_WELL, listed=(pending,)), []).orphaned


def test_two_jobs_of_one_server_are_doubled() -> None:
    twin = replace(_JOB, job_id="8", launch_id="ba9876543210")
    seen = replace(_WELL, jobs=(_JOB, twin), records={_ID: _RECORD, twin.launch_id: _RECORD})
    assert count(seen, [_THERE]).doubled == ("p01/: jobs 7 (RUNNING) at geneva, 8 (RUNNING) at geneva",)


def test_jobs_of_two_servers_of_one_person_are_not_doubled() -> None:
    second = replace(_JOB, job_id="8", launch_id="ba9876543210")
    listed = replace(
        _LISTED, server="south", launch_id=second.launch_id, job_id="8", answer=_ANSWER | {"job": "8"}
    )
    records = {_ID: _RECORD, second.launch_id: _RECORD | {"server": "south"}}
    assert not count(Seen((_JOB, second), (_LISTED, listed), records), [_THERE])


def test_whatever_belongs_to_somebody_else_is_counted() -> None:
    listed = replace(_LISTED, answer=_ANSWER | {"user": "p02"})
    file = File("geneva", "ticket", "p02", "p01", _ID)
    seen = replace(_WELL, jobs=(replace(_JOB, owner="p02"),), listed=(listed,), files=(file,))
    assert count(seen, []).wrong_owner == (
        "job 7 at geneva runs as p02, not as p01",
        f"ticket of {_ID} in the folder of p01 at geneva is owned by p02",
        "the server of p01 answers as p02",
    )


def test_a_job_that_answers_for_two_servers_is_counted() -> None:
    wrong = replace(_LISTED, user="p03", server="")
    assert (
        "job 7 on geneva-n1.lab.test answers for 2 servers"
        in count(replace(_WELL, listed=(_LISTED, wrong)), [_THERE]).wrong_owner
    )


def test_launches_of_before_count_no_more() -> None:
    seen = replace(_WELL, listed=(), files=(File("geneva", "folder", "p01", "p01", _ID),))
    assert count(seen, []).orphaned
    assert not count(seen, [], [_ID])
    assert count_left(seen)
    assert not count_left(seen, [_ID])


def test_everything_that_is_left_over_is_counted() -> None:
    file = File("geneva", "ticket", "p01", "p01", _ID)
    seen = replace(_WELL, files=(file,), tunnels=(20001,), processes=("geneva-n1: p01 /opt/stub-server",))
    assert count_left(seen).left_over == (
        "job 7 of p01 at geneva",
        f"ticket of {_ID} in the folder of p01 at geneva",
        "the server p01/",
        "a tunnel at port 20001",
        "a program on geneva-n1: p01 /opt/stub-server",
        f"the open record of {_ID} of p01",
    )
    assert not count_left(_GONE)


def test_a_server_is_over_by_the_record_of_its_own() -> None:
    records = {_ID: _RECORD | {"server": "south"}, "ba9876543210": _OVER}
    listed = replace(_LISTED, server="south")
    assert not count(Seen((_JOB,), (listed,), records), [_SHOULD_BE_GONE])
