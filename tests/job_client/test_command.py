"""The command as people and scripts see it: what is written where, and what it ends with."""

import io
import json
import os
import pty
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from hubjobs import Jobs, models, sentences, session
from hubjobs.cli import ijp, views, words
from hubjobs.cli.main import main
from hubjobs.cli.output import Screen
from hubjobs.reading import read
from tests.job_client.ran import Ran
from tests.support import job_hub
from tests.support.folders import DATA, TREE
from tests.support.job_hub import JOB_ID, TOKEN, JobHub, as_json, job, plain, problem

GOLDEN = DATA / "golden" / "hubjobs"


@pytest.fixture
def run(hub: JobHub, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    session.keep(session.Session(hub.url, "alice", TOKEN))
    return lambda *arguments, stdin="": Ran(main, ["hubjobs", *arguments], capsys, monkeypatch, stdin)


def _jobs() -> list[dict[str, Any]]:
    waits = (
        "Waits for its turn: 12 jobs of higher priority are before it in the partition batch, as of a minute ago."
    )
    return [
        job("QUEUED", reason=waits),
        job(
            "RUNNING", job_id="1b2c3d4e5f60", elapsed_s=754, title="a title that is longer than what is left of it"
        ),
        job("RUNNING", job_id="1b2c3d4e5f61", elapsed_s=60, stale=True, system="lugano", title=""),
        job(
            "FAILED",
            job_id="2c3d4e5f6071",
            elapsed_s=61,
            exit_code=7,
            reason="It ended with status 7.",
            title="日本",
        ),
        job("CANCELED", job_id="3d4e5f607182", reason="Cancelled by you.", limit_s=180000, type="recon"),
    ]


_PROJECT = {
    "system": "geneva",
    "name": "proj1",
    "title": "Beam time 1, in which all scans of spring are reconstructed",
    "account": "beam",
    "charge": "core",
    "init_time": 3_600_000,
    "user_time": 360_000,
    "time_left": 3_000_000,
    "limits": {"nodes": 4, "time": 28800},
}
_OPEN = {"system": "lugano", "name": "all", "charge": "wall", "is_open": True, "is_default": True}
_DEEDS = [
    {
        "at": "2026-11-27T08:00:00Z",
        "actor": "ruth",
        "action": "ban",
        "target": "bob",
        "detail": "geneva/proj1: Talk to us first.",
    },
    {
        "at": "2026-11-27T07:00:00Z",
        "actor": "service:robot",
        "action": "cancel job",
        "target": JOB_ID,
        "detail": "",
    },
]


def _seen(shown: str, width: int = 80, *, terminal: bool = True) -> str:
    """Return what a view looks like on a terminal of some width, or in a pipe."""
    screen = Screen(io.StringIO(), terminal, width)
    found = [read(models.Job, each) for each in _jobs()]
    if shown == "jobs":
        views.jobs(screen, found)
    elif shown == "job":
        views.job(screen, read(models.Job, _jobs()[3] | {"started": "2026-11-27T08:01:00Z", "gpus": 1}))
    elif shown == "projects":
        quota = {"charge": "node", "time_left_s": 16766, "project_time_left_s": 3476600, "limits": {}}
        known = [
            {"system": "geneva", "name": "proj3", "title": "Neurons", "is_default": True, "quota": quota},
            {"system": "lugano", "name": "default", "title": "", "is_default": True, "quota": None},
        ]
        views.projects(screen, [read(models.Project, each) for each in known])
    elif shown == "admin-projects":
        views.all_projects(screen, [read(models.ServiceProject, each) for each in (_PROJECT, _OPEN)])
    elif shown == "admin-project":
        views.service_project(screen, read(models.ServiceProject, _PROJECT))
    elif shown == "audit":
        views.deeds(screen, [read(models.Deed, each) for each in _DEEDS])
    elif shown == "type":
        field = {"name": "time", "label": "Time", "options": None, "least": "1m", "most": "8h", "default": "30m"}
        cores = {"name": "cores", "label": "Cores", "options": None, "least": 1, "most": 16, "default": "1"}
        other = {"name": "partition", "options": [{"value": "batch"}, {"value": "gpu"}], "default": "batch"}
        at = {
            "system": "geneva",
            "title": "Geneva",
            "state": "busy",
            "news": "All is in use.",
            "fields": [field, cores, other],
        }
        found_type = {"key": "command", "name": "Command", "runs": "line", "description": "Runs.", "systems": [at]}
        views.job_type(screen, read(models.JobType, found_type))
    return screen.file.getvalue()  # type: ignore[attr-defined]


GOLDENS = {
    "jobs-80": ("jobs", True),
    "jobs-pipe": ("jobs", False),
    "job-80": ("job", True),
    "projects-80": ("projects", True),
    "type-80": ("type", True),
    "admin-projects-80": ("admin-projects", True),
    "admin-project-80": ("admin-project", True),
    "audit-80": ("audit", True),
    "audit-pipe": ("audit", False),
}


@pytest.fixture
def colourless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(words, "age", lambda when: "12m" if when else "-")


@pytest.mark.parametrize(("cost", "is_said"), [(0, False), (7200, True)])
def test_a_preview_says_what_a_job_costs_where_its_project_has_a_quota(cost: int, is_said: bool) -> None:
    shown = io.StringIO()
    views.preview(Screen(shown, is_terminal=False, width=80), read(models.Preview, {"cost_s": cost}))
    assert ("Costs" in shown.getvalue()) is is_said


def test_a_preview_says_what_the_administrators_say_that_jobs_cost() -> None:
    shown = io.StringIO()
    said = "It costs 4 CPU hours if it runs for all of its time."
    views.preview(Screen(shown, is_terminal=False, width=80), read(models.Preview, {"costs": said}))
    assert said in shown.getvalue()


@pytest.mark.parametrize("name", GOLDENS)
def test_what_is_shown_is_what_somebody_has_looked_at(name: str, colourless: None) -> None:
    shown, terminal = GOLDENS[name]
    seen = _seen(shown, terminal=terminal)
    assert seen == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert "\t" not in seen
    assert "\x1b" not in seen
    if terminal:
        assert max(map(cell_len, seen.splitlines())) <= 80


def test_a_terminal_shows_stages_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31mFAILED" in _seen("jobs")


def test_an_array_is_shown_with_its_tasks(hub: JobHub, run: Any) -> None:
    ids = ("1b2c3d4e5f60", "1b2c3d4e5f61", "1b2c3d4e5f62")
    own = [
        job(
            "FAILED" if at == 1 else "RUNNING",
            job_id=id_,
            kind="task",
            task=at,
            parent=JOB_ID,
            title=f"recon: s{at}",
        )
        for at, id_ in enumerate(ids)
    ]
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING", kind="array")))
    hub.gives(
        "GET jobs", as_json({"items": [own[2], own[1]], "next": "c"}), as_json({"items": [own[0]], "next": None})
    )
    ran = run("show", JOB_ID)
    head, *rows = [line.split() for line in ran.out.partition("\nTASK")[2].splitlines()]
    assert [row[:3] for row in rows] == [[str(at), ids[at], own[at]["stage"]] for at in range(3)]
    assert head == ["JOB", "STAGE", "RAN", "TITLE"]
    assert [f"parent={JOB_ID}" in each.path for each in hub.asked] == [False, True, True]
    hub.answers.clear()
    hub.gives("GET jobs", as_json({"items": own, "next": None}))
    ran = run("status", "--tasks", JOB_ID)
    assert (ran.status, len(ran.out.splitlines())) == (0, 4)
    assert f"parent={JOB_ID}" in hub.asked[-1].path


def test_a_pipe_has_a_line_for_each_job_and_nothing_cut(hub: JobHub, run: Any) -> None:
    hub.gives("GET jobs", as_json({"items": _jobs(), "next": None}))
    ran = run("status")
    head, *rows = ran.out.splitlines()
    assert len(rows) == 5
    assert "a title that is longer than what is left of it" in rows[1]
    assert rows[0].endswith("as of a minute ago.")
    assert head.index("STAGE") == rows[3].index("FAILED")
    assert (ran.status, ran.err) == (0, "")


def test_json_is_what_the_service_says(hub: JobHub, run: Any) -> None:
    body = b'{"items": [ {"b":1.50,"a":"\xc3\xa9"}], "next":null}'
    hub.gives("GET jobs", plain(200, body))
    assert run("status", "--json", "--stage", "running").out.encode() == body + b"\n"
    assert "stage=RUNNING" in hub.asked[0].path
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job(title="\x9b2J\u202e")))
    assert json.loads(run("show", JOB_ID, "--json").out)["title"] == "\x9b2J\u202e"


