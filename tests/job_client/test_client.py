"""The library over a real connection: what is sent, what is read, what is sent again."""

import inspect
import logging
from pathlib import Path

import pytest

from hubjobs import (
    AsyncJobs,
    Away,
    HubJobsError,
    Jobs,
    NotLoggedIn,
    Problem,
    Spec,
    Unavailable,
    Unreadable,
    Untrusted,
    admin,
)
from hubjobs.models import Ticket
from tests.support import job_hub, loopback
from tests.support.job_hub import JOB_ID, TOKEN, JobHub, as_json, job, plain, problem

NOW = {"Retry_After": "0"}


@pytest.fixture
def jobs(hub: JobHub) -> Jobs:
    with Jobs(hub.url, TOKEN, patience_s=60) as jobs:
        yield jobs


def test_a_job_is_asked_for_with_what_is_set_and_a_key_of_its_own(hub: JobHub, jobs: Jobs) -> None:
    hub.gives("POST jobs", as_json(job("NEW"), 201))
    spec = Spec("command", "geneva", command="hostname", choices={"time": "2h"}, inputs=("a.zip",))
    assert jobs.submit(spec).stage == "NEW"
    assert jobs.submit(spec).is_over is False
    first, second = hub.asked
    assert first.json == {
        "type": "command",
        "system": "geneva",
        "command": "hostname",
        "choices": {"time": "2h"},
        "inputs": ["a.zip"],
        "start": "when-complete",
    }
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_certificates_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named after a fault of an older service: a hub that cannot show that it is one gets no token."""
    certificate = loopback.certificate(tmp_path)
    with loopback.listening(loopback.Hub(certificate=certificate)) as hub:
        url = f"https://localhost:{hub.port}"
        with Jobs(url, TOKEN, patience_s=0) as jobs, pytest.raises(Untrusted, match="is not trusted"):
            jobs.submit(Spec("command", command="hostname"))
        assert hub.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with Jobs(url, TOKEN, patience_s=0) as jobs, pytest.raises(HubJobsError):
            jobs.submit(Spec("command", command="hostname"))
        assert [token for _, token in hub.requests] == [f"Bearer {TOKEN}"]


def test_a_request_that_was_lost_is_sent_again_with_the_same_key(hub: JobHub, jobs: Jobs) -> None:
    busy = problem(503, "The database does not answer.", headers=NOW)
    hub.gives("POST jobs", b"", busy, as_json(job("NEW"), 201))
    assert jobs.submit(Spec("command")).job_id == JOB_ID
    assert len({each.headers["idempotency-key"] for each in hub.asked}) == 1
    assert len(hub.asked) == 3


def test_what_can_be_done_once_only_is_not_sent_again(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"DELETE jobs/{JOB_ID}", b"", as_json(job("DELETED")))
    with pytest.raises(Away, match="was lost"):
        jobs.delete(JOB_ID)
    hub.gives("POST admin/bans", problem(503, "Not now.", headers=NOW))
    with pytest.raises(Unavailable):
        jobs.do(admin.ban("bob", None, None, ""))
    assert len(hub.asked) == 2


def test_who_is_told_to_come_later_does_and_no_sooner_than_there_is_patience(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(
        "GET jobs", problem(429, "Too many at once.", headers=NOW), as_json({"items": [job()], "next": None})
    )
    assert [each.reason for each in jobs.jobs().items] == [""]
    hub.gives("GET systems", problem(503, "Come tomorrow.", headers={"Retry_After": "86400"}))
    with pytest.raises(Unavailable, match="Come tomorrow") as caught:
        jobs.systems()
    assert caught.value.retry_after_s == 86400
    assert len(hub.asked) == 3


def test_a_problem_is_the_services_own_sentence_and_harmless(hub: JobHub, jobs: Jobs) -> None:
    said = problem(
        422,
        "Two things \x1b[2Jare wrong.",
        "invalid",
        hint="Choose others.",
        fields={"cores": "At most 16.", "time": "No time."},
        quoted="sbatch: \x07error\nno",
        request_id="17",
    )
    hub.gives("POST jobs", said)
    with pytest.raises(Problem) as caught:
        jobs.submit(Spec("command"))
    error = caught.value
    assert (error.status, error.code, error.hint, error.request_id) == (422, "invalid", "Choose others.", "17")
    assert error.fields == {"cores": "At most 16.", "time": "No time."}
    assert error.quoted == "sbatch: error\nno"
    assert "\x1b" not in str(error)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (problem(401, "Your token has ended."), NotLoggedIn, "Your token has ended. Log in again"),
        (plain(401, b""), NotLoggedIn, "does not know your token"),
        (plain(404, b"<html>"), Problem, "no service for jobs"),
        (plain(500, b"[" * 100_000), Problem, "HTTP status 500"),
        (plain(302, b"", Location="https://elsewhere.example.org/"), Unreadable, "https://elsewhere.example.org/"),
        (plain(200, b"<html>Login</html>"), Unreadable, "cannot be read"),
        (plain(200, b"[" * 100_000), Unreadable, "cannot be read"),
        (as_json({"name": ["alice"]}), Unreadable, "name"),
        (as_json({}), Unreadable, "name"),
        (as_json([]), Unreadable, "Me"),
    ],
)
def test_what_is_no_answer_of_the_api_is_an_error(
    hub: JobHub, jobs: Jobs, answer: bytes, kind: type, said: str
) -> None:
    hub.gives("GET ", answer)
    with pytest.raises(kind, match=said):
        jobs.me()
    assert len(hub.asked) == 1


def test_an_answer_without_an_end_is_read_up_to_a_limit(
    hub: JobHub, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubjobs.engine.MOST_BYTES", 1000)
    hub.gives("GET ", as_json({"name": "x" * 2000}))
    with pytest.raises(Unreadable):
        jobs.me()


def test_a_service_that_is_not_there_is_away() -> None:
    with job_hub.running() as hub:
        url = hub.url
    with Jobs(url, TOKEN, patience_s=0) as jobs, pytest.raises(Away, match="cannot be reached"):
        jobs.me()


@pytest.mark.parametrize("host", ["hub example.org", "hub..example.org", "127.0.0.1:99999", "[::1"])
def test_an_address_at_which_nobody_can_be_is_told(host: str) -> None:
    with pytest.raises((Away, ValueError)) as caught, Jobs(f"https://{host}", TOKEN, patience_s=0) as jobs:
        jobs.me()
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("token", ["", "t\u00f6ken", "a\nb", "a\rX-Evil: 1"])
def test_what_cannot_be_a_token_is_not_sent(hub: JobHub, token: str) -> None:
    with pytest.raises(ValueError, match="cannot be a token"):
        Jobs(hub.url, token)
    assert not hub.asked


def test_what_the_service_adds_later_and_what_it_does_not_know_are_no_mistakes(hub: JobHub, jobs: Jobs) -> None:
    ticket = {"principal": "alice@LAB"}
    hub.gives("GET ", as_json({"name": "alice", "new": {"a": 1}, "groups": None, "ticket": ticket}))
    me = jobs.me()
    assert (me.name, me.groups, me.ticket) == ("alice", (), Ticket("alice@LAB"))


def test_all_jobs_are_had_page_by_page(hub: JobHub, jobs: Jobs) -> None:
    pages = [{"items": [job(title="1")], "next": "c 2"}, {"items": [job(title="2")], "next": None}]
    hub.gives("GET jobs", *map(as_json, pages))
    assert [each.title for each in jobs.every_job(stage=["QUEUED", "HELD"])] == ["1", "2"]
    assert hub.asked[0].path.endswith("jobs?stage=QUEUED&stage=HELD&limit=500")
    assert hub.asked[1].path.endswith("&cursor=c+2")


def test_a_job_is_waited_for_until_it_is_over(hub: JobHub, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubjobs.watching.PAUSE_S", 0)
    running, over = as_json(job("RUNNING"), ETag='"2"'), as_json(job("FAILED", exit_code=7), ETag='"3"')
    hub.gives(f"GET jobs/{JOB_ID}", running, plain(304, b""), b"", over)
    assert [each.stage for each in jobs.watch(JOB_ID)] == ["RUNNING", "FAILED"]
    assert hub.asked[0].path.endswith(JOB_ID)
    assert hub.asked[-1].path.endswith(f"{JOB_ID}?wait=30")
    assert hub.asked[-1].headers["if-none-match"] == '"2"'
    assert jobs.wait(JOB_ID).exit_status == 7


@pytest.mark.parametrize(
    ("stage", "failed", "exit_code", "signal", "status"),
    [
        ("SUCCESSFUL", False, 0, None, 0),
        ("FAILED", True, 7, None, 7),
        ("FAILED", True, 256, None, 1),
        ("FAILED", True, None, None, 1),
        ("FAILED", True, 0, None, 1),
        ("FAILED", True, None, 9, 137),
        ("CANCELED", False, None, 15, 130),
        ("DELETED", True, 3, None, 3),
        ("DELETED", False, 0, None, 0),
    ],
)
def test_a_job_ends_a_program_with_its_status(
    hub: JobHub, jobs: Jobs, stage: str, failed: bool, exit_code: int | None, signal: int | None, status: int
) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job(stage, failed=failed, exit_code=exit_code, signal=signal)))
    assert jobs.job(JOB_ID).exit_status == status


@pytest.mark.parametrize("job_id", ["", "..", "../admin/bans", "0A1B2C3D4E5F", "0a1b2c3d4e5f\n", "7"])
def test_what_is_no_id_is_sent_nowhere(hub: JobHub, jobs: Jobs, job_id: str) -> None:
    with pytest.raises(ValueError, match="is not a job"):
        jobs.cancel(job_id)
    assert not hub.asked


@pytest.mark.parametrize("path", ["", "..", "a/../b", "/etc/passwd", "a//b", "./a"])
def test_a_path_that_leads_elsewhere_is_sent_nowhere(hub: JobHub, jobs: Jobs, path: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        jobs.delete_file(JOB_ID, path)
    assert not hub.asked


def test_names_are_quoted_in_paths(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"DELETE jobs/{JOB_ID}/files/a%20b/%3Fc%2525.txt", plain(204, b""))
    jobs.delete_file(JOB_ID, "a b/?c%25.txt")
    assert len(hub.asked) == 1


def test_the_token_is_in_no_log_and_no_repr(hub: JobHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.gives("GET ", problem(401, "No."))
    with Jobs(hub.url, TOKEN) as jobs, pytest.raises(HubJobsError) as caught:
        jobs.me()
    assert hub.asked[0].headers["authorization"].endswith(TOKEN)
    shown = [repr(jobs), repr(jobs._engine), repr(caught.value), str(caught.value), caplog.text]
    assert not [each for each in shown if TOKEN in each]


def _methods(kind: type) -> dict[str, list[str]]:
    named = inspect.getmembers(kind, inspect.isfunction)
    return {name: list(inspect.signature(each).parameters) for name, each in named if not name.startswith("_")}


def test_both_clients_have_the_same_methods() -> None:
    assert _methods(Jobs) == _methods(AsyncJobs)
    assert len(_methods(Jobs)) > 25


async def test_the_other_client_does_the_same(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubjobs.watching.PAUSE_S", 0)
    hub.gives("POST jobs", b"", as_json(job("NEW"), 201))
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING"), ETag='"2"'), as_json(job("CANCELED"), ETag='"3"'))
    async with AsyncJobs(hub.url, TOKEN, patience_s=60) as jobs:
        sent = await jobs.submit(Spec("command"))
        assert [each.stage async for each in jobs.watch(sent.job_id)] == ["RUNNING", "CANCELED"]
        with pytest.raises(Problem, match="no service"):
            await jobs.systems()
    async with AsyncJobs(hub.url, TOKEN) as jobs:
        assert TOKEN not in repr(jobs)
