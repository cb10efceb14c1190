import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from job_service.errors import NotFound
from job_service.stages import Stage
from profiles.errors import ChoiceRefused
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client, listens
from tests.job_service.http.test_jobs import RUNS, V1, sent, until


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with client(app, "alice:submit") as found:
        yield found


def read(text: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the events of a stream with their ids."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            assert fields["event"] == "job"
            found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


async def test_a_job_tells_its_history(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice)
    await service.running.goes(job_id, *RUNS)
    events = (await alice.get(f"{V1}/jobs/{job_id}/events")).json()["items"]
    assert [each["stage"] for each in events][-2:] == ["QUEUED", "RUNNING"]
    assert all(each["text"] and each["job_id"] == job_id for each in events)


async def test_a_job_tells_its_script(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice)
    got = await alice.get(f"{V1}/jobs/{job_id}/script")
    assert (got.text, got.headers["Content-Type"]) == ("#!/bin/bash\n", "text/plain; charset=utf-8")
    service.running.refusal = ChoiceRefused("type", "There is no job type recon.")
    gone = await alice.get(f"{V1}/jobs/{job_id}/script")
    assert gone.status_code == 404
    assert "There is no job type recon." in gone.json()["detail"]


async def test_all_changes_come_as_they_happen_and_none_is_missed(
    alice: httpx.AsyncClient, app: FastAPI, service: Serving
) -> None:
    first = asyncio.create_task(alice.get(f"{V1}/events"))
    await until(lambda: listens(app, "alice"))
    job_id = await sent(alice)
    async with client(app, "bob:submit") as bob:
        await sent(bob)
    await service.running.goes(job_id, Stage.QUEUED)
    service.closing.set()
    got = await first
    assert got.headers["Content-Type"].startswith("text/event-stream")
    events = read(got.text)
    assert {each["job_id"] for _, each in events} == {job_id}
    assert [each["stage"] for _, each in events][-1] == "QUEUED"

    service.closing.clear()
    await service.running.goes(job_id, Stage.RUNNING)
    again = asyncio.create_task(alice.get(f"{V1}/events", headers={"Last-Event-ID": str(events[-1][0])}))
    await until(lambda: listens(app, "alice"))
    await service.running.goes(job_id, Stage.SUCCESSFUL)
    service.closing.set()
    assert [each["stage"] for _, each in read((await again).text)] == ["RUNNING", "SUCCESSFUL"]


async def test_a_stream_ends_with_its_token(alice: httpx.AsyncClient, app: FastAPI) -> None:
    stream = asyncio.create_task(alice.get(f"{V1}/events"))
    await until(lambda: listens(app, "alice"))

    class Nobody:
        async def caller(self, _token: str, _session: str = "") -> None:
            return None

    auth, app.state.auth = app.state.auth, Nobody()
    async with client(app) as _:
        app.state.auth = auth
        await sent(alice)
        app.state.auth = Nobody()
    assert (await stream).status_code == 200


async def test_who_i_am(app: FastAPI) -> None:
    async with client(app, "alice:read") as alice:
        me = (await alice.get(f"{V1}/")).json()
        assert me == (await alice.get(V1)).json()
    assert (me["name"], me["groups"], me["is_admin"]) == ("alice", ["people"], False)
    assert me["ticket"]["principal"]


async def test_a_folder_that_was_removed_is_told(alice: httpx.AsyncClient, service: Serving) -> None:
    job_id = await sent(alice)
    service.files.refusal = NotFound("The folder was removed at the site.")
    got = await alice.get(f"{V1}/jobs/{job_id}/files")
    assert (got.status_code, got.json()["detail"]) == (404, "The folder was removed at the site.")
