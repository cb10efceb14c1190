"""Requests against what really runs jobs and moves files: Slurm is a table, the site a shell of this machine."""

import asyncio
import io
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from job_service.accepting.acceptance import Acceptance
from job_service.accepting.administration import Administration
from job_service.datasets.datasets import Datasets
from job_service.files.files import Files
from job_service.http.app import make_app
from job_service.record import JobRecord
from job_service.service import Service as Whole
from profiles.offer.launch import BatchLaunch
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transfer import Transfer
from slurm_ssh.ssh.transport import Completed
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import Tokens, client, logins, servers
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service as Runs
from tests.support.local import LocalSite

_SLURM = ("/sbatch", "/squeue", "/scancel", "/scontrol", "/sacct", "look() {\n  [ -d")
_FOLDERS = ("chmod 700 . ||", "take_away ")


@dataclass
class _Site:
    """Stands for a pool: what is Slurm's reaches a table, all other programs run in a shell of this machine."""

    slurm: Crowd
    local: LocalSite

    @asynccontextmanager
    async def connection(self, login: Login, *_: Any) -> AsyncIterator["_Door"]:
        async with self.slurm.connection(login) as slurm:
            yield _Door(slurm, self.local)

    def renew(self, user: str) -> None:
        self.slurm.renew(user)

    def logins(self) -> tuple[Login, ...]:
        return ()

    async def close(self) -> None:
        """There is nothing to close."""


@dataclass
class _Door:
    slurm: Any
    local: LocalSite

    async def run(self, program: str, data: bytes = b"", **how: Any) -> Completed:
        if "/sinfo" in program or "/scontrol show" in program:
            return Completed(1, "", "sinfo: error: Unable to contact slurm controller")
        if any(words in program for words in _SLURM):
            return cast(Completed, await self.slurm.run(program, data))
        if any(words in program for words in _FOLDERS):
            # Slurm's side keeps in mind which folders there are.
            await self.slurm.run(program, data)
        return await self.local.run(cast(Any, program), data, **how)

    async def send(self, program: Any, chunks: AsyncIterator[bytes], **how: Any) -> Completed:
        return await self.local.send(program, chunks, **how)

    def receive(self, program: Any, data: bytes = b"", **how: Any) -> AbstractAsyncContextManager[Transfer]:
        return self.local.receive(program, data, **how)


class _Runs(Runs):
    accepting: Acceptance

    async def start(self) -> None:
        await super().start()
        datasets = Datasets(self.live, self.core.remote_of)
        reach = self.core
        self.accepting = Acceptance(
            self.store,
            self.live,
            reach.availability,
            reach.forecasts,
            self.tickets,
            datasets,
            "hub",
            self.clock.now,
        )

    async def _launch(self, record: JobRecord) -> BatchLaunch:
        return await self.accepting.launch(record)


@pytest.fixture
async def slurm() -> Crowd:
    slurm = Crowd(FastClock())
    slurm.lasts = 10**6
    return slurm


@pytest.fixture
async def whole(tmp_path: Path, _empty: Path, slurm: Crowd, local: LocalSite) -> AsyncIterator[FastAPI]:
    database = shutil.copy(_empty, tmp_path / "whole.sqlite")
    jobs = {"folder": f"{tmp_path}/{{owner}}/jobs", "keep": "30d"}
    runs = _Runs(tmp_path, f"sqlite:///{database}", _Site(slurm, local), slurm.clock, jobs=jobs)
    await runs.start()
    serving = Serving(
        runs.store,
        runs.accepting,
        Administration(runs.store, runs.live),
        runs.tickets,
        cast(Any, runs.running),
        cast(Any, Files(runs.access.remote)),
        runs.live,
        core=runs.core,
    )
    yield make_app(cast(Whole, serving), Tokens(), logins(), servers())
    await runs.stop()


