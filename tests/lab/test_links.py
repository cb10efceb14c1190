"""A link to a notebook, from the message in which it was sent to the copy in JupyterLab, in a real browser."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Page, expect

from lab import Lab
from lab.person import Person
from tests.lab.browser import PATIENCE_SECONDS, browser, pick
from tests.lab.test_catalogue_edits import edited

_COURSE = "/scratch/bob/course"
_NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "id": "one", "metadata": {}, "source": "# First lesson"}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_WAIT_MS = PATIENCE_SECONDS * 1000


@pytest.fixture
def course(lab: Lab) -> Iterator[None]:
    """Let links copy what bob gives to everybody at lugano, in a folder in which one file is his alone."""
    make = f"mkdir {_COURSE} && cd {_COURSE} && cat >first.ipynb && cp first.ipynb mine.ipynb"
    give = "chmod o+x .. && chmod 755 . && chmod 644 first.ipynb && chmod 600 mine.ipynb"
    lab.run("lugano-login", ["sh", "-c", f"{make} && {give}"], user="bob", input=json.dumps(_NOTEBOOK))

    def allowed(text: str) -> str:
        return yaml.safe_dump({**yaml.safe_load(text), "copy_from": {"folders": [_COURSE]}}, sort_keys=False)

    with edited(lab, allowed):
        yield
    lab.run("lugano-login", ["sh", "-c", f"rm -r {_COURSE}; chmod o-x /scratch/bob"], user="bob")


def _copies(lab: Lab) -> list[str]:
    listed = ["sh", "-c", "cd ~/from-links 2>/dev/null && stat -c '%n %U' *; :"]
    return lab.run("lugano-login", listed, user="alice").stdout.splitlines()


def _log_in(page: Page) -> None:
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "alice-pw")
    page.click("[type=submit]")


@pytest.mark.usefixtures("course")
def test_a_link_leads_over_login_and_start_to_a_copy_in_jupyterlab(lab: Lab, alice: Person) -> None:
    button = re.compile("Copy and open")
    with browser(lab) as page:
        page.goto(f"/hub/open?from={_COURSE}/first.ipynb&profile=jupyterlab&site=lugano&time=20m")
        _log_in(page)
        expect(page.locator("#copy-what")).to_contain_text(f"{_COURSE}/first.ipynb")
        expect(page.get_by_role("button", name=button)).to_have_count(0)
        page.get_by_role("link", name="Choose and start a server").click()
        assert page.input_value("[name=time]") == "20m"
        pick(page, "site", "lugano")
        page.click("#spawn_form [type=submit]")
        page.wait_for_url("**/hub/open?**", timeout=_WAIT_MS)
        assert _copies(lab) == []
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/user/alice/lab/tree/from-links/first.ipynb**")
        expect(page.get_by_role("heading", name="First lesson")).to_be_visible(timeout=_WAIT_MS)
        assert _copies(lab) == ["first.ipynb alice"]
        # What nobody but bob may read stays his.
        page.goto(f"/hub/open?from={_COURSE}/mine.ipynb")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("alert")).to_contain_text(f"You may not read {_COURSE}/mine.ipynb. Ask its owner.")
        assert _copies(lab) == ["first.ipynb alice"]
        # And again, without scripts and on a phone.
        chromium = page.context.browser
        assert chromium is not None
        state = page.context.storage_state()
        plain = chromium.new_context(base_url=lab.url, java_script_enabled=False, storage_state=state).new_page()
        plain.set_viewport_size({"width": 375, "height": 700})
        plain.goto(f"/hub/open?from={_COURSE}/first.ipynb")
        plain.get_by_role("button", name=button).press("Enter")
        plain.wait_for_url("**/user/alice/lab/tree/from-links/first-1.ipynb**", timeout=_WAIT_MS)
        page.set_viewport_size({"width": 375, "height": 700})
        page.goto(f"/hub/open?from={_COURSE}/first.ipynb")
        assert page.evaluate("document.documentElement.scrollWidth") == 375
    lab.run("lugano-login", ["rm", "-r", "/home/alice/from-links"], user="alice")
