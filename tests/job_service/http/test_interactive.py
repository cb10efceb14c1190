"""Interactive job types by the API and on the page: the list at the site, the hub's server, and each refusal."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jupyterhub.httpclient import JupyterHubHTTPClient

from tests.job_service.accepting import deciding
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, client, xsrf
from tests.support import builders, job_hub
from tests.support.job_hub import JobHub, as_json, plain

ALICE = "alice:starts"
USER = "/hub/api/users/alice"
KNOWS = {
    "datasets": {"title": "Datasets", "text": {}, "variable": "DATASETS"},
    "theme": {"title": "Theme", "options": ["light", "dark"], "variable": "THEME"},
}
SCANS = [
    {"id": each, "type": "scan", "location": f"/data/{each}", "parameters": {"channels": number}}
    for number, each in enumerate("abc")
]
LOOK = {"name": "Look at scans", "profile": "jupyterlab", "datasets": {"types": ["scan"], "max": 2}}
CUTOFF = {"title": "Cut-off", "decimal": {}, "argument": "--cutoff", "when": "channels > 1"}
ASKED = {
    "type": "look",
    "datasets": ["demo:a", "demo:b"],
    "choices": {"time": "2h", "param.theme": "dark", "cores": 2},
}


@pytest.fixture
def hub() -> Iterator[JobHub]:
    with job_hub.running() as found:
        found.gives(f"GET {USER}", as_json({"name": "alice", "servers": {}}))
        for name in ("look", "plain"):
            found.gives(f"POST {USER}/servers/{name}", plain(202, b""))
        yield found


@pytest.fixture
async def app(service: Serving, hub: JobHub, tmp_path: Path) -> AsyncIterator[FastAPI]:
    jobs = {"folder": f"{tmp_path}/of/{{owner}}/jobs"}
    service.offers(
        {
            "look": LOOK,
            "plain": {"name": "A notebook", "profile": "jupyterlab"},
            "recon": builders.job_type(
                parameters={"cutoff": CUTOFF}, run=["hostname"], datasets={"types": ["scan"]}
            ),
        },
        {"demo": {"list": SCANS}},
        sites={"geneva": builders.site(jobs=jobs), "bern": deciding.SITES["bern"]},
        profiles={"jupyterlab": builders.profile(parameters=KNOWS)},
    )
    service.hub_api = f"{hub.url}/hub/api"
    yield service.app()
    await JupyterHubHTTPClient.loop_instance().close()


@pytest.fixture
async def alice(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, ALICE) as found:
        yield found


@pytest.fixture
async def page(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app, ALICE) as found:
        yield found


async def _start(alice: httpx.AsyncClient, key: str = "", **changed: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await alice.post("/api/v1/servers", json={**ASKED, **changed}, headers=headers)


def _started(hub: JobHub) -> list[dict[str, Any]]:
    """Return the choices of the servers that the hub was asked for."""
    return [each.json["user_options"] for each in hub.asked if each.method == "POST"]


async def test_a_server_starts_that_knows_the_chosen_datasets(
    alice: httpx.AsyncClient, hub: JobHub, tmp_path: Path
) -> None:
    got = await _start(alice)
    assert got.status_code == 201, got.text
    assert got.json() == {
        "name": "look",
        "type": "look",
        "system": "geneva",
        "datasets": ["demo:a", "demo:b"],
        "url": "/hub/spawn-pending/alice/look",
    }
    assert got.headers["Location"] == "/hub/spawn-pending/alice/look"
    (options,) = _started(hub)
    path = Path(options.pop("param.datasets"))
    assert options == {
        "profile": "jupyterlab",
        "site": "geneva",
        "time": "2h",
        "cores": "2",
        "param.theme": "dark",
    }
    assert path.parent == tmp_path / "of/alice/jobs/.servers"
    assert [each["location"] for each in json.loads(path.read_text())] == ["/data/a", "/data/b"]
    assert [each.json["display_name"] for each in hub.asked if each.body] == ["Look at scans"]


async def test_only_the_person_s_own_token_is_shown_to_the_hub(alice: httpx.AsyncClient, hub: JobHub) -> None:
    await _start(alice)
    assert {each.headers["authorization"] for each in hub.asked} == {f"token {ALICE}"}


async def test_a_request_that_comes_again_finds_its_server(alice: httpx.AsyncClient, hub: JobHub) -> None:
    await _start(alice, "key")
    (options,) = _started(hub)
    hub.answers[f"GET {USER}"] = [as_json({"servers": {"look": {"user_options": options}}})]
    assert (await _start(alice, "key")).json()["name"] == "look"
    assert len(_started(hub)) == 1
    hub.gives(f"POST {USER}/servers/look-2", plain(201, b""))
    assert (await _start(alice, "other")).json()["name"] == "look-2"
    assert (await _start(alice, "key", datasets=["demo:c"])).json()["name"] == "look-2"


async def test_a_type_without_datasets_leaves_nothing_at_the_site(
    alice: httpx.AsyncClient, hub: JobHub, tmp_path: Path
) -> None:
    got = await alice.post("/api/v1/servers", json={"type": "plain"})
    assert (got.status_code, got.json()["datasets"]) == (201, [])
    assert _started(hub) == [{"profile": "jupyterlab", "site": "geneva"}]
    assert not (tmp_path / "of").exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"type": "recon"}, "type"),
        ({"type": "gone"}, "type"),
        ({"datasets": []}, "datasets"),
        ({"datasets": ["demo:a", "demo:gone"]}, "datasets"),
        ({"system": "bern"}, "system"),
        ({"choices": {"param.datasets": "/etc/passwd"}}, "choices.param.datasets"),
        ({"choices": {"cores": 99}}, "choices.cores"),
        ({"project": "nobodys"}, "project"),
        ({"command": "hostname"}, "command"),
    ],
)
async def test_what_cannot_be_had_is_refused_before_anything_is_done(
    alice: httpx.AsyncClient, hub: JobHub, tmp_path: Path, changed: dict[str, Any], field: str
) -> None:
    got = await _start(alice, **changed)
    assert (got.status_code, got.json()["field"]) == (422, field)
    assert not hub.asked
    assert not (tmp_path / "of").exists()


async def test_a_token_without_the_scope_or_a_ticket_starts_nothing(
    app: FastAPI, service: Serving, alice: httpx.AsyncClient, hub: JobHub
) -> None:
    async with client(app, "alice:submit") as without:
        got = await _start(without)
    assert (got.status_code, got.json()["code"]) == (403, "scope_missing")
    assert "start:servers!user" in got.json()["detail"]
    service.tickets.left["alice"] = None
    got = await _start(alice)
    assert (got.status_code, got.json()["code"]) == (409, "ticket_needed")
    assert not hub.asked


async def test_who_is_banned_from_all_starts_no_server(
    service: Serving, alice: httpx.AsyncClient, page: httpx.AsyncClient, hub: JobHub
) -> None:
    physics = await service.administration.create_project("ruth", {"system": "geneva", "name": "physics"})
    # A server counts against no project, so this is not about it.
    await service.store.people.ban("alice", physics, "Not this one.", "ruth")
    assert (await _start(alice)).status_code == 201
    hub.asked.clear()
    await service.store.people.ban("alice", None, "Talk to us first.", "ruth")
    got = await _start(alice)
    assert (got.status_code, got.json()["code"]) == (403, "banned")
    assert got.json()["detail"] == "You may start no servers of job types at present: Talk to us first."
    got = await _press(page, type="plain", site="geneva", cores="3")
    assert (got.status_code, "Talk to us first." in got.text, 'value="3"' in got.text) == (422, True, True)
    assert not hub.asked
    await service.store.people.unban("alice", None, "ruth")
    assert (await _start(alice)).status_code == 201


@pytest.mark.parametrize(
    ("answer", "status", "code", "said"),
    [
        (as_json({"message": "Named servers are not enabled."}, 400), 409, "no_server", "beside the first one"),
        (
            as_json({"message": "User alice already has the maximum of 1 named servers.  One must..."}, 400),
            409,
            "no_server",
            "as many servers as",
        ),
        (as_json({"message": "Geneva is in maintenance."}, 400), 409, "no_server", "Geneva is in maintenance."),
        (as_json({"message": "Action is not authorized"}, 403), 403, "scope_missing", "start:servers!user"),
        (as_json({"message": "auth has expired for alice, login again"}, 403), 409, "ticket_needed", "Your login"),
        (plain(429, b""), 503, "hub_busy", "too many servers"),
        (plain(502, b"<html>"), 409, "no_server", "502"),
        (b"", 503, "hub_unavailable", "whether the server starts"),
    ],
)
async def test_each_refusal_of_the_hub_is_a_sentence_of_its_own(
    alice: httpx.AsyncClient, hub: JobHub, answer: bytes, status: int, code: str, said: str
) -> None:
    hub.answers[f"POST {USER}/servers/look"] = [answer]
    got = await _start(alice)
    assert (got.status_code, got.json()["code"]) == (status, code), got.text
    assert said in got.json()["detail"]
    assert ALICE not in got.text


async def test_the_types_say_which_are_interactive_and_a_job_of_one_is_refused(
    alice: httpx.AsyncClient,
) -> None:
    found = {each["key"]: each for each in (await alice.get("/api/v1/types")).json()["items"]}
    assert {key: each["runs"] for key, each in found.items()} == {
        "look": "server",
        "plain": "server",
        "recon": "program",
    }
    assert found["look"]["datasets"]["modes"] == ["single"]
    names = {each["name"] for each in found["look"]["systems"][0]["fields"]}
    assert {"time", "cores", "param.theme"} <= names
    assert "param.datasets" not in names
    for path in ("jobs", "preview"):
        got = await alice.post(f"/api/v1/{path}", json={"type": "look", "datasets": ["demo:a"]})
        assert (got.status_code, got.json()["code"], got.json()["field"]) == (422, "interactive", "type")


async def test_a_type_shows_what_can_be_chosen_for_all_of_some_datasets(alice: httpx.AsyncClient) -> None:
    async def names(*datasets: str) -> set[str]:
        got = await alice.get("/api/v1/types/recon", params={"dataset": datasets})
        return {each["name"] for each in got.json()["systems"][0]["fields"]}

    assert "param.cutoff" not in await names()
    assert "param.cutoff" in await names("demo:c")
    assert "param.cutoff" not in await names("demo:c", "demo:a")
    got = await alice.get("/api/v1/types/recon", params={"dataset": "demo:gone"})
    assert (got.status_code, got.json()["field"]) == (422, "dataset")


async def _press(page: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await page.post("/new", data={"_xsrf": xsrf(ALICE), **fields}, files={"file": ("", b"")})


async def test_the_page_leads_to_the_server_that_starts(page: httpx.AsyncClient, hub: JobHub) -> None:
    form = (await page.get("/new?type=plain")).text
    assert "Start the server" in form
    assert 'name="param.theme"' in form
    for absent in ('name="command"', 'name="file"', 'name="title"', "param.datasets", "Look at it first"):
        assert absent not in form
    got = await _press(page, type="plain", site="geneva", cores="2", key="key", project="physics")
    assert (got.status_code, got.headers["Location"]) == (303, "/hub/spawn-pending/alice/plain")
    assert _started(hub) == [{"profile": "jupyterlab", "site": "geneva", "cores": "2", "project": "physics"}]


async def test_the_page_says_why_not_in_its_form_with_what_was_typed(page: httpx.AsyncClient, hub: JobHub) -> None:
    got = await _press(page, type="plain", site="geneva", cores="99")
    assert got.status_code == 422
    assert 'value="99"' in got.text
    assert "Start the server" in got.text
    hub.answers[f"POST {USER}/servers/plain"] = [as_json({"message": "Named servers are not enabled."}, 400)]
    got = await _press(page, type="plain", site="geneva", cores="3")
    assert got.status_code == 422
    assert "beside the first one" in got.text
    assert 'value="3"' in got.text
