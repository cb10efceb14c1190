"""Jobs at gateways by the old paths: `pizdaint` and `nsg`, as the old documentation has them."""

from typing import Any

import httpx
import pytest

from job_service.stages import Stage
from tests.job_service.http.old.test_shapes import DOCUMENTED
from tests.job_service.http.serving import Serving
from tests.support import builders

GATEWAYS = {
    "alps": builders.gateway(title="Alps", old_name="pizdaint", own_lines=True),
    "nsg": builders.gateway(
        title="NSG",
        kind="nsg",
        url="https://nsg.test/cipresrest/v1",
        tools={"NEURON74_TG": {"nodes": "number_nodes_", "cores": "number_cores_"}, "PY_EXPANSE": None},
    ),
}
_RESOURCES = {
    "cores": {"default": 1, "max": 12},
    "nodes": {"default": 1, "max": 4},
    "time": {"default": "30m", "max": "8h"},
}
TYPES = {
    "command": {"name": "Command", "command": "any", "sites": ["geneva", "alps"], "resources": _RESOURCES},
    "tool": {
        "name": "Tool",
        "sites": ["nsg"],
        "run": ["{param.tool}"],
        "resources": _RESOURCES,
        "parameters": {"tool": {"title": "Tool", "options": ["PY_EXPANSE", "NEURON74_TG"]}},
    },
}
COMMAND = (
    '{ "command": "ls -lisa", "node_number": "2", "core_number": "6", "runtime": "2.0", "title": "a job title" }'
)
TOOL = (
    '{ "tool": "NEURON74_TG", "node_number": "2", "core_number": "6", "runtime": "2.0", "title": "a job title" }'
)
ZIP = b"PK\x03\x04" * 10


@pytest.fixture
async def somebody(alice: httpx.AsyncClient, service: Serving) -> httpx.AsyncClient:
    """Give alice, who may use a project at each gateway, and has no ticket: she needs none there."""
    service.offers(TYPES, gateways=GATEWAYS)
    service.tickets.left["alice"] = None
    for system, name in (("alps", "bsp_pizdaint_01"), ("nsg", "bsp_nsg_01")):
        whole = {"system": system, "name": name, "init_time": 72_000, "user_time": 36_000, "is_default": True}
        await service.administration.create_project("ruth", whole)
        await service.administration.add_member("ruth", system, name, "user", "alice")
    return alice


async def _sent(somebody: httpx.AsyncClient, place: str, payload: str, misspelt: bool = False) -> httpx.Response:
    name = "Content-Dispostion" if misspelt else "Content-Disposition"
    headers = {"Payload": payload, name: "attachment; filename=nsg_job.zip"}
    return await somebody.post(f"/api/jobs/{place}", params={"wait": 0}, headers=headers, content=ZIP)


@pytest.mark.parametrize("place", ["pizdaint/", "PizDaint/bsp_pizdaint_01/", "alps/"])
async def test_the_documented_request_to_pizdaint(
    somebody: httpx.AsyncClient, service: Serving, place: str
) -> None:
    got = await _sent(somebody, place, COMMAND)
    assert got.status_code == 201, got.text
    job = got.json()
    assert list(job) == list(DOCUMENTED)
    assert (job["project_hpc"], job["project_name"], job["runtime"]) == ("PIZDAINT", "bsp_pizdaint_01", 2.0)
    record = await service.store.jobs.get(job["job_id"], "alice")
    assert (record.system, record.type, record.spec.command) == ("alps", "command", "ls -lisa")
    assert (record.nodes, record.cores, record.limit_s) == (2, 6, 7200)