def test_no_control_character_of_the_service_is_written(hub: JobHub, run: Any) -> None:
    evil = "\x1b[2J\x07\x9b31m\u202e\nx"
    hub.gives(
        "GET jobs", as_json({"items": [job(title=evil, reason=evil, system=evil, stage=evil)], "next": None})
    )
    hub.gives(f"GET jobs/{JOB_ID}", problem(409, evil, hint=evil, quoted=evil, fields={evil: evil}))
    for ran in (run("status"), run("show", JOB_ID), run("cancel", JOB_ID)):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.out + ran.err)


def test_submit_prints_the_id_alone_and_sends_the_files(hub: JobHub, run: Any, tmp_path: Path) -> None:
    hub.gives("GET types/command", as_json({"key": "command", "runs": "line"}))
    hub.gives("POST jobs", as_json(job("NEW"), 201))
    hub.gives(f"PUT jobs/{JOB_ID}/files/in.zip", as_json({"path": "in.zip", "size": 3}, 201))
    (tmp_path / "in.zip").write_bytes(b"zip")
    asked = [
        "command",
        "--on",
        "geneva",
        "-p",
        "proj3",
        "--time",
        "2h",
        "--set",
        "gpus=1",
        "-i",
        str(tmp_path / "in.zip"),
    ]
    ran = run("submit", *asked, "--", "unzip in.zip; sh run.sh")
    assert (ran.out, ran.err, ran.status) == (f"{JOB_ID}\n", "", 0)
    assert hub.asked[1].json == {
        "type": "command",
        "system": "geneva",
        "project": "proj3",
        "choices": {"time": "2h", "gpus": "1"},
        "command": "unzip in.zip; sh run.sh",
        "inputs": ["in.zip"],
        "start": "when-complete",
    }
    assert hub.asked[2].body == b"zip"


