"""Every route of the document, and what is answered to those who may not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from job_service.http.caller import ADMIN, READ, SUBMIT
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client
from tests.job_service.http.test_jobs import V1, sent

OPEN = {("get", "/api/v1/health"), ("get", "/api/status/")}
"""What answers everybody."""

OPERATIONS = ("get", "put", "post", "patch", "delete")


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert method in OPERATIONS
            yield method, path, operation


def scopes(operation: dict[str, Any]) -> list[str]:
    (security,) = operation["security"]
    found: list[str] = security["token"]
    return found


def filled(path: str, **values: str) -> str:
    """Return an address of a path of the document, with a word where nothing else is given."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "geneva"), path)


async def test_nobody_gets_anywhere_without_a_token(app: FastAPI) -> None:
    async with client(app) as nobody, client(app, "nonsense") as somebody:
        for method, path, operation in operations(app):
            if (method, path) in OPEN:
                assert "security" not in operation
                continue
            for each in (nobody, somebody):
                got = await each.request(method, filled(path), params={"token": "alice:admin"})
                assert got.status_code == 401, (method, path)
                assert got.headers["Content-Type"] == "application/problem+json"
                assert got.headers["WWW-Authenticate"].startswith("Bearer")
                assert got.headers["X-Request-ID"]


async def test_a_token_that_may_read_changes_nothing_and_sees_nobody_else(app: FastAPI, service: Serving) -> None:
    async with client(app, "alice:submit") as alice, client(app, "alice:read") as reader:
        job_id = await sent(alice)
        told = list(service.running.told)
        for method, path, operation in operations(app):
            if (method, path) in OPEN or scopes(operation) == [READ]:
                assert method == "get" or path == f"{V1}/preview", (method, path)
                continue
            got = await reader.request(method, filled(path, job_id=job_id))
            assert (got.status_code, got.json()["code"]) == (403, "scope_missing"), (method, path)
        assert service.running.told == told


async def test_only_admins_are_admins(app: FastAPI) -> None:
    async with client(app, "alice:submit") as alice:
        found = [each for each in operations(app) if "/admin/" in each[1] or each[1] == f"{V1}/metrics"]
        assert len(found) > 20
        for method, path, operation in found:
            assert scopes(operation) == [ADMIN], (method, path)
            assert (await alice.request(method, filled(path))).status_code == 403, (method, path)


async def test_somebody_elses_job_is_not_there_on_any_route(app: FastAPI, service: Serving) -> None:
    async with client(app, "alice:submit") as alice, client(app, "bob:submit") as bob:
        job_id = await sent(alice)
        number = (await alice.get(f"{V1}/jobs/{job_id}")).json()["id"]
        told = list(service.running.told)
        swept = 0
        for method, path, operation in operations(app):
            if "{job_id}" not in path or scopes(operation) == [ADMIN]:
                continue
            for name in (job_id, str(number), "0" * 12):
                address = filled(path, job_id=name, project="default")
                body = {"json": {"title": "mine"}} if method == "patch" else {}
                got = await bob.request(method, address, **body)
                assert (got.status_code, got.json()["code"]) == (404, "not_found"), (method, address, got.text)
            swept += 1
        assert swept > 15
        assert service.running.told == told


async def test_reading_and_submitting_are_all_that_people_need(app: FastAPI) -> None:
    needed = {scope for _, _, each in operations(app) if "security" in each for scope in scopes(each)}
    assert needed == {READ, SUBMIT, ADMIN}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head", "trace"])
async def test_methods_that_a_route_does_not_have_are_problems(app: FastAPI, method: str) -> None:
    # Two paths of the document may be alike but for the names in them.
    taken = {re.sub(r"{\w+}", "{}", path) for had, path, _ in operations(app) if had == method}
    async with client(app, "alice:admin") as alice:
        for path in dict.fromkeys(path for _, path, _ in operations(app)):
            if re.sub(r"{\w+}", "{}", path) in taken:
                continue
            got = await alice.request(method, filled(path))
            assert got.status_code in {404, 405}, (method, path)
            assert got.headers["Content-Type"] == "application/problem+json"
