"""Data on their way to and from a site, as a person's access to it tells of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from kernels.shell import Shell
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import TransfersBusy, TransferStalled, Unavailable
from slurm_ssh.ssh import transfer
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.sessions import SENDS_AT_ONCE, TRANSFERS_AT_ONCE
from slurm_ssh.ssh.transport import Completed
from tests.support import builders
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

_ALICE = Login("alice", "alice", "geneva")


@pytest.fixture
async def remote(wallet: Wallet, login1: Sshd) -> AsyncIterator[Remote]:
    front_end = login1.front_end.model_dump(mode="json")
    written = builders.site(front_ends=[front_end], environment={"SLURM_CONF": "/etc/x"})
    pool = ConnectionPool(wallet.store.get, 60)
    yield Remote(pool, _ALICE, builders.catalogue(sites={"geneva": written}).sites["geneva"])
    await pool.close()


class _Chunks:
    """Gives some bytes, and counts how often."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.taken += 1
        yield b"data "


async def test_data_go_and_come_as_the_owner_and_in_the_sites_environment(remote: Remote, login1: Sshd) -> None:
    sent = await remote.send(Shell('cat; echo "$SLURM_CONF"'), aiter(_Chunks()))
    assert sent == Completed(0, "data /etc/x\n", "")
    async with remote.receive(Shell('cat; echo "$SLURM_CONF"'), b"data ") as begun:
        assert b"".join([piece async for piece in begun]) == b"data /etc/x\n"
    assert begun.completed == Completed(0, "", "")
    assert login1.logins == ["alice"]


async def test_what_has_not_begun_on_a_connection_that_was_lost_is_begun_on_another(
    remote: Remote, login1: Sshd
) -> None:
    chunks = _Chunks()
    await remote.run(Shell("true"))
    login1.cut()
    assert (await remote.send(Shell("cat"), aiter(chunks))).stdout == "data "
    login1.cut()
    async with remote.receive(Shell("echo hello")) as begun:
        assert b"".join([piece async for piece in begun]) == b"hello\n"
    assert chunks.taken == 1
    assert len(login1.logins) == 3


async def test_a_site_that_always_hangs_up_is_told(remote: Remote, login1: Sshd) -> None:
    chunks = _Chunks()
    login1.drops = True
    with pytest.raises(Unavailable, match="The connection to Geneva was lost"):
        await remote.send(Shell("cat"), aiter(chunks))
    with pytest.raises(Unavailable, match="The connection to Geneva was lost"):
        await _enter(remote)
    assert chunks.taken == 0


async def test_a_transfer_under_way_is_not_begun_again(remote: Remote, login1: Sshd) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"data"
        await until((login1.home / "runs").exists)
        login1.cut()
        yield b"more"

    with pytest.raises(Unavailable, match="The connection to localhost was lost"):
        await remote.send(Shell("echo x >>~/runs; cat"), cut())
    assert (login1.home / "runs").read_text() == "x\n"


async def test_the_deadline_is_for_the_beginning(remote: Remote, login1: Sshd) -> None:
    login1.shell = "exec sleep 600"
    hurried = Remote(remote.pool, remote.login, remote.site, Deadline.after(2))
    with pytest.raises(Unavailable, match="Geneva answers too slowly"):
        await _enter(hurried)
    login1.shell = ""
    late = Remote(remote.pool, remote.login, remote.site, Deadline.after(60))
    async with late.receive(Shell("cat; echo on"), b"data") as begun:
        assert b"".join([piece async for piece in begun]) == b"dataon\n"


async def test_a_transfer_that_stalls_is_told(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(transfer, "_PARTING_SECONDS", 60)
    with pytest.raises(TransferStalled) as stalled:
        await remote.send(Shell("exec sleep 600"), aiter(_Chunks()))
    assert "localhost" in stalled.value.message
    # The program is gone, and the connection is used on.
    assert (await remote.run(Shell("echo on"))).stdout == "on\n"
    assert len(remote.pool.logins()) == 1


async def test_a_copy_from_one_program_to_another_tells_which_of_them_failed(remote: Remote, login1: Sshd) -> None:
    async with remote.receive(Shell("head -c 3000000 /dev/zero")) as begun:
        assert (await remote.send(Shell("wc -c"), begun)).stdout.split() == ["3000000"]
    with pytest.raises(Unavailable, match="A command of the hub was ended at localhost"):
        await _copy_of_one_that_is_killed(remote)
    assert len(login1.logins) == 1


async def _copy_of_one_that_is_killed(remote: Remote) -> None:
    async with remote.receive(Shell("echo hello; kill -KILL $PPID")) as begun:
        await remote.send(Shell("cat"), begun)


async def _enter(remote: Remote) -> None:
    async with remote.receive(Shell("echo hello")):
        raise AssertionError


async def test_a_person_with_a_new_connection_has_no_more_transfers_at_once(remote: Remote, login1: Sshd) -> None:
    going = Shell("echo on; until [ -e ~/go ]; do sleep 0.1; done")
    async with AsyncExitStack() as stack:
        begun = [await stack.enter_async_context(remote.receive(going)) for _ in range(TRANSFERS_AT_ONCE)]
        remote.pool.renew("alice")
        assert (await remote.run(Shell("echo on"))).stdout == "on\n"
        assert len(login1.logins) == 2
        hurried = Remote(remote.pool, remote.login, remote.site, Deadline.after(1))
        with pytest.raises(TransfersBusy):
            await _enter(hurried)
        (login1.home / "go").touch()
        for each in begun:
            assert b"".join([piece async for piece in each]) == b"on\n"
    async with remote.receive(Shell("echo on")) as after:
        assert b"".join([piece async for piece in after]) == b"on\n"


async def test_whoever_sends_slowly_still_has_a_small_file_from_there(remote: Remote) -> None:
    go_on, begun = asyncio.Event(), 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        yield b"x"
        await go_on.wait()

    sending = [asyncio.create_task(remote.send(Shell("cat"), slow())) for _ in range(10)]
    await until(lambda: begun == SENDS_AT_ONCE)
    async with remote.receive(Shell("echo small")) as small:
        assert b"".join([piece async for piece in small]) == b"small\n"
    assert not any(each.done() for each in sending)
    hurried = Remote(remote.pool, remote.login, remote.site, Deadline.after(1))
    with pytest.raises(TransfersBusy, match=r"^2 of your transfers"):
        await hurried.send(Shell("cat"), slow())
    go_on.set()
    assert [each.stdout for each in await asyncio.gather(*sending)] == ["x"] * 10


async def test_a_command_goes_over_another_connection_where_transfers_have_all_sessions(
    remote: Remote, login1: Sshd
) -> None:
    login1.sessions = 2
    going = Shell("echo on; until [ -e ~/go ]; do sleep 0.1; done")
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(remote.receive(going))
        assert (await remote.run(Shell("echo on"))).stdout == "on\n"
        assert (await remote.run_once(Shell("cat"), b"data")).stdout == "data"
        assert len(login1.logins) == 2
        (login1.home / "go").touch()