def test_with_files_too_json_is_all_that_submit_prints(hub: JobHub, run: Any, tmp_path: Path) -> None:
    hub.gives("POST jobs", as_json(job("NEW"), 201))
    hub.gives(f"PUT jobs/{JOB_ID}/files/in", as_json({"path": "in", "size": 1}, 201))
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("STAGINGIN")))
    (tmp_path / "in").write_bytes(b"x")
    assert (
        json.loads(run("submit", "recon", "--json", "--input", str(tmp_path / "in")).out)["stage"] == "STAGINGIN"
    )


def test_several_words_are_a_line_that_means_the_same(hub: JobHub, run: Any) -> None:
    hub.gives("GET types/command", as_json({"key": "command", "runs": "line"}))
    hub.gives("GET types/recon", as_json({"key": "recon", "runs": "program"}))
    hub.gives("POST jobs", as_json(job("NEW"), 201))
    run("submit", "command", "--", "echo", "a b", "$HOME")
    run("submit", "recon", "--", "a b", "--fast")
    sent = [each.json for each in hub.asked if each.method == "POST"]
    assert sent[0]["command"] == "echo 'a b' '$HOME'"
    assert sent[1]["arguments"] == ["a b", "--fast"]


def test_submit_of_an_interactive_type_starts_a_server_and_prints_its_address(hub: JobHub, run: Any) -> None:
    hub.gives("POST jobs", problem(422, "look is interactive.", "interactive", fields={"type": "It is."}))
    body = {"name": "look", "url": "/jupyter/hub/spawn-pending/alice/look", "type": "look", "system": "geneva"}
    hub.gives("POST servers", as_json(body, 201))
    ran = run("submit", "look", "--on", "geneva", "-d", "scans:1", "-d", "scans:2", "--time", "2h")
    assert (ran.out, ran.err, ran.status) == (f"{hub.url}/jupyter/hub/spawn-pending/alice/look\n", "", 0)
    assert hub.asked[-1].json == {
        "type": "look",
        "system": "geneva",
        "choices": {"time": "2h"},
        "datasets": ["scans:1", "scans:2"],
    }
    assert json.loads(run("submit", "look", "--json").out) == body
    ran = run("submit", "look", "--later")
    assert (ran.out, ran.status) == ("", 2)
    assert "look is interactive" in ran.err


