"""`frozen`: other people's pages while the KDC is silent and many logins and starts of servers wait for it."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from benchmarks import lies
from benchmarks.pages import (
    EVERY_SECONDS,
    PAGES,
    READER,
    answers,
    ask,
    at_the_form,
    browsers,
    log_in,
    logged_in,
    status,
)
from benchmarks.samples import Samples, Table, ratio, with_tail
from lab import Lab
from lab.people import CROWD
from lab.person import Person
from lab.plan import HUB, KDC

LOGINS = 50
SITES = ("geneva", "lugano")
STARTERS = tuple(person.name for person in CROWD[:27])
"""Each starts a server at every site, so that every start needs a connection, and a ticket for it, of its own.

The first four at a site know after 16 s that no KDC answers; all still wait when that is measured.
"""

STARTS = len(STARTERS) * len(SITES)
QUIET_SECONDS = 10
ARRIVAL_SECONDS = 3
# Logins are given up after 12 s.
WAITING_SECONDS = 8
_AFTERWARDS_SECONDS = 40
_LAB_SERVICE = {"Authorization": "token lab-service-token"}

QUIET = "no load"
LYING = "one shell answers with {}"
ARRIVING = "KDC frozen, while they arrive"
WAITING = "KDC frozen, while all wait"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Crowd:
    """What has been asked of the hub while the KDC was silent."""

    logins: Sequence["Future[str]"]
    starts: Sequence["Future[str]"]


@dataclass(frozen=True)
class Frozen:
    """All that was measured: seconds by page and condition; what waited at the end; what became of it."""

    pages: dict[str, dict[str, list[float]]]
    hub_cpu: float
    """Seconds that the hub computed during ARRIVAL_SECONDS."""

    waited: dict[str, int]
    became: dict[str, dict[str, int]]


def measure(lab: Lab, say: Say) -> Frozen:
    """Ask for pages with the KDC at work and with the KDC frozen; thaw it.  Raises LabError or NotLetIn."""
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(LOGINS + STARTS))
        pool = stack.enter_context(browsers())
        reader, *starters = (stack.enter_context(logged_in(lab, name)) for name in (READER, *STARTERS))
        strangers = [stack.enter_context(at_the_form(lab, CROWD[n % len(CROWD)].name)) for n in range(LOGINS)]
        say(f"frozen: pages without load, {QUIET_SECONDS} s")
        quiet = answers(ask(pool, reader, QUIET_SECONDS))
        lying = {}
        for kind in lies.KINDS:
            say(f"frozen: pages while a login shell answers with {kind}")
            with logged_in(lab, lies.LIAR) as liar, lies.told(lab, liar, kind):
                lying[LYING.format(kind)] = answers(ask(pool, reader, QUIET_SECONDS))
        say(f"frozen: pages with the KDC frozen, {LOGINS} logins and {STARTS} starts")
        with _frozen(lab):
            crowd = _crowd(threads, strangers, starters)
            asked = ask(pool, reader, ARRIVAL_SECONDS + WAITING_SECONDS)
            hub_cpu = _computed(lab, ARRIVAL_SECONDS)
            loaded = answers(asked)
            waited = _waiting(lab, crowd)
        say("frozen: the KDC is back; ending what was started")
        became = _afterwards(threads, crowd, starters)
    arrived = round(ARRIVAL_SECONDS / EVERY_SECONDS)
    pages = {
        page: {
            QUIET: quiet[page],
            **{condition: samples[page] for condition, samples in lying.items()},
            ARRIVING: loaded[page][:arrived],
            WAITING: loaded[page][arrived:],
        }
        for page in PAGES
    }
    return Frozen(pages, hub_cpu, waited, became)


def tables(frozen: Frozen) -> list[Table]:
    """Return what to print."""

    def cells(samples: Samples, reference: Samples) -> tuple[str, ...]:
        return (*with_tail(samples), ratio(samples, reference))

    rows = tuple(
        (f"GET {page}, {condition}", cells(samples, conditions[QUIET]))
        for page, conditions in frozen.pages.items()
        for condition, samples in conditions.items()
    )
    waited = ", ".join(f"{count} {what}" for what, count in frozen.waited.items())
    became = (f"answers to {what}: {_counted(answers)}" for what, answers in frozen.became.items())
    title = f"frozen: {LOGINS} logins and {STARTS} starts at once, ms"
    computed = f"while they arrive the hub computes for {frozen.hub_cpu:.1f} of {ARRIVAL_SECONDS} s"
    return [Table(title, ("median", "p95", "max", "ratio"), rows, (computed, f"at the end: {waited}", *became))]


def _counted(answers: dict[str, int]) -> str:
    return ", ".join(f"{count} x {answer}" for answer, count in answers.items())


@contextmanager
def _frozen(lab: Lab) -> Iterator[None]:
    lab.fault("freeze", KDC.name, "krb5kdc")
    try:
        yield
    finally:
        lab.fault("thaw", KDC.name, "krb5kdc")


def _computed(lab: Lab, seconds: float) -> float:
    """Return how long the hub computes within the next `seconds`."""
    before = _cpu(lab)
    time.sleep(seconds)
    return _cpu(lab) - before


def _cpu(lab: Lab) -> float:
    numbers = (_hub(lab) / "stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _hub(lab: Lab) -> Path:
    """Return the folder of the hub's process."""
    return Path(f"/proc/{next(each.pid for each in lab.status()[HUB.name] if each.name == 'jupyterhub')}")


def _crowd(threads: ThreadPoolExecutor, strangers: Sequence[Person], starters: Sequence[Person]) -> Crowd:
    logins = [threads.submit(log_in, person) for person in strangers]
    starts = [threads.submit(_start, person, site) for person in starters for site in SITES]
    return Crowd(logins, starts)


def _start(person: Person, site: str) -> str:
    choices = {"profile": "stub", "site": site}
    return status(partial(person.api, "POST", _server(person, site), json=choices))


def _server(person: Person, site: str) -> str:
    return f"/hub/api/users/{person.name}/servers/at-{site}"


def _waiting(lab: Lab, crowd: Crowd) -> dict[str, int]:
    """Return who waits and for what, now."""
    users = httpx.get(f"{lab.url}/hub/api/users", headers=_LAB_SERVICE, timeout=60).raise_for_status().json()
    pending = [server["pending"] for user in users for server in user["servers"].values()]
    to_kdc = lab.run(HUB.name, ["ss", "-Htn", "dst", f"{KDC.address}:88"]).stdout.splitlines()
    return {
        "logins wait": sum(not login.done() for login in crowd.logins),
        "starts wait": pending.count("spawn"),
        "connections to the KDC": len(to_kdc),
        "threads in the hub": len(list((_hub(lab) / "task").iterdir())),
    }


def _afterwards(
    threads: ThreadPoolExecutor, crowd: Crowd, starters: Sequence[Person]
) -> dict[str, dict[str, int]]:
    """Stop all servers, and return how often which status answered the logins, starts and stops."""
    wait([*crowd.logins, *crowd.starts], timeout=_AFTERWARDS_SECONDS)
    stops = [threads.submit(_stop, person, site) for person in starters for site in SITES]
    asked = {"logins": crowd.logins, "starts": crowd.starts, "stops": stops}
    return {what: dict(Counter(each.result() for each in futures)) for what, futures in asked.items()}


def _stop(person: Person, site: str) -> str:
    return status(partial(person.api, "DELETE", _server(person, site), json={"remove": True}))
