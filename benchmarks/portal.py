"""`portal`: pages of the job service with many jobs, a large form, and what open pages cost.  Needs no lab."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx
import yaml

from benchmarks import portal_service
from benchmarks.counters import Late
from benchmarks.portal_service import DATASETS, PARAMETERS, TYPE, Running
from benchmarks.samples import Aim, Samples, Table, in_ms, milliseconds, ratio
from profiles.form import page
from profiles.loading import load
from profiles.offer.offer import Offer, Person

FEW, MANY = 1_000, 10_000
OF_FEW, OF_MANY = "bob", "alice"
PEOPLE, EACH = 20, 10
"""Who has pages open, and how many each."""

ROUNDS = 25
WINDOW_SECONDS = 60
AIM_LIST, AIM_FORM, AIM_LATE, AIM_OPEN = 0.05, 0.1, 0.1, 0.01
# Between the first looks of all pages and the minute in which nothing changes.
_SETTLE_SECONDS = 5
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 60
_CHANGES = 5
_CHANGE_SECONDS = 5
_OF_SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}

FORM = f"form of {PARAMETERS} parameters with conditions, {DATASETS} datasets"
FORM_ALONE = f"form of {PARAMETERS} parameters, no dataset"
FORM_PAGE = "the page around it, for no dataset"

_LISTS = {
    "list page": "",
    "list page, narrowed to those that failed": "?stage=FAILED",
    "list page, a word in the title": "?q=number+7",
    "list, by the API": "api/v1/jobs",
    "list, by the API, of a type": "api/v1/jobs?type=command",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """Seconds that the service computed in a minute, without and with open pages; `late` while jobs changed.

    `shown` is how often a page has shown a list anew, of `expected` times at least.
    """

    at_rest: float
    with_open: float
    late: list[Late]
    shown: int
    expected: int


@dataclass(frozen=True)
class Portal:
    """Seconds of each list by the number of jobs of its owner, of each form, and open pages.

    `computed` are seconds that the service computes for each list of the person with the most jobs.  The forms are
    made in this process; their seconds are those that it computed.
    """

    lists: dict[str, dict[int, list[float]]]
    computed: dict[str, float]
    forms: dict[str, list[float]]
    opened: Opened


def measure(say: Say) -> Portal:
    """Measure it.  Raises CalledProcessError or httpx.HTTPError."""
    viewers = [f"p{number:02}" for number in range(PEOPLE)]
    say(f"portal: {MANY} jobs of one person")
    with portal_service.running({OF_FEW: FEW, OF_MANY: MANY, **dict.fromkeys(viewers, FEW // 10)}) as service:
        lists, computed = asyncio.run(_lists(service))
        say(f"portal: a type with {PARAMETERS} parameters")
        forms = {**_forms(), FORM_PAGE: asyncio.run(_page(service, f"/new?type={TYPE}"))}
        say(f"portal: {PEOPLE * EACH} open pages, {2 * WINDOW_SECONDS} s")
        opened = asyncio.run(_opened(service, viewers))
    return Portal(lists, computed, forms, opened)


async def _lists(service: Running) -> tuple[dict[str, dict[int, list[float]]], dict[str, float]]:
    found: dict[str, dict[int, list[float]]] = {}
    computed: dict[str, float] = {}
    for name, path in _LISTS.items():
        for owner, count in ((OF_FEW, FEW), (OF_MANY, MANY)):
            async with service.api(owner) if path.startswith("api") else service.browser(owner) as http:
                before = service.cpu()
                found.setdefault(name, {})[count] = await _seconds(http, path.removeprefix("api/v1") or "/")
                computed[name] = (service.cpu() - before) / (ROUNDS + 1)
    return found, computed


async def _page(service: Running, path: str) -> list[float]:
    async with service.browser(OF_FEW) as http:
        return await _seconds(http, path)


async def _seconds(http: httpx.AsyncClient, path: str) -> list[float]:
    """Return how long each answer took, from the request until it began; the first one opens the connection."""
    took = []
    for _ in range(ROUNDS + 1):
        answer = (await http.get(path)).raise_for_status()
        took.append(answer.elapsed.total_seconds())
    return took[1:]


def _forms() -> dict[str, list[float]]:
    """Return the seconds of the form alone, in this process."""
    read = load.parse(yaml.safe_dump(portal_service.catalogue()), "catalogue.yaml")
    datasets = tuple(each.parameters for each in read.datasets["demo"].list or ())
    offer = Offer(read.jobs, {}, Person("alice"), datetime.now(UTC), datasets)
    alone = Offer(read.jobs, {}, Person("alice"), datetime.now(UTC))
    return {name: [_rendered(each) for _ in range(ROUNDS)] for name, each in ((FORM, offer), (FORM_ALONE, alone))}


def _rendered(offer: Offer) -> float:
    began = time.thread_time()
    page.of_entry(offer, TYPE, {})
    return time.thread_time() - began


async def _opened(service: Running, viewers: Sequence[str]) -> Opened:
    at_rest = await _computed(service)
    shown: list[str] = []
    opened = [asyncio.create_task(_open(service, name, shown.append)) for name in viewers for _ in range(EACH)]
    try:
        await _until(lambda: len(shown) >= len(opened), opened)
        await asyncio.sleep(_SETTLE_SECONDS)
        with_open = await _computed(service)
        since, before = time.time(), len(shown)
        for _ in range(_CHANGES):
            wanted = len(shown) + len(opened)
            await asyncio.gather(*(_change(service, name) for name in viewers))
            await _until(lambda: len(shown) >= wanted, opened)  # noqa: B023 - used at once
            await asyncio.sleep(_CHANGE_SECONDS)
        late = service.late(since)
    finally:
        for each in opened:
            each.cancel()
        await asyncio.gather(*opened, return_exceptions=True)
    return Opened(at_rest, with_open, late, len(shown) - before, _CHANGES * len(opened))


async def _until(holds: Callable[[], bool], opened: Sequence["asyncio.Task[None]"]) -> None:
    """Wait until something holds, for as long as people have patience; all pages have to stay open."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not holds() and time.monotonic() < end:
        await asyncio.sleep(_LOOK_SECONDS)
        if ended := [each for each in opened if each.done()]:
            raise httpx.ReadError(f"{len(ended)} open pages heard no more: {ended[0]!r}")


