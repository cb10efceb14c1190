import asyncio
import gc
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from kerberos_auth.errors import TicketMissing
from kernels.shell import Shell
from profiles.offer.choices import Choices
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.login import Login
from slurm_ssh.tunnels import daemon
from slurm_ssh_spawner.hub import composition
from slurm_ssh_spawner.hub.shared import Hub, StartRequest
from tests.support import builders, composing, shells, sshd
from tests.support.authority import Authority
from tests.support.folders import DATA
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub takes the core's log over; give it back."""
    for package in composition._PACKAGES:
        log = logging.getLogger(package)
        monkeypatch.setattr(log, "parent", log.parent)
        monkeypatch.setattr(log, "level", log.level)


@pytest.fixture(autouse=True)
def _own_collections() -> Iterator[None]:
    """A hub says for its process how often Python collects."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def _authenticator(folder: Path) -> Any:
    return SimpleNamespace(credentials=composing.NoTickets(TicketMissing()), service_ticket_folder=folder)


def _compose(folder: Path, authenticator: Any = None, **changed: Any) -> Hub:
    file = folder / "catalogue.yaml"
    if not file.exists():
        file.write_text(builders.written())
    facts = {
        "catalogue_file": str(file),
        "hub_name": "hub",
        "connection_idle_seconds": 60,
        "tunnel_ports": range(20000, 20001),
        "records_url": f"sqlite:///{folder}/launches.sqlite",
        "records_days": 90,
        "tunnels_socket": "",
    }
    settings = composition.Settings(**{**facts, **changed})
    who = authenticator or _authenticator(folder)
    return composition.compose(settings, who, logging.getLogger("a hub"), composing.NoServers())


async def test_a_hub_that_has_begun_is_not_looked_through_again_and_again_for_garbage(tmp_path: Path) -> None:
    young, middle, _ = gc.get_threshold()
    hub = _compose(tmp_path)
    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold() == (young, middle, 1000)
    await hub.close()


async def test_a_hub_reads_its_catalogue_and_keeps_records_where_it_is_told(tmp_path: Path) -> None:
    hub = _compose(tmp_path)
    assert hub.resolve(StartRequest("alice"), Choices()).site_key == "geneva"
    assert (tmp_path / "launches.sqlite").exists()
    for package in composition._PACKAGES:
        assert logging.getLogger(package).parent is logging.getLogger("a hub")
    await hub.close()


async def test_a_refusal_is_forgotten_once_its_site_lets_the_person_in_whatever_for(
    tmp_path: Path, wallet: Wallet, login1: Sshd
) -> None:
    front_end = login1.front_end.model_dump(mode="json")
    sites = {"geneva": builders.site(front_ends=[front_end])}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    tickets = tmp_path / "services"
    tickets.mkdir(mode=0o700)
    hub = _compose(tmp_path, SimpleNamespace(credentials=wallet.store, service_ticket_folder=tickets))
    for user in ("alice", "bob"):
        hub.taught.learn(user, "geneva", "Geneva did not let you in.")
    site = hub.catalogue.current.sites["geneva"]
    async with hub.core.pool.connection(Login("alice", "alice", "geneva"), site):
        known = {user: hub.offer(StartRequest(user)).facts_of("geneva").refused for user in ("alice", "bob")}
    assert known == {"alice": "", "bob": "Geneva did not let you in."}
    await hub.close()


@pytest.mark.parametrize("name", ["hub-2", "0_a", "a" * 32])
async def test_names_that_jobs_can_have(tmp_path: Path, name: str) -> None:
    await _compose(tmp_path, hub_name=name).close()


async def test_a_catalogue_that_cannot_be_used_ends_the_hub_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text("sites: 1\nprofiles: {}\n")
    with pytest.raises(SystemExit) as ended:
        _compose(tmp_path)
    said = str(ended.value)
    assert said.startswith("JupyterHub cannot start: ")
    assert f"{tmp_path}/catalogue.yaml:1:1: sites: is a number" in said


async def test_a_catalogue_that_is_not_there_ends_the_hub(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere\.yaml"):
        _compose(tmp_path, catalogue_file=str(tmp_path / "nowhere.yaml"))


async def test_a_database_that_is_none_ends_the_hub_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "launches.sqlite").write_text("Dear diary, this is no database at all. " * 10)
    with pytest.raises(SystemExit, match=r"launches\.sqlite, cannot be opened: file is not a database\. Fix it"):
        _compose(tmp_path)


async def test_a_database_in_a_folder_that_is_not_there_ends_the_hub(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No such file or directory"):
        _compose(tmp_path, records_url=f"sqlite:///{tmp_path}/nowhere/launches.sqlite")


async def test_a_database_url_that_is_none_ends_the_hub_and_shows_no_password(tmp_path: Path) -> None:
    for url in ("nonsense", "nosuchdatabase://hub:5ec4e7@db/launches"):
        with pytest.raises(SystemExit) as ended:
            _compose(tmp_path, records_url=url)
        assert "cannot be opened" in str(ended.value)
        assert "5ec4e7" not in str(ended.value)


async def test_a_database_of_a_later_version_ends_the_hub(tmp_path: Path) -> None:
    await _compose(tmp_path).close()
    later = sqlite3.connect(tmp_path / "launches.sqlite")
    later.execute("UPDATE alembic_version SET version_num = '2099'")
    later.commit()
    later.close()
    with pytest.raises(SystemExit, match=r"newer version of jupyterhub-sites \(its revision is 2099\)\. Install"):
        _compose(tmp_path)


async def test_a_database_that_somebody_holds_ends_the_hub(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "launches.sqlite")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SystemExit, match="database is locked"):
        _compose(tmp_path, records_url=f"sqlite:///{tmp_path}/launches.sqlite?timeout=0.1")
    holder.close()


_LIMITED = """
import logging, resource
from slurm_ssh.tunnels import daemon
from slurm_ssh_spawner.hub import composition
logging.basicConfig(format="%(message)s")
composition.raise_file_limit(logging.getLogger("a hub"))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("limits", "files", "is_warned"), [("100:200", 200, True), ("100:15000", 15000, False)])
def test_a_hub_opens_as_many_files_as_it_may_and_warns_if_these_are_few(
    limits: str, files: int, is_warned: bool
) -> None:
    hub = shells.run(["prlimit", f"--nofile={limits}", sys.executable, "-c", _LIMITED])
    assert hub.lines == [str(files)]
    assert (f"may open {files} files only" in hub.stderr.decode()) == is_warned


