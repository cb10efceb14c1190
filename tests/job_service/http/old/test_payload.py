"""The header Payload: the examples of the old documentation, and what people send instead."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.errors import Invalid
from job_service.http.old import payload
from job_service.http.problems import Problem
from tests.job_service.http.old.support import fields

DOCUMENTED = (
    '{ "command": "ls -lisa", "node_number": "2", "core_number": "6", "runtime": "2.0", "title": "a job title" }'
)


def _read(**fields: Any) -> payload.Payload:
    return payload.read(json.dumps({"command": "date", **fields}), "geneva")


def _refused(header: str | None) -> dict[str, str]:
    with pytest.raises((Invalid, Problem)) as error:
        payload.read(header, "geneva")
    return fields(error.value)


def test_the_documented_example_is_a_job_of_the_type_that_runs_a_line() -> None:
    spec = payload.read(DOCUMENTED, "geneva").spec("geneva", "proj1", "job_file.zip")
    assert (spec.type, spec.system, spec.project, spec.title) == ("command", "geneva", "proj1", "a job title")
    assert (spec.command, spec.choices) == ("ls -lisa", {"nodes": "2", "cores": "6", "time": "120"})
    assert (spec.inputs, spec.start, spec.unpack) == (("job_file.zip",), "when-complete", False)


def test_the_documented_example_for_nsg_is_a_job_of_the_type_that_runs_its_tools() -> None:
    documented = DOCUMENTED.replace('"command": "ls -lisa"', '"tool": "NEURON74_TG"')
    spec = payload.read(documented, "nsg", with_tool=True).spec("nsg", "bsp_nsg_01", "nsg_job.zip")
    assert (spec.type, spec.system, spec.project, spec.title) == ("tool", "nsg", "bsp_nsg_01", "a job title")
    choices = {"param.tool": "NEURON74_TG", "nodes": "2", "cores": "6", "time": "120"}
    assert (spec.command, spec.choices, spec.inputs) == (None, choices, ("nsg_job.zip",))


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"command": "date"}, "command"), ({}, "tool"), ({"tool": " "}, "tool"), ({"tool": ["X"]}, "tool")],
)
def test_nsg_runs_its_tools_and_no_line_of_anybodys(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        payload.read(json.dumps(sent), "nsg", with_tool=True)
    assert set(error.value.fields) == {field}


def test_a_job_without_a_file_begins_at_once_and_what_is_not_asked_for_is_the_types_default() -> None:
    spec = _read().spec("geneva", None, None)
    assert (spec.inputs, spec.start, spec.choices, spec.title) == ((), "now", {}, "")


@pytest.mark.parametrize("written", [2, "2", " 2 ", "02"])
def test_numbers_are_those_of_json_or_text(written: Any) -> None:
    asked = _read(node_number=written, core_number=written, runtime=written)
    assert (asked.nodes, asked.cores, asked.minutes) == ("2", "2", 120)


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        ("0.1", 6),
        ("2.1", 126),
        (".5", 30),
        ("1.", 60),
        ("0.01", 1),
        ("0.02", 2),
        ("0.0001", 1),
        (0.1 + 0.2, 18),
        (1 / 3, 20),
        ("2.0000001", 120),
        ("2.001", 121),
    ],
)
def test_hours_are_minutes_up_to_the_next_one(hours: Any, minutes: int) -> None:
    assert _read(runtime=hours).minutes == minutes


@given(st.integers(1, 60 * 24 * 366))
def test_a_runtime_that_was_answered_asks_for_the_same_again(minutes: int) -> None:
    assert _read(runtime=payload.hours(minutes * 60)).minutes == minutes


@pytest.mark.parametrize(
    "header", [None, "", "{", "[]", "7", "{'command': 'date'}", "[" * 16000, "1" * 5000, "\x00"]
)
def test_what_is_no_object_of_json_is_said_of_the_header(header: str | None) -> None:
    assert "{" in _refused(header)["Payload"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", ""),
        ("command", "  "),
        ("command", ["ls"]),
        ("tool", "NEURON74_TG"),
        ("node_number", 0),
        ("node_number", "-1"),
        ("node_number", "2.5"),
        ("core_number", "many"),
        ("core_number", True),
        ("core_number", "1" * 4000),
        ("core_number", "٣"),
        ("runtime", 0),
        ("runtime", "0.0"),
        ("runtime", "-1"),
        ("runtime", float("nan")),
        ("runtime", float("inf")),
        ("runtime", "1e9"),
        ("runtime", "2h"),
        ("runtime", "9" * 16000),
        ("title", {}),
        ("runtme", 2),
    ],
)
def test_a_field_that_is_wrong_is_named(field: str, value: Any) -> None:
    assert list(_refused(json.dumps({"command": "date", field: value}))) == [field]


def test_all_fields_that_are_wrong_are_named_at_once() -> None:
    sent = {"node_number": "x", "core_number": 0, "runtime": "", "more": 1, "title": []}
    assert _refused(json.dumps(sent)).keys() == {*sent, "command"}


def test_a_field_that_comes_twice_is_refused() -> None:
    assert "runtime" in _refused('{"command": "date", "runtime": 1, "runtime": 100}')["Payload"]


def test_null_is_a_field_that_is_not_there() -> None:
    assert _read(title=None, runtime=None, tool=None) == _read()


@given(st.text(max_size=300) | st.dictionaries(st.text(max_size=20), st.text(max_size=20)).map(json.dumps))
def test_whatever_is_sent_is_a_payload_or_names_what_is_wrong(header: str) -> None:
    try:
        payload.read(header, "geneva")
        return
    except (Invalid, Problem) as error:
        wrong = fields(error)
    assert wrong
    assert all(name.isprintable() and len(name) < 100 for name in wrong)