def test_datasets_are_shown_whatever_is_known_of_them(hub: JobHub, run: Any) -> None:
    known = {"channels": 2, "dose": 0.5, "stage": "8 cells", "fixed": True}
    at = {"name": "Embryo 1", "type": "image", "location": "/gpfs/1.txt"}
    hub.gives("GET datasets", as_json({"items": [{"id": "images:1", **at, "parameters": known}]}))
    assert run("datasets", "embryo").out.splitlines()[1].split() == [
        *("images:1", "image", "-"),
        *("Embryo", "1", "/gpfs/1.txt"),
    ]
    with Jobs(hub.url, TOKEN) as jobs:
        assert jobs.datasets("embryo").items[0].parameters == known


def test_a_type_is_shown_for_the_chosen_datasets(hub: JobHub, run: Any) -> None:
    at = {"system": "geneva", "fields": [{"name": "param.cutoff", "default": "0.5"}]}
    hub.gives("GET types/recon", as_json({"key": "recon", "runs": "program", "systems": [at]}))
    ran = run("type", "recon", "--dataset", "scans:a b", "-d", "scans:2")
    assert "--set param.cutoff=" in ran.out
    assert hub.asked[-1].path.endswith("/types/recon?dataset=scans%3Aa+b&dataset=scans%3A2")


def test_a_type_says_which_datasets_it_takes(hub: JobHub, run: Any) -> None:
    wanted = {"types": ["scan"], "min": 1, "max": 9, "modes": ["each", "array"]}
    hub.gives(
        "GET types/recon",
        *(as_json({"key": "recon", "runs": runs, "datasets": wanted}) for runs in ("program", "server")),
    )
    lines = run("type", "recon").out.splitlines()
    assert "Datasets    1 to 9, of the types scan" in lines
    assert "Of several  a job for each, an array" in lines
    assert "Of several" not in run("type", "recon").out


def test_who_names_no_dataset_is_told_how(hub: JobHub, run: Any) -> None:
    hub.gives("POST jobs", problem(422, "More, please.", fields={"datasets": "More, please."}))
    hub.gives("POST preview", problem(422, "More, please.", fields={"datasets": "More, please."}))
    for words_ in (["submit", "recon"], ["preview", "recon"]):
        assert "hubjobs datasets" in run(*words_).err
        assert "hubjobs datasets" not in run(*words_, "-d", "a").err


def test_a_preview_knows_the_names_of_the_inputs(hub: JobHub, run: Any) -> None:
    hub.gives("POST preview", as_json({"type": "tool", "system": "nsg"}))
    assert run("preview", "tool", "--on", "nsg", "--input", "some/job.zip", "--unpack").status == 0
    assert (hub.asked[-1].json["inputs"], hub.asked[-1].json["unpack"]) == (["job.zip"], True)


def test_an_upload_that_fails_tells_of_the_job_that_waits_for_it(hub: JobHub, run: Any, tmp_path: Path) -> None:
    hub.gives("POST jobs", as_json(job("NEW"), 201))
    hub.gives(f"PUT jobs/{JOB_ID}/files/in", problem(507, "No space left.", hint="Delete files."))
    (tmp_path / "in").write_bytes(b"x")
    ran = run("submit", "recon", "--input", str(tmp_path / "in"))
    assert (ran.out, ran.status) == (f"{JOB_ID}\n", 1)
    assert f"hubjobs put {JOB_ID} FILE" in ran.err
    assert "No space left.\nDelete files." in ran.err


def test_an_error_is_the_services_sentence_with_what_to_do(hub: JobHub, run: Any) -> None:
    said = problem(
        422, "Some fields are wrong.", hint="See the type.", fields={"cores": "At most 16.", "x": "None."}
    )
    hub.gives("POST jobs", said)
    ran = run("submit", "recon")
    assert ran.err == "Some fields are wrong.\n  cores  At most 16.\n  x      None.\nSee the type.\n"
    assert (ran.out, ran.status) == ("", 1)


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ([job("SUCCESSFUL")], 0),
        ([job("FAILED", exit_code=7)], 7),
        ([job("CANCELED")], 130),
        ([job("SUCCESSFUL"), job("FAILED", signal=9), job("CANCELED")], 137),
    ],
)
def test_wait_ends_with_the_jobs_status(hub: JobHub, run: Any, ends: list[dict[str, Any]], status: int) -> None:
    ids = [f"{at:012x}" for at in range(len(ends))]
    for job_id, end in zip(ids, ends, strict=True):
        hub.gives(f"GET jobs/{job_id}", as_json(end | {"job_id": job_id}))
    ran = run("wait", *ids)
    assert (ran.status, ran.out) == (status, "")
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ids


