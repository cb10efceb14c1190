import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from gssapi.raw.misc import GSSError

from kerberos_auth import gss, krb5_errors
from kernels.shell import Shell
from profiles.catalogue.site import FrontEnd
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, FrontEndRefused, Refused, Unavailable
from slurm_ssh.ssh import connecting, greeting
from slurm_ssh.ssh import connection as connection_module
from slurm_ssh.ssh.by_ticket import ByTicket
from slurm_ssh.ssh.connecting import FrontEndBusy, FrontEndSilent, FrontEndUnknown, LoginServersSilent, connect
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.proof import Refusal
from slurm_ssh.ssh.transport import Completed, ConnectionLost, NotBegun
from tests.slurm_ssh.ssh.greeted import given_up_once_greeted
from tests.support import builders, loopback, openssh, sshd
from tests.support.ports import free_port
from tests.support.realm import KRB5_CONF, Realm
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

ALICE = Login("alice", "alice", "geneva")


async def _connect(front_end: FrontEnd, wallet: Wallet, login: Login = ALICE) -> Connection:
    return await connect(front_end, login, ByTicket(wallet.store.get(login.user)), "Geneva")


async def _run(connection: Connection, program: str, data: bytes = b"") -> Completed:
    return await connection.run(Shell(program), data, environ={}, timeout_seconds=60)


@pytest.fixture
async def connection(login1: Sshd, wallet: Wallet) -> AsyncIterator[Connection]:
    connection = await _connect(login1.front_end, wallet)
    yield connection
    await connection.close()


async def test_a_program_runs_as_the_owner_with_her_ticket(connection: Connection, login1: Sshd) -> None:
    assert await _run(connection, "cat; echo err >&2; exit 3", b"data") == Completed(3, "data", "err\n")
    assert login1.logins == ["alice"]
    context = login1.connections[0].get_gss_context()
    assert context is not None
    assert str(context._ctx.delegated_creds.name) == "alice@LAB.TEST"


@pytest.mark.parametrize(("data", "is_certain"), [(b"data", True), (b"", False)])
async def test_a_connection_that_is_lost_before_any_data_went_has_not_run_what_waits_for_them(
    tmp_path: Path, data: bytes, is_certain: bool
) -> None:
    async with sshd.running_for_key(tmp_path) as front_end:
        connection = Connection("front-end", await front_end.connect())
        front_end.drops = True
        with pytest.raises(ConnectionLost) as lost:
            await _run(connection, "touch ~/ran", data)
        assert isinstance(lost.value, NotBegun) == is_certain
        assert not connection.is_fresh
        await connection.close()
    assert not (is_certain and (tmp_path / "ran").exists())


@pytest.mark.parametrize(
    ("errno", "kind"), [(socket.EAI_NONAME, FrontEndUnknown), (socket.EAI_AGAIN, FrontEndSilent)]
)
async def test_a_name_that_there_is_not_is_told_from_one_that_cannot_be_looked_up(
    login1: Sshd, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, errno: int, kind: type[Exception]
) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(errno, "said by the resolver")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    nowhere = login1.front_end.model_copy(update={"host": "login9.geneva.test"})
    with pytest.raises(FrontEndSilent, match="said by the resolver") as silent:
        await _connect(nowhere, wallet)
    assert type(silent.value) is kind


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_host_key_that_is_not_in_the_catalogue_is_for_the_admin_and_gets_no_ticket(
    login1: Sshd, wallet: Wallet, kind: str
) -> None:
    """The log has the key that was seen, ready to be pasted, also if it is of another kind than those known."""
    known = asyncssh.generate_private_key(kind).export_public_key().decode().strip()
    stranger = login1.front_end.model_copy(update={"host_keys": (known,)})
    with pytest.raises(Broken, match="localhost shows a host key that is not in the catalogue") as broken:
        await _connect(stranger, wallet)
    assert login1.tried == []
    key = asyncssh.import_public_key(login1.host_key)
    assert (
        f"localhost shows {' '.join(login1.host_key.split()[:2])} ({key.get_fingerprint()})" in broken.value.detail
    )