async def test_a_database_that_is_full_ends_the_hub_and_stays_as_it_was(tmp_path: Path) -> None:
    path = Path(shutil.copy(DATA / "releases" / "0.1.0" / "launches.sqlite", tmp_path))
    before = _dump(path)

    def limit(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # means what it has now

    sa.event.listen(sa.pool.Pool, "checkout", limit)
    try:
        with pytest.raises(SystemExit, match="cannot be opened: database or disk is full"):
            _compose(tmp_path)
    finally:
        sa.event.remove(sa.pool.Pool, "checkout", limit)
    assert _dump(path) == before
    await _compose(tmp_path).close()


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Have files of root be read-only for it, as they are for anybody else."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o666)])
async def test_a_database_that_is_read_only_ends_the_hub(folder_mode: int, file_mode: int) -> None:
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await _compose(folder).close()
        (folder / "catalogue.yaml").chmod(0o644)
        (folder / "launches.sqlite").chmod(file_mode)
        folder.chmod(folder_mode)
        with _as_nobody(), pytest.raises(SystemExit, match="cannot be opened: "):
            _compose(folder)
        folder.chmod(0o700)


async def test_a_hub_has_its_tunnel_daemon_know_where_tickets_are(tmp_path: Path, wallet: Wallet) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tunnels" / "socket"
        async with daemon.listening(path) as tunnels:
            authenticator = _authenticator(tmp_path)
            authenticator.credentials = wallet.store
            hub = _compose(tmp_path, authenticator, tunnels_socket=str(path))
            await until(lambda: tunnels._tickets is not None)
            assert tunnels._ticket("alice") == wallet.store.get("alice")
            assert tunnels._keeper.ports == range(20000, 20001)
            wallet.put("alice")
            await hub.close()


@pytest.mark.parametrize(("kind", "is_said"), [("ssh", True), ("direct", False)])
async def test_a_hub_that_carries_tunnels_itself_says_so_once(
    tmp_path: Path, kind: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sites = {"geneva": builders.site(tunnel={"kind": kind})}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    with caplog.at_level(logging.INFO):
        hub = _compose(tmp_path)
    assert ["tunnels end with the hub" in line.getMessage() for line in caplog.records].count(True) == is_said
    await hub.close()


def _by_certificate(authority: Authority, **changed: Any) -> dict[str, Any]:
    login = authority.login().model_dump(mode="json", exclude_unset=True)
    return builders.site(login=login, ticket={"delivery": "none"}, **changed)


async def test_another_authenticator_ends_the_hub_if_a_site_needs_tickets(tmp_path: Path) -> None:
    sites = {"geneva": builders.site(), "zurich": _by_certificate(Authority(tmp_path / "ca"))}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    with pytest.raises(SystemExit, match="needs people's Kerberos tickets for geneva") as ended:
        _compose(tmp_path, SimpleNamespace())
    assert "authenticator_class = 'kerberos-pam'" in str(ended.value)


async def test_any_authenticator_will_do_where_people_come_by_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    async with sshd.running_for_key(tmp_path, authority=authority.public) as login1:
        front_end = login1.front_end.model_dump(mode="json")
        sites = {"zurich": _by_certificate(authority, front_ends=[front_end])}
        (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
        hub = _compose(tmp_path, SimpleNamespace())
        remote = hub.core.remote_of("alice", "zurich")
        assert (await remote.run(Shell("echo there"))).stdout == "there\n"
        assert login1.tried == ["alice"]
        await hub.close()


async def test_a_hub_says_when_it_starts_where_no_certificate_can_be_signed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = _by_certificate(Authority(tmp_path / "ca"))
    nowhere = {**good, "login": {"kind": "certificate", "ca_key": "/nowhere/ca"}}
    no_program = {**good, "login": {"kind": "certificate", "command": ["/nowhere/sign", "{principals}"]}}
    by_program = {**good, "login": {"kind": "certificate", "command": ["sh", "-c", "exit 1"]}}
    sites = {"zurich": good, "zug": nowhere, "bern": no_program, "biel": by_program}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    await _compose(tmp_path, SimpleNamespace()).close()
    said = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    unsigned = "nobody can be let in at {}, because no certificate can be signed: {}"
    assert said == [
        unsigned.format("zug", "/nowhere/ca: No such file or directory"),
        unsigned.format("bern", "/nowhere/sign: is no program that can be run"),
    ]


async def test_a_site_that_needs_tickets_in_a_later_catalogue_is_refused_to_people(tmp_path: Path) -> None:
    sites = {"zurich": _by_certificate(Authority(tmp_path / "ca"))}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    hub = _compose(tmp_path, SimpleNamespace())
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites={**sites, "geneva": builders.site()}))
    await until(lambda: "geneva" in hub.catalogue.current.sites)
    with pytest.raises(Refused, match="asks for a Kerberos ticket, and nobody has one on this hub"):
        await hub.core.remote_of("alice", "geneva").run(Shell("true"))
    assert not hub.core.can_act("alice", "geneva")
    assert hub.core.can_act("alice", "zurich")
    await hub.close()


async def test_a_hub_without_tickets_has_its_tunnel_daemon_go_without(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites={"zurich": _by_certificate(authority)}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tunnels" / "socket"
        async with daemon.listening(path) as tunnels:
            hub = _compose(tmp_path, SimpleNamespace(), tunnels_socket=str(path))
            await until(lambda: tunnels._keeper.ports == range(20000, 20001))
            with pytest.raises(TicketMissing):
                tunnels._ticket("alice")
            await hub.close()


async def test_a_hub_that_ends_closes_everything_and_leaves_no_task(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    _compose(tmp_path)
    await asyncio.sleep(0)
    # As JupyterHub does at its end.
    tasks = asyncio.all_tasks() - before
    assert tasks
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert asyncio.all_tasks() == before
