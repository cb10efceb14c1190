"""The form and what its script says of a forecast, in a real browser; the hub is a table of answers."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from profiles.form import page as form
from profiles.form import told
from profiles.offer.choices import Choices
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.sentences import labels
from tests.lab.browser import chromium, pick
from tests.support import builders

_HUB = "http://hub.test/hub/"
_STATIC = files("slurm_ssh_spawner.hub") / "static"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.ChoiceLoader(
        [
            jinja2.DictLoader({"page.html": "{% block title %}{% endblock %}{% block main %}{% endblock %}"}),
            jinja2.PackageLoader("slurm_ssh_spawner.hub"),
        ]
    ),
    autoescape=True,
)
_OFFER = builders.offer(
    builders.catalogue(
        sites={key: builders.site(title=key.capitalize(), projects="none") for key in ("geneva", "lugano")}
    )
)
_BEGINS = datetime(2030, 5, 6, 2, 40, tzinfo=UTC)
_EXPECTED = {
    "said": "Slurm expects it to start at about {begins}. 3 jobs already wait there.",
    "begins": _BEGINS.isoformat(),
    "refused": False,
}
_AT_ONCE = {"said": "Slurm would start it at once.", "begins": None, "refused": False}


def _page() -> str:
    addresses = form.Addresses(f"{_HUB}launch-pages/options_form.js", f"{_HUB}api/offer?user=alice&server=south")
    main = _TEMPLATES.get_template("spawn.html").render(
        base_url=_HUB,
        launch_labels=labels,
        launch_sentences=sentences,
        action=f"{_HUB}spawn",
        spawner_options_form=form.render(_OFFER, {}, None, addresses),
    )
    known = "<script>window.jhdata = {xsrf_token: 'token', user: 'alice'};</script>"
    return f"<!DOCTYPE html>{known}{main}<script src='{_HUB}launch-pages/moments.js'></script>"


class _Told:
    """A hub that has these forecasts to give, and notes who asked for them."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.asked: list[dict[str, list[str]]] = []

    def answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        query = parse_qs(address.query)
        name = address.path.rsplit("/", 1)[1]
        if name.endswith(".js"):
            route.fulfill(body=(_STATIC / name).read_text(), content_type="text/javascript")
        elif name == "offer":
            choices = Choices({key: query[key][0] for key in query.keys() - {"user", "server", "open"}})
            found = told.looked_at(_OFFER, choices) if choices.values else {**told.data(_OFFER), "recent": []}
            route.fulfill(body=json.dumps(found), content_type="application/json")
        elif name == "forecast":
            assert route.request.headers["x-xsrftoken"] == "token"
            self.asked.append(query)
            found = self.answers.pop(0) if self.answers else {"sites": {}, "again": False}
            route.fulfill(body=json.dumps(found), content_type="application/json")
        else:
            route.fulfill(body=_page(), content_type="text/html")


Opened = Callable[[_Told], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(started: Browser) -> Opened:
    """Give what opens the form of a hub; its reader is in Tokyo."""

    @contextmanager
    def opened(hub: _Told) -> Iterator[Page]:
        with started.new_context(timezone_id="Asia/Tokyo", locale="en-GB") as context:
            page = context.new_page()
            problems: list[str] = []
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.route("**/*", hub.answer)
            page.goto(f"{_HUB}spawn")
            page.wait_for_selector("#launch-options:not([aria-busy])")
            yield page
            assert problems == []

    return opened


def _card(page: Page, site: str) -> Any:
    return page.locator(f".page-card:has([name=pick-site][value={site}]) .launch-forecast")


def test_what_slurm_says_stands_on_the_cards_and_above_start_in_the_readers_zone(opened: Opened) -> None:
    hub = _Told()
    hub.answers = [{"sites": {"geneva": _EXPECTED, "lugano": _AT_ONCE}, "again": False}]
    with opened(hub) as page:
        line = page.locator("#launch-forecast")
        expect(line).to_contain_text("Slurm expects it to start at about ")
        expect(line.locator("time")).to_contain_text("11:40")
        expect(line.locator("time")).to_have_attribute("datetime", _BEGINS.isoformat())
        expect(line).to_contain_text("3 jobs already wait there.")
        expect(line).to_have_attribute("role", "status")
        expect(_card(page, "geneva")).to_contain_text("3 jobs already wait there.")
        expect(_card(page, "lugano")).to_have_text("Slurm would start it at once.")
        # Slurm was asked for another choice than the next one.
        assert hub.asked[0]["open"] == ["0"]
        with page.expect_request("**/api/forecast?*") as request:
            pick(page, "site", "lugano")
            expect(line).to_have_text("")
        assert "open" not in parse_qs(urlsplit(request.value.url).query)
        expect(_card(page, "geneva")).to_have_text("")


_TYPE = """typed => {
  const time = document.getElementById("time");
  for (const value of typed) { time.value = value; time.dispatchEvent(new Event("input", { bubbles: true })); }
}"""


def test_a_choice_is_asked_for_once_when_it_has_rested_and_as_it_would_be_sent(opened: Opened) -> None:
    hub = _Told()
    with opened(hub) as page:
        with page.expect_request(lambda request: "time=" in request.url and "/forecast?" in request.url):
            page.evaluate(_TYPE, ["2", "2h", "2h 3", "2h 30m"])
        page.wait_for_function("document.getElementById('launch-summary').textContent.includes('2 h 30 min')")
        # Scripts are nobody who chooses.
        chosen = {"open": ["0"], "profile": ["jupyterlab"], "site": ["geneva"], "time": ["2h 30m"]}
        assert [each for each in hub.asked if "time" in each] == [
            {"user": ["alice"], "server": ["south"], **chosen}
        ]


def test_it_is_asked_for_again_while_it_is_another_ones_turn(opened: Opened) -> None:
    hub = _Told()
    hub.answers = [{"sites": {}, "again": True}, {"sites": {"geneva": _AT_ONCE}, "again": False}]
    with opened(hub) as page:
        expect(page.locator("#launch-forecast")).to_have_text("Slurm would start it at once.")
        assert len(hub.asked) == 2


def test_what_would_be_refused_is_text_and_looks_so(opened: Opened) -> None:
    hub = _Told()
    refused = {"said": "Geneva did not accept the job: <b>{begins}</b>.", "begins": None, "refused": True}
    hub.answers = [{"sites": {"geneva": refused}, "again": False}]
    with opened(hub) as page:
        line = page.locator("#launch-forecast")
        expect(line).to_have_text(refused["said"])
        expect(line).to_have_class("launch-why")