async def test_one_right_host_key_among_several_is_enough(login1: Sshd, wallet: Wallet) -> None:
    keys = (builders.HOST_KEY, login1.host_key)
    connection = await _connect(login1.front_end.model_copy(update={"host_keys": keys}), wallet)
    await connection.close()


async def test_a_ticket_that_may_not_be_forwarded_is_refused_with_what_to_do(login1: Sshd, wallet: Wallet) -> None:
    wallet.put_one_that_stays("alice")
    with pytest.raises(Refused, match="Your ticket may not be passed on") as refused:
        await _connect(login1.front_end, wallet)
    assert "logging in again does not help" in refused.value.message
    assert "krb5.conf" in refused.value.detail
    await until(lambda: not login1.connections)


@pytest.mark.parametrize("owner", ["alice", "bob"])
async def test_a_person_whom_the_front_end_does_not_let_in_is_told_so(
    login1: Sshd, wallet: Wallet, owner: str
) -> None:
    login1.people.remove("alice")
    with pytest.raises(FrontEndRefused, match="Geneva did not let you in with your ticket"):
        await _connect(login1.front_end, wallet, Login("alice", owner, "geneva"))
    assert login1.logins == []


async def test_a_front_end_that_takes_no_tickets_is_not_taken_for_one_without_an_account(
    tmp_path: Path, wallet: Wallet
) -> None:
    async with sshd.running_for_key(tmp_path) as login:
        with pytest.raises(
            FrontEndRefused, match="localhost does not let anybody in by Kerberos ticket"
        ) as refused:
            await _connect(login.front_end, wallet)
    assert refused.value.detail.startswith("localhost offers publickey: see GSSAPIAuthentication")


async def test_a_name_that_the_kdc_does_not_know_is_told_with_what_the_kdc_says(
    login1: Sshd, wallet: Wallet
) -> None:
    by_address = login1.front_end.model_copy(update={"host": "127.0.0.1"})
    with pytest.raises(FrontEndRefused, match=r"The login servers gave no ticket for 127\.0\.0\.1") as refused:
        await _connect(by_address, wallet)
    assert refused.value.detail.startswith("host/127.0.0.1: krb5 -1765328377")
    assert "full name" in refused.value.detail


async def test_a_clock_that_is_wrong_is_never_taken_for_a_refusal(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_: object) -> None:
        raise krb5_errors.translate(GSSError(851968, krb5_errors._CLOCK_SKEW + 2**32))

    monkeypatch.setattr(gss, "check_service", check)
    told = await ByTicket(wallet.store.get(ALICE.user)).refused(
        Refusal("login1", "Geneva", None, is_asked_more=False, said="no")
    )
    assert not isinstance(told, Refused)
    assert told.message == "The clocks of the hub and the login servers differ. Contact the administrators."
    assert "see the clock of this machine" in told.detail


@pytest.mark.parametrize("came_before", [False, True])
async def test_a_dead_kdc_is_never_taken_for_a_refusal(
    login1: Sshd, wallet: Wallet, realm: Realm, monkeypatch: pytest.MonkeyPatch, *, came_before: bool
) -> None:
    if came_before:  # then the ticket for the front end is there, and only that to be forwarded is not
        await (await _connect(login1.front_end, wallet)).close()
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    with pytest.raises(Unavailable, match="The login servers do not answer, so the hub cannot log in to Geneva"):
        await _connect(login1.front_end, wallet)


