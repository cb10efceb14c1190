"""Somebody at a terminal with the portal's command, and a job at a gateway by a page: what they read."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import Lab
from lab.folders import TREE
from tests.lab.browser import browser, open_page
from tests.lab.jobs.sender import Sender

pytestmark = pytest.mark.xdist_group("batch jobs")

_RUN = "print('begun', flush=True)\nopen('made.txt', 'w').write('made')\nprint('over')\n"


@pytest.fixture
def ijp(lab: Lab, tmp_path: Path) -> Callable[..., list[str]]:
    """Give what runs a command in a terminal, answers what it asks for, and returns the lines that it prints."""
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environ |= {"PYTHONPATH": str(TREE / "job_client"), "TERM": "dumb"}

    def run(*words: str, **answers: str) -> list[str]:
        terminal, slave = pty.openpty()
        command = [sys.executable, "-c", "from hubjobs.cli.ijp import main; main()", *words]
        # In a session of its own, so that the terminal of whoever runs the tests is not asked.
        with subprocess.Popen(
            command, env=environ, start_new_session=True, stdin=slave, stdout=slave, stderr=slave
        ) as ran:
            os.close(slave)
            seen = ""
            while chunk := _read(terminal):
                seen += chunk
                if answer := next((answers.pop(asked) for asked in [*answers] if asked in seen), None):
                    os.write(terminal, f"{answer}\n".encode())
        os.close(terminal)
        assert ran.returncode == 0, seen
        return seen.splitlines()

    return run


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 10_000).decode()
    except OSError:
        return ""


def test_the_portals_lines_from_login_to_cancel(lab: Lab, alice: Sender, ijp: Callable[..., list[str]]) -> None:
    *_, token = ijp("login", "db", "username", "alice", "password", "-", Please=lab.url, password="alice-pw")
    assert re.fullmatch(r"a[0-9]+", token)
    (session,) = ijp("session")
    told = rf"User alice connected to JupyterHub [0-9.]+ at {re.escape(lab.url)} with [0-9]+ minutes left\."
    assert re.fullmatch(told, session)
    first, *types = ijp("jobtype")
    assert first == "Available job types are:"
    assert {"look is interactive", "ingest is batch"} <= set(types)
    (number,) = ijp("submit", "command", "--", "echo here; sleep 600")
    assert re.fullmatch(r"[0-9]+\.127\.0\.0\.1", number)
    lab.wait("it runs", lambda: f"{number}, R" in ijp("status"))
    lab.wait("it has printed", lambda: ijp("output", number) == ["here"])
    assert ijp("cancel", number) == []
    lab.wait("it is cancelled", lambda: f"{number}, X" in ijp("status"))
    assert ijp("output", number.partition(".")[0]) == ["here"]
    ijp("delete", number)


@pytest.mark.usefixtures("alice")
def test_a_zip_goes_to_nsg_by_a_page_and_its_result_comes_back(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "job.zip"
    file.write_bytes(Sender.zip({"run.py": _RUN}))
    with browser(lab) as page:
        open_page(page, "alice", "/services/jobs/new?type=tool")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="Look at it first").click()
        page.get_by_text("What NSG would be sent").click()
        expect(page.locator("#preview")).to_contain_text("tool=PY_EXPANSE")
        # A browser forgets them.
        page.set_input_files("#file", file)
        page.get_by_role("button", name="Send the job").click()
        page.wait_for_url("**/services/jobs/jobs/*")
        page.get_by_role("button", name="Follow it here").click()
        expect(page.locator("#log")).to_contain_text("over")
        expect(page.locator("#job-stage")).to_have_text("Done")
        page.get_by_role("link", name="Files", exact=True).click()
        expect(page.get_by_role("link", name="STDOUT")).to_be_visible()
