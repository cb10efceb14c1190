"""A ticket that expires while somebody fills in the form, in a real browser."""

import json

from playwright.sync_api import Page, expect

from lab import Lab
from tests.lab.browser import browser, log_in, pick
from tests.lab.faults import expiring
from tests.lab.look import jobs_of, logged_in

SECRET = "a-wrong-Secret"


def start(page: Page) -> None:
    page.locator("#spawn_form").get_by_role("button", name="Start", exact=True).click()


def test_the_password_is_asked_for_in_the_form_and_the_start_goes_on(lab: Lab) -> None:
    with browser(lab) as page, logged_in(lab, "shorty") as shorty, expiring(lab, "shorty") as expire:
        log_in(page, "shorty")
        page.goto("/hub/spawn")
        page.wait_for_selector("#launch-options:not([aria-busy])")
        pick(page, "profile", "stub")
        pick(page, "site", "geneva")
        page.fill("#time", "31m")
        expire()
        start(page)
        field = page.get_by_label("Password of shorty:")
        expect(page.locator("#ticket-password-why")).to_have_text(
            "Your Kerberos ticket has expired. Enter your password and press Start."
        )
        expect(field).to_be_focused()
        expect(page.locator("#time")).to_have_value("31m")
        field.fill(SECRET)
        start(page)
        expect(page.locator("#ticket-password-why")).to_contain_text("Invalid password")
        expect(field).to_have_value("")
        expect(page.locator("#time")).to_have_value("31m")
        expect(page.locator("[name=pick-profile][value=stub]")).to_be_checked()
        page.wait_for_selector("#launch-options:not([aria-busy])")
        page.fill("#time", "32m")
        field.fill("shorty-pw")
        assert "shorty-pw" not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
        assert SECRET not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
        field.press("Enter")
        page.wait_for_url("**/shorty**")
        lab.wait("the server is up", lambda: shorty.model()["servers"].get("", {}).get("ready", False))
        assert len(jobs_of(lab, "shorty")) == 1
        assert shorty.model()["servers"][""]["user_options"]["time"] == "32m"
        assert "password" not in json.dumps(shorty.model())
        shorty.stop()
    log = lab.log("hub", "jupyterhub").read_text()
    assert [secret for secret in (SECRET, "shorty-pw") if secret in log] == []
