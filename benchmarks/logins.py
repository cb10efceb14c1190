"""`logins`: a hundred people log in at once, while others look at pages, next to as many kinit at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks import hubs
from benchmarks.pages import PAGES, READER, answers, ask, at_the_form, browsers, logged_in
from benchmarks.samples import Aim, Table, percentile95, ratio, with_tail
from lab import Lab
from lab.people import HUNDRED
from lab.person import Person
from lab.plan import HUB, HUB_USER

AIM_PAGE_SECONDS = 0.1
AIM_SECONDS = 1.0
_READING_SECONDS = 5
_QUIET, _BUSY = "no load", "while they log in"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Logins:
    """Seconds until each had their answer, what the answers were, and the samples of pages by condition."""

    took: list[float]
    became: dict[str, int]
    kinit: float
    """Seconds until as many kinit, all begun at once, have ended."""

    pages: dict[str, dict[str, list[float]]]


def measure(lab: Lab, say: Say, people: int) -> Logins:
    """Let so many people log in at once.  Raises LabError or NotLetIn."""
    names = [person.name for person in HUNDRED[:people]]
    with ExitStack() as stack:
        pool = stack.enter_context(browsers())
        reader = stack.enter_context(logged_in(lab, READER))
        strangers = [stack.enter_context(at_the_form(lab, name)) for name in names]
        say(f"logins: pages without load, {_READING_SECONDS} s")
        quiet = answers(ask(pool, reader, _READING_SECONDS))
        say(f"logins: {people} at once")
        asked = ask(pool, reader, _READING_SECONDS)
        found = asyncio.run(_at_once(lab, strangers))
        busy = answers(asked)
    pages = {page: {_QUIET: quiet[page], _BUSY: busy[page]} for page in PAGES}
    became = dict(Counter(status for _, status in found))
    return Logins(sorted(took for took, _ in found), became, _kinit(lab, names), pages)


async def _at_once(lab: Lab, strangers: Sequence[Person]) -> list[tuple[float, str]]:
    """Let everybody send the login form; return how long each waited, and the status of the answer."""
    async with hubs.browser(lab) as browser:

        async def log_in(person: Person) -> tuple[float, str]:
            fields = {"username": person.name, "password": f"{person.name}-pw", "_xsrf": person.xsrf()}
            cookies = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
            began = time.monotonic()
            answer = await browser.post(
                "/hub/login", data=fields, headers={"Cookie": cookies, "Authorization": ""}
            )
            return time.monotonic() - began, str(answer.status_code)

        return await asyncio.gather(*map(log_in, strangers))


def _kinit(lab: Lab, names: list[str]) -> float:
    each = '(echo "$n-pw" | kinit -c "$d/$n" "$n" >/dev/null) &'
    script = f'd=$(mktemp -d); for n in {" ".join(names)}; do {each} done; wait; rm -r "$d"'
    began = time.monotonic()
    lab.run(HUB.name, ["sh", "-c", script], user=HUB_USER)
    return time.monotonic() - began


def aims(logins: Logins) -> list[Aim]:
    """Return what was aimed at."""
    pages = (
        Aim(f"logins: GET {page} meanwhile, p95, s", AIM_PAGE_SECONDS, percentile95(conditions[_BUSY]))
        for page, conditions in logins.pages.items()
    )
    return [Aim(f"logins: {len(logins.took)} at once, all in, s", AIM_SECONDS, logins.took[-1]), *pages]


def tables(logins: Logins) -> list[Table]:
    """Return what to print."""
    answered = ", ".join(f"{count} x {answer}" for answer, count in logins.became.items())
    all_in = logins.took[-1]
    return [
        Table(
            f"logins: {len(logins.took)} at once, s",
            ("median", "all in", "ratio"),
            (
                ("POST /hub/login", (f"{logins.took[len(logins.took) // 2]:.2f}", f"{all_in:.2f}", "")),
                ("as many kinit at once", ("", f"{logins.kinit:.2f}", f"x {all_in / logins.kinit:.2f}")),
            ),
            (f"answers: {answered}", f"aim: all in after {AIM_SECONDS:.0f} s"),
        ),
        Table(
            "logins: pages of others, ms",
            ("median", "p95", "max", "ratio"),
            tuple(
                (f"GET {page}, {condition}", (*with_tail(samples), ratio(samples, conditions[_QUIET])))
                for page, conditions in logins.pages.items()
                for condition, samples in conditions.items()
            ),
            (f"aim: p95 below {AIM_PAGE_SECONDS * 1000:.0f} ms",),
        ),
    ]
