"""The options form in a real browser, with and without JavaScript."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import PATIENCE_SECONDS, browser, log_in, pick

pytestmark = pytest.mark.xdist_group("the options form")
"""One browser for all tests of this file: they only look."""


Form = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def form(lab: Lab) -> Iterator[Form]:
    """Give what opens somebody's options form; the browser's console may say nothing but that a load failed."""
    contexts: dict[tuple[str, bool], BrowserContext] = {}

    def context(chromium: Browser, name: str, *, scripts: bool) -> BrowserContext:
        """Return the browser of a person who is logged in: it keeps what its first page has loaded."""
        if (name, scripts) not in contexts:
            made = contexts[name, scripts] = chromium.new_context(base_url=lab.url, java_script_enabled=scripts)
            made.set_default_timeout(PATIENCE_SECONDS * 1000)
            log_in(made.new_page(), name)
        return contexts[name, scripts]

    with browser(lab) as first:
        chromium = first.context.browser
        assert chromium is not None

        @contextmanager
        def opened(name: str = "alice", path: str = "/hub/spawn", *, scripts: bool = True) -> Iterator[Page]:
            said: list[str] = []
            page = context(chromium, name, scripts=scripts).new_page()
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(path)
            if scripts:
                page.wait_for_selector("#launch-options:not([aria-busy])")
            # The form begins with the last accepted choices, whatever an earlier test started.
            pick(page, "profile", "jupyterlab")
            pick(page, "site", "geneva")
            page.fill("#time", "")
            yield page
            page.close()
            assert said == []

        yield opened


def shown(page: Page) -> list[str]:
    """Return the names of the fields that can be seen, but for the cards; an amount has two."""
    controls = page.locator("#launch-options [name]:visible:not([type=radio])").all()
    return [str(control.get_attribute("name")) for control in controls]


def options(page: Page, name: str) -> list[str]:
    return page.locator(f"[name='{name}'] option").all_text_contents()


def card(page: Page, site: str) -> Locator:
    """Return the card of a cluster."""
    return page.locator("label.page-card", has=page.locator(f"[name=pick-site][value={site}]"))


COMMON = ["partition"]
MEMORY = ["memory-number", "memory-unit"]
NEURO = ["time", "cores", *MEMORY, "gpus", "param.atlas", "param.subjects"]


def test_the_fields_follow_profile_and_cluster(form: Form) -> None:
    with form() as page:
        assert shown(page) == [*COMMON, "time", "cores", *MEMORY]
        pick(page, "profile", "neuro")
        expect(page.locator("#profile-hint")).to_contain_text("For neuroscientists")
        assert shown(page) == [*COMMON, *NEURO]
        assert options(page, "cores") == ["1 (default)", "2", "4"]
        pick(page, "site", "lugano")
        there = [name for name in NEURO if name != "gpus"]
        assert [name for name in shown(page) if name != "project"] == [*COMMON, *there, "param.sessions"]
        pick(page, "profile", "stub")
        assert "param.atlas" not in shown(page)


def test_clusters_say_what_is_free_and_those_that_do_not_offer_the_profile_cannot_be_picked(form: Form) -> None:
    with form() as page:
        # The hub may not have asked the site before: the page corrects itself.
        expect(card(page, "geneva")).to_contain_text(re.compile("(starts at once|likely to wait): .* cores free"))
        pick(page, "profile", "old")
        expect(page.locator("[name=pick-site][value=lugano]")).to_be_checked()
        expect(card(page, "geneva")).to_contain_text("does not offer this profile")
        expect(page.locator("[name=pick-site][value=geneva]")).to_be_disabled()


def test_what_is_hidden_is_not_sent(form: Form) -> None:
    with form() as page:
        pick(page, "profile", "neuro")
        page.fill("[name='param.subjects']", "7")
        pick(page, "profile", "jupyterlab")
        page.fill("#time", "99h")
        page.click("[type=submit]")
        expect(page.locator("#time-problem")).to_contain_text("Time: 99h is not offered.")


def test_without_scripts_every_field_is_there_and_the_server_decides(form: Form) -> None:
    with form(scripts=False) as page:
        every = {"profile", "site", *COMMON, *NEURO, "memory", "project", "param.sessions"}
        assert set(shown(page)) >= every - {*MEMORY}
        pick(page, "profile", "jupyterlab")
        page.fill("[name='param.subjects']", "7")
        page.click("[type=submit]")
        expect(page.locator(".spawn-error-msg")).to_contain_text("JupyterLab has no parameter named subjects.")
        expect(page.locator("#param\\.subjects")).to_have_attribute("aria-invalid", "true")
        assert page.input_value("#param\\.subjects") == "7"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("path", ["/hub/spawn", "/hub/spawn/alice/south"])
def test_a_refused_form_comes_back_with_what_was_typed(form: Form, path: str, *, scripts: bool) -> None:
    with form(path=path, scripts=scripts) as page:
        pick(page, "profile", "stub")
        pick(page, "site", "lugano")
        page.fill("#time", "99h")
        page.click("[type=submit]")
        expect(page.locator("#time-problem")).to_contain_text("Time: 99h is not offered. Choose")
        described = str(page.get_attribute("#time", "aria-describedby")).split()
        assert described == ["time-hint", "time-problem"]
        picked = [page.locator(f"#{name}").input_value() for name in ("profile", "site", "time")]
        assert picked == ["stub", "lugano", "99h"]


def test_every_field_can_be_reached_by_its_label_and_by_the_keyboard(form: Form) -> None:
    with form() as page:
        pick(page, "profile", "neuro")
        expect(page.locator("[data-field='param.atlas']")).to_be_visible()
        page.locator("[name=pick-profile]:checked").focus()
        reached: list[str] = []
        while "submit" not in reached:
            reached.append(page.evaluate("document.activeElement.name || document.activeElement.type || 'link'"))
            page.keyboard.press("Tab")
        names = [name for name in reached if name not in ("link", "button")]
        assert names == ["pick-profile", "pick-site", *COMMON, *NEURO, "submit"]
        for label in ("Time", "Cores", "Atlas", "Subjects"):
            expect(page.get_by_label(label, exact=True)).to_be_visible()
        expect(page.get_by_role("radiogroup", name="What")).to_be_visible()


def test_what_was_said_of_a_cluster_is_not_said_of_another(form: Form) -> None:
    with form() as page:
        page.goto("/hub/spawn/alice/marked?profile=jupyterlab&site=nowhere")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        marked = page.get_by_role("radiogroup", name="Where")
        expect(page.locator("#site-problem")).to_contain_text("nowhere is not offered")
        expect(marked).to_have_attribute("aria-invalid", "true")
        page.locator("[name=pick-site][value=lugano]").check()
        expect(page.locator("#site-problem")).to_have_count(0)
        expect(marked).not_to_have_attribute("aria-invalid", "true")
        expect(page.locator("#site")).not_to_have_class(re.compile("is-invalid"))


def test_a_profile_is_found_by_what_is_in_it(form: Form) -> None:
    with form() as page:
        cards = page.locator("label.page-card:has([name=pick-profile])")
        page.fill("#profile-search", "neuroscientists atlas")
        expect(cards).to_have_count(1)
        expect(cards).to_contain_text("Brain images")
        more = page.get_by_role("button", name="Show all")
        expect(more).to_be_hidden()
        page.fill("#profile-search", "")
        every = page.locator("#profile option").count()
        seen = {each.input_value() for each in cards.locator("input").all()}
        expect(more).to_have_text(f"Show all {every}")
        more.click()
        assert cards.count() == every
        expect(more).to_be_hidden()
        assert page.evaluate("document.activeElement.name") == "pick-profile"
        assert page.evaluate("document.activeElement.value") not in seen


def test_who_has_no_project_at_a_cluster_sees_why_they_cannot_pick_it(form: Form) -> None:
    with form("bob") as page:
        expect(card(page, "lugano")).to_contain_text("You have no project there", ignore_case=True)
        expect(page.locator("[name=pick-site][value=lugano]")).to_be_disabled()


def test_before_the_start_the_page_says_what_would_be_started(form: Form) -> None:
    with form() as page:
        expect(page.locator("#launch-summary")).to_contain_text(re.compile("^JupyterLab on Geneva.*, 1 h, until"))
        page.fill("#time", "1.5h")
        expect(page.locator("#time-echo")).to_contain_text("= 1 h 30 min, until ")
        expect(page.locator("#time")).to_have_attribute("aria-describedby", "time-hint time-echo")
        page.fill("#time", "99h")
        expect(page.locator("#time-problem")).to_contain_text("Time: 99h is not offered.")
        page.fill("#time", "30m")
        expect(page.locator("#time-problem")).to_have_count(0)


def crowded(route: Route) -> None:
    """Answer as if only Lugano had room."""
    answer = route.fetch()
    told = answer.json()
    for place in told["places"]:
        place["state"] = "free" if place["title"].startswith("Lugano") else "busy"
    route.fulfill(response=answer, json=told)


def test_what_may_start_at_once_elsewhere_is_taken_by_a_button_that_is_not_read_out(form: Form) -> None:
    with form() as page:
        page.route("**/hub/api/offer?*", crowded)
        page.fill("#time", "31m")
        take = page.get_by_role("button", name="Take Lugano")
        expect(take).to_be_visible()
        expect(page.locator("[role=status] button")).to_have_count(0)
        take.click()
        expect(page.locator("[name=pick-site][value=lugano]")).to_be_checked()
        expect(page.locator("[name=pick-site][value=lugano]")).to_be_focused()
        expect(take).to_be_hidden()
        page.unroute_all(behavior="wait")


def refused(route: Route) -> None:
    """Answer as if Lugano had refused the person."""
    answer = route.fetch()
    told = answer.json()
    for place in told["places"]:
        if place["title"].startswith("Lugano"):
            place |= {"state": "refused", "news": "Lugano did not let you in."}
    route.fulfill(response=answer, json=told)


def test_who_was_refused_reads_it_on_the_card_and_can_pick_it_all_the_same(form: Form) -> None:
    with form() as page:
        page.route("**/hub/api/offer?*", refused)
        page.fill("#time", "31m")
        lugano = page.locator("[name=pick-site][value=lugano]")
        expect(page.locator(".page-card", has=lugano)).to_contain_text("Lugano did not let you in.")
        lugano.check()
        expect(lugano).to_be_checked()
        expect(page.locator("#site")).to_have_value("lugano")
        page.unroute_all(behavior="wait")


def test_a_hub_that_does_not_answer_is_said_and_nothing_is_called_new(form: Form) -> None:
    with form() as page:
        expect(page.locator("#form-away")).to_be_hidden()
        page.route("**/hub/api/offer?*", lambda route: route.fulfill(status=403, json={}))
        page.fill("#time", "31m")
        # Its text is there all along.
        expect(page.locator("#form-away")).to_be_visible()
        expect(page.locator("#form-away")).to_contain_text("You are logged out")
        assert set(page.locator(".launch-age").all_text_contents()) == {""}
        page.unroute_all(behavior="wait")
        page.fill("#time", "32m")
        expect(page.locator("#form-away")).to_be_hidden()


def test_a_link_fills_in_the_form_and_what_is_typed_outlives_the_page(form: Form) -> None:
    with form(path="/hub/spawn/alice/linked") as page:
        page.goto("/hub/spawn/alice/linked?profile=stub&site=lugano&time=31m")
        expect(page.locator("#launch-note")).to_contain_text("Check it and press Start.")
        expect(page.locator("[name=pick-site]:checked")).to_have_value("lugano")
        expect(page.locator("#time")).to_have_value("31m")
        page.fill("#time", "32m")
        page.goto("/hub/spawn/alice/linked")
        expect(page.locator("#time")).to_have_value("32m")
        expect(page.locator("#launch-options")).to_contain_text("What you had filled in here is back.")


def test_a_copied_link_is_one_that_anybody_can_open(form: Form) -> None:
    with form(path="/hub/spawn/alice?next=%2Fhub%2Fhome") as page:
        pick(page, "profile", "stub")
        # A browser that keeps its clipboard to itself shows the link.
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.get_by_role("button", name="Copy link").click()
        link = httpx.URL(page.locator("#copy-said input").input_value())
        assert (link.path, dict(link.params)) == (
            "/hub/spawn",
            {"profile": "stub", "site": "geneva", "next": "/hub/home"},
        )


def test_a_server_is_named_on_the_form(form: Form) -> None:
    with form() as page:
        page.fill("#server-name", "My Analysis 1")
        expect(page.locator("h1")).to_have_text("Start server My Analysis 1")
        page.fill("#time", "99h")
        page.click("[type=submit]")
        expect(page.locator("#time-problem")).to_contain_text("Time: 99h is not offered.")
        expect(page.locator("h1")).to_have_text("Start server My Analysis 1")
        action = page.locator("#spawn_form").get_attribute("action")
        assert str(action).endswith("/hub/spawn/alice/my-analysis-1?display_name=My+Analysis+1")


def test_on_a_phone_nothing_is_wider_than_the_screen(form: Form) -> None:
    with form() as page:
        page.set_viewport_size({"width": 375, "height": 700})
        pick(page, "profile", "neuro")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_profile_for_a_group_is_hidden_from_others(lab: Lab, form: Form) -> None:
    with form("bob") as page:
        assert "Brain images" not in options(page, "profile")
        assert "neuro" not in page.content()
    with Person(lab.url, "bob") as bob:
        bob.log_in()
        answers = [
            bob.api("POST", "/hub/api/users/bob/server", json={"profile": name}) for name in ("neuro", "nothing")
        ]
    assert [answer.status_code for answer in answers] == [400, 400]
    hidden, unknown = (str(answer.json()["message"]) for answer in answers)
    assert hidden == unknown.replace("nothing", "neuro")


def test_groups_of_the_machine_are_groups_of_the_hub(lab: Lab) -> None:
    with Person(lab.url, "alice") as alice:
        alice.log_in()
        assert alice.model()["groups"] == ["neuro"]


def test_after_a_refusal_a_start_without_choices_is_as_last_time(alice: Person) -> None:
    alice.start({"profile": "neuro", "site": "geneva", "time": "41m", "param.atlas": "v1"})
    alice.stop()
    api = "/hub/api/users/alice/server"
    assert alice.api("POST", api, json={"profile": "neuro", "time": "99h"}).status_code == 400
    assert alice.api("POST", api, json={"user_options": {}}).status_code in (201, 202)
    chosen = alice.model()["servers"][""]["user_options"]
    assert chosen == {"profile": "neuro", "site": "geneva", "time": "41m", "param.atlas": "v1"}
