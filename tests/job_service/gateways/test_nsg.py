"""What NSG answers is read within bounds, and what it is sent is what was decided."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.gateways.backend import Handle, Order
from job_service.gateways.nsg import answers, reading, submission
from job_service.gateways.nsg.answers import File, NotUnderstoodError
from job_service.gateways.nsg.reading import Window
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Refused
from tests.support import builders

# As in the CIPRES REST user guide, with what its servers say of metadata.
STATUS = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<jobstatus>
  <selfUri>
    <url>https://nsg.test/cipresrest/v1/job/jobs.alice/NGBW-JOB-PY-3957CC6EBF5E448095A6666B41EDDF94</url>
    <rel>jobstatus</rel>
    <title>NGBW-JOB-PY-3957CC6EBF5E448095A6666B41EDDF94</title>
  </selfUri>
  <jobHandle>NGBW-JOB-PY-3957CC6EBF5E448095A6666B41EDDF94</jobHandle>
  <jobStage>QUEUE</jobStage>
  <terminalStage>false</terminalStage>
  <failed>false</failed>
  <metadata><entry><key>clientJobId</key><value>0123456789ab</value></entry></metadata>
  <dateSubmitted>2014-09-10T15:54:59-07:00</dateSubmitted>
  <messages>
    <message><timestamp>2014-09-10T15:54:59-07:00</timestamp><stage>QUEUE</stage><text>Added.</text></message>
    <message><timestamp>no time</timestamp><stage>SUBMITTED</stage><text>It waits.</text></message>
  </messages>
  <minPollIntervalSeconds>60</minPollIntervalSeconds>
</jobstatus>"""
LIST = b"<joblist><title>Submitted Jobs</title><jobs>" + STATUS.partition(b"?>")[2] + b"</jobs></joblist>"
FILES = b"""<results><jobfiles><jobfile>
  <downloadUri><url>https://nsg.test/cipresrest/v1/job/jobs.alice/X/output/7</url><rel>fileDownload</rel></downloadUri>
  <filename>STDOUT</filename><length>12</length><dateModified>2014-09-10T15:54:59Z</dateModified>
</jobfile></jobfiles></results>"""
REFUSAL = b"""<error><displayMessage>Form validation error.</displayMessage><message>m</message><code>5</code>
  <paramError><param>runtime_</param><error>Must be no more than 1.</error></paramError></error>"""


def test_a_status_is_that_of_the_last_message() -> None:
    status = answers.status(STATUS)
    assert (status.stage, status.is_over, status.failed) == ("SUBMITTED", False, False)
    assert (status.client_job_id, status.handle[:12]) == ("0123456789ab", "NGBW-JOB-PY-")
    assert status.poll_seconds == 60
    assert [each.at for each in status.messages] == [datetime(2014, 9, 10, 22, 54, 59, tzinfo=UTC), None]
    assert answers.statuses(LIST) == (status,)
    assert answers.handles(LIST) == (status.handle,)
    assert answers.handles(b"<joblist><title>Submitted Jobs</title><jobs /></joblist>") == ()


def test_files_and_refusals_are_read() -> None:
    (file,) = answers.files(FILES)
    assert (file.name, file.size) == ("STDOUT", 12)
    assert file.url.endswith("/output/7")
    refusal = answers.refusal(REFUSAL)
    assert (refusal.code, refusal.fields) == (5, {"runtime_": "Must be no more than 1."})
    assert refusal.sentence == "Form validation error. runtime_: Must be no more than 1."
    assert answers.refusal(b"<html>\x00 nonsense").code == 0


@pytest.mark.parametrize(
    ("said", "code"),
    [(b"retval=7\n", 7), (b"1568 Fri\nretval=0\n", 0), (b"retval=-9\n", -9), (b"retval=x\n", None), (b"", None)],
)
def test_how_a_program_ended_is_in_its_last_file(said: bytes, code: int | None) -> None:
    assert answers.exit_code(said) == code


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html></html>",
        STATUS.replace(b"<failed>false", b"<failed>no"),
        STATUS.replace(b"<jobHandle>NGBW", b"<jobHandle>../../NGBW"),
        STATUS.replace(b"<jobHandle>NGBW", b"<jobHandle>a\n"),
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]>' + STATUS.partition(b"?>")[2],
        b"<jobstatus>" * 5000,
        b"<jobstatus>" + b"<a/>" * 30_000 + b"</jobstatus>",
        STATUS[:-40],
        b"\xff" + STATUS,
    ],
    ids=lambda answer: str(answer[:40]),
)
def test_what_is_no_status_is_not_understood(answer: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        answers.status(answer)


@given(st.data())
def test_damaged_answers_are_a_value_or_not_understood(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([STATUS, LIST, FILES])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=6))
        if not whole:
            break
    for read in (answers.status, answers.statuses, answers.handles, answers.files):
        # Nothing else is raised.
        with suppress(NotUnderstoodError):
            read(bytes(whole))
    assert answers.refusal(bytes(whole)).sentence.isprintable()


