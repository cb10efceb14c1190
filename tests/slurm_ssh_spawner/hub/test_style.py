"""The style sheet of our pages on top of JupyterHub's, on a phone, in a real browser."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from jupyterhub._data import DATA_FILES_PATH
from playwright.sync_api import Browser, ViewportSize, expect

from tests.lab.browser import chromium

_OURS = (files("slurm_ssh_spawner.hub") / "static" / "pages.css").read_text()
_JUPYTERHUBS = Path(DATA_FILES_PATH, "static", "css", "style.min.css").read_text(encoding="utf-8")
_PAGE = f"""<!DOCTYPE html><html lang="en"><style>{_JUPYTERHUBS}</style><style>{_OURS}</style>
<nav class="navbar navbar-expand-sm"><button class="navbar-toggler">Menu</button>
<div class="collapse navbar-collapse"><a href="#">Token</a></div></nav>
<table class="table stacked" role="table"><thead role="rowgroup"><tr role="row">
<th scope="col" role="columnheader">End</th></tr></thead>
<tbody role="rowgroup"><tr role="row"><td role="cell" data-label="End">stopped</td></tr></tbody></table>"""
_PHONE = ViewportSize(width=375, height=700)


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("scripts", [True, False])
def test_the_navigation_is_seen_where_nothing_would_unfold_it(started: Browser, scripts: bool) -> None:
    with started.new_context(java_script_enabled=scripts, viewport=_PHONE) as context:
        page = context.new_page()
        page.set_content(_PAGE)
        expect(page.get_by_text("Token")).to_be_visible(visible=not scripts)
        expect(page.get_by_role("button", name="Menu")).to_be_visible(visible=scripts)


def test_cells_of_a_stacked_table_say_what_they_are(started: Browser) -> None:
    with started.new_context(viewport=_PHONE) as context:
        page = context.new_page()
        page.set_content(_PAGE)
        label = "getComputedStyle(document.querySelector('td'), '::before').content"
        assert page.evaluate(label) == '"End: "'
        expect(page.get_by_role("cell")).to_have_count(1)
