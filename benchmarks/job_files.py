"""`jobs`: a large file to a job's folder and back, next to scp, and what it costs others meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks import job_people
from benchmarks.job_people import FRONT_END
from benchmarks.samples import Table, in_ms, percentile95
from lab import Lab
from lab.plan import HUB, HUB_USER, JOBS_PORT

SIZE = 1 << 30
_CHUNK = b"\xa5" * (1 << 20)
_LOOK_SECONDS = 0.05
_ASKING = "/run/asking"
# There is no such page: the answer needs no database, and waits for the service's loop alone.
_ASKS = [
    "/usr/bin/python3",
    "-c",
    (Path(__file__).parent / "inside" / "asking.py").read_text(),
    f"127.0.0.1:{JOBS_PORT}",
    "/services/jobs/none",
    _ASKING,
]
_SCRATCH = "/var/lib/jupyterhub/scp"
_SCP = "env KRB5CCNAME=FILE:{there}/ticket scp -O -q -o BatchMode=yes -o GSSAPIAuthentication=yes"
_TICKET = 'mkdir -p {there} && echo "{name}-pw" | kinit -c FILE:{there}/ticket {name} >/dev/null'


@dataclass(frozen=True)
class Carried:
    """Seconds of each way, by the API and by scp; the service's memory in bytes and the longest gap of its loop.

    `pages` are seconds of the hub's login page, `before` with nothing under way, `during` the upload.
    """

    sent: float
    received: float
    scp_in: float
    scp_out: float
    memory: int
    gap: float
    before: list[float]
    during: list[float]

    def table(self) -> Table:
        """Return what to print."""
        rate = SIZE / 1e6
        rows = (
            ("by the API", (f"{rate / self.sent:.0f}", f"{rate / self.received:.0f}")),
            ("by scp, through the same front end", (f"{rate / self.scp_in:.0f}", f"{rate / self.scp_out:.0f}")),
        )
        notes = (
            f"the service: {self.memory / 1e6:.0f} MB, longest gap of its loop {in_ms(self.gap)} ms",
            f"the hub's login page: p95 {in_ms(percentile95(self.during))} ms during the upload, "
            f"{in_ms(percentile95(self.before))} ms before",
        )
        return Table("jobs: 1 GiB, MB/s", ("in", "out"), rows, notes)


def carry(lab: Lab, name: str, token: str) -> Carried:
    """Carry a file both ways, by the API and by scp.  Raises LabError or httpx.HTTPError."""
    return asyncio.run(_carry(lab, name, token))


async def _carry(lab: Lab, name: str, token: str) -> Carried:
    async with job_people.client(lab) as http:
        (job_id,) = await job_people.send(http, [token], "true", "later")
        path, by = f"/jobs/{job_id}/files/big", job_people.by(token)

        async def put() -> None:
            headers = {**by, "Content-Length": str(SIZE)}
            (await http.put(path, content=_chunks(), headers=headers, timeout=600)).raise_for_status()

        async def get() -> None:
            async with http.stream("GET", path, headers=by, timeout=600) as answer:
                answer.raise_for_status()
                async for _ in answer.aiter_bytes(1 << 20):
                    pass

        seen = _Seen(lab, http)
        before = await seen.pages(60)
        sent = await seen.during(put)
        during = list(seen.login)
        received = await seen.during(get)
    inwards, outwards = await asyncio.to_thread(_by_scp, lab, name)
    return Carried(sent, received, inwards, outwards, seen.memory, seen.gap, before, during)


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(SIZE // len(_CHUNK)):
        yield _CHUNK


class _Seen:
    """Looks at the service and the hub while something is carried.

    The service is asked by a program beside it: one that carries the file as well would wait for itself.
    """

    def __init__(self, lab: Lab, http: httpx.AsyncClient) -> None:
        self._lab, self._http = lab, http
        self._pid = next(each.pid for each in lab.status()[HUB.name] if each.name == job_people.DAEMON)
        self.memory, self.gap = 0, 0.0
        self.login: list[float] = []

    async def during(self, work: Callable[[], Awaitable[None]]) -> float:
        """Return how long the work takes."""
        looking = asyncio.create_task(self._look())
        await asyncio.to_thread(self._lab.run, HUB.name, ["touch", _ASKING])
        asking = asyncio.create_task(asyncio.to_thread(self._lab.run, HUB.name, _ASKS))
        began = time.monotonic()
        await work()
        took = time.monotonic() - began
        await asyncio.to_thread(self._lab.run, HUB.name, ["rm", _ASKING])
        self.gap = max(self.gap, float((await asking).stdout))
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return took

    async def pages(self, count: int) -> list[float]:
        """Return how long so many pages of the hub take."""
        return [await self._page(f"{self._lab.url}/hub/login") for _ in range(count)]

    async def _look(self) -> None:
        while True:
            self.login.append(await self._page(f"{self._lab.url}/hub/login"))
            self.memory = max(self.memory, psutil.Process(self._pid).memory_full_info().uss)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _page(self, url: str) -> float:
        began = time.monotonic()
        (await self._http.get(url)).raise_for_status()
        return time.monotonic() - began


def _by_scp(lab: Lab, name: str) -> tuple[float, float]:
    """Return the seconds of the same file by scp, as the same person through the same front end."""
    there = f"{name}@{FRONT_END}.lab.test:/scratch/{name}/by-scp"
    scp = _SCP.format(there=_SCRATCH)

    def timed(command: str) -> float:
        began = time.monotonic()
        lab.run(HUB.name, ["sh", "-c", command], user=HUB_USER)
        return time.monotonic() - began

    timed(_TICKET.format(there=_SCRATCH, name=name))
    timed(f"head -c {SIZE} /dev/zero >{_SCRATCH}/file")
    try:
        return timed(f"{scp} {_SCRATCH}/file {there}"), timed(f"{scp} {there} {_SCRATCH}/back")
    finally:
        lab.run(HUB.name, ["rm", "-rf", _SCRATCH])
        lab.run(FRONT_END, ["rm", "-f", f"/scratch/{name}/by-scp"])
