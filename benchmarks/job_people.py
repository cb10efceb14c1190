"""People who send batch jobs by HTTP, many at once, and what a front end answers by hand."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx

from lab import Lab
from lab.person import Person
from lab.plan import HUB, SITE_OF, Role

SITE, FRONT_END, CONTROLLER = "geneva", "geneva-login1", "geneva-ctl"
DAEMON = "jobs"
_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_SCOPES = ("custom:jobs:submit", "access:services!service=jobs")
_AT_ONCE = 20
_LOGINS_AT_ONCE = 8
_ANSWER_SECONDS = 120
_ENOUGH = 20_000
_PAUSE_SECONDS = 0.2


def prepare(lab: Lab, names: Sequence[str]) -> dict[str, str]:
    """Let everybody log in, have as many jobs as they like; return a token of each by name."""
    room = rf"s|^( *)folder: /scratch/\{{owner\}}/jobs$|&\n\1active_max: {_ENOUGH}|"
    lab.run(HUB.name, ["sed", "-Ei", room, _CATALOGUE])
    again(lab)
    with ThreadPoolExecutor(_LOGINS_AT_ONCE) as threads:
        return dict(zip(names, threads.map(lambda name: _token(lab, name), names), strict=True))


def again(lab: Lab, verb: str = "stop") -> float:
    """End the service (`kill`: by SIGKILL) and start it; return the seconds until it answers."""
    lab.fault(verb, HUB.name, DAEMON)
    began = time.monotonic()
    lab.fault("start", HUB.name, DAEMON)
    lab.wait("the job service answers", lambda: _answers(lab), _ANSWER_SECONDS)
    return time.monotonic() - began


def _answers(lab: Lab) -> bool:
    try:
        return httpx.get(f"{lab.url}/services/jobs/api/v1/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _token(lab: Lab, name: str) -> str:
    with Person(lab.url, name) as person:
        person.log_in()
    asked = {"auth": {"username": name, "password": f"{name}-pw"}, "scopes": list(_SCOPES)}
    answer = httpx.post(f"{lab.url}/hub/api/users/{name}/tokens", json=asked, timeout=_ANSWER_SECONDS)
    return str(answer.raise_for_status().json()["token"])


@asynccontextmanager
async def client(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    """Give what asks the service; who asks, a token says in each request."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"{lab.url}/services/jobs/api/v1", timeout=_ANSWER_SECONDS, limits=limits
    ) as http:
        yield http


def by(token: str) -> dict[str, str]:
    """Return the headers of somebody's request."""
    return {"Authorization": f"Bearer {token}"}


async def send(http: httpx.AsyncClient, tokens: Iterable[str], line: str, start: str = "now") -> list[str]:
    """Send a job for each of these tokens, twenty at once; return the ids.  Raises httpx.HTTPError."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(token: str) -> str:
        asked = {"type": "command", "system": SITE, "command": line, "choices": {"time": "10m"}, "start": start}
        async with turns:
            answer = await http.post("/jobs", json=asked, headers=by(token))
        return str(answer.raise_for_status().json()["job_id"])

    return list(await asyncio.gather(*map(one, tokens)))


async def job(http: httpx.AsyncClient, token: str, job_id: str) -> dict[str, Any]:
    """Return a job."""
    return dict((await http.get(f"/jobs/{job_id}", headers=by(token))).raise_for_status().json())


def queued(lab: Lab) -> int:
    """Return how many jobs Slurm has at geneva that are not over."""
    return len(lab.run(CONTROLLER, ["squeue", "-h", "-o", "%i"]).stdout.split())


async def until_queued(lab: Lab, number: int) -> float:
    """Return the moment at which Slurm had so many jobs."""
    while True:
        if await asyncio.to_thread(queued, lab) >= number:
            return time.monotonic()
        await asyncio.sleep(_PAUSE_SECONDS)


def close(lab: Lab) -> None:
    """Let no job begin."""
    lab.run(CONTROLLER, ["scontrol", "update", "partitionname=normal", "state=down"])


def reopen(lab: Lab) -> None:
    """Cancel what waits, see it gone, and let jobs begin again."""
    lab.run(CONTROLLER, ["scancel", "--partition=normal"])
    lab.wait("no job is left", lambda: queued(lab) == 0, _ANSWER_SECONDS)
    lab.run(CONTROLLER, ["scontrol", "update", "partitionname=normal", "state=up"])


def nodes() -> int:
    """Return how many nodes geneva has."""
    return len(SITE_OF[FRONT_END].having(Role.NODE))
