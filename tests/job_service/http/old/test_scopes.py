"""Who may use the old paths: all of them, as the OpenAPI document has them."""

from fastapi import FastAPI

from tests.job_service.http.support import client

PREFIX = "/api/"
OPEN = {"/api/status/"}


async def test_each_needs_a_token_with_the_right_scope(app: FastAPI) -> None:
    routes = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if path.startswith(PREFIX) and "/v1/" not in path and path not in OPEN
    ]
    assert len(routes) > 40
    async with client(app) as nobody, client(app, "alice:read") as reader, client(app, "robot:admin") as robot:
        for method, path in routes:
            assert (await nobody.request(method, path)).status_code == 401, path
            if method != "GET" or "/admin/" in path:
                refused = await reader.request(method, path)
                assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing"), path
            if "/admin/" not in path:
                assert (await robot.request(method, path)).json()["code"] == "not_a_person", path