def test_a_service_that_is_away_is_75(run: Any) -> None:
    with job_hub.running() as hub:
        session.keep(session.Session(hub.url, "alice", TOKEN))
    ran = run("wait", JOB_ID, "--patience", "0")
    assert ran.status == 75
    assert "cannot be reached" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["show"],
        ["show", "../admin"],
        ["get", JOB_ID],
        ["get", JOB_ID, "a", "--all"],
        ["get", JOB_ID, ".."],
        ["get", JOB_ID, "a", "b", "--to", "/nonexistent"],
        ["submit", "recon", "--set", "time"],
        ["admin", "grant", "proj3", "1h"],
        ["admin", "grant", "geneva/proj3", "1"],
        ["log", JOB_ID, "--tail", "-1"],
        ["admin", "add-project", "proj1"],
        ["admin", "add-project", "geneva/proj1", "--time", "1"],
        ["admin", "add-project", "geneva/proj1", "--most", "nodes=many"],
        ["admin", "job", "7"],
        ["cancel", JOB_ID, "7"],
    ],
)
def test_what_is_typed_wrong_is_2_and_nothing_is_sent(hub: JobHub, run: Any, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err
    assert not hub.asked


@pytest.mark.parametrize("whose", [[], ["admin"]])
def test_what_cannot_be_done_with_one_job_is_done_with_the_others(hub: JobHub, run: Any, whose: list[str]) -> None:
    where = "/".join([*whose, "jobs"])
    hub.gives(f"POST {where}/000000000001/cancel", problem(409, "It is over."))
    hub.gives(f"POST {where}/000000000002/cancel", as_json(job("CANCELED")))
    ran = run(*whose, "cancel", "000000000001", "000000000002")
    assert ran.status == 1
    assert "It is over." in ran.err
    assert "CANCELED" in ran.err


def test_files_are_fetched_by_name_or_all(
    hub: JobHub, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hub.gives(f"GET jobs/{JOB_ID}/files/results/a.dat", plain(200, b"data"))
    hub.gives(f"GET jobs/{JOB_ID}/archive.tar", plain(200, b"\0" * 10240))
    assert run("get", JOB_ID, "results/a.dat").status == 0
    assert run("get", JOB_ID, "results/a.dat", "--to", "b.dat").status == 0
    assert run("get", JOB_ID, "--all").err == f"0 files, 0 B, in {JOB_ID}\n"
    assert (tmp_path / "a.dat").read_bytes() == (tmp_path / "b.dat").read_bytes() == b"data"
    assert (tmp_path / JOB_ID).is_dir()


def test_login_asks_for_the_password_and_shows_it_nowhere(hub: JobHub, run: Any) -> None:
    hub.gives("POST /hub/api/users/alice/tokens", as_json({"token": "n3w-token"}, 201))
    ran = run("login", f"{hub.url}/hub/home", "--user", "alice", stdin="pa55\n")
    assert ran.status == 0
    assert f"alice is logged in to {hub.url}" in ran.err
    assert not {"pa55", "n3w-token"} & set((ran.out + ran.err).split())
    assert session.kept().token == "n3w-token"
    assert hub.asked[0].json["auth"]["password"] == "pa55"


def test_login_takes_a_token_from_standard_input_and_none_from_the_command_line(hub: JobHub, run: Any) -> None:
    hub.gives("GET ", as_json({"name": "alice", "ticket": None}))
    assert run("login", "--token", stdin="typed-token\n").status == 0
    assert session.kept().token == "typed-token"
    assert "none: nothing can be sent." in run("session").out
    assert run("login", "--token", "typed-token", stdin="\n").status != 0
    assert "logged out" in run("logout").err
    assert run("status").err.startswith("You are not logged in.\nLog in: ")


def test_status_is_shown_again_until_all_are_over(hub: JobHub, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubjobs.cli.following.WATCH_S", 0)
    pages = [{"items": [each], "next": None} for each in (job("QUEUED"), job("QUEUED"), job("SUCCESSFUL"))]
    hub.gives("GET jobs", *map(as_json, pages))
    ran = run("status", "--watch")
    assert [line.split()[1] for line in ran.out.splitlines()] == ["STAGE", "QUEUED", "STAGE", "SUCCESSFUL"]
    hub.answers.clear()
    hub.gives("GET jobs", as_json({"items": [], "next": None}))
    assert run("status").err.startswith("No jobs.")


def test_an_interrupt_ends_with_130(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hubjobs.client.Jobs.said", interrupted)
    ran = run("status", "--json")
    assert (ran.status, ran.out, ran.err) == (130, "", "")


@pytest.mark.parametrize("program", [main, ijp.main])
def test_an_interrupt_before_a_command_has_begun_ends_with_130(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    # Typer looks at all commands before it knows which one is wanted.
    monkeypatch.setattr("typer.main.get_command", interrupted)
    with pytest.raises(SystemExit) as ended:
        program()
    assert (ended.value.code, capsys.readouterr()) == (130, ("", ""))


def test_an_admin_bans_and_grants(hub: JobHub, run: Any) -> None:
    ban = {"id": 3, "user": "bob", "system": "geneva", "project": "proj3", "reason": "No.", "by": "ruth"}
    other = ban | {"id": 4, "project": "proj4"}
    hub.gives("POST admin/bans", as_json(ban, 201))
    hub.gives("GET admin/bans", as_json({"items": [ban, other], "next": None}))
    hub.gives("DELETE admin/bans/3", as_json(ban))
    hub.gives("POST admin/projects/geneva/proj3/grants", as_json({"kind": "grant", "seconds": -3600}, 201))
    assert run("admin", "ban", "bob", "-p", "geneva/proj3", "--reason", "No.").status == 0
    assert "geneva/proj3" in run("admin", "bans").out
    assert run("admin", "unban", "bob", "-p", "geneva/proj3").err.count("again") == 1
    taken = run("admin", "grant", "geneva/proj3", "--user", "bob", "--", "-1h")
    assert (taken.status, taken.err) == (0, "1.0 h of geneva/proj3 were taken back from bob.\n")
    assert hub.asked[-1].json == {"user": "bob", "seconds": -3600, "note": ""}
    assert "taken back from the project itself." in run("admin", "grant", "geneva/proj3", "--", "-1h").err
    assert run("admin", "grant", "geneva/proj3", "1h").err == "The project got 1.0 h of geneva/proj3.\n"


def test_an_admin_makes_changes_and_removes_a_project(hub: JobHub, run: Any) -> None:
    there = "admin/projects/geneva/proj1"
    hub.gives("POST admin/projects", as_json(_PROJECT, 201))
    hub.gives("GET admin/projects", as_json({"items": [_PROJECT, _OPEN], "next": None}))
    hub.gives(f"GET {there}", as_json(_PROJECT))
    hub.gives(f"PATCH {there}", as_json(_PROJECT | {"name": "proj2"}))
    hub.gives(f"DELETE {there}", plain(204, b""))
    named = (
        "--title",
        "Beam time 1",
        "--time",
        "1000h",
        "--each",
        "100h",
        "--charge",
        "core",
        "--most",
        "time=8h",
    )
    assert "geneva/proj1" in run("admin", "add-project", "geneva/proj1", *named, "--most", "nodes=4", "--open").out
    assert hub.asked[-1].json == {
        "system": "geneva",
        "name": "proj1",
        "title": "Beam time 1",
        "init_time": 3_600_000,
        "user_time": 360_000,
        "charge": "core",
        "is_open": True,
        "limits": {"time": 28_800, "nodes": 4},
    }
    assert "lugano/all" in run("admin", "projects", "--system", "lugano").out
    assert hub.asked[-1].path.endswith("admin/projects?system=lugano")
    assert "833.3 h" in run("admin", "project", "geneva/proj1").out
    assert json.loads(run("admin", "project", "geneva/proj1", "--json").out)["init_time"] == 3_600_000
    run("admin", "change-project", "geneva/proj1", "--most", "none", "--account", "")
    assert hub.asked[-1].json == {"limits": {}, "account": None}
    mixed = run("admin", "change-project", "geneva/proj1", "--most", "none", "--most", "nodes=4")
    assert (mixed.status, mixed.err) == (2, f"{sentences.NO_LIMIT.format(text='none')}\n")
    changed = run("admin", "change-project", "geneva/proj1", "--name", "proj2", "--closed", "--account", "beam")
    assert "geneva/proj2" in changed.out
    assert hub.asked[-1].json == {"name": "proj2", "is_open": False, "account": "beam"}
    hub.gives("PATCH admin/projects/lugano/all", as_json(_OPEN | {"identity": "service"}))
    assert "the account of the system" not in changed.out
    visitors = run("admin", "change-project", "lugano/all", "--identity", "service")
    assert hub.asked[-1].json == {"identity": "service"}
    assert "the account of the system" in visitors.out
    removed = run("admin", "remove-project", "geneva/proj1")
    assert (removed.status, removed.out) == (0, "")
    assert removed.err.startswith("geneva/proj1 is no project any more.")


def test_an_admin_sees_a_job_with_its_history_and_what_admins_did(hub: JobHub, run: Any) -> None:
    events = {"items": [{"at": "2026-11-27T08:00:00Z", "stage": "NEW", "text": "Accepted."}]}
    hub.gives(f"GET admin/jobs/{JOB_ID}", as_json(job("QUEUED", owner="bob")))
    hub.gives(f"GET admin/jobs/{JOB_ID}/events", as_json(events))
    hub.gives("GET admin/audit", as_json({"items": _DEEDS, "next": None}))
    seen = run("admin", "job", JOB_ID).out
    assert "bob" in seen
    assert "Accepted." in seen
    assert json.loads(run("admin", "job", JOB_ID, "--json").out)["owner"] == "bob"
    assert json.loads(run("admin", "job", JOB_ID, "--events", "--json").out) == events
    assert "bob" not in run("admin", "job", JOB_ID, "--events").out
    assert "Talk to us first." in run("admin", "audit", "--by", "ruth", "--to", "bob", "-n", "5").out
    assert hub.asked[-1].path.endswith("admin/audit?actor=ruth&target=bob&limit=5")


def test_on_a_terminal_a_log_is_made_harmless_and_progress_is_shown(hub: JobHub, run: Any, home: Path) -> None:
    hub.gives(f"GET jobs/{JOB_ID}/log", plain(200, b"\x1b]0;evil\x07\x1b[2Jone\r\n"))
    command = [sys.executable, "-m", "hubjobs", "log", JOB_ID]
    environ = {**os.environ, "PYTHONPATH": str(TREE / "job_client")}
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=slave, env=environ) as ran:
        os.close(slave)
        seen = b""
        while chunk := _read(master):
            seen += chunk
    os.close(master)
    assert (seen, ran.returncode) == (b"one\r\n", 0)
    piped = subprocess.run(command, capture_output=True, env=environ, check=True)
    assert piped.stdout == b"\x1b]0;evil\x07\x1b[2Jone\r\n"


def _read(master: int) -> bytes:
    try:
        return os.read(master, 10_000)
    except OSError:
        return b""


def test_on_a_terminal_status_is_shown_in_its_place(hub: JobHub, run: Any, home: Path) -> None:
    pages = [{"items": [each], "next": None} for each in (job("QUEUED", reason="Waits."), job("SUCCESSFUL"))]
    hub.gives("GET jobs", *map(as_json, pages))
    code = "import hubjobs.cli.following as f; f.WATCH_S = 0; from hubjobs.cli.main import main; main()"
    environ = {**os.environ, "PYTHONPATH": str(TREE / "job_client"), "TERM": "xterm"}
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, "status", "-w"], stdout=slave, stderr=slave, env=environ
    ) as ran:
        os.close(slave)
        seen = b""
        while chunk := _read(master):
            seen += chunk
    os.close(master)
    assert ran.returncode == 0
    assert seen.index(b"QUEUED") < seen.index(b"Waits.") < seen.index(b"SUCCESSFUL")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_every_moment_that_a_service_names_is_shown(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for year in (datetime.min, datetime.max):
            assert words.moment(year.replace(tzinfo=UTC))
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (5, "5s"),
        (60, "1m"),
        (3600, "1h"),
        (7500, "2h05m"),
        (273600, "3d04h"),
        (86400, "1d"),
        (-90, "-1m"),
    ],
)
def test_times_as_they_are_written(seconds: int | None, shown: str) -> None:
    assert words.span(seconds) == shown


@pytest.mark.parametrize(("typed", "seconds"), [("90m", 5400), ("1d12h", 129600), ("-1h", -3600), ("45s", 45)])
def test_times_as_they_are_typed(typed: str, seconds: int) -> None:
    assert words.seconds(typed) == seconds


if __name__ == "__main__":
    # Writes the goldens anew: read the difference before committing it.
    os.environ |= {"NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC"}
    words.age = lambda when: "12m" if when else "-"
    GOLDEN.mkdir(exist_ok=True)
    for name, (shown, terminal) in GOLDENS.items():
        (GOLDEN / f"{name}.txt").write_text(_seen(shown, terminal=terminal), encoding="utf-8")
