"""`restart`: the hub is killed while servers run, and started again, next to batchspawner."""

import asyncio
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from importlib.metadata import version

import httpx

from benchmarks import counters, crowd, hubs, room, sleepers
from benchmarks.samples import Aim, Table
from lab import Lab
from lab.people import HUNDRED
from lab.plan import SITES

_SITES = tuple(site.name for site in SITES)
_START_SECONDS = 0.2
_ASK_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 120
_PAGE_SECONDS = 10
_WITHOUT = "{}, no server"
_SLEEPERS = "{}, jobs sleep, one program answers for all"
_EACH = 10
_AIM = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Restart:
    """Seconds since the hub was killed."""

    servers: int
    answers: float
    """The hub answers again."""

    known: float
    """It says of every server that it is ready."""

    unreached: float
    """The last page of a server was not answered, at whatever site; 0 if all were."""

    late: float
    """The longest time for which the hub's loop did nothing else, since it started."""

    lost: int
    """Servers that the hub did not know, or whose page was not answered, in the end."""

    @property
    def usable(self) -> float:
        """When everybody could go on."""
        return max(self.known, self.unreached)


Restarts = dict[str, Restart]


def measure(lab: Lab, say: Say, people: int) -> Restarts:
    """Restart each hub with a server of each of so many people.  Raises LabError, NotLetIn or httpx.HTTPError."""
    names = tuple(person.name for person in HUNDRED[:people])
    found: Restarts = {}
    room.make(lab)
    for hub in (hubs.OURS, hubs.PLAIN, hubs.MASTER):
        with hubs.put(lab, hub, names):
            say(f"restart: {hub.name}")
            found[_WITHOUT.format(hub.name)] = _restart(lab, ())
            found[hub.name] = _with_servers(lab, names)
            if hub.is_ours:
                found[_SLEEPERS.format(hub.name)] = _with_sleepers(lab, names)
    return found


def _with_servers(lab: Lab, names: Sequence[str]) -> Restart:
    started = crowd.start(lab, names, _START_SECONDS * len(names), _SITES)
    try:
        return _restart(lab, tuple(started.ready))
    finally:
        crowd.stop(lab)


def _with_sleepers(lab: Lab, names: Sequence[str]) -> Restart:
    """Restart our hub with ten servers of each, and look at the pages of the first of each."""
    try:
        with sleepers.running(lab, names, _EACH):
            everything = {key.rstrip("/") for key in hubs.servers(lab)}
            return _restart(lab, tuple(f"{name}/s0" for name in names), everything)
    finally:
        crowd.clear_jobs(lab)


def _restart(lab: Lab, looked_at: Sequence[str], others: Set[str] = frozenset()) -> Restart:
    """Servers are named as in their addresses: by their person, and a name of their own if they have one."""
    return asyncio.run(_asked(lab, looked_at, others | set(looked_at)))


async def _asked(lab: Lab, names: Sequence[str], everything: Set[str]) -> Restart:
    """Kill and start the hub; meanwhile everybody looks at a page of their server every second."""
    began, wall = time.monotonic(), time.time()
    good: dict[str, float] = {}
    bad: dict[str, float] = {}

    async def look(browser: httpx.AsyncClient, name: str) -> None:
        (good if await _is_answered(browser, name) else bad)[name] = time.monotonic() - began

    def waits() -> list[str]:
        return [name for name in names if bad.get(name, -1.0) > good.get(name, -1.0)]

    async with hubs.browser(lab) as browser:
        hub = asyncio.create_task(asyncio.to_thread(_until_known, lab, everything, began))
        while not hub.done() or (waits() and time.monotonic() - began < _PATIENCE_SECONDS):
            due = time.monotonic() + _ASK_SECONDS
            await asyncio.gather(*(look(browser, name) for name in names))
            await asyncio.sleep(max(_LOOK_SECONDS, due - time.monotonic()))
        answers, known, unknown = await hub
    late = max((turn.late for turn in counters.late_turns(lab, wall)), default=0.0)
    lost = len(unknown | set(waits()))
    return Restart(len(everything), answers, known, max(bad.values(), default=0.0), late, lost)


async def _is_answered(browser: httpx.AsyncClient, name: str) -> bool:
    try:
        answer = await browser.get(f"/user/{name}/api", timeout=_PAGE_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _until_known(lab: Lab, names: Set[str], began: float) -> tuple[float, float, set[str]]:
    """Restart the hub; return when it answers, when it knows all servers, and whose it does not know."""
    hubs.again(lab)
    answers = time.monotonic() - began
    while True:
        there = {key.rstrip("/") for key, server in hubs.servers(lab).items() if server["ready"]}
        known = time.monotonic() - began
        if there >= names or known > _PATIENCE_SECONDS:
            return answers, known, set(names - there)
        time.sleep(_LOOK_SECONDS)


def aims(restarts: Restarts) -> list[Aim]:
    """Return what was aimed at."""
    ours = restarts[hubs.OURS.name]
    alone = restarts[_WITHOUT.format(hubs.OURS.name)]
    return [
        Aim("restart: all usable, x a hub without servers answers", _AIM, ours.usable / alone.answers),
        Aim("restart: lost", 0, ours.lost),
    ]


def tables(restarts: Restarts) -> list[Table]:
    """Return what to print."""
    return [
        Table(
            "restart: seconds since the hub was killed",
            ("servers", "answers", "known", "no page", "usable", "late", "lost"),
            tuple((name, _cells(each)) for name, each in restarts.items()),
            (
                "answers: the hub; known: it says of all servers that they are ready; no page: until all answer",
                f"batchspawner {version('batchspawner')}",
                "aim: all usable as soon as a hub without servers answers",
            ),
        )
    ]


def _cells(each: Restart) -> tuple[str, ...]:
    seconds = (each.answers, each.known, each.unreached, each.usable)
    return (str(each.servers), *(f"{number:.1f}" for number in seconds), f"{each.late:.2f}", str(each.lost))
