"""Many people who start their servers at the same time, and stop them."""

import asyncio
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import httpx

from benchmarks import hubs
from lab import Lab
from lab.plan import HUB, SITES

_READY = re.compile(r"\[I (\S+ \S+) .*User (\S+) took [\d.]+ seconds to start")
_FAILED = re.compile(
    r"\[[WE] (\S+ \S+) .*\] (?:(?:Not|Error|Unhandled error) (?:starting|waiting for) )?"
    r"(\S+)'s server(?: ?:)? (.*)"
)
# That of our own hub, which says it once.
_NOT_STARTED = re.compile(
    r"\[W (\S+ \S+) .*\] (?:\S+ was not submitted for |(?:no job|\S+), )([^\s:]+)(?::\S+)?: (?:not started: )?(.*)"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LOOK_SECONDS = 0.25
_STALL_SECONDS = 10
"""So long after the last server was ready the hub is asked which are still to come."""

_PATIENCE_SECONDS = 240
_GONE_SECONDS = 180


@dataclass
class Started:
    """What became of starts: seconds from the first request until a server was ready, or why there is none."""

    ready: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Everybody who asked."""
        return {*self.ready, *self.failed}


def start(lab: Lab, people: Sequence[str], seconds: float, sites: Sequence[str]) -> Started:
    """Have everybody ask for a server within so many seconds, at the sites in turn; return when it is decided.

    When a server is ready is read in the hub's log, so that the hub has nothing to do but that.
    """
    with lab.log(HUB.name, hubs.DAEMON).open("rb") as log:
        log.seek(0, 2)
        return asyncio.run(_start(lab, people, seconds, sites, log))


async def _start(lab: Lab, people: Sequence[str], seconds: float, sites: Sequence[str], log: BinaryIO) -> Started:
    found = Started()
    wall, began = time.time(), time.monotonic()
    async with hubs.browser(lab) as browser:

        async def ask(index: int, name: str) -> None:
            await asyncio.sleep(began + index * seconds / len(people) - time.monotonic())
            body = {"profile": "stub", "site": sites[index % len(sites)]}
            if problem := await _refused(browser, "POST", f"/hub/api/users/{name}/server", body):
                found.failed[name] = problem

        asked = asyncio.gather(*(ask(index, name) for index, name in enumerate(people)))
        changed = time.monotonic()
        while len(found.ready.keys() | found.failed) < len(people):
            await asyncio.sleep(_LOOK_SECONDS)
            for news in decided(log):
                changed = time.monotonic()
                if news.problem:
                    found.failed[news.name] = news.problem
                else:
                    found.ready[news.name] = news.at - wall
            if time.monotonic() - changed > _STALL_SECONDS and asked.done():
                there = await asyncio.to_thread(hubs.servers, lab)
                given_up = time.monotonic() - began > _PATIENCE_SECONDS
                for name in set(people) - found.ready.keys() - found.failed.keys():
                    if f"{name}/" not in there or given_up:
                        found.failed[name] = "given up" if given_up else "there is no such server"
                changed = time.monotonic()
        await asked
    return found


@dataclass(frozen=True)
class News:
    """Whose start was decided and when (wall clock); `problem` is "" if there is a server."""

    name: str
    at: float
    problem: str = ""


def decided(log: BinaryIO) -> Iterator[News]:
    """Yield what a hub's log says since the last look."""
    while line := log.readline():
        if not line.endswith(b"\n"):
            # The rest is yet to be written.
            log.seek(-len(line), os.SEEK_CUR)
            return
        text = _COLOURS.sub("", line.decode(errors="replace"))
        if match := _READY.search(text):
            yield News(match[2], _clock(match[1]))
        elif match := _NOT_STARTED.search(text) or _FAILED.search(text):
            yield News(match[2], _clock(match[1]), match[3].strip())


def _clock(stamp: str) -> float:
    at, _, thousandths = stamp.rpartition(".")
    return time.mktime(time.strptime(at, "%Y-%m-%d %H:%M:%S")) + float(f"0.{thousandths}")


async def _refused(browser: httpx.AsyncClient, method: str, path: str, body: object = None) -> str:
    """Return what the hub says against a request, "" if it takes it."""
    try:
        answer = await browser.request(method, path, json=body)
    except httpx.HTTPError as error:
        return repr(error)
    return "" if answer.is_success else f"{answer.status_code} {answer.text[:200]}"


def stop(lab: Lab) -> int:
    """Stop every server; return how many jobs were left at the sites without one."""
    asyncio.run(_stop(lab))
    return clear_jobs(lab)


async def _stop(lab: Lab) -> None:
    end = time.monotonic() + _GONE_SECONDS
    async with hubs.browser(lab) as browser:
        while time.monotonic() < end and (there := await asyncio.to_thread(hubs.servers, lab)):
            settled = [key.partition("/")[0] for key, server in there.items() if server["pending"] is None]
            paths = (f"/hub/api/users/{name}/server" for name in settled)
            await asyncio.gather(*(_refused(browser, "DELETE", path) for path in paths))
            await asyncio.sleep(_LOOK_SECONDS)


def clear_jobs(lab: Lab) -> int:
    left = 0
    for site in SITES:
        ctl = site.controller.name
        jobs = lab.run(ctl, ["squeue", "-h", "-t", "pending,running", "-o", "%i"]).stdout.split()
        left += len(jobs)
        if jobs:
            lab.run(ctl, ["scancel", *jobs], check=False)
        lab.wait(f"no job is left at {site.name}", partial(_has_no_jobs, lab, ctl), _GONE_SECONDS)
    return left


def _has_no_jobs(lab: Lab, controller: str) -> bool:
    return not lab.run(controller, ["squeue", "-h"]).stdout.strip()