async def _computed(service: Running) -> float:
    before = service.cpu()
    await asyncio.sleep(WINDOW_SECONDS)
    return service.cpu() - before


async def _open(service: Running, name: str, shown: Callable[[str], Any]) -> None:
    """Do what a browser does with the list while it is seen."""
    async with service.browser(name) as browser:
        (await browser.get("/")).raise_for_status()
        async with browser.stream("GET", "/api/v1/events", headers=_OF_SCRIPT) as changes:
            changes.raise_for_status()
            shown(name)
            async for line in changes.aiter_lines():
                if line.startswith("data:"):
                    (await browser.get("/parts/jobs", headers=_OF_SCRIPT)).raise_for_status()
                    shown(name)
    raise httpx.ReadError("the stream ended")


async def _change(service: Running, name: str) -> None:
    """Cancel one of somebody's jobs that wait."""
    async with service.api(name) as http:
        waiting = (await http.get("/jobs", params={"stage": "NEW"})).raise_for_status().json()["items"]
        (await http.post(f"/jobs/{waiting[0]['job_id']}/cancel")).raise_for_status()


def aims(found: Portal) -> list[Aim]:
    """Return what was aimed at."""
    opened = found.opened
    cost = (opened.with_open - opened.at_rest) / WINDOW_SECONDS
    lists = (Aim(f"portal, {MANY}: {name}, s", AIM_LIST, median(by[MANY])) for name, by in found.lists.items())
    gaps = {"longest gap of the loop": _longest(opened.late), "of it computed": _longest(opened.late, "computed")}
    pages = f"portal, {PEOPLE * EACH} open pages"
    return [
        *lists,
        *(Aim(f"portal: {name}, s", AIM_FORM, median(samples)) for name, samples in found.forms.items()),
        Aim(f"{pages}: of a core, between changes", AIM_OPEN, cost),
        *(Aim(f"{pages} while jobs change: {name}, s", AIM_LATE, gap) for name, gap in gaps.items()),
        Aim(f"{pages}: lists shown anew", opened.expected, opened.shown, is_least=True),
    ]


def _longest(turns: Sequence[Late], what: str = "late") -> float:
    return max((getattr(each, what) for each in turns), default=0.0)


def tables(found: Portal) -> list[Table]:
    """Return what to print."""
    opened = found.opened
    lists: Mapping[str, Mapping[int, Samples]] = found.lists
    late, of_it = in_ms(_longest(opened.late)), in_ms(_longest(opened.late, "computed"))
    notes = (
        f"the service computes for {opened.at_rest:.2f} of {WINDOW_SECONDS} s at rest, "
        f"for {opened.with_open:.2f} s with {PEOPLE * EACH} open pages",
        f"{PEOPLE} jobs change at once, every {_CHANGE_SECONDS} s: the loop is late by {late} ms at most, "
        f"of which it computes {of_it}",
    )
    return [
        Table(
            f"portal: 50 of {MANY:,} jobs, ms",
            ("median", "min", "max", "ratio", "CPU"),
            tuple(
                (name, (*milliseconds(by[MANY]), ratio(by[MANY], by[FEW]), in_ms(found.computed[name])))
                for name, by in lists.items()
            ),
            (f"ratio: to {FEW:,} jobs; CPU: of the service, for one list",),
        ),
        Table(
            "portal: a large form, ms",
            ("median", "min", "max", "ratio"),
            tuple(
                (name, (*milliseconds(samples), ratio(samples, found.forms[FORM_ALONE])))
                for name, samples in found.forms.items()
            ),
            notes,
        ),
    ]
