"""The scientists' client against the service itself, over a real connection."""

import asyncio
import contextlib
import io
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from hubjobs import AsyncJobs, NotLoggedIn, Problem, Spec, admin, session
from hubjobs.cli import ijp
from hubjobs.cli.main import main
from job_service.stages import Stage
from job_service.store.values import JobFilter
from tests.job_service.http.serving import Serving
from tests.support import builders
from tests.support.waiting import until

COMMAND = Spec("command", "geneva", command="hostname", title="a job", choices={"time": "30m"})
RUNS = (Stage.QUEUED, Stage.RUNNING)


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("hubjobs.transfers.FIRST_LOOK_S", 0.01)
    monkeypatch.setattr("hubjobs.watching.PAUSE_S", 0.01)


@pytest.fixture
async def hub(app: FastAPI) -> AsyncIterator[str]:
    """Give the address of a hub on loopback that has the service."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def alice(hub: str) -> AsyncIterator[AsyncJobs]:
    async with AsyncJobs(hub, "alice:submit", patience_s=60) as jobs:
        yield jobs


async def test_a_job_from_its_inputs_to_its_results(alice: AsyncJobs, service: Serving, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(b"in" * 100_000)
    sent = await alice.submit(
        Spec("command", "geneva", command="sh in.txt", inputs=("data/in.txt",), choices={"cores": "2"})
    )
    assert (sent.stage, sent.cores, sent.owner) == ("NEW", 2, "alice")
    put = await alice.put(sent.job_id, tmp_path / "in.txt", "data/in.txt")
    assert (put.path, put.size) == ("data/in.txt", 200_000)
    assert service.files.came[0][1] == 200_000
    assert service.files.came[0][2] is not None
    await service.running.goes(sent.job_id, Stage.STAGINGIN, Stage.READY, *RUNS)
    folder = service.files.folder / sent.job_id
    (folder / "stdout").write_bytes(b"one\n")
    waiting = asyncio.create_task(alice.wait(sent.job_id))
    following = alice.follow(sent.job_id)
    assert await anext(following) == b"one\n"
    (folder / "stdout").write_bytes(b"one\ntwo\n")
    assert await anext(following) == b"two\n"
    await service.running.goes(sent.job_id, Stage.FAILED, exit_code=7, reason="It ended with status 7.")
    assert [each async for each in following] == []
    over = await waiting
    assert (over.stage, over.exit_status, over.reason) == ("FAILED", 7, "It ended with status 7.")
    assert b"".join([each async for each in alice.log(sent.job_id, tail=1)]) == b"two\n"
    assert {each.path for each in (await alice.files(sent.job_id)).items} == {"data", "data/in.txt", "stdout"}
    await alice.get(sent.job_id, "stdout", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"
    done = await alice.get_all(sent.job_id, tmp_path / "all")
    assert (done.files, done.left_out) == (2, [])
    assert (tmp_path / "all/data/in.txt").read_bytes() == b"in" * 100_000
    assert [each.stage for each in await alice.events(sent.job_id)][-1] == "FAILED"
    assert (await alice.script(sent.job_id)).startswith("#!")
    assert (await alice.delete(sent.job_id)).stage == "DELETED"


async def test_what_there_is_is_read(alice: AsyncJobs) -> None:
    me = await alice.me()
    assert (me.name, me.is_admin) == ("alice", False)
    assert me.ticket is None or me.ticket.expires is not None
    assert {"geneva", "lugano"} <= {each.key for each in await alice.systems()}
    assert (await alice.system("geneva")).title
    types = {each.key: each.runs for each in await alice.job_types()}
    assert types == {"recon": "program", "command": "line"}
    fields = (await alice.job_type("command")).systems[0].fields
    assert "time" in {each.name for each in fields}
    assert {each.system for each in await alice.projects()} >= {"geneva"}
    assert await alice.quotas() == ()
    seen = await alice.preview(COMMAND)
    assert (seen.limit_s, seen.system) == (1800, "geneva")
    assert "hostname" in seen.script


async def test_acts_and_lists(alice: AsyncJobs, service: Serving) -> None:
    first = await alice.submit(COMMAND)
    again = await alice.resubmit(first.job_id)
    assert again.job_id != first.job_id
    assert (await alice.rename(first.job_id, "new")).title == "new"
    assert (await alice.cancel(first.job_id)).stage == "CANCELED"
    assert [each.job_id async for each in alice.every_job(stage="CANCELED")] == [first.job_id]
    assert (await alice.jobs(limit=1)).next is not None
    with pytest.raises(Problem) as caught:
        await alice.cancel(first.job_id)
    assert (caught.value.status, caught.value.code) == (409, "wrong_stage")


async def test_what_is_wrong_is_named(alice: AsyncJobs, hub: str) -> None:
    with pytest.raises(Problem) as caught:
        await alice.submit(Spec("command", "geneva", command="x", choices={"cores": "1000", "no": "1"}))
    assert caught.value.status == 422
    assert len(caught.value.fields) >= 1
    async with AsyncJobs(hub, "nobody") as nobody:
        with pytest.raises(NotLoggedIn, match="Log in again"):
            await nobody.me()


async def test_admins_ask_for_what_is_theirs(hub: str, alice: AsyncJobs, service: Serving) -> None:
    async with AsyncJobs(hub, "ruth:admin", patience_s=60) as ruth:
        made = await ruth.do(admin.add_project("geneva", "proj8", {"init_time": 1, "user_time": 18_000}))
        assert (made.name, made.time_left) == ("proj8", 1)
        changed = await ruth.do(admin.change_project("geneva", "proj8", {"name": "proj9", "init_time": 36_000}))
        assert (changed.name, changed.user_time) == ("proj9", 18_000)
        assert await ruth.do(admin.projects("geneva")) == (changed,)
        assert await ruth.do(admin.projects("lugano")) == ()
        assert await ruth.do(admin.project("geneva", "proj9")) == changed
        await ruth.do(admin.add_member("geneva", "proj9", "user", "alice"))
        assert [each.name for each in await ruth.do(admin.members("geneva", "proj9"))] == ["alice"]
        assert (await ruth.do(admin.grant("geneva", "proj9", "alice", 3600, "more"))).seconds == 3600
        assert [each.time_left for each in await ruth.do(admin.quotas("geneva", "proj9"))] == [21_600]
        quota = (await alice.quotas())[0].quota
        assert quota is not None
        assert (quota.time_left_s, quota.project_time_left_s) == (21_600, 36_000)
        assert (await ruth.do(admin.set_quota("alice", "geneva", "proj9", 60, ""))).time_left == 60
        sent = Spec("command", "geneva", "proj9", command="hostname", choices={"time": "30m"})
        with pytest.raises(Problem) as refused:
            await alice.submit(sent)
        assert (refused.value.status, refused.value.code) == (403, "quota_exceeded")
        banned = await ruth.do(admin.ban("alice", "geneva", "proj9", "Ask me."))
        assert [each.reason for each in await ruth.do(admin.bans("alice"))] == ["Ask me."]
        await ruth.do(admin.unban(banned.id or 0))
        assert await ruth.do(admin.bans()) == ()
        await ruth.do(admin.remove_member("geneva", "proj9", "user", "alice"))
        job = await alice.submit(COMMAND)
        assert [each.owner for each in (await ruth.do(admin.jobs(owner="alice"))).items] == ["alice"]
        assert (await ruth.do(admin.cancel(job.job_id))).stage == "CANCELED"
        assert (await ruth.do(admin.job(job.job_id))).owner == "alice"
        assert [each.stage for each in await ruth.do(admin.events(job.job_id))][-1] == "CANCELED"
        await ruth.do(admin.remove_project("geneva", "proj9"))
        assert await ruth.do(admin.projects()) == ()
        deeds = await ruth.do(admin.audit("ruth"))
        assert (deeds[1].action, deeds[1].target, len(deeds)) == ("cancel job", job.job_id, 10)
        assert [each.action for each in await ruth.do(admin.audit(target=job.job_id))] == ["cancel job"]
        with pytest.raises(Problem) as refused:
            await alice.do(admin.jobs())
        assert (refused.value.status, refused.value.code) == (403, "scope_missing")


async def test_the_command_does_the_same(hub: str, service: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    session.keep(session.Session(hub, "alice", "alice:submit"))

    async def run(*arguments: str) -> tuple[str, str, Any]:
        return await asyncio.to_thread(_run, ["hubjobs", *arguments])

    job_id, said, status = await run(
        "submit", "command", "--on", "geneva", "--time", "30m", "-t", "mine", "--", "id"
    )
    assert (said, status) == ("", 0)
    out, _, _ = await run("status", job_id.strip())
    assert "mine" in out.splitlines()[1]
    for arguments in (
        ("session",),
        ("systems",),
        ("types",),
        ("type", "command"),
        ("projects",),
        ("show", job_id[:12]),
    ):
        out, said, status = await run(*arguments)
        assert (said, status) == ("", 0), arguments
        assert out
    await service.running.goes(job_id.strip(), *RUNS, Stage.FAILED, exit_code=9)
    assert (await run("wait", job_id.strip()))[2] == 9


def _run(argv: list[str], main: Callable[[], None] = main) -> tuple[str, str, Any]:
    """Return what a command wrote to both streams, and its status; only this thread writes meanwhile."""
    out, err, before = io.BytesIO(), io.StringIO(), sys.argv
    text = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
    sys.argv = argv
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    return out.getvalue().decode(), err.getvalue(), ended.value.code or 0


async def test_datasets_are_found_and_sent_one_by_one(
    hub: str, service: Serving, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    lists = {"demo": {"list": [{"id": name, "type": "scan", "location": f"/data/{name}"} for name in "abc"]}}
    one = builders.job_type(run=["/opt/recon", "{dataset}"], datasets={"types": ["scan"], "modes": ["each"]})
    service.offers({"one": one}, lists)
    session.keep(session.Session(hub, "alice", "alice:submit"))

    async def ran(*words: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["hubjobs", *words])
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main)
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    status, out, _ = await ran("datasets", "demo:b")
    assert (status, out.split()[-5:]) == (0, ["demo:b", "scan", "-", "b", "/data/b"])
    asked = ("one", "--on", "geneva", "-d", "demo:a", "-d", "demo:x", "-d", "demo:c", "--each")
    status, out, _ = await ran("preview", *asked)
    assert (status, "demo:x" in out, "2" in out) == (0, True, True)
    status, out, err = await ran("submit", *asked)
    assert (status, len(out.split()), err.startswith("demo:x: ")) == (1, 2, True)
    records = await service.store.jobs.records(out.split())
    assert {each.spec.datasets for each in records.values()} == {("demo:a",), ("demo:c",)}
    status, out, _ = await ran("submit", *asked[:5], "--each", "--json")
    assert (status, len(json.loads(out)["jobs"])) == (0, 1)


async def test_the_log_of_an_array_is_that_of_a_task(hub: str, service: Serving) -> None:
    lists = {"demo": {"list": [{"id": name, "type": "scan", "location": f"/data/{name}"} for name in "ab"]}}
    one = builders.job_type(run=["/opt/recon"], datasets={"types": ["scan"], "modes": ["array"]})
    service.offers({"one": one}, lists)
    session.keep(session.Session(hub, "alice", "alice:submit"))

    async def run(*words: str) -> tuple[str, str, Any]:
        return await asyncio.to_thread(_run, ["hubjobs", *words])

    array = (await run("submit", "one", "--on", "geneva", "-d", "demo:a", "-d", "demo:b", "--array"))[0].strip()
    for follow in ((), ("-f",)):
        out, said, status = await run("log", array, *follow)
        assert (out, status) == ("", 1)
        assert "an array with 2 tasks" in said
        assert f"hubjobs log {array} --task 0" in " ".join(said.split())
    tasks = await service.store.jobs.tasks(array)
    printed = service.files.folder / tasks[1].job_id / "stdout"
    printed.parent.mkdir(parents=True)
    printed.write_text("scan b\n")
    assert await run("log", array, "--task", "1") == ("scan b\n", "", 0)
    out, said, status = await run("log", array, "--task", "2")
    assert (out, status, f"{array} has no task 2." in said) == ("", 1, True)


def _portal_types() -> dict[str, Any]:
    quality = {"title": "Quality", "min": 1, "max": 9, "argument": "--quality"}
    tracks = {"title": "Tracks", "flag": True, "argument": "--no-tracks", "when": "channels > 1"}
    parameters = {"quality": quality, "tracks": tracks}
    ingest = builders.job_type(run=["/opt/ingest"], parameters=parameters, free_arguments=1)
    wanted = {"types": ["scan"], "modes": ["each"]}
    each = builders.job_type(run=["/opt/each", "{dataset}"], parameters=parameters, datasets=wanted)
    return {"ingest": ingest, "quincy": each}


async def test_the_portals_command_does_the_same(hub: str, app: FastAPI, service: Serving) -> None:
    app.get("/hub/api/")(lambda: {"version": "6.1.1"})
    scans = [
        {"id": name, "type": "scan", "location": f"/data/{name}", "parameters": {"channels": 2}} for name in "ab"
    ]
    service.offers(_portal_types(), {"demo": {"list": scans}})
    session.keep(session.Session(hub, "alice", "alice:submit"))

    async def run(*words: str) -> tuple[str, str, Any]:
        return await asyncio.to_thread(_run, ["ijp", *words], ijp.main)

    assert (await run("session"))[0].startswith("User alice connected to JupyterHub 6.1.1 at http://127.0.0.1:")
    assert await run("jobtype") == ("Available job types are:\ningest is batch\nquincy is batch\n", "", 0)
    out, said, status = await run("submit", "ingest", "gggg", "--quality", "7", "--time", "30m")
    assert (said, status) == ("", 0)
    name = out.strip()
    number, _, host = name.partition(".")
    assert (number.isdigit(), host) == (True, "127.0.0.1")
    record = (await service.store.jobs.page(JobFilter("alice"))).items[0]
    assert (record.spec.arguments, record.spec.choices["param.quality"]) == (("gggg",), "7")
    assert await run("status") == (f"{name}, Q\n", "", 0)
    await service.running.goes(record.job_id, *RUNS)
    assert await run("status") == (f"{name}, R\n", "", 0)
    (service.files.folder / record.job_id).mkdir(parents=True)
    (service.files.folder / record.job_id / "stdout").write_bytes(b"one\n")
    assert await run("output", number) == ("one\n", "", 0)
    assert await run("cancel", name) == ("", "", 0)
    assert ("cancel", record.job_id) in service.running.told
    assert (await run("delete", name))[2] == 1
    await service.running.goes(record.job_id, Stage.CANCELED)
    assert (await run("status", name))[0].startswith(f"{name}, X\n")
    assert await run("delete", name) == ("", "", 0)
    out, said, status = await run("submit", "quincy", "--datasetIds=demo:a,demo:b", "--no-tracks")
    assert (len(out.split()), said, status) == (2, "", 0)
    records = (await service.store.jobs.page(JobFilter("alice"))).items
    assert {each.spec.datasets for each in records[:2]} == {("demo:a",), ("demo:b",)}
    assert {each.spec.choices["param.tracks"] for each in records[:2]} == {"true"}
    out, said, status = await run("submit", "ingest", "gggg", "hhhh")
    assert (out, status) == ("", 1)
    assert "further argument" in said
