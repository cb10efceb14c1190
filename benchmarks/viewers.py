"""`viewers`: pages with many who look at once, and what open pages cost, next to JupyterHub's own Home."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

import httpx

from benchmarks import counters, hubs
from benchmarks.samples import Aim, Samples, Table, ratio, with_tail
from lab import Lab
from lab.people import HUNDRED
from lab.person import Person

VIEWERS = tuple(person.name for person in HUNDRED[:20])
SERVERS = ("", "east", "north", "south", "west")
EACH = 2
"""Open pages of each person."""

WINDOW_SECONDS = 60
AIM_FORM, AIM_HOME, AIM_CORE = 2.0, 1.5, 0.05
_ROUNDS = 10
_PATIENCE_SECONDS = 120
# Until every page has its first look behind it.
_SETTLE_SECONDS = 10

HOME, FORM = "Home of 20 people at once", "form of 20 people at once"
FORM_FROZEN = f"{FORM}, lugano's Slurm frozen"
HOME_OF_FIVE = "Home with 5 servers"
_OURS, _STOCK = "ours, ", "JupyterHub's, "

Say = Callable[[str], None]


@dataclass(frozen=True)
class Viewed:
    """Seconds until pages were there; seconds that the hub computed in a minute, without and with open pages."""

    pages: dict[str, list[float]]
    open_pages: int
    at_rest: float
    with_open: float


def measure(lab: Lab, say: Say, people: int) -> Viewed:
    """Ask for pages of our hub and of one with batchspawner.  Raises LabError, NotLetIn or HTTPError."""
    names = [person.name for person in HUNDRED[:people]]
    pages: dict[str, list[float]] = {}
    with hubs.put(lab, hubs.OURS, names), _logged_in(lab, names) as crowd:
        say("viewers: the form")
        pages[_OURS + FORM] = _at_once(crowd, "/hub/spawn")
        with _frozen(lab):
            pages[_OURS + FORM_FROZEN] = _at_once(crowd, "/hub/spawn")
        pages[_OURS + HOME] = _at_once(crowd, "/hub/home")
        with _servers(crowd[0]):
            pages[_OURS + HOME_OF_FIVE] = _in_turn(crowd[0], "/hub/home")
            say(f"viewers: the hub at rest, {WINDOW_SECONDS} s")
            at_rest = _computed(lab)
            say(f"viewers: {EACH * people} open pages, {WINDOW_SECONDS} s")
            with_open = asyncio.run(_with_open(lab, crowd))
    with hubs.put(lab, hubs.PLAIN, names[: len(VIEWERS)]), _logged_in(lab, names[: len(VIEWERS)]) as crowd:
        say("viewers: JupyterHub's Home")
        pages[_STOCK + HOME] = _at_once(crowd, "/hub/home")
        with _servers(crowd[0]):
            pages[_STOCK + HOME_OF_FIVE] = _in_turn(crowd[0], "/hub/home")
    return Viewed(pages, EACH * people, at_rest, with_open)


@contextmanager
def _logged_in(lab: Lab, names: Sequence[str]) -> Iterator[list[Person]]:
    with ExitStack() as stack:
        crowd = [stack.enter_context(Person(lab.url, name)) for name in names]
        for person in crowd:
            person.log_in()
        yield crowd


@contextmanager
def _servers(person: Person) -> Iterator[None]:
    """Let somebody have five servers at geneva."""
    for name in SERVERS:
        _send(person, "POST", name, {"profile": "stub", "site": "geneva"})
    _wait(lambda: sum(each["ready"] for each in person.model()["servers"].values()) == len(SERVERS))
    try:
        yield
    finally:
        for name in SERVERS:
            _send(person, "DELETE", name)
        _wait(lambda: not any(each["pending"] for each in person.model()["servers"].values()))


def _send(person: Person, method: str, server: str, body: object = None) -> None:
    address = f"/hub/api/users/{person.name}/servers/{server}"
    person.api(method, address, json=body).raise_for_status()


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise httpx.ReadTimeout("The five servers did not start, or did not stop.")
        time.sleep(0.5)


@contextmanager
def _frozen(lab: Lab) -> Iterator[None]:
    lab.fault("freeze", "lugano-ctl", "slurmctld")
    try:
        yield
    finally:
        lab.fault("thaw", "lugano-ctl", "slurmctld")


def _at_once(crowd: Sequence[Person], page: str) -> list[float]:
    """Return the samples of rounds in which 20 people ask at once."""
    viewers = crowd[: len(VIEWERS)]
    with ThreadPoolExecutor(len(viewers)) as threads:
        rounds = [list(threads.map(partial(_get, page=page), viewers)) for _ in range(_ROUNDS)]
    # The first round makes what is kept for the others.
    return [took for each in rounds[1:] for took in each]


def _in_turn(person: Person, page: str) -> list[float]:
    return [_get(person, page) for _ in range(_ROUNDS * 5)][5:]


def _get(person: Person, page: str) -> float:
    began = time.monotonic()
    person.http.get(page).raise_for_status()
    return time.monotonic() - began


def _computed(lab: Lab) -> float:
    """Return the seconds that the hub computes within the window."""
    before = counters.count(lab).hub_cpu
    time.sleep(WINDOW_SECONDS)
    return counters.count(lab).hub_cpu - before


async def _with_open(lab: Lab, crowd: Sequence[Person]) -> float:
    """Return the same while everybody has pages open."""
    opened = [asyncio.create_task(_open_home(person)) for person in crowd for _ in range(EACH)]
    await asyncio.sleep(_SETTLE_SECONDS)
    computed = await asyncio.to_thread(_computed, lab)
    failed = [each.exception() for each in opened if each.done()]
    for each in opened:
        each.cancel()
    await asyncio.gather(*opened, return_exceptions=True)
    if failed:
        raise httpx.ReadError(f"{len(failed)} open pages heard no more from the hub: {failed[0]!r}")
    return computed


async def _open_home(person: Person) -> None:
    """Do what a browser does with Home while it is seen."""
    cookies = dict(person.http.cookies)
    async with httpx.AsyncClient(base_url=person.url, cookies=cookies, timeout=120) as browser:
        (await browser.get("/hub/home")).raise_for_status()
        async with browser.stream("GET", "/hub/home/changes") as changes:
            async for line in changes.raise_for_status().aiter_lines():
                if line == "event: changed":
                    (await browser.get("/hub/home/servers")).raise_for_status()
    raise httpx.ReadError("the stream ended")


def aims(viewed: Viewed) -> list[Aim]:
    """Return what was aimed at."""
    pages = {name: median(samples) for name, samples in viewed.pages.items()}
    plain, of_five = pages[_STOCK + HOME], pages[_STOCK + HOME_OF_FIVE]
    cost = (viewed.with_open - viewed.at_rest) / WINDOW_SECONDS
    return [
        Aim(f"viewers: {FORM}, x JupyterHub's Home", AIM_FORM, pages[_OURS + FORM] / plain),
        Aim(f"viewers: {FORM_FROZEN}, x JupyterHub's Home", AIM_FORM, pages[_OURS + FORM_FROZEN] / plain),
        Aim(f"viewers: {HOME_OF_FIVE}, x JupyterHub's", AIM_HOME, pages[_OURS + HOME_OF_FIVE] / of_five),
        Aim(f"viewers: {viewed.open_pages} open pages, of a core", AIM_CORE, cost),
    ]


def tables(viewed: Viewed) -> list[Table]:
    """Return what to print."""

    def row(name: str, samples: Samples) -> tuple[str, tuple[str, ...]]:
        reference = _STOCK + (HOME_OF_FIVE if name.endswith(HOME_OF_FIVE) else HOME)
        return name, (*with_tail(samples), ratio(samples, viewed.pages[reference]))

    cost = (
        f"the hub computes for {viewed.at_rest:.2f} of {WINDOW_SECONDS} s at rest, "
        f"for {viewed.with_open:.2f} s with {viewed.open_pages} pages of Home open"
    )
    rows = tuple(row(name, samples) for name, samples in viewed.pages.items())
    return [Table("viewers: pages, ms", ("median", "p95", "max", "ratio"), rows, (cost,))]
