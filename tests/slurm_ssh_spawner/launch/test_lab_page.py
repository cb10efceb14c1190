"""What JupyterLab shows of its job, in a real JupyterLab and a real browser."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from slurm_ssh.job import mark
from slurm_ssh_spawner.launch import lab_page, script
from tests.lab.browser import chromium
from tests.support import builders, shells
from tests.support.notebook_server import TOKEN, Server, wait_for

_SHOWN_MS = 60_000
_HOUR = 60
_TEXT_FILE = ".jp-LauncherCard[data-category=Other] >> text=Text File"
_BAR = "#jp-main-statusbar"
Opened = Callable[..., Page]


def _sent(folder: Path, server: str, minutes: int) -> None:
    """Write what the job's script writes into its folder."""
    folder.mkdir(parents=True)
    launch = replace(builders.launch(), time_minutes=minutes)
    job = script.context(launch, builders.LAUNCH_ID, mark("jupyter", "hub", builders.LAUNCH_ID))
    fragment = lab_page.fragment(launch, replace(job, launch_folder=str(folder)), server)
    done = shells.run(["bash", "-c", fragment.before])
    assert done.status == 0, done.stderr


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Give a list of servers, which are stopped afterwards."""
    started: list[Server] = []
    yield started
    for each in started:
        each.__exit__()


@pytest.fixture
def opened(tmp_path: Path, servers: list[Server]) -> Iterator[Opened]:
    """Give what opens the JupyterLab of a job that was asked for an hour and ends in `minutes`.

    The browser's clock is `ahead` by so many minutes, and in a `zone`.
    """
    with chromium() as browser:

        def opened(
            minutes: int = _HOUR, server: str = "", asked: int = _HOUR, ahead: int = 0, zone: str = "UTC"
        ) -> Page:
            _sent(tmp_path / "launch", server, asked)
            environ = {
                "SLURM_JOB_END_TIME": str(int(time.time()) + 60 * minutes),
                "SLURM_JOB_ID": "42",
                "SLURMD_NODENAME": "n1",
            }
            running = Server(tmp_path, "jupyterlab", environ)
            servers.append(running)
            running.__enter__()
            page = browser.new_page(base_url=f"http://127.0.0.1:{running.port}", timezone_id=zone)
            page.set_default_timeout(_SHOWN_MS)
            page.add_init_script(f"const now = Date.now; Date.now = () => now() + {ahead} * 60000")
            page.goto(f"/lab?token={TOKEN}")
            return page

        yield opened


def _status(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator(_BAR)).to_contain_text(text, timeout=_SHOWN_MS)


def test_the_status_bar_says_where_it_runs_and_for_how_long_yet(opened: Opened) -> None:
    page = opened()
    _status(page, re.compile(r"Geneva · n1 · (59|60) min left|Geneva · n1 · 1 h 0 min left"))
    expect(page.locator("[title^='Job 42 at Geneva, on n1. Its time is up at']")).to_be_visible()
    expect(page).to_have_title("JupyterLab · Geneva")


def test_a_named_server_has_its_name_in_the_title_and_a_workspace_of_its_own(
    opened: Opened, tmp_path: Path
) -> None:
    page = opened(server="My Analysis/1")
    expect(page).to_have_title("My Analysis/1 · Geneva", timeout=_SHOWN_MS)
    page.click(_TEXT_FILE)
    expect(page).to_have_title(re.compile(r"^untitled.txt.* - My Analysis/1 · Geneva$"), timeout=_SHOWN_MS)
    folder = tmp_path / "home" / ".jupyter" / "lab" / "workspaces-My%20Analysis%2F1"
    wait_for(lambda: list(folder.glob("*.jupyterlab-workspace")))


@pytest.mark.parametrize(("minutes", "told"), [(14, 14), (4, 4)])
def test_before_the_end_it_warns_and_saves_all(opened: Opened, tmp_path: Path, minutes: int, told: int) -> None:
    page = opened(minutes)
    warning = page.locator(".Toastify__toast", has_text=f"This server ends in {told} min")
    expect(warning).to_have_count(1, timeout=_SHOWN_MS)
    page.click(_TEXT_FILE)
    page.locator(".cm-content").last.click()
    page.keyboard.type("kept")
    warning.locator("button", has_text="Save all").click()
    file = tmp_path / "home" / "untitled.txt"
    wait_for(lambda: file.exists() and file.read_text() == "kept")


def test_who_asked_for_so_little_is_not_warned_of_it(opened: Opened) -> None:
    page = opened(4, asked=5)
    _status(page, "4 min left")
    expect(page.locator(".Toastify__toast", has_text="This server ends")).to_have_count(0)


@pytest.mark.parametrize(
    ("minutes", "place", "said"),
    [
        (0, ".jp-Dialog", "This server has endedThe time of its job was up at"),
        (30, _BAR, "Geneva · cannot be reached now"),
    ],
)
def test_a_server_that_is_lost_while_the_hub_says_nothing(
    opened: Opened, servers: list[Server], minutes: int, place: str, said: str
) -> None:
    page = opened(minutes)
    _status(page, "Geneva · n1")
    servers[0].process.terminate()
    expect(page.locator(place)).to_contain_text(said, timeout=2 * _SHOWN_MS)


def test_why_it_ended_is_said_by_the_readers_clock(opened: Opened, servers: list[Server]) -> None:
    page = opened(30, zone="Asia/Tokyo")
    _status(page, "Geneva · n1")
    page.clock.set_fixed_time("2026-03-02T12:00:00Z")
    words = {"sentence": "It ended at 11:05 CET. <i>", "template": "It ended at {ended}. <i>{site} {ended}"}
    answer = json.dumps({"ended": "2026-03-02T10:05:00.000000Z", **words})
    page.route("**/*api/launches/*/end", lambda asked: asked.fulfill(body=answer))
    servers[0].process.terminate()
    said = re.compile("This server has endedIt ended at (07:05 PM|19:05). <i>{site} {ended}")
    expect(page.locator(".jp-Dialog")).to_contain_text(said, timeout=2 * _SHOWN_MS)


def test_a_browser_whose_clock_is_wrong_goes_by_that_of_who_answers(opened: Opened, servers: list[Server]) -> None:
    page = opened(30, ahead=_HOUR)
    _status(page, re.compile(r"Geneva · n1 · (29|30) min left"))
    servers[0].process.terminate()
    expect(page.locator(_BAR)).to_contain_text("Geneva · cannot be reached now", timeout=2 * _SHOWN_MS)
    expect(page.locator(".jp-Dialog")).to_have_count(0)
