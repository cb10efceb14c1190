"""Two people in one server: alice invites bob, they type in one notebook, and she takes it back."""

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, ViewportSize, expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import PATIENCE_SECONDS, chromium, log_in
from tests.lab.faults import another_hub
from tests.lab.look import logged_in, wait_for_server

_NOTEBOOK = {
    "type": "notebook",
    "content": {
        "cells": [
            {
                "cell_type": "code",
                "id": "first",
                "metadata": {},
                "source": "",
                "outputs": [],
                "execution_count": None,
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    },
}
_PHONE, _DESK = ViewportSize(width=375, height=700), ViewportSize(width=1280, height=800)
_ADDRESS = "/user/alice/south/lab/tree/together.ipynb"


@contextmanager
def _person(started: Browser, lab: Lab, name: str, *, on_phone: bool = False) -> Iterator[Page]:
    """Give a page of somebody who is logged in; on the phone there are no scripts."""
    size = _PHONE if on_phone else _DESK
    with started.new_context(base_url=lab.url, java_script_enabled=not on_phone, viewport=size) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        log_in(page, name)
        yield page


def _invite(owner: Page) -> str:
    """Make an invitation from Home and return its link."""
    owner.goto("/hub/home")
    owner.get_by_role("link", name="Share: south").click()
    expect(owner.get_by_role("heading", name="Share south")).to_be_visible()
    expect(owner.get_by_text("A guest acts as you at Lugano")).to_be_visible()
    assert owner.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    owner.get_by_role("button", name="Make an invitation").click()
    return owner.locator("#share-link").input_value()


def _accept(guest: Page, link: str) -> None:
    guest.goto(link)
    expect(guest.get_by_text("You act there as alice")).to_be_visible()
    guest.get_by_role("button", name="Accept, and open the server").click()
    # JupyterHub asks once whether that server may know who they are.
    guest.get_by_role("button", name="Authorize").click()
    guest.wait_for_url("**/user/alice/south/**")


def _open(page: Page) -> None:
    """Open the notebook; on a busy machine JupyterLab asks whether to wait for what the other one has typed."""
    slow = page.locator(".jp-Dialog", has_text="taking some time to load")
    page.add_locator_handler(slow, lambda: slow.get_by_role("button", name="Continue waiting").click())
    page.goto(_ADDRESS)


def test_bob_types_into_alices_notebook_until_she_takes_it_back(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "together", "site": "lugano"}, "south")
    alice.api("PUT", "/user/alice/south/api/contents/together.ipynb", json=_NOTEBOOK).raise_for_status()
    with chromium() as started, ExitStack() as stack:
        hers = stack.enter_context(_person(started, lab, "alice"))
        plain = stack.enter_context(_person(started, lab, "alice", on_phone=True))
        his = stack.enter_context(_person(started, lab, "bob"))
        _accept(his, _invite(plain))
        for page in (hers, his):
            _open(page)
        his_cell, her_cell = (page.locator(".jp-Notebook .jp-Cell .cm-content").first for page in (his, hers))
        his_cell.click()
        his.keyboard.type("said = 'bob was here'")
        expect(her_cell).to_have_text("said = 'bob was here'")
        her_cell.click()
        hers.keyboard.press("End")
        hers.keyboard.type("; print(said)")
        expect(his_cell).to_have_text("said = 'bob was here'; print(said)")
        his.goto("/hub/home")
        expect(his.get_by_role("heading", name="south of alice")).to_be_visible()
        plain.goto("/hub/share?server=south")
        plain.get_by_role("button", name="Take back the access of bob").click()
        expect(plain.get_by_text("Nobody but you has access.")).to_be_visible()
        his.reload()
        expect(his.get_by_role("heading", name="south of alice")).to_have_count(0)
    log = lab.log("hub", "jupyterhub").read_text()
    assert "sharing: access of bob to alice/south ended: revoked by alice" in log


def _code(owner: Person) -> str:
    fields = {"_xsrf": owner.xsrf(), "server": "south", "minutes": "60"}
    page = owner.http.post("/hub/share/invite", data=fields).raise_for_status().text
    (link,) = re.findall(r'id="share-link" readonly value="([^"]+)"', page)
    return parse_qs(urlsplit(html.unescape(link)).query)["code"][0]


def test_guests_stay_when_the_hub_restarts_and_go_with_the_server(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "together-stub", "site": "geneva"}, "south")
    with logged_in(lab, "bob") as bob:

        def is_guest() -> bool:
            return "south of alice" in bob.http.get("/hub/home").raise_for_status().text

        bob.http.post("/hub/accept-share", data={"_xsrf": bob.xsrf(), "code": _code(alice)})
        assert is_guest()
        another_hub(lab)
        wait_for_server(lab, alice, "south")
        assert is_guest()
        alice.stop("south")
        assert not is_guest()
    log = lab.log("hub", "jupyterhub").read_text()
    assert "sharing: access of bob to alice/south ended: the server has stopped" in log
