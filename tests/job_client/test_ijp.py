"""The portal's command as whoever used the portal knows it: its verbs, what they print, what they end with."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubjobs import models, session
from hubjobs.cli import portal
from hubjobs.cli.ijp import main
from hubjobs.reading import read
from tests.job_client.ran import Ran
from tests.support.folders import DATA, TREE
from tests.support.job_hub import JOB_ID, TOKEN, JobHub, as_json, job, plain, problem

GOLDEN = DATA / "golden" / "hubjobs" / "ijp.txt"
LOGIN = ("login", "db", "username", "fred", "password")
HOST = "127.0.0.1"


@pytest.fixture
def run(hub: JobHub, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    soon = datetime.now(UTC) + timedelta(minutes=1439, seconds=40)
    session.keep(session.Session(hub.url, "fred", TOKEN, soon))
    return lambda *arguments, stdin="": Ran(main, ["ijp", *arguments], capsys, monkeypatch, stdin)


QUALITY = {"name": "param.quality", "label": "Quality", "least": 1, "most": 10, "default": "5"}
TIME = {"name": "time", "label": "Time", "least": "1m", "most": "8h", "default": "30m"}
ON_LINE = [
    {"name": "param.quality", "argument": ["--quality"], "words": {}},
    {"name": "param.one", "argument": ["-x"], "words": {}},
    {"name": "param.pair", "argument": ["-x", "--pair"], "words": {}},
    {"name": "param.tracks", "argument": None, "words": {"true": ["--no-tracks"]}},
    {"name": "param.channel", "argument": None, "words": {"r": ["--reg", "--red"], "a": ["--reg"]}},
]


def _type(key: str, runs: str = "program", modes: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    at = {"system": "geneva", "fields": [TIME, QUALITY], "on_line": ON_LINE, **more}
    wanted = {"types": ["scan"], "min": 1, "max": 9, "modes": list(modes)} if modes else None
    return {"key": key, "name": key, "runs": runs, "systems": [at], "datasets": wanted}


def _offers(hub: JobHub) -> None:
    types = [_type("view_ingested", "server"), _type("ingest"), _type("quincy", modes=("single", "each"))]
    hub.gives("GET types", as_json({"items": types}))
    for each in types:
        hub.gives(f"GET types/{each['key']}", as_json(each))


def test_the_lines_are_those_of_the_portal(hub: JobHub, run: Any) -> None:
    expires = (datetime.now(UTC) + timedelta(minutes=1439, seconds=40)).isoformat()
    _offers(hub)
    hub.gives(
        "POST /hub/api/users/fred/tokens", as_json({"token": "n3w", "id": "a17", "expires_at": expires}, 201)
    )
    hub.gives("GET /hub/api/", as_json({"version": "6.1.1"}))
    hub.gives("GET ", as_json({"name": "fred"}))
    hub.gives("POST jobs", as_json(job("READY", id=2), 201))
    hub.gives("GET jobs", as_json({"items": [job("RUNNING", id=2)], "next": None}))
    hub.gives(f"GET jobs/{JOB_ID}/log?stream=stdout", plain(200, b"what it prints\n"))
    hub.gives(f"GET jobs/{JOB_ID}/log?stream=stderr", plain(200, b"what went wrong\n"))
    hub.gives(f"POST jobs/{JOB_ID}/cancel", as_json(job("CANCELED", id=2)))
    hub.gives(f"DELETE jobs/{JOB_ID}", as_json(job("DELETED", id=2)))
    seen = ""
    for words in (
        (*LOGIN, "-"),
        ("session",),
        ("jobtype",),
        ("submit", "ingest", "gggg"),
        ("status",),
        ("output", f"2.{HOST}"),
        ("output", "-e", "2"),
        ("cancel", f"2.{HOST}"),
        ("delete", "2"),
    ):
        ran = run(*words, stdin="pa55\n")
        assert (ran.status, ran.err) == (0, "")
        seen += f"$ ijp {' '.join(words)}\n{ran.out}"
    seen = seen.replace(hub.url, "https://hub.example.org").replace(HOST, "hub.example.org")
    assert seen == GOLDEN.read_text(encoding="utf-8")
    asked = [each.json for each in hub.asked if each.method == "POST" and each.body]
    assert asked[0]["auth"] == {"username": "fred", "password": "pa55"}
    assert asked[1] == {"type": "ingest", "arguments": ["gggg"]}
    assert session.kept().token == "n3w"


def test_on_a_terminal_the_password_is_asked_for_by_its_name(hub: JobHub, run: Any) -> None:
    hub.gives("POST /hub/api/users/fred/tokens", as_json({"token": "n3w", "id": "a17"}, 201))
    code = "from hubjobs.cli.ijp import main; main()"
    environ = {**os.environ, "PYTHONPATH": str(TREE / "job_client")}
    terminal, slave = pty.openpty()
    command = [sys.executable, "-c", code, *LOGIN, "-"]
    # In a session of its own, so that the terminal of whoever runs the tests is not asked.
    with subprocess.Popen(
        command, env=environ, start_new_session=True, stdin=slave, stdout=slave, stderr=slave
    ) as ran:
        os.close(slave)
        seen = b""
        while chunk := _read(terminal):
            seen += chunk
            if seen.endswith(b"password: "):
                os.write(terminal, b"pa55\n")
    os.close(terminal)
    assert ran.returncode == 0
    assert seen == b"password: \r\na17\r\n"
    assert hub.asked[0].json["auth"]["password"] == "pa55"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 10_000)
    except OSError:
        return b""


def test_the_hub_is_named_once(hub: JobHub, run: Any, home: Path) -> None:
    hub.gives("POST /hub/api/users/fred/tokens", as_json({"token": "n3w", "id": "a17"}, 201))
    session.place().unlink()
    ran = run(*LOGIN, "-", stdin="pa55\n")
    assert (ran.status, ran.out) == (1, "")
    assert "ijp login --hub" in ran.err
    assert run("login", "--hub", hub.url, *LOGIN[1:], "-", stdin="pa55\n").out == "a17\n"
    assert run("logout").status == 0
    assert run(*LOGIN, "-dashed").out == "a17\n"
    assert hub.asked[-1].json["auth"]["password"] == "-dashed"


@pytest.mark.parametrize("content", [b"", b"\xff", b"http://hub.example.org", b"https://hub\x1b[2J"])
def test_what_is_kept_and_is_no_hub_is_passed_over(run: Any, home: Path, content: bytes) -> None:
    run("logout")
    session.place().with_name("hub").write_bytes(content)
    assert "ijp login --hub" in run(*LOGIN, "-", stdin="pa55\n").err


def test_who_is_not_logged_in_reads_how_it_is_done_here(hub: JobHub, run: Any) -> None:
    hub.gives("GET jobs", problem(401, "The token is over."))
    hub.gives("GET ", problem(401, "The token is over."))
    for words in (("status",), ("refresh",)):
        ran = run(*words)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == "The token is over.\nLog in: ijp login db username NAME password -\n"
    run("logout")
    for verb in (("status",), ("status", "2"), ("submit", "x"), ("session",), ("jobtype",)):
        ran = run(*verb)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == "You are not logged in.\nLog in: ijp login db username NAME password -\n"


@pytest.mark.parametrize(
    "words",
    [
        ("login", "db"),
        ("login", "db", "username"),
        ("login", "db", "username", "fred", "pin", "1"),
        ("status", "x"),
        ("status", "../admin"),
        ("status", "2.other.example.org"),
        ("output",),
        ("cancel", "²"),
        ("delete", "2.127.0.0.1\n"),
        ("submit", "--each", "--array", "x"),
        ("no-such-verb",),
    ],
)
def test_what_is_typed_wrong_is_2_and_nothing_is_sent(hub: JobHub, run: Any, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err
    assert not hub.asked


def test_the_output_of_an_array_is_that_of_its_tasks_in_their_order(hub: JobHub, run: Any) -> None:
    hub.gives("GET jobs?limit=500", as_json({"items": [job("RUNNING", id=2, kind="array")], "next": None}))
    ids = {0: "00000000000a", 1: "00000000000b"}
    tasks = [job("RUNNING", id=3 + at, task=at, job_id=ids[at], kind="task") for at in (1, 0)]
    hub.gives(f"GET jobs?parent={JOB_ID}&limit=200", as_json({"items": tasks, "next": None}))
    for at, job_id in ids.items():
        hub.gives(f"GET jobs/{job_id}/log?stream=stdout", plain(200, b"image %d\n" % at))
    assert run("output", "2").out == "image 0\nimage 1\n"


def test_a_job_is_found_by_its_number_page_by_page_or_by_its_id(hub: JobHub, run: Any) -> None:
    first = {"items": [job("RUNNING", id=9, job_id="000000000009")], "next": "c"}
    second = {"items": [job("HELD", id=2), job("NEW", id=1, job_id="000000000001")], "next": "d"}
    hub.gives("GET jobs?limit=500", as_json(first))
    hub.gives("GET jobs?limit=500&cursor=c", as_json(second))
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("HELD", id=2)))
    assert run("status", "2").out.splitlines()[0] == f"2.{HOST}, H"
    assert "a job title" in run("status", JOB_ID).out
    ran = run("cancel", "5")
    assert (ran.status, ran.err) == (1, f"You have no job 5 at {HOST}.\n")
    assert not [each for each in hub.asked if each.method == "POST"]


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["gggg", "--quality", "7"], {"choices": {"param.quality": "7"}, "arguments": ["gggg"]}),
        (["--quality=7", "--time", "2h"], {"choices": {"param.quality": "7", "time": "2h"}}),
        (["-x", "--pair", "1", "-x", "--pair=2"], {"choices": {"param.pair": "2"}}),
        (["-x", "y"], {"choices": {"param.one": "y"}}),
        (["-y", "--pair", "1"], {"arguments": ["-y", "--pair", "1"]}),
        (["--no-tracks", "--reg", "--red"], {"choices": {"param.tracks": "true", "param.channel": "r"}}),
        (["--reg", "a"], {"choices": {"param.channel": "a"}, "arguments": ["a"]}),
        (["a", "--", "--quality", "7"], {"arguments": ["a", "--quality", "7"]}),
        (["--", "--quality", "7"], {"choices": {"param.quality": "7"}}),
        (["--datasetIds=1,2", "a b"], {"datasets": ["1", "2"], "arguments": ["a b"]}),
        (["--datasetIds", "1"], {"datasets": ["1"]}),
        (["-e", "-h", "--each"], {"arguments": ["-e", "-h", "--each"]}),
    ],
)
def test_words_behind_a_type_become_its_choices_or_stay_words(
    hub: JobHub, run: Any, words: list[str], sent: dict[str, Any]
) -> None:
    _offers(hub)
    hub.gives("POST jobs", as_json(job("NEW", id=3), 201))
    assert run("submit", "quincy", *words).out == f"3.{HOST}\n"
    assert hub.asked[-1].json == {"type": "quincy", **sent}


def test_an_option_without_its_value_is_told(hub: JobHub, run: Any) -> None:
    _offers(hub)
    ran = run("submit", "quincy", "--quality")
    assert (ran.status, ran.out, ran.err) == (2, "", "Write a value behind --quality.\n")


def test_what_stands_alone_is_taken_in_its_order() -> None:
    alone = [{"name": f"param.{name}", "argument": []} for name in "ab"]
    found = portal.spec(read(models.JobType, _type("x", on_line=alone)), ["1", "2", "3"], None, None, [])
    assert (found.choices, found.arguments) == ({"param.a": "1", "param.b": "2"}, ("3",))


def test_of_a_type_that_runs_any_line_the_words_are_the_line(hub: JobHub, run: Any) -> None:
    hub.gives("GET types/command", as_json(_type("command", "line")))
    hub.gives("POST jobs", as_json(job("NEW", id=3), 201))
    run("submit", "--on", "geneva", "-p", "proj3", "command", "echo", "a b", "--time", "1h")
    run("submit", "command", "--", "ls; id")
    assert [each.json.get("command") for each in hub.asked if each.body] == ["echo 'a b' --time 1h", "ls; id"]
    assert hub.asked[1].json.items() >= {"system": "geneva", "project": "proj3"}.items()


@pytest.mark.parametrize(
    ("modes", "options", "mode"),
    [
        (("single", "each"), (), None),
        (("each", "array"), (), "each"),
        (("single", "each"), ("--each",), "each"),
        (("single", "array"), ("--array",), "array"),
    ],
)
def test_datasets_go_into_one_job_or_each_into_its_own(
    hub: JobHub, run: Any, modes: tuple[str, ...], options: tuple[str, ...], mode: str | None
) -> None:
    hub.gives("GET types/recon", as_json(_type("recon", modes=modes)))
    jobs = [job("NEW", id=4), job("NEW", id=5)]
    wrong = [{"dataset": "c", "code": "x", "detail": "There is none."}]
    group = as_json({"group": JOB_ID, "jobs": jobs, "errors": wrong}, 201)
    hub.gives("POST jobs", group if mode else as_json(jobs[0], 201))
    ran = run("submit", "-d", "a", "--dataset", "b", "-d", "c", *options, "recon")
    assert hub.asked[-1].json == {"type": "recon", "datasets": ["a", "b", "c"], **({"mode": mode} if mode else {})}
    if mode:
        assert (ran.out, ran.err, ran.status) == (f"4.{HOST}\n5.{HOST}\n", "c: There is none.\n", 1)
    else:
        assert (ran.out, ran.err, ran.status) == (f"4.{HOST}\n", "", 0)


def test_who_names_no_dataset_is_told_where(hub: JobHub, run: Any) -> None:
    hub.gives("GET types/recon", as_json(_type("recon", modes=("each",))))
    hub.gives("POST jobs", problem(422, "More, please.", fields={"datasets": "More, please."}))
    assert "ijp submit -d ID recon" in run("submit", "recon", "-d", "a").err


def test_of_an_interactive_type_a_server_is_started_and_its_address_printed(hub: JobHub, run: Any) -> None:
    found = {"name": "view-ingested", "type": "view_ingested", "system": "geneva", "datasets": ["a", "b"]}
    started = as_json({**found, "url": "/hub/spawn-pending/fred/view-ingested"}, 201)
    hub.gives("GET types/view_ingested", as_json(_type("view_ingested", "server", modes=("single",))))
    hub.gives("POST servers", started)
    ran = run("submit", "view_ingested", "--datasetIds=a,b", "--time", "2h")
    address = f"{hub.url}/hub/spawn-pending/fred/view-ingested\n"
    assert (ran.out, ran.err, ran.status) == (address, "", 0)
    assert hub.asked[-1].json == {"type": "view_ingested", "datasets": ["a", "b"], "choices": {"time": "2h"}}
    assert hub.asked[-1].headers["idempotency-key"]
    for words in (("view_ingested", "gggg"), ("--each", "-d", "a", "view_ingested")):
        ran = run("submit", *words)
        assert (ran.out, ran.status) == ("", 2)
        assert "view_ingested is interactive" in ran.err


def test_a_login_may_start_servers_too_if_the_person_may(hub: JobHub, run: Any) -> None:
    refused = as_json({"message": "alice does not have the scopes: [start:servers!user]"}, 400)
    hub.gives("POST /hub/api/users/fred/tokens", refused, as_json({"token": "n3w", "id": "a17"}, 201))
    assert run(*LOGIN, "-", stdin="pa55\n").out == "a17\n"
    first, second = (each.json["scopes"] for each in hub.asked)
    assert set(first) - set(second) == {"start:servers!user", "read:servers!user"}


@pytest.mark.parametrize(
    ("stage", "letter"),
    [
        ("NEW", "W"),
        ("STAGINGIN", "Q"),
        ("READY", "Q"),
        ("QUEUED", "Q"),
        ("HELD", "H"),
        ("RUNNING", "R"),
        ("STAGINGOUT", "E"),
        ("SUCCESSFUL", "C"),
        ("FAILED", "F"),
        ("CANCELED", "X"),
        ("DELETED", "C"),
        ("PONDERING", "U"),
    ],
)
def test_each_stage_has_a_letter_and_no_two_ends_the_same(stage: str, letter: str) -> None:
    assert portal.state(read(models.Job, job(stage))) == letter


@pytest.mark.parametrize(("typed", "number"), [("2", 2), ("2.Hub.example.org", 2), (JOB_ID, None)])
def test_a_job_is_named_by_its_number_with_or_without_its_host(typed: str, number: int | None) -> None:
    assert portal.number_of(typed, "hub.example.org") == number


def test_a_job_type_is_shown_as_json(hub: JobHub, run: Any) -> None:
    hub.gives("GET types/ingest", plain(200, b'{"key":  "ingest\xc2\x9b"}'))
    ran = run("jobtype", "ingest")
    assert (ran.out, ran.status) == ('{"key":  "ingest\\u009b"}\n', 0)


def test_a_session_without_an_end_and_one_that_is_over_say_so(hub: JobHub, run: Any) -> None:
    hub.gives("GET /hub/api/", as_json({"version": "6.1.1"}))
    hub.gives("GET ", as_json({"name": "fred"}))
    session.keep(session.Session(hub.url, "fred", TOKEN))
    assert run("session").out.endswith(f" at {hub.url} until the token is revoked.\n")
    session.keep(session.Session(hub.url, "fred", TOKEN, datetime.now(UTC) - timedelta(days=1)))
    assert run("session").out.endswith("with 0 minutes left.\n")


def test_refresh_says_what_it_cannot_do(hub: JobHub, run: Any) -> None:
    hub.gives("GET ", as_json({"name": "fred"}))
    ran = run("refresh")
    assert (ran.status, ran.out) == (0, "")
    assert "nothing but a new login changes" in ran.err


def test_what_a_service_refuses_and_one_that_is_away_end_with_1_and_75(hub: JobHub, run: Any) -> None:
    _offers(hub)
    hub.gives("POST jobs", problem(422, "Choose among its parameters.", hint="See the type."))
    ran = run("submit", "ingest", "gggg")
    assert (ran.status, ran.out, ran.err) == (1, "", "Choose among its parameters.\nSee the type.\n")
    hub.gives("GET jobs", problem(503, "Come back later.", headers={"Retry-After": "9999"}))
    ran = run("status")
    assert (ran.status, ran.out, ran.err) == (75, "", "Come back later.\n")


def test_no_control_character_of_the_service_is_written(hub: JobHub, run: Any) -> None:
    evil = "\x1b[2J\x07\x9b31m\u202e\nx"
    hub.gives("GET jobs", as_json({"items": [job(evil, id=2, title=evil, reason=evil)], "next": None}))
    hub.gives("GET types", as_json({"items": [_type(evil, evil)]}))
    hub.gives("GET /hub/api/", as_json({"version": evil}))
    hub.gives("GET ", as_json({"name": evil}))
    for words in (("status",), ("status", "2"), ("jobtype",), ("session",)):
        ran = run(*words)
        assert ran.status == 0
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.out + ran.err)
