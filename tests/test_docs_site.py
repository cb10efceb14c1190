"""The pages become a site without a warning, whose search asks nobody else."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.async_api import async_playwright

from tests.lab.browser import CHROMIUM, FLAGS
from tests.support.folders import TREE

pytestmark = pytest.mark.xdist_group("docs")
_LOADED = re.compile(r"<(?:script|img|link)\b[^>]*?\b(?:src|href)=\"([^\"]+)\"")
_LED_TO = re.compile(r"<a\b[^>]*?\bhref=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, read anew: of a page that it knows already Sphinx repeats no warning."""
    made = tmp_path_factory.mktemp("site")
    options = ("-c", "docs", "-E", "-W", "--keep-going", "-n", "-q")
    ended = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", made],
        cwd=TREE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return made


def _pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_page_is_made_and_found_by_the_search(site: Path) -> None:
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    sources = {path.relative_to(TREE).with_suffix("").as_posix() for path in TREE.glob("docs/**/*.md")}
    assert sources | {"README", "CHANGELOG", "benchmarks/README"} <= set(index["docnames"])
    assert index["terms"]["krb5"]


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    loaded = {address for page in _pages(site) for address in _LOADED.findall(page.read_text(encoding="utf-8"))}
    assert len(loaded) > 5
    assert {address for address in loaded if address.startswith(("http:", "https:", "//"))} == set()


def test_every_link_of_the_site_leads_to_a_page_or_file_that_was_made(site: Path) -> None:
    for page in _pages(site):
        for link in _LED_TO.findall(page.read_text(encoding="utf-8")):
            path = unquote(link.partition("#")[0])
            assert re.match(r"[a-z]+:|#|$", link) or (page.parent / path).exists(), f"{link} in {page}"


def test_the_first_page_leads_to_the_index(site: Path) -> None:
    assert "url=docs/index" in (site / "index.html").read_text(encoding="utf-8")


_BROKEN_HEADINGS = """
[...document.querySelectorAll(".content h1, .content h2, .content h3")]
    .filter(each => {
        each.style.overflowWrap = "normal";
        return each.scrollWidth > each.clientWidth;
    })
    .map(each => each.textContent)
"""


async def test_on_a_phone_no_heading_breaks_within_a_word(site: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = await browser.new_page(viewport={"width": 375, "height": 800})
        for name in ("index", "first-hub", "certificates", "courses", "doctor", "api", "settings"):
            await page.goto((site / f"docs/{name}.html").as_uri())
            assert await page.evaluate(_BROKEN_HEADINGS) == [], name
        await browser.close()