async def test_a_silent_kdc_is_told_from_a_silent_front_end(
    login1: Sshd, wallet: Wallet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up_once_greeted(monkeypatch)
    monkeypatch.setattr("slurm_ssh.ssh.by_ticket._KDC_SECONDS", 1)
    # When its port is closed, libkrb5 waits no longer.
    with loopback.silent() as port:
        (tmp_path / "krb5.conf").write_text(KRB5_CONF.format(port=port))
        monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
        with pytest.raises(LoginServersSilent, match=r"localhost: .* no ticket"):
            await _connect(login1.front_end, wallet)


async def test_nobody_listens_on_a_silent_front_end(login1: Sshd, wallet: Wallet) -> None:
    closed = login1.front_end.model_copy(update={"port": free_port()})
    with pytest.raises(FrontEndSilent, match="localhost"):
        await _connect(closed, wallet)


async def test_a_front_end_that_takes_the_connection_and_never_answers_is_silent_too(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.1)
    with loopback.silent() as port:
        silent = FrontEnd(host="localhost", port=port, host_keys=(builders.HOST_KEY,))
        with pytest.raises(FrontEndSilent, match="localhost"):
            await _connect(silent, wallet)


async def test_a_front_end_that_is_closed_is_quoted(login1: Sshd, wallet: Wallet) -> None:
    login1.greeting, login1.closed = "Closed until <b>Monday</b>.\n", True
    with pytest.raises(FrontEndRefused, match="localhost did not let you in and says:") as refused:
        await _connect(login1.front_end, wallet)
    assert refused.value.quoted == "Closed until <b>Monday</b>."


async def test_a_front_end_that_greets_everybody_lets_people_in(login1: Sshd, wallet: Wallet) -> None:
    login1.greeting = "Authorised use only.\n"
    connection = await _connect(login1.front_end, wallet)
    await connection.close()


async def test_a_front_end_that_hangs_up_without_a_word_may_be_tried_again(login1: Sshd, wallet: Wallet) -> None:
    login1.closed = True
    with pytest.raises(FrontEndBusy):
        await _connect(login1.front_end, wallet)


async def test_a_front_end_that_lets_no_more_wait_outside_may_be_tried_again(login1: Sshd, wallet: Wallet) -> None:
    login1.startups = 0
    with pytest.raises(FrontEndBusy):
        await _connect(login1.front_end, wallet)


@asynccontextmanager
async def _waiting_outside(port: int) -> AsyncIterator[None]:
    """Be the one who may wait for a login, once whoever looked whether the server listens is known to be gone."""
    greeting = b""
    while not greeting.startswith(b"SSH-"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(60):
            greeting = await reader.readline()
        if not greeting.startswith(b"SSH-"):
            writer.close()
    try:
        yield
    finally:
        writer.close()


async def test_so_does_a_real_one(tmp_path: Path, wallet: Wallet) -> None:
    async with openssh.running(tmp_path / "sshd", "MaxStartups 1") as server:
        front_end = FrontEnd(host="localhost", port=server.port, host_keys=(server.host_key,))
        async with _waiting_outside(server.port):
            with pytest.raises(FrontEndBusy):
                await _connect(front_end, wallet)


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2p1\r\n"])
async def test_a_front_end_that_resets_the_connection_may_be_tried_again(wallet: Wallet, greeting: bytes) -> None:
    """What a system does with a connection that is closed before all was read that had come."""

    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        no_wait = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_wait)
        writer.close()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FrontEndBusy):
            await _connect(FrontEnd(host="localhost", port=port, host_keys=(builders.HOST_KEY,)), wallet)


async def test_a_front_end_that_runs_no_commands_is_quoted(connection: Connection, login1: Sshd) -> None:
    login1.menu = "only menus here"
    with pytest.raises(
        Refused, match="localhost let you in, but your shell there ended before it ran a command of the hub"
    ) as refused:
        await _run(connection, "echo hello")
    assert refused.value.quoted == "only menus here"


async def test_eight_programs_run_at_once_and_the_ninth_waits(connection: Connection, login1: Sshd) -> None:
    program = "until [ -e ~/go ]; do sleep 0.01; done"
    answers = [asyncio.create_task(_run(connection, program)) for _ in range(9)]
    await until(lambda: login1.running >= 8)
    (login1.home / "go").touch()
    assert [answer.status for answer in await asyncio.gather(*answers)] == [0] * 9
    assert login1.most_running == 8


