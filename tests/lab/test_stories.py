"""What people live through at the pages: long waits, one that is given up, a cable that is cut, many profiles."""

from collections.abc import Callable
from typing import Any

import yaml
from playwright.sync_api import expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import browser, log_in
from tests.lab.faults import another_hub, broken
from tests.lab.look import jobs_of
from tests.lab.test_catalogue_edits import edited
from tests.lab.test_facts import told

_DRAINED = [f"update nodename=lugano-n[1-2] state={state}" for state in ("drain reason=test", "resume")]
_PROFILES = 303


def _profiles(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        change(tree["profiles"])
        return yaml.safe_dump(tree, sort_keys=False)

    return edit


def test_a_launch_waits_while_no_page_of_it_is_open_and_is_used_then(lab: Lab, alice: Person) -> None:
    with browser(lab) as page:
        log_in(page, "alice")
        with told(lab, "lugano-ctl", *_DRAINED):
            alice.submit_form({"profile": "jupyterlab", "site": "lugano"})
            page.goto("/hub/spawn-pending/alice")
            expect(page.locator("#start-why")).to_contain_text("You can close this page")
            page.goto("about:blank")
            another_hub(lab)
        lab.wait("it runs", lambda: "RUNNING" in " ".join(jobs_of(lab, "alice", "lugano")))
        page.goto("/hub/home")
        page.get_by_role("link", name="Open: Default server").click()
        page.wait_for_selector(".jp-Launcher")
    assert alice.run("print(6 * 7)") == "42\n"


def test_a_launch_that_waits_for_too_long_is_given_up_and_says_so(lab: Lab, alice: Person) -> None:
    def impatient(profiles: dict[str, Any]) -> None:
        profiles["stub"]["queue_wait"] = "1m"

    with edited(lab, _profiles(impatient)), browser(lab) as page, told(lab, "lugano-ctl", *_DRAINED):
        log_in(page, "alice")
        alice.http.get("/hub/spawn")
        alice.submit_form({"profile": "stub", "site": "lugano"})
        page.goto("/hub/spawn-pending/alice")
        expect(page.locator("h1")).to_have_text("Default server could not start")
        expect(page.locator("#start-problem")).to_contain_text("waited in the queue of Lugano for")
        lab.wait("its job is gone", lambda: jobs_of(lab, "alice", "lugano") == [])
        page.goto("/hub/home")
        expect(page.locator("#default-server .why")).to_contain_text("waited in the queue of Lugano for")


def test_a_cluster_that_is_cut_off_is_told_of_on_home_and_the_server_is_used_again(
    lab: Lab, alice: Person
) -> None:
    alice.start({"profile": "jupyterlab", "site": "lugano"})
    with browser(lab) as page:
        log_in(page, "alice")
        card = page.locator("#default-server")
        with broken(lab, ("cut", "lugano-login")):
            expect(card).to_contain_text("Lugano cannot be reached since")
            page.goto("/user/alice/lab")
            expect(page.locator("body")).to_contain_text("Lugano cannot be reached since")
        page.wait_for_selector(".jp-Launcher")
        page.goto("/hub/home")
        expect(card).not_to_contain_text("cannot be reached")
    assert alice.run("print(6 * 7)") == "42\n"


def test_one_of_many_profiles_is_found_by_the_name_of_a_package(lab: Lab, alice: Person) -> None:
    def many(profiles: dict[str, Any]) -> None:
        for number in range(_PROFILES - len(profiles)):
            name = f"Model {number}"
            description = f"With **package{number:03}** and numpy"
            profiles[f"model-{number}"] = {**profiles["stub"], "name": name, "description": description}

    with edited(lab, _profiles(many)), browser(lab) as page:
        log_in(page, "alice")
        page.goto("/hub/spawn")
        expect(page.locator("#profile option")).to_have_count(_PROFILES)
        page.fill("#profile-search", "package217")
        card = page.locator("label.page-card:has([name=pick-profile])")
        expect(card).to_have_count(1)
        card.locator("input").check()
        expect(page.locator("#launch-summary")).to_contain_text("Model 217")
        page.click("form [type=submit]")
        page.wait_for_url("**/user/alice/**")
