"""How a page that is open takes what the hub has rendered anew, in a real browser."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from tests.lab.browser import chromium

_STATIC = files("slurm_ssh_spawner.hub") / "static"
_ALICE = """<section id="server-a"><h2>a {state}</h2><time datetime="2026-03-02T10:00:00+00:00">10:00 UTC</time>
  <details id="server-a-log"><summary>Log</summary><pre tabindex="0">x</pre></details>{controls}</section>"""
_STOP = '<form><button data-action="stop">Stop</button></form>'
_LONGER = '<form><button data-action="start-longer">Start again with 2 h</button></form>'
_BOB = '<section id="server-b"><h2>b</h2><a href="#" data-action="open">Open</a></section>'


@pytest.fixture(scope="module")
def empty() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture
def page(empty: Page) -> Page:
    """Give a page with two cards."""
    empty.set_content(f'<main><h1>Servers</h1><div id="parts">{_cards()}</div></main>')
    for name in ("moments.js", "parts.js"):
        empty.add_script_tag(content=(_STATIC / name).read_text())
    return empty


def _cards(state: str = "runs", controls: str = _STOP, order: tuple[int, int] = (0, 1)) -> str:
    cards = (_ALICE.format(state=state, controls=controls), _BOB)
    return f'<div id="cards" data-parts>{cards[order[0]]}{cards[order[1]]}</div>'


def _put(page: Page, text: str) -> None:
    page.evaluate("text => launchPut(document.getElementById('parts'), text)", text)


def test_what_says_the_same_stays_what_it_is(page: Page) -> None:
    page.evaluate("for (const each of document.querySelectorAll('section')) { each.isOld = true; }")
    old = "Array.from(document.querySelectorAll('section'), each => Boolean(each.isOld))"
    _put(page, _cards())
    assert page.evaluate(old) == [True, True]
    _put(page, _cards("ends"))
    assert page.evaluate(old) == [False, True]
    assert "UTC" not in (page.locator("time").text_content() or "")


def test_the_keyboard_stays_at_what_a_control_does_and_never_jumps_to_another(page: Page) -> None:
    page.get_by_role("button", name="Stop").focus()
    _put(page, _cards("ends", f"{_LONGER}{_STOP}", (1, 0)))
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    _put(page, _cards("ended", _LONGER))
    expect(page.get_by_role("heading", name="a ended")).to_be_focused()


def test_the_keyboard_stays_where_cards_change_their_order(page: Page) -> None:
    page.get_by_role("link", name="Open").focus()
    _put(page, _cards("ended", "", (1, 0)))
    expect(page.get_by_role("link", name="Open")).to_be_focused()


def test_opened_details_stay_open_and_keep_the_keyboard(page: Page) -> None:
    page.locator("summary").click()
    _put(page, _cards("ends"))
    expect(page.locator("pre")).to_be_visible()
    expect(page.locator("summary")).to_be_focused()


def test_what_a_script_shows_is_shown_before_the_keyboard_is_put_back(page: Page) -> None:
    part = '<p id="notify-{0}"></p><button id="notify" data-own hidden></button>'
    page.evaluate("text => launchPut(document.getElementById('parts'), text)", part.format(1))
    page.evaluate("document.getElementById('notify').hidden = false; document.getElementById('notify').focus()")
    shown = "() => { document.getElementById('notify').hidden = false; }"
    page.evaluate(f"text => launchPut(document.getElementById('parts'), text, {shown})", part.format(2))
    expect(page.locator("#notify")).to_be_focused()
