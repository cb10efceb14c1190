from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from job_service.http import offered
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client
from tests.job_service.http.test_jobs import COMMAND, V1


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with client(app, "alice:read") as found:
        yield found


def fits(model: type[BaseModel], value: Any) -> None:
    """See that the document says all of an answer, and nothing else."""
    assert model.model_validate(value).model_dump(mode="json").keys() == value.keys()


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("systems", offered.System),
        ("types", offered.JobType),
        ("projects", offered.Project),
        ("projects/geneva", offered.Project),
        ("quotas", offered.Project),
    ],
)
async def test_what_is_offered_is_what_the_document_says(
    alice: httpx.AsyncClient, service: Serving, path: str, model: type[BaseModel]
) -> None:
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "small", "init_time": 7200, "user_time": 3600, "is_open": True}
    )
    got = await alice.get(f"{V1}/{path}")
    assert got.status_code == 200, got.text
    items = got.json()["items"]
    assert items
    for each in items:
        fits(model, each)
        if model in (offered.System, offered.JobType):
            fits(model, (await alice.get(f"{V1}/{path}/{each['key']}")).json())
    known = {"If-None-Match": got.headers["ETag"]}
    assert (await alice.get(f"{V1}/{path}", headers=known)).status_code in {200, 304}


async def test_one_project(alice: httpx.AsyncClient, service: Serving) -> None:
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "small", "init_time": 7200, "user_time": 3600, "is_open": True}
    )
    got = (await alice.get(f"{V1}/projects/geneva/small")).json()
    fits(offered.Project, got)
    assert got["quota"]["time_left_s"] == 3600
    for nowhere in ("projects/nowhere", "projects/geneva/none", "systems/nowhere", "types/nothing"):
        assert (await alice.get(f"{V1}/{nowhere}")).status_code == 404


async def test_a_preview_tells_what_would_become_of_a_job(alice: httpx.AsyncClient, service: Serving) -> None:
    service.tickets.left["alice"] = None
    got = await alice.post(f"{V1}/preview", json={**COMMAND, "choices": {"time": "30"}})
    assert got.status_code == 200, got.text
    seen = got.json()
    fits(offered.Preview, seen)
    assert (seen["system"], seen["limit_s"]) == ("geneva", 1800)
    assert seen["script"].startswith("#!")
    assert seen["obstacles"]
    assert (await alice.get(f"{V1}/jobs")).json()["items"] == []
    wrong = await alice.post(f"{V1}/preview", json={**COMMAND, "title": "a\nb"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "title")


async def test_who_is_not_let_in_reads_why(alice: httpx.AsyncClient, service: Serving) -> None:
    said = "Geneva did not let you in."
    availability = service.accepting.offered._availability
    availability.not_let_in = lambda user, key: said if (user, key) == ("alice", "geneva") else ""
    got = (await alice.get(f"{V1}/systems/geneva")).json()
    assert (got["state"], got["reason"]) == ("refused", said)
    (at,) = [
        each for each in (await alice.get(f"{V1}/types/command")).json()["systems"] if each["system"] == "geneva"
    ]
    assert (at["state"], said in at["news"]) == ("refused", True)