async def test_the_documented_request_to_nsg_with_its_misspelt_header(
    somebody: httpx.AsyncClient, service: Serving
) -> None:
    got = await _sent(somebody, "nsg/bsp_nsg_01/", TOOL, misspelt=True)
    assert got.status_code == 201, got.text
    job = got.json()
    assert list(job) == list(DOCUMENTED)
    assert (job["project_hpc"], job["project_name"]) == ("NSG", "bsp_nsg_01")
    record = await service.store.jobs.get(job["job_id"], "alice")
    assert (record.system, record.type, record.spec.choices["param.tool"]) == ("nsg", "tool", "NEURON74_TG")
    assert (service.files.folder / job["job_id"] / "nsg_job.zip").read_bytes() == ZIP


async def test_what_is_wrong_is_named_as_in_the_header(somebody: httpx.AsyncClient) -> None:
    for place, payload, field in (
        ("nsg/", COMMAND, "command"),
        ("pizdaint/", TOOL, "tool"),
        ("nsg/", TOOL.replace("NEURON74_TG", "FORTRAN"), "tool"),
    ):
        got = await _sent(somebody, place, payload)
        assert (got.status_code, set(got.json()["fields"])) == (422, {field}), got.text
    got = await somebody.post("/api/jobs/nsg/", params={"wait": 0}, headers={"Payload": TOOL})
    assert (got.status_code, set(got.json()["fields"])) == (422, {"Content-Disposition"})
    assert "exactly one file" in got.text


async def test_a_job_is_found_by_either_name_of_its_system_and_goes_by_it(
    somebody: httpx.AsyncClient, service: Serving
) -> None:
    job = (await _sent(somebody, "pizdaint/", COMMAND)).json()
    await service.running.goes(job["job_id"], Stage.READY, Stage.QUEUED, Stage.RUNNING, Stage.SUCCESSFUL)
    for name in ("pizdaint", "PIZDAINT", "alps"):
        place = f"{name}/bsp_pizdaint_01/{job['job_id']}/"
        found = (await somebody.get(f"/api/jobs/{place}")).json()
        assert (found["stage"], found["project_hpc"]) == ("SUCCESSFUL", "PIZDAINT")
        files = (await somebody.get(f"/api/files/{place}")).json()
        assert [each["filename"] for each in files] == ["nsg_job.zip"]
    listed = await somebody.get("/api/jobs/pizdaint/")
    assert (listed.headers["X-Total-Count"], listed.json()[0]["job_id"]) == ("1", job["job_id"])
    gone = await somebody.delete(f"/api/jobs/pizdaint/bsp_pizdaint_01/{job['job_id']}/")
    assert (gone.status_code, gone.json()["stage"]) == (200, "DELETED")


async def _names(somebody: httpx.AsyncClient, path: str, name: str) -> set[Any]:
    got = await somebody.get(f"/api/{path}")
    assert got.status_code == 200, got.text
    found = got.json()
    return {each[name] for each in (found if isinstance(found, list) else [found])}


async def test_lists_call_systems_by_their_old_names(somebody: httpx.AsyncClient, ruth: httpx.AsyncClient) -> None:
    await _sent(somebody, "pizdaint/", COMMAND)
    assert await _names(somebody, "hpc/", "name") >= {"PIZDAINT", "NSG", "GENEVA"}
    assert await _names(somebody, "hpc/pizdaint/", "name") == {"PIZDAINT"}
    assert await _names(somebody, "projects/pizdaint/", "hpc") == {"PIZDAINT"}
    assert await _names(somebody, "quotas/", "project_hpc") == {"GENEVA", "NSG", "PIZDAINT"}
    for path in ("admin/projects/pizdaint/", "admin/projects/pizdaint/bsp_pizdaint_01/"):
        assert await _names(ruth, path, "hpc") == {"PIZDAINT"}
    assert await _names(ruth, "admin/quotas/alice/pizdaint/bsp_pizdaint_01/", "project_hpc") == {"PIZDAINT"}
    whole = (await ruth.get("/api/admin/projects/pizdaint/bsp_pizdaint_01/")).json()
    changed = await ruth.put("/api/admin/projects/pizdaint/bsp_pizdaint_01/", json={**whole, "init_time": 80_000})
    assert (changed.status_code, changed.json()["init_time"]) == (200, 80_000), changed.text
