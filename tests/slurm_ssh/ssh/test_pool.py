import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kernels.shell import Shell
from profiles.catalogue.site import FrontEnd, Site
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, FrontEndRefused, Refused, SiteUnreachable, Unavailable
from slurm_ssh.ssh import connecting, entrance
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from tests.slurm_ssh.ssh.greeted import given_up_once_greeted
from tests.support import builders, loopback
from tests.support.ports import free_port
from tests.support.realm import KRB5_CONF
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

ALICE = Login("alice", "alice", "geneva")
BOB = Login("bob", "bob", "geneva")


def _site(*front_ends: FrontEnd) -> Site:
    # With addresses, which no catalogue names where people come by ticket.
    return builders.catalogue().sites["geneva"].model_copy(update={"front_ends": front_ends})


def _silent(port: int) -> FrontEnd:
    """A front end by another name than the one that answers."""
    return FrontEnd(host="127.0.0.1", port=port, host_keys=(builders.HOST_KEY,))


Pools = Callable[..., ConnectionPool]


@pytest.fixture
async def pools(wallet: Wallet) -> AsyncIterator[Pools]:
    """Makes pools that are closed at the end."""
    async with AsyncExitStack() as made:

        def make(idle_seconds: float = 60) -> ConnectionPool:
            pool = ConnectionPool(wallet.store.get, idle_seconds)
            made.push_async_callback(pool.close)
            return pool

        yield make


@pytest.fixture
def pool(pools: Pools) -> ConnectionPool:
    return pools()


@pytest.fixture
def site(login1: Sshd) -> Site:
    return _site(login1.front_end)


async def _say(pool: ConnectionPool, login: Login, site: Site) -> Connection:
    """Use the person's connection once, and return it."""
    async with pool.connection(login, site) as connection:
        answer = await connection.run(Shell("echo hello"), environ={}, timeout_seconds=60)
    assert answer.stdout == "hello\n"
    return connection


async def test_a_connection_is_used_again(pool: ConnectionPool, site: Site, login1: Sshd) -> None:
    assert await _say(pool, ALICE, site) is await _say(pool, ALICE, site)
    assert login1.logins == ["alice"]


async def test_those_who_come_at_the_same_time_share_one_connection(
    pool: ConnectionPool, site: Site, login1: Sshd
) -> None:
    await asyncio.gather(*(_say(pool, ALICE, site) for _ in range(10)))
    assert login1.logins == ["alice"]


async def test_everybody_has_a_connection_of_her_own(pool: ConnectionPool, site: Site, login1: Sshd) -> None:
    connections = await asyncio.gather(_say(pool, ALICE, site), _say(pool, BOB, site))
    assert connections[0] is not connections[1]
    assert sorted(login1.logins) == ["alice", "bob"]


async def test_more_people_than_may_connect_at_once_all_get_in(pools: Pools, site: Site, login1: Sshd) -> None:
    pool = pools()
    people = [Login("alice", "alice", "geneva"), *(Login("bob", "bob", f"geneva-{n}") for n in range(9))]
    await asyncio.gather(*(_say(pool, login, site) for login in people))
    assert len(login1.connections) == 10


async def test_a_connection_that_was_cut_is_made_again(pool: ConnectionPool, site: Site, login1: Sshd) -> None:
    first = await _say(pool, ALICE, site)
    login1.cut()
    await until(lambda: not first.is_open)
    assert await _say(pool, ALICE, site) is not first
    assert login1.logins == ["alice", "alice"]


async def test_an_idle_connection_is_closed(pools: Pools, site: Site, login1: Sshd) -> None:
    pool = pools(0.05)
    first = await _say(pool, ALICE, site)
    await until(lambda: not login1.connections)
    assert await _say(pool, ALICE, site) is not first
    await until(lambda: not login1.connections)


