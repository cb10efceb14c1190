"""Hostile forms by the pages: a job, or the same form again with a sentence at each field and what was typed.

`FUZZ_COUNT=10000` sends as many; `tests/fuzz/test_forms.py` has what they become.
"""

import os
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI

from tests.job_service.http.pages.test_pages import ALICE
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, xsrf
from tests.support import builders
from tests.support.hostile import NASTY_OPTIONS, Hostile

pytestmark = pytest.mark.uncounted

COUNT = int(os.environ.get("FUZZ_COUNT", "30"))
_FORM = {
    "type": ("hostile",),
    "site": ("geneva", "lugano"),
    "time": ("1h",),
    "cores": ("1",),
    "title": ("a job title",),
    "param.version": NASTY_OPTIONS,
    "param.label": ("a label",),
    "param.cutoff": ("0.5",),
    "param.tracks": ("true",),
}
_TYPE = builders.job_type(
    name="Hostile",
    run=["/opt/hostile"],
    parameters={
        "version": {"title": "Version", "options": list(NASTY_OPTIONS), "argument": "--version"},
        "label": {"title": "Label", "text": {"longest": 40}, "argument": "--label"},
        "cutoff": {"title": "Cut-off", "decimal": {"min": 0, "max": 1}, "argument": "--cutoff"},
        "tracks": {"title": "Tracks", "flag": True, "argument": "--tracks"},
    },
)


class _Elements(HTMLParser):
    """The elements of a page that could do something, and the values that its fields have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.values: dict[str, str] = {}
        self.events: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A browser reads what stands for NUL in place of it; this parser leaves it.
        told = {name: (value or "").replace("\0", "\ufffd") for name, value in attrs}
        self.scripts += tag == "script"
        self.events |= {name for name in told if name.startswith("on")}
        if tag == "input":
            self.values[told.get("name", "")] = told.get("value", "")


async def test_each_form_is_a_job_or_comes_back_with_what_is_wrong(app: FastAPI, service: Serving) -> None:
    service.offers({"hostile": _TYPE})
    source, seen = Hostile(7, _FORM), Counter[str]()
    async with browser(app, ALICE) as page:
        plain = _Elements((await page.get("/new?type=hostile")).text)
        for number in range(COUNT):
            # What no form of ours has is left out every other time: it is refused for that alone.
            fields = {name: text[:400] for name, text in source.fields() if number % 2 or name in _FORM}
            fields = {name: text for name, text in fields.items() if name.strip() != "_xsrf"}
            fields |= {"type": "hostile", "_xsrf": xsrf(ALICE)}
            path = ("/new", "/new/preview")[number % 3 == 0]
            files = {"file": ("", b"")} if path == "/new" else None
            got = await page.post(path, data=fields, files=files)
            seen[f"{path} {got.status_code}"] += 1
            assert got.status_code in {200, 303, 422}, got.text
            if got.status_code == 303:
                continue
            shown = _Elements(got.text)
            assert (shown.scripts, shown.events) == (plain.scripts, plain.events)
            if got.status_code == 422:
                assert re.search(r'class="[^"]*(invalid-feedback|alert)', got.text), got.text
            if "title" in fields:
                assert shown.values["title"].split() == fields["title"].replace("\0", "\ufffd").split()
    assert {"/new 303", "/new 422", "/new/preview 422"} <= seen.keys(), seen
