"""What the hub's log says of starts that come to nothing."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from tests.support import launching
from tests.support.launching import LaunchingHub


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines that warn or worse, those of requests left out, and forget them."""
    records = [record for record in caplog.records if record.levelno >= logging.WARNING and _is_told(record)]
    assert not [record.getMessage() for record in records if record.exc_info]
    caplog.clear()
    return [record.getMessage() for record in records]


def _is_told(record: logging.LogRecord) -> bool:
    """Return whether it is about anything but a request, how busy this machine is, or what its site lacks."""
    return record.module not in {"log", "metrics", "snapshots"}


async def test_a_start_that_came_to_nothing_is_one_line(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await hub.person("alice")
    caplog.clear()
    await alice.send([("profile", "jupyterlab")])
    (line,) = _lines(caplog)
    assert line.startswith("jupyter-hub-")
    assert "was not submitted for alice: Geneva did not accept the job" in line
    await alice.send([("profile", "jupyterlab"), ("time", "99h")])
    (line,) = _lines(caplog)
    assert line.startswith("no job, alice: not started: Time: 99h is not offered. Choose 1m to 8h.")
    assert (await alice.call("POST", json={"profile": "jupyterlab"}))[0] == 400
    (line,) = _lines(caplog)
    assert "was not submitted for alice" in line
    code, sentence = await alice.call("POST", "south", json={"profile": "jupyterlab", "time": "99h"})
    assert (code, sentence.startswith("Time: 99h is not offered.")) == (400, True)
    (line,) = _lines(caplog)
    assert line.startswith("no job, alice:south: not started: Time: 99h")


async def test_other_errors_keep_their_lines(hub: LaunchingHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    hub.app.log.error("Not starting alice's server")
    assert _lines(caplog) == ["Not starting alice's server"]


async def test_nobody_hides_a_line_of_the_log_by_the_name_of_an_error(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    typed = "Not authorizing access to /user/alice/: 400 LaunchFailed(reason=x): y"
    hub.app.log.warning(typed)
    assert _lines(caplog) == [typed]
