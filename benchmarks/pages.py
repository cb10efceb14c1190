"""Other people's pages, asked for while a hub has much to do, and what a crowd asks of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context

import httpx

from lab import Lab
from lab.person import Person
from lab.plain_http import NO_TLS

PAGES = ("/hub/home", "/hub/api/")
READER = "alice"
EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 15

Asked = dict[str, "Future[list[float]]"]
"""The samples of each page, to come."""


def logged_in(lab: Lab, name: str) -> Person:
    """Return a person with a ticket and a token, for whom the hub has no connection yet."""
    person = Person(lab.url, name)
    person.log_in()
    person.model()
    return person


def at_the_form(lab: Lab, name: str) -> Person:
    """Return a person whose browser shows the login form."""
    person = Person(lab.url, name)
    person.http.get("/hub/login")
    return person


@contextmanager
def browsers() -> Iterator[ProcessPoolExecutor]:
    """Give processes that ask for pages: what a crowd takes of this one's time is no part of their samples."""
    with ProcessPoolExecutor(len(PAGES), mp_context=get_context("spawn")) as pool:
        # They begin with their first work.
        list(pool.map(time.sleep, [EVERY_SECONDS] * len(PAGES)))
        yield pool


def ask(pool: ProcessPoolExecutor, reader: Person, seconds: float) -> Asked:
    """Have a person ask for every page, ten times a second, for so long."""
    count, cookies = round(seconds / EVERY_SECONDS), dict(reader.http.cookies)
    return {page: pool.submit(_ask_for, reader.url, cookies, page, count) for page in PAGES}


def answers(asked: Asked) -> dict[str, list[float]]:
    """Return the samples of each page, once there are all."""
    return {page: samples.result() for page, samples in asked.items()}


def _ask_for(url: str, cookies: Mapping[str, str], page: str, count: int) -> list[float]:
    """Return the seconds until each of `count` GETs was answered, or given up.

    They are counted from when a GET was due, so that an answer that hangs counts for those behind it, too.
    """
    begun = time.monotonic()
    end = begun + count * EVERY_SECONDS + _PATIENCE_SECONDS
    samples = []
    with httpx.Client(verify=NO_TLS, base_url=url, cookies=dict(cookies), timeout=_PATIENCE_SECONDS) as browser:
        for number in range(count):
            due = begun + number * EVERY_SECONDS
            time.sleep(max(0, due - time.monotonic()))
            if time.monotonic() < end:
                with suppress(httpx.TimeoutException):
                    browser.get(page).raise_for_status()
            samples.append(time.monotonic() - due)
    return samples


def log_in(person: Person) -> str:
    """Send the form, and return the status of the answer."""
    fields = {"username": person.name, "password": f"{person.name}-pw", "_xsrf": person.xsrf()}
    return status(partial(person.http.post, "/hub/login", data=fields, follow_redirects=False))


def status(ask: Callable[[], httpx.Response]) -> str:
    """Return the status of an answer, or that there was none."""
    try:
        return str(ask().status_code)
    except httpx.TimeoutException:
        return "no answer"