@pytest.fixture
async def alice(whole: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(whole, "alice:submit") as found:
        yield found


async def _until(alice: httpx.AsyncClient, job: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a job once it is so, as somebody waits for it by the API."""
    etag = ""
    async with asyncio.timeout(60):
        while True:
            got = await alice.get(job, params={"wait": 1}, headers={"If-None-Match": etag} if etag else {})
            if got.status_code == 200:
                etag = got.headers["ETag"]
                if is_so(found := got.json()):
                    return cast(dict[str, Any], found)


async def test_a_job_from_its_inputs_to_its_removal(
    alice: httpx.AsyncClient, slurm: Crowd, tmp_path: Path
) -> None:
    wanted = {
        "type": "command",
        "system": "geneva",
        "command": "sh run.sh",
        "inputs": ["run.sh"],
        "start": "later",
    }
    got = await alice.post("/api/v1/jobs", json=wanted)
    assert got.status_code == 201, got.text
    job_id = got.json()["job_id"]
    job, folder = f"/api/v1/jobs/{job_id}", Path(got.json()["folder"])
    assert (got.json()["stage"], folder.parent) == ("NEW", tmp_path / "alice/jobs")
    assert (await alice.put(f"{job}/files/run.sh", content=b"echo hello\n")).status_code == 201
    assert (folder / "run.sh").read_bytes() == b"echo hello\n"
    assert not slurm.jobs
    assert (await alice.post(f"{job}/start")).status_code in {200, 202}
    running = await _until(alice, job, lambda each: each["stage"] == "RUNNING")
    (there,) = slurm.of(job_id)
    assert running["native_id"] == str(there.number)
    (folder / "stdout").write_bytes(b"hello\n")
    files = (await alice.get(f"{job}/files")).json()["items"]
    assert {each["path"]: each["size"] for each in files} == {"run.sh": 11, "stdout": 6}
    got = await alice.get(f"{job}/files/stdout", headers={"Range": "bytes=1-2"})
    assert (got.status_code, got.content) == (206, b"el")
    following = asyncio.create_task(alice.get(f"{job}/log", params={"follow": True, "offset": 2}))
    with (folder / "stdout").open("ab") as printed:
        printed.write(b"more\n")
    slurm.lasts = 0
    over = await _until(alice, job, lambda each: each["stage"] == "SUCCESSFUL")
    assert over["ended"]
    followed = await following
    assert (followed.headers["Log-Offset"], followed.text) == ("2", "llo\nmore\n")
    with tarfile.open(fileobj=io.BytesIO((await alice.get(f"{job}/archive.tar")).content)) as tar:
        assert {"./run.sh", "./stdout"} <= set(tar.getnames())
        assert not [name for name in tar.getnames() if ".job" in name]
    assert (await alice.delete(job)).status_code in {200, 202}
    await _until(alice, job, lambda each: each["stage"] == "DELETED")
    await asyncio.wait_for(_gone(folder), 60)
    assert (await alice.get(f"{job}/files")).status_code == 404
    stages = [each["stage"] for each in (await alice.get(f"{job}/events")).json()["items"]]
    assert list(dict.fromkeys(stages)) == [
        "NEW",
        "STAGINGIN",
        "READY",
        "QUEUED",
        "RUNNING",
        "SUCCESSFUL",
        "DELETED",
    ]


async def _gone(path: Path) -> None:
    while path.exists():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.01)


async def test_a_job_is_held_released_and_cancelled(alice: httpx.AsyncClient, slurm: Crowd) -> None:
    slurm.waits = 10**6
    got = await alice.post("/api/v1/jobs", json={"type": "command", "system": "geneva", "command": "hostname"})
    job_id = got.json()["job_id"]
    job = f"/api/v1/jobs/{job_id}"
    await _until(alice, job, lambda each: each["stage"] == "QUEUED")
    assert (await alice.post(f"{job}/hold")).status_code in {200, 202}
    held = await _until(alice, job, lambda each: each["stage"] == "HELD")
    assert held["reason"]
    assert slurm.of(job_id)[0].reason == "JobHeldUser"
    assert (await alice.post(f"{job}/release")).status_code in {200, 202}
    await _until(alice, job, lambda each: each["stage"] == "QUEUED")
    assert (await alice.post(f"{job}/cancel")).status_code in {200, 202}
    over = await _until(alice, job, lambda each: each["stage"] == "CANCELED")
    assert (over["failed"], slurm.of(job_id)[0].word) == (False, "CANCELLED")
    assert (await alice.post(f"{job}/cancel")).json()["code"] == "wrong_stage"


async def test_questions_about_jobs_are_counted_and_timed(
    whole: FastAPI, alice: httpx.AsyncClient, slurm: Crowd
) -> None:
    got = await alice.post("/api/v1/jobs", json={"type": "command", "system": "geneva", "command": "hostname"})
    await _until(alice, f"/api/v1/jobs/{got.json()['job_id']}", lambda each: each["stage"] == "RUNNING")
    slurm.is_silent = True
    async with client(whole, "ruth:admin") as ruth, asyncio.timeout(60):
        while "is away" not in (said := await _metrics(ruth)):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
    assert said["yes"] >= 1
    assert said["seconds"] > 0


async def _metrics(ruth: httpx.AsyncClient) -> dict[str, float]:
    text = (await ruth.get("/api/v1/metrics")).text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    found = {
        each.labels["answered"]: each.value
        for each in samples
        if each.name == "jupyterhub_jobs_surveys_total" and each.labels["system"] == "geneva"
    }
    for each in samples:
        if each.name == "jupyterhub_jobs_survey_seconds_total" and each.labels["system"] == "geneva":
            found["seconds"] = each.value
    return found | ({"is away": 1.0} if found["no"] else {})