async def test_a_connection_cut_under_a_program_is_lost_and_not_its_end(
    connection: Connection, login1: Sshd
) -> None:
    running = asyncio.create_task(_run(connection, "touch ~/begun; exec sleep 600"))
    await until((login1.home / "begun").exists)
    login1.cut()
    with pytest.raises(ConnectionLost):
        await running
    await until(lambda: not connection.is_open)


async def test_a_program_on_a_connection_that_is_gone_is_not_run(connection: Connection, login1: Sshd) -> None:
    login1.cut()
    await until(lambda: not connection.is_open)
    with pytest.raises(ConnectionLost):
        await _run(connection, "touch ~/begun")
    assert not (login1.home / "begun").exists()


async def test_a_program_that_ends_before_its_input_is_sent_is_heard(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = connection._ssh.create_process

    async def create_and_look_away(*args: Any, **more: Any) -> Any:
        process = await create(*args, **more)
        await until(process.channel.is_closing)
        return process

    monkeypatch.setattr(connection._ssh, "create_process", create_and_look_away)
    answer = await connection.run(Shell("echo 1"), environ={}, timeout_seconds=60)
    assert answer == Completed(0, "1\n", "")
    assert connection.is_fresh


async def test_a_node_that_does_not_answer_is_given_up(
    connection: Connection, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "FORWARD_SECONDS", 0.1)
    login1.dark = True
    with pytest.raises(ConnectionLost, match="n1:8888 did not answer"):
        async with connection.stream("n1", 8888):
            raise AssertionError
    assert login1.asked == [("n1", 8888)]
    # The front end goes on trying, and may open the stream after all.
    assert connection.is_open
    assert not connection.is_fresh


async def test_a_node_is_not_waited_for_beyond_the_deadline(connection: Connection, login1: Sshd) -> None:
    login1.dark = True
    with pytest.raises(ConnectionLost, match="n1:8888 did not answer"):
        async with connection.stream("n1", 8888, Deadline.after(0.1)):
            raise AssertionError


async def test_what_a_front_end_offers_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "SECONDS", 0.1)
    with loopback.silent() as port:
        silent = FrontEnd(host="localhost", port=port, host_keys=(builders.HOST_KEY,))
        assert await greeting.offered(silent, "alice") is None


async def test_nothing_is_compressed(connection: Connection, login1: Sshd) -> None:
    # A front end could make little data much, and the hub would hold all of it.
    (there,) = login1.connections
    assert [there.get_extra_info(f"{way}_compression") for way in ("send", "recv")] == ["none", "none"]


async def test_a_front_end_that_insists_on_compression_is_refused(login1: Sshd, wallet: Wallet) -> None:
    await login1.stop()
    await login1.start(compression_algs=["zlib@openssh.com"])
    with pytest.raises(FrontEndSilent, match="compression"):
        await _connect(login1.front_end, wallet)


async def test_nothing_of_the_hubs_own_account_speaks_for_a_person(
    login1: Sshd, wallet: Wallet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "hub" / ".ssh"
    own.mkdir(parents=True)
    (own / "config").write_text("Host *\n User bob\n Port 1\n")
    monkeypatch.setenv("HOME", str(own.parent))
    connection = await _connect(login1.front_end, wallet)
    assert login1.logins == ["alice"]
    await connection.close()


async def test_the_front_end_is_looked_at_often_only_while_somebody_waits_for_it(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.05)
    looks = 0
    request = connection._ssh._make_global_request

    async def counted(*asked: Any) -> Any:
        nonlocal looks
        looks += 1
        return await request(*asked)

    monkeypatch.setattr(connection._ssh, "_make_global_request", counted)
    waiting = asyncio.create_task(_run(connection, "sleep 600"))
    await until(lambda: looks > 1)
    waiting.cancel()
    await asyncio.wait((waiting,))
    seen = looks
    await asyncio.sleep(0.3)
    assert looks <= seen + 1
