"""What people read while a database of the hub is locked, full or gone, and what becomes of their servers."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from jupyterhub.app import JupyterHub

from lab.plain_http import NO_TLS
from slurm_ssh_spawner.launch.records import worker
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub
from tests.support.local import LocalSite
from tests.support.restarting import ran

_NOTHING = "The hub cannot use its database of launches. Nothing was started. Try again in a few minutes."
_JUPYTERHUBS = "The hub cannot use its database. Try again in a few minutes. Servers that run go on."


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.close()


@contextmanager
def _gone(path: Path) -> Iterator[None]:
    away = path.with_name("away")
    path.rename(away)
    yield
    away.rename(path)


_AS_LONG_AS_IT_IS: set[str] = set()


def _limit(connection: Any, *_: Any) -> None:
    for row in connection.execute("PRAGMA database_list").fetchall() if _AS_LONG_AS_IT_IS else ():
        if row[2] in _AS_LONG_AS_IT_IS:
            connection.execute("PRAGMA max_page_count = 1")  # means what it has now


@pytest.fixture(autouse=True, scope="module")
def _limited() -> Iterator[None]:
    """Listen while no hub is there: its threads may not look at the list of listeners as it changes."""
    sa.event.listen(sa.pool.Pool, "checkout", _limit)
    yield
    sa.event.remove(sa.pool.Pool, "checkout", _limit)


@contextmanager
def _full(path: Path) -> Iterator[None]:
    """Leave no room in the database, and let no connection of ours make it longer."""
    _AS_LONG_AS_IT_IS.add(str(path))
    filler = sqlite3.connect(path, isolation_level=None)
    _limit(filler)
    with suppress(sqlite3.OperationalError):
        for number in itertools.count():
            filler.execute(_FILLER, (f"filler{number}",))
    yield
    _AS_LONG_AS_IT_IS.clear()
    filler.execute("DELETE FROM launches WHERE launch_id LIKE 'filler%'")
    filler.close()


_FILLER = (
    "INSERT INTO launches (launch_id, user, owner, site_key, profile_key, choices, job_id, node, port, local_port,"
    " stop_wanted, begun, end_reason) VALUES (?, '', '', '', '', '{}', '', '', 0, 0, 0, '2026-01-01', '')"
)


@pytest.mark.parametrize("trouble", [_locked, _gone, _full])
async def test_a_start_without_the_database_of_launches_starts_nothing_and_says_so(
    hub: LaunchingHub, trouble: Callable[[Path], Any]
) -> None:
    alice = await hub.person("alice")
    with trouble(hub.local.home / "launches.sqlite"):
        for body in ({"time": "2h"}, {}):
            status, said = await alice.call("POST", json=body)
            assert (status, said) == (503, _NOTHING)
        assert (await alice.page("spawn")).status_code == 200
    assert hub.local.told("submissions") == ""
    status, said = await alice.call("POST", json={"time": "2h"})
    assert REFUSED_BY_SLURM in said
    assert hub.local.told("submissions") == "x\n"


async def test_a_form_that_is_sent_without_the_database_of_launches_comes_back(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    with _locked(hub.local.home / "launches.sqlite"):
        page = await alice.send([("time", "2h")])
    assert launching.told(page.text) == _NOTHING
    assert hub.local.told("submissions") == ""


@contextmanager
def _no_writes(hub: JupyterHub) -> Iterator[None]:
    hub.db.connection().exec_driver_sql("PRAGMA query_only = ON")
    yield
    hub.db.rollback()
    hub.db.connection().exec_driver_sql("PRAGMA query_only = OFF")


async def test_nobody_seems_logged_out_while_jupyterhubs_database_cannot_be_written(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    with _no_writes(hub.app):
        for method in ("POST", "DELETE"):
            assert await alice.call(method) == (503, _JUPYTERHUBS)
        answer = await alice.page("home")
        assert (answer.status_code, _JUPYTERHUBS in answer.text) == (503, True)
    assert hub.local.told("submissions") == ""
    assert (await alice.page("home")).status_code == 200


async def test_a_login_while_jupyterhubs_database_cannot_be_written_says_why(hub: LaunchingHub) -> None:
    url = hub.app.hub.url
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as client:
        await client.get(f"{url}login")
        fields = {"username": "zoe", "password": "x", "_xsrf": client.cookies["_xsrf"]}
        with _no_writes(hub.app):
            answer = await client.post(f"{url}login", data=fields)
    assert (answer.status_code, _JUPYTERHUBS in answer.text) == (503, True)


# -- servers that run -----------------------------------------------------------------------------------


@pytest.fixture
async def running(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> RunningHub:
    running = await start(ComposedSpawner)
    offer = builders.live(local.home, sites={"geneva": launching.site(local)})
    url = f"sqlite:///{local.home}/launches.sqlite?timeout=0.1"
    running.app.tornado_settings["slurm_ssh_hub"] = composing.hub(offer, launching.Tickets(), url, local)
    return running


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(worker, "AGAIN_SECONDS", 0.05)


async def _stop(hub: RunningHub, user: Any) -> tuple[int, str]:
    answer = await hub.delete(f"users/{user.name}/server", user.new_api_token())
    return answer.status_code, answer.json()["message"] if answer.content else ""


@pytest.mark.parametrize("trouble", [_locked, _gone, _full])
async def test_a_server_is_stopped_without_the_database_of_launches(
    running: RunningHub, local: LocalSite, trouble: Callable[[Path], Any]
) -> None:
    alice = await ran(running, "alice", 8888)
    local.tell("queue", alice.row())
    alice.spawner._restored = False
    records = running.app.tornado_settings["slurm_ssh_hub"].launcher.records
    with trouble(local.home / "launches.sqlite"):
        assert await _stop(running, alice.spawner.user) == (204, "")
        assert f"--name={alice.job.mark}" in local.told("scancel.arguments")
    await records.settled()
    record = await records.get(alice.job.launch_id)
    assert (record.stop_wanted, record.end_reason) == (True, "stopped by its owner")


async def test_a_stop_that_failed_is_answered_with_its_sentence(running: RunningHub, local: LocalSite) -> None:
    alice = await ran(running, "alice", 8888)
    local.tell("queue", alice.row())
    local.tell("silent", "")
    alice.spawner._restored = False
    status, said = await _stop(running, alice.spawner.user)
    assert (status, "The hub stops the job as soon as that is possible." in said) == (503, True)
    # What is said of one stop is not said of the next.
    (local.slurm / "silent").unlink()
    (local.slurm / "queue").unlink()
    assert await _stop(running, alice.spawner.user) == (204, "")