def _gateway(**tool: Any) -> Gateway:
    written = builders.gateway(kind="nsg", url="https://nsg.test/cipresrest/v1", tools={"PY": tool})
    return builders.catalogue(gateways={"nsg": written}).gateways["nsg"]


ORDER = Order(
    Handle("0123456789ab", "job-hub-0123456789ab", "alice"),
    "a\ntitle",
    ("PY", "--name", "two words"),
    "",
    ".job/script",
    nodes=2,
    cores=6,
    memory_mib=100,
    gpus=0,
    limit_s=5400,
    inputs=("my zip.zip",),
)


async def test_a_form_has_what_was_decided_by_the_names_that_the_tool_has_for_it(tmp_path: Path) -> None:
    gateway = _gateway(
        nodes="number_nodes_", cores="number_cores_", arguments="cmdlineopts_", parameters={"filename_": "run.py"}
    )
    (tmp_path / "zip").write_bytes(b"PK\r\n")
    form = submission.form(ORDER, gateway, tmp_path / "zip")
    assert form.fields == {
        "tool": "PY",
        "vparam.runtime_": "1.5",
        "vparam.number_nodes_": "2",
        "vparam.number_cores_": "6",
        "vparam.cmdlineopts_": "--name 'two words'",
        "vparam.filename_": "run.py",
        "metadata.clientJobId": "0123456789ab",
        "metadata.clientJobName": "a title",
    }
    body = b"".join([chunk async for chunk in form.chunks()])
    assert len(body) == form.length()
    assert b'name="input.infile_"; filename="my zip.zip"' in body
    assert b"\r\n\r\nPK\r\n\r\n--" in body


async def test_no_name_of_a_file_adds_a_field(tmp_path: Path) -> None:
    (tmp_path / "zip").write_bytes(b"PK")
    hostile = replace(ORDER, inputs=('a"\r\nX: y\r\n\r\n.zip',))
    body = b"".join([chunk async for chunk in submission.form(hostile, _gateway(), tmp_path / "zip").chunks()])
    assert b"\r\nX: y" not in body
    assert (
        body.count(b"Content-Disposition")
        == len(submission.form(hostile, _gateway(), tmp_path / "zip").fields) + 1
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(60, "0.0167"), (1800, "0.5"), (3600, "1"), (36_000, "10"), (1, "0.0003")]
)
def test_hours_are_no_less_than_was_asked_for(seconds: int, said: str) -> None:
    assert submission.hours(seconds) == said
    assert float(said) * 3600 >= seconds


@pytest.mark.parametrize(
    "changed", [{"program": ("FORTRAN",)}, {"program": ("PY", "word")}, {"inputs": ()}, {"inputs": ("a", "b")}]
)
def test_what_nsg_cannot_run_is_refused_before(changed: dict[str, Any]) -> None:
    right = replace(ORDER, program=("PY",))
    submission.check(right, _gateway())
    with pytest.raises(Refused):
        submission.check(replace(right, **changed), _gateway())


@given(st.binary(max_size=60), st.integers(-70, 70), st.none() | st.integers(0, 70), st.integers(1, 9))
async def test_a_part_of_a_file_is_that_part(data: bytes, start: int, length: int | None, size: int) -> None:
    async def chunks() -> Any:
        for at in range(0, len(data), size):
            yield data[at : at + size]

    window = Window.of(len(data), start, length)
    found = b"".join([piece async for piece in reading.cut(chunks(), window, "a")])
    tail = data[start:] if start >= 0 or -start <= len(data) else data
    assert found == (tail if length is None else tail[:length])


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a\\b", "a\nb", "x" * 300])
def test_a_name_that_no_file_can_have_is_left_out(name: str) -> None:
    assert not reading.is_fit(File(name, 1, "https://nsg.test/x", None))