@asynccontextmanager
async def _listener() -> AsyncIterator[int]:
    """A program at the site that waits for somebody to speak."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in taken:
        writer.close()
        await writer.wait_closed()


async def test_a_connection_with_an_open_stream_is_not_idle(pools: Pools, site: Site, login1: Sshd) -> None:
    pool = pools(0.05)
    async with (
        _listener() as port,
        pool.connection(ALICE, site) as connection,
        connection.stream("n1", port) as (_, writer),
    ):
        await _say(pool, BOB, site)
        await until(lambda: len(login1.connections) == 1)
        assert connection.is_open
        writer.write(b"still here")
        await writer.drain()
    await until(lambda: not login1.connections)


async def test_a_connection_with_a_program_is_not_idle(pools: Pools, site: Site, login1: Sshd) -> None:
    pool = pools(0.05)
    remote = Remote(pool, ALICE, site)
    running = asyncio.create_task(remote.run_once(Shell("until [ -e ~/go ]; do sleep 0.01; done; echo done")))
    await until(lambda: login1.running == 1)
    await _say(pool, BOB, site)
    await until(lambda: len(login1.connections) == 1)
    (login1.home / "go").touch()
    assert (await running).stdout == "done\n"


async def test_a_connection_made_while_older_ones_are_closed_is_not_forgotten(
    pools: Pools, site: Site, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, closing, may_close = Connection.close, asyncio.Event(), asyncio.Event()

    async def close_the_first_slowly(connection: Connection) -> None:
        if not closing.is_set():
            closing.set()
            await may_close.wait()
        await close(connection)

    monkeypatch.setattr(Connection, "close", close_the_first_slowly)
    monkeypatch.setattr(Connection, "idle_seconds", 0.0)
    pool = pools(0.05)
    _, bobs = await asyncio.gather(_say(pool, ALICE, site), _say(pool, BOB, site))
    # From one moment on both are idle, so one look finds both.
    monkeypatch.setattr(Connection, "idle_seconds", 60.0)
    await closing.wait()
    await bobs.close()
    monkeypatch.setattr(Connection, "idle_seconds", 0.0)
    await _say(pool, BOB, site)
    may_close.set()
    await until(lambda: len(login1.connections) == 1)
    monkeypatch.setattr(Connection, "idle_seconds", 60.0)
    await until(lambda: not login1.connections)


async def test_a_closed_pool_leaves_no_connection(pool: ConnectionPool, site: Site, login1: Sshd) -> None:
    await asyncio.gather(_say(pool, ALICE, site), _say(pool, BOB, site))
    await pool.close()
    await until(lambda: not login1.connections)


async def test_without_a_ticket_nobody_connects(
    pool: ConnectionPool, site: Site, login1: Sshd, wallet: Wallet
) -> None:
    wallet.store.remove("alice")
    with pytest.raises(Refused):
        await _say(pool, ALICE, site)
    assert login1.tried == []


async def test_who_is_not_let_in_tries_again_from_the_start(
    pool: ConnectionPool, site: Site, login1: Sshd
) -> None:
    login1.people.remove("alice")
    with pytest.raises(FrontEndRefused):
        await _say(pool, ALICE, site)
    login1.people.add("alice")
    await _say(pool, ALICE, site)


async def test_behind_a_closed_port_the_second_front_end_is_used(pool: ConnectionPool, login1: Sshd) -> None:
    site = _site(_silent(free_port()), login1.front_end)
    await _say(pool, ALICE, site)
    assert login1.logins == ["alice"]


async def test_behind_a_front_end_that_never_answers_the_second_one_is_used(
    pool: ConnectionPool, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 0.05)
    with loopback.silent() as port:
        await _say(pool, ALICE, _site(_silent(port), login1.front_end))
    assert login1.logins == ["alice"]


async def test_a_front_end_that_is_busy_is_asked_again(
    pool: ConnectionPool, site: Site, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "_BUSY_PAUSES_SECONDS", (0.001,) * 10_000)
    login1.closed = True
    saying = asyncio.create_task(_say(pool, ALICE, site))
    await until(lambda: len(login1.tried) >= 2)
    login1.closed = False
    await saying
    assert login1.logins == ["alice"]


async def test_a_front_end_that_stays_busy_is_given_up(
    pool: ConnectionPool, site: Site, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "_BUSY_PAUSES_SECONDS", (0.001, 0.001))
    login1.closed = True
    with pytest.raises(SiteUnreachable):
        await _say(pool, ALICE, site)
    assert login1.tried == ["alice"] * 3


async def test_a_front_end_that_is_slow_to_let_in_is_asked_again(
    pool: ConnectionPool, site: Site, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may be as slow, some times.
    monkeypatch.setattr(entrance, "_BUSY_PAUSES_SECONDS", (0.001,) * 20)
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(connecting, "LOGIN_SECONDS", 1)
    login1.stuck = 1
    await _say(pool, ALICE, site)
    assert set(login1.logins) == {"alice"}


async def test_a_front_end_that_was_silent_is_tried_last(pool: ConnectionPool, login1: Sshd) -> None:
    port = free_port()
    site = _site(_silent(port), login1.front_end)
    await _say(pool, ALICE, site)
    callers: list[Any] = []
    listener = await asyncio.start_server(lambda *caller: callers.append(caller), "127.0.0.1", port)
    await _say(pool, BOB, site)
    assert callers == []
    listener.close()


async def test_a_front_end_with_another_host_key_is_not_passed_over(pool: ConnectionPool, login1: Sshd) -> None:
    stranger = login1.front_end.model_copy(update={"host_keys": (builders.HOST_KEY,)})
    with pytest.raises(Broken):
        await _say(pool, ALICE, _site(stranger, login1.front_end))
    assert login1.tried == []


async def test_a_site_without_a_front_end_that_answers_is_unreachable(
    pool: ConnectionPool, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "HEAD_START_SECONDS", 0.05)
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    with loopback.silent() as port:
        site = _site(_silent(port), _silent(free_port()))
        with pytest.raises(SiteUnreachable, match="Geneva cannot be reached") as unreachable:
            await _say(pool, ALICE, site)
    assert unreachable.value.detail.count("127.0.0.1") >= 2


async def test_all_exchanges_of_a_piece_of_work_share_its_deadline(
    pool: ConnectionPool, site: Site, login1: Sshd
) -> None:
    deadline = Deadline(2, time.monotonic() + 600)
    remote = Remote(pool, ALICE, site, deadline)
    assert (await remote.run(Shell("echo hello"))).stdout == "hello\n"
    # The time is nearly up.
    object.__setattr__(deadline, "_at", time.monotonic() + 0.1)
    slow = "Geneva answers too slowly: what had to be done there took longer than 2 seconds"
    with pytest.raises(Unavailable, match=slow):
        await remote.run(Shell("exec sleep 600"))
    with pytest.raises(Unavailable, match=slow):
        await remote.run(Shell("touch ~/late"))
    assert not (login1.home / "late").exists()


async def test_nobody_waits_for_a_connection_beyond_their_deadline(pool: ConnectionPool) -> None:
    with loopback.silent() as port:
        site = _site(_silent(port))
        patient = asyncio.create_task(_connect(pool, site, Deadline.after(600)))
        # The second one waits for the first, which waits for the front end.
        for _ in range(2):
            with pytest.raises(SiteUnreachable, match=r"Geneva answers too slowly: .* longer than 0 seconds"):
                await _connect(pool, site, Deadline.after(0.1))
        patient.cancel()
        await asyncio.wait((patient,))


async def test_those_who_wait_for_one_front_end_are_told_together(
    pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "PATIENCE_SECONDS", 0.3)
    with loopback.silent() as port:
        waiting = (_connect(pool, _site(_silent(port))) for _ in range(20))
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, SiteUnreachable)
            assert "none of its login hosts let you in within 0.3 seconds" in error.message


async def test_a_crowd_before_a_silent_kdc_is_told_so(
    pool: ConnectionPool, site: Site, wallet: Wallet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "CONNECTS_AT_ONCE", 1)
    given_up_once_greeted(monkeypatch)
    monkeypatch.setattr("slurm_ssh.ssh.by_ticket._KDC_SECONDS", 1)
    with loopback.silent() as port:
        (tmp_path / "krb5.conf").write_text(KRB5_CONF.format(port=port))
        monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
        waiting = (_say(pool, login, site) for login in (ALICE, BOB))
        told = await asyncio.gather(*waiting, return_exceptions=True)
    for error in told:
        assert isinstance(error, Unavailable)
        assert "The login servers do not answer, so the hub cannot log in to Geneva" in error.message
        assert "localhost" in error.detail


async def _connect(pool: ConnectionPool, site: Site, deadline: Deadline | None = None) -> None:
    async with pool.connection(ALICE, site, deadline):
        raise AssertionError


async def test_a_program_is_run_again_once_after_its_connection_was_cut(
    pool: ConnectionPool, site: Site, login1: Sshd
) -> None:
    program = Shell("echo x >> ~/runs; [ $(wc -l < ~/runs) = 2 ] || exec sleep 600")
    running = asyncio.create_task(Remote(pool, ALICE, site).run(program))
    await until((login1.home / "runs").exists)
    login1.cut()
    assert (await running).status == 0
    assert _lines(login1.home / "runs") == 2


async def test_a_program_whose_connection_is_cut_twice_is_given_up(
    pool: ConnectionPool, site: Site, login1: Sshd
) -> None:
    running = asyncio.create_task(Remote(pool, ALICE, site).run(Shell("echo x >> ~/runs; exec sleep 600")))
    for runs in (1, 2):
        await until(lambda: _lines(login1.home / "runs") == runs)  # noqa: B023 - waited for at once
        login1.cut()
    with pytest.raises(Unavailable, match="The connection to Geneva was lost"):
        await running
    assert _lines(login1.home / "runs") == 2


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0
