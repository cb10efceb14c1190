"""What a connection promises of data that flow to programs and from them, by our double and by OpenSSH."""

import asyncio
import hashlib
import os
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from kernels.shell import Shell
from slurm_ssh.errors import AnswerTooLong, AnswerUnreadable, Refused, TransfersBusy, TransferStalled, Unavailable
from slurm_ssh.ssh import connection as connection_module
from slurm_ssh.ssh import transfer
from slurm_ssh.ssh.connection import LONGEST_ANSWER, Connection
from slurm_ssh.ssh.sessions import COMMANDS_AT_ONCE, SENDS_AT_ONCE, TRANSFERS_AT_ONCE, WINDOW_BYTES
from slurm_ssh.ssh.transfer import Transfer
from slurm_ssh.ssh.transport import Completed, Late, NotBegun, NotBegunInTime, SessionRefused
from tests.support.front_ends import Connect, FrontEnds
from tests.support.waiting import Timeouts, until

# Far more than all buffers on the way have room for.
_MUCH = 32 * 1024 * 1024
_MANY_PIECES = _MUCH // transfer.PIECE_BYTES
# Of Python's memory, for both ends of a connection where they are in one process.
_BUFFERS = 8 * 1024 * 1024
_ENDLESS_SECONDS = 120


@pytest.fixture(autouse=True)
async def _no_wait_is_endless() -> AsyncIterator[None]:
    async with asyncio.timeout(_ENDLESS_SECONDS):
        yield


@pytest.fixture(autouse=True)
def _a_busy_machine_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PARTING_SECONDS", 60)


@pytest.fixture
def _stalls_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.5)


@pytest.fixture
def _is_left_soon(monkeypatch: pytest.MonkeyPatch, _a_busy_machine_has_time: None) -> None:
    """Wait no longer for a program that goes on: OpenSSH passes no signal on to those of root."""
    monkeypatch.setattr(transfer, "_PARTING_SECONDS", 0.5)


@contextmanager
def _flat_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < _BUFFERS
    finally:
        tracemalloc.stop()


async def _send(
    connection: Connection, program: str, chunks: AsyncIterator[bytes], seconds: float = 60
) -> Completed:
    return await connection.send(Shell(program), chunks, environ={}, timeout_seconds=seconds)


class _Receiving:
    """Begins programs on a connection, and leaves them at the end."""

    def __init__(self, connection: Connection, stack: AsyncExitStack) -> None:
        self._connection = connection
        self._stack = stack

    async def __call__(self, program: str, data: bytes = b"", seconds: float = 60) -> Transfer:
        receiving = self._connection.receive(Shell(program), data, environ={}, timeout_seconds=seconds)
        return await self._stack.enter_async_context(receiving)


async def _receive(connection: Connection, program: str, data: bytes = b"") -> tuple[bytes, Completed]:
    async with connection.receive(Shell(program), data, environ={}, timeout_seconds=60) as begun:
        received = b"".join([piece async for piece in begun])
        assert begun.completed
        return received, begun.completed


async def _run(connection: Connection, program: str) -> Completed:
    return await connection.run(Shell(program), environ={}, timeout_seconds=60)


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class _Source:
    """Gives pieces, counts those taken, and waits before the one that it is to `stop_at` until it may go on."""

    def __init__(self, pieces: int, stop_at: int | None = None) -> None:
        self.taken = 0
        self.go = asyncio.Event()
        self._pieces = pieces
        self._stop_at = stop_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(self._pieces):
            if number == self._stop_at:
                await self.go.wait()
            self.taken += 1
            yield _piece(number)


def _piece(number: int) -> bytes:
    return number.to_bytes(8, "big") * (transfer.PIECE_BYTES // 8)


async def _stays(folder: Path, name: str) -> int:
    """Return the process that has written its number there."""
    path = folder / name
    await until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_all_bytes_arrive_in_a_program(connect: Connect, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000 + b"\n%d\n'no end"
    chunks = _chunks(b"", data[:1], data[1:500_000], data[500_000:])
    answer = await _send(await connect(), f"cat >{tmp_path}/data; echo out; echo err >&2; exit 3", chunks)
    assert answer == Completed(3, "out\n", "err\n")
    assert (tmp_path / "data").read_bytes() == data


async def test_all_bytes_of_a_program_arrive(connect: Connect, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000 + b"\nanswer-0011223344556677\n"
    (tmp_path / "data").write_bytes(data)
    received, completed = await _receive(
        await connect(), f"cat {tmp_path}/data -; echo err >&2; exit 3", b"more\n"
    )
    assert received == data + b"more\n"
    assert completed == Completed(3, "", "err\n")


async def test_no_data_at_all_are_data(connect: Connect) -> None:
    connection = await connect()
    assert await _send(connection, "wc -c", _chunks()) == Completed(0, "0\n", "")
    assert await _receive(connection, "true") == (b"", Completed(0, "", ""))


async def test_a_long_program_is_run_whole(connect: Connect) -> None:
    program = f": {'x' * 50_000}; cat"
    assert (await _send(await connect(), program, _chunks(b"data"))).stdout == "data"


async def test_a_producer_is_no_faster_than_the_program(connect: Connect, tmp_path: Path) -> None:
    connection, source = await connect(), _Source(_MANY_PIECES)
    program = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; sha256sum"
    with _flat_memory():
        sending = asyncio.create_task(_send(connection, program, aiter(source)))
        await until(lambda: source.taken > 1)
        taken = 0
        while taken < source.taken:
            taken = source.taken
            await asyncio.sleep(0.3)
        assert taken < _MANY_PIECES // 4
        (tmp_path / "go").touch()
        answer = await sending
    whole = hashlib.sha256()
    for number in range(_MANY_PIECES):
        whole.update(_piece(number))
    assert answer.stdout.split()[0] == whole.hexdigest()


async def test_a_program_is_no_faster_than_the_consumer(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    program = f"head -c {_MUCH} /dev/zero; touch {tmp_path}/done; yes err | head -c 4000000 >&2"
    with _flat_memory():
        async with connection.receive(Shell(program), environ={}, timeout_seconds=60) as begun:
            size = len(await anext(begun))
            await asyncio.sleep(0.5)
            assert not (tmp_path / "done").exists()
            async for piece in begun:
                size += len(piece)
    assert size == _MUCH
    assert begun.completed
    assert begun.completed.stderr.endswith("err\n")
    assert len(begun.completed.stderr) < 10_000


@pytest.mark.parametrize(
    "program", [f"head -c {_MUCH} /dev/zero", f"yes err >&2 & head -c {_MUCH} /dev/zero; kill $!"]
)
async def test_what_a_slow_consumer_has_not_taken_is_not_kept(connect: Connect, program: str) -> None:
    connection, size = await connect(), 0
    with _flat_memory():
        async with connection.receive(Shell(program), environ={}, timeout_seconds=60) as begun:
            async for piece in begun:
                size += len(piece)
                await asyncio.sleep(0.01)
    assert size == _MUCH


async def test_a_slow_program_goes_on_as_long_as_something_moves(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "STALL_SECONDS", 4)
    connection, slow = await connect(), "for i in 1 2 3 4 5 6 7 8 9; do sleep 0.5; echo $i{to}; done; cat"
    # A machine that stands still for so long makes one try fail, not each of them.
    for _ in range(3):
        receiving = asyncio.create_task(_receive(connection, slow.format(to="")))
        sending = asyncio.create_task(_send(connection, slow.format(to=" >&2"), _chunks(b"data")))
        await asyncio.wait((receiving, sending))
        if not (receiving.exception() or sending.exception()):
            break
    assert (await receiving)[1].status == 0
    assert (await sending).stdout == "data"


@pytest.mark.usefixtures("_stalls_soon", "_is_left_soon")
async def test_a_program_that_says_nothing_is_given_up(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    with pytest.raises(TransferStalled, match="No data moved between the hub and front-end for 0 seconds"):
        await _receive(connection, _stalling(tmp_path))
    _end(await _stays(tmp_path, "pid"))


@pytest.mark.usefixtures("_stalls_soon")
async def test_a_consumer_that_takes_nothing_is_given_up(connect: Connect) -> None:
    connection = await connect()
    with pytest.raises(TransferStalled):
        async with connection.receive(Shell("exec yes"), environ={}, timeout_seconds=60):
            await asyncio.Event().wait()
    assert (await _run(connection, "echo on")).stdout == "on\n"


@pytest.mark.usefixtures("_stalls_soon", "_is_left_soon")
@pytest.mark.parametrize("pieces", [1, _MANY_PIECES])
async def test_a_program_that_takes_nothing_is_given_up(connect: Connect, tmp_path: Path, pieces: int) -> None:
    connection, source = await connect(), _Source(pieces)
    with pytest.raises(TransferStalled):
        await _send(connection, _stalling(tmp_path), aiter(source))
    assert source.taken < 200
    _end(await _stays(tmp_path, "pid"))


@pytest.mark.usefixtures("_stalls_soon")
async def test_a_producer_that_gives_nothing_is_given_up(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    with pytest.raises(TransferStalled):
        await _send(connection, f"echo $$ >{tmp_path}/pid; exec cat", aiter(_Source(2, stop_at=1)))
    await _ends(tmp_path)
    assert connection.is_fresh


async def test_what_a_program_leaves_running_is_not_waited_for(connect: Connect, tmp_path: Path) -> None:
    connection, leaving = await connect(), f"sleep 600 & echo $! >{tmp_path}/pid;"
    try:
        assert await _receive(connection, f"{leaving} cat; echo err >&2; exit 3", b"data") == (
            b"data",
            Completed(3, "", "err\n"),
        )
        _end(await _stays(tmp_path, "pid"))
        sent = await _send(connection, f"{leaving} cat", _chunks(b"data"))
        assert sent == Completed(0, "data", "")
        assert connection.is_fresh
    finally:
        _end(await _stays(tmp_path, "pid"))


async def _ends(folder: Path) -> None:
    """Wait until a program is gone, which is a moment after its shell."""
    pid = await _stays(folder, "pid")
    await until(lambda: not _is_there(pid))


def _stalling(folder: Path) -> str:
    return f"echo $$ >{folder}/pid; echo hello; exec sleep 600"


def _end(pid: int) -> None:
    """End a program that is left, and that a front end need not have ended."""
    if _is_there(pid):
        os.kill(pid, 9)


async def test_commands_run_while_transfers_stall_and_a_fourth_waits(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    async with AsyncExitStack() as stack:
        receive = _Receiving(connection, stack)
        stalled = [await receive(f"echo {n}; until [ -e {tmp_path}/go ]; do sleep 0.1; done") for n in range(3)]
        assert len(stalled) == TRANSFERS_AT_ONCE
        fourth = asyncio.create_task(_send(connection, f"touch {tmp_path}/fourth; cat", _chunks(b"4")))
        at_once = COMMANDS_AT_ONCE - TRANSFERS_AT_ONCE
        all_there = f"[ $(ls {tmp_path} | grep -c began) = {at_once} ]"
        program = f"touch {tmp_path}/began-$$; until {all_there}; do sleep 0.05; done"
        answers = await asyncio.gather(*(_run(connection, program) for _ in range(at_once)))
        assert {answer.status for answer in answers} == {0}
        with pytest.raises(TransfersBusy, match="3 of your transfers with front-end are under way"):
            await receive("true", seconds=0.3)
        assert not (tmp_path / "fourth").exists()
        (tmp_path / "go").touch()
        assert [b"".join([piece async for piece in each]) for each in stalled] == [b"0\n", b"1\n", b"2\n"]
    assert (await fourth).stdout == "4"
    assert connection.is_fresh


@pytest.mark.parametrize("sessions", [2, 3])
async def test_commands_find_a_session_where_fewer_are_allowed_than_transfers_would_take(
    connect: Connect, tmp_path: Path, sessions: int
) -> None:
    connection = await connect(sessions=sessions)
    going = f"echo on; until [ -e {tmp_path}/go ]; do sleep 0.1; done"
    await _learn(connection, tmp_path, sessions)
    async with AsyncExitStack() as stack:
        receive = _Receiving(connection, stack)
        under_way = [await receive(going) for _ in range(sessions - 1)]
        assert connection.is_fresh
        assert [
            answer.stdout for answer in await asyncio.gather(*(_run(connection, "echo on") for _ in range(4)))
        ] == ["on\n"] * 4
        with pytest.raises(TransfersBusy, match=f"{sessions - 1} of your transfers with front-end are under way"):
            await receive("true", seconds=0.3)
        (tmp_path / "go").touch()
        for each in under_way:
            assert b"".join([piece async for piece in each]) == b"on\n"
    assert connection.is_fresh


async def _learn(connection: Connection, folder: Path, sessions: int) -> None:
    """Let a connection meet with the number of sessions that is allowed."""
    all_there = f"[ $(ls {folder} | grep -c began) = {sessions} ]"
    program = f"touch {folder}/began-$$; until {all_there}; do sleep 0.05; done"
    answers = await asyncio.gather(*(_run(connection, program) for _ in range(sessions)), _run(connection, "true"))
    assert {answer.status for answer in answers} == {0}


@pytest.mark.parametrize("sessions", [1, 2, 3])
async def test_a_command_does_not_wait_for_transfers_that_have_all_sessions(
    connect: Connect, tmp_path: Path, sessions: int
) -> None:
    connection = await connect(sessions=sessions)
    going = f"echo on; until [ -e {tmp_path}/go ]; do sleep 0.1; done"
    async with AsyncExitStack() as stack:
        receive = _Receiving(connection, stack)
        under_way = [await receive(going) for _ in range(sessions)]
        with pytest.raises(SessionRefused):
            await _run(connection, "true")
        # The next one goes over another connection.
        assert not connection.is_fresh
        (tmp_path / "go").touch()
        for each in under_way:
            assert b"".join([piece async for piece in each]) == b"on\n"
    assert (await _run(connection, "echo on")).stdout == "on\n"
    assert connection.is_fresh


async def test_a_program_that_keeps_its_input_finds_its_end_when_that_is_told(connect: Connect) -> None:
    connection = await connect()
    program = "head -n 1; cat >/dev/null; echo over"
    async with connection.receive(
        Shell(program), b"data\n", environ={}, timeout_seconds=60, keeps_input=True
    ) as begun:
        # The end of a line may be the beginning of the answer's end.
        assert await anext(begun) == b"data"
        begun.end_input()
        assert b"".join([piece async for piece in begun]) == b"\nover\n"
    assert connection.is_fresh


async def test_a_program_that_keeps_its_input_ends_when_it_is_left(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    program = f"echo $$ >{tmp_path}/pid; echo hello; exec cat >/dev/null"
    async with connection.receive(Shell(program), environ={}, timeout_seconds=60, keeps_input=True) as begun:
        assert await anext(begun) == b"hello"
    await _ends(tmp_path)
    assert connection.is_fresh


@pytest.mark.parametrize(("way", "most"), [("send", SENDS_AT_ONCE), ("receive", TRANSFERS_AT_ONCE)])
async def test_a_transfer_that_is_cancelled_ends_its_program_and_makes_room(
    connect: Connect, tmp_path: Path, way: str, most: int
) -> None:
    connection = await connect()

    async def flow(number: int) -> None:
        begin = f"echo $$ >{tmp_path}/pid{number}; exec"
        if way == "send":
            await _send(connection, f"{begin} cat", aiter(_Source(2, stop_at=1)))
        else:
            await _receive(connection, f"{begin} sh -c 'while echo y; do sleep 0.1; done'")

    for turn in range(3):
        flowing = [asyncio.create_task(flow(turn * 10 + number)) for number in range(most)]
        names = [f"pid{turn * 10 + number}" for number in range(most)]
        # Their numbers may soon be others'.
        processes = [psutil.Process(await _stays(tmp_path, name)) for name in names]
        await until(lambda: connection._sessions._running == most)
        for each in flowing:
            each.cancel()
        assert [type(each) for each in await asyncio.gather(*flowing, return_exceptions=True)] == [
            asyncio.CancelledError
        ] * most
        await until(lambda: not any(each.is_running() for each in processes))  # noqa: B023 - waited for at once
    assert connection.is_fresh


async def test_a_consumer_that_has_enough_ends_the_program(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    program = f"echo $$ >{tmp_path}/pid; exec yes"
    async with connection.receive(Shell(program), environ={}, timeout_seconds=60) as begun:
        async for piece in begun:
            assert piece.startswith(b"y\n")
            break
    assert begun.completed is None
    await _ends(tmp_path)
    assert connection.is_fresh


async def test_what_a_producer_raises_comes_out_and_ends_the_program(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()

    async def broken() -> AsyncIterator[bytes]:
        yield b"data"
        await _stays(tmp_path, "pid")
        raise TimeoutError("the client is gone")

    with pytest.raises(TimeoutError, match="the client is gone"):
        await _send(connection, f"echo $$ >{tmp_path}/pid; exec cat", broken())
    await _ends(tmp_path)
    assert connection.is_fresh


async def test_a_program_that_ends_early_ends_the_transfer(connect: Connect) -> None:
    connection, source = await connect(), _Source(_MANY_PIECES)
    answer = await _send(connection, "head -c 3 >/dev/null; echo no space >&2; exit 28", aiter(source))
    assert answer == Completed(28, "", "no space\n")
    assert source.taken < _MANY_PIECES
    waiting = _Source(2, stop_at=1)
    assert (await _send(connection, "exit 28", aiter(waiting))).status == 28
    assert connection.is_fresh


async def test_a_program_whose_answer_has_no_end_is_given_up(connect: Connect) -> None:
    connection = await connect()
    with pytest.raises(AnswerTooLong):
        await _send(connection, "exec yes", aiter(_Source(2, stop_at=1)))


async def test_a_connection_that_is_cut_under_transfers_is_told_to_each(
    front_ends: FrontEnds, connect: Connect
) -> None:
    connection, source = await connect(), _Source(2, stop_at=1)
    async with AsyncExitStack() as stack:
        begun = await _Receiving(connection, stack)("echo hello; exec sleep 600")
        assert await anext(begun) == b"hello"
        sending = asyncio.create_task(_send(connection, "cat", aiter(source)))
        await until(lambda: source.taken == 1)
        front_ends.hang_up()
        for each in (sending, anext(begun)):
            with pytest.raises(Unavailable, match="The connection to front-end was lost"):
                await each
    await until(lambda: not connection.is_open)


async def test_a_connection_that_is_found_lost_takes_no_chunk(front_ends: FrontEnds, connect: Connect) -> None:
    connection, source = await connect(), _Source(1)
    await _run(connection, "true")
    front_ends.hang_up()
    with pytest.raises(NotBegun):
        await _send(connection, "cat", aiter(source))
    assert source.taken == 0


async def test_a_program_that_is_killed_is_told(connect: Connect) -> None:
    connection = await connect()
    with pytest.raises(Unavailable, match="A command of the hub was ended at front-end before it was done"):
        await _receive(connection, "echo hello; kill -KILL $PPID")
    assert connection.is_fresh


def _login_shell(folder: Path, lines: str) -> str:
    """Return a program that stands for a login shell; `$SSH_ORIGINAL_COMMAND` is what it is asked to run."""
    shell = folder / "shell"
    shell.write_text(f"#!/bin/sh\n{lines}\n")
    shell.chmod(0o755)
    return str(shell)


async def test_what_a_login_shell_says_is_passed_over(connect: Connect, tmp_path: Path) -> None:
    before, after = "printf 'Wel\\377come'; echo motd >&2", "echo Bye; echo bye >&2"
    shell = _login_shell(tmp_path, f'{before}; sh -c "$SSH_ORIGINAL_COMMAND"; s=$?; {after}; exit $s')
    connection = await connect(shell)
    assert await _receive(connection, "cat; echo err >&2; exit 7", b"da\0ta") == (
        b"da\0ta",
        Completed(7, "", "err\n"),
    )
    assert await _send(connection, "cat; echo err >&2; exit 7", _chunks(b"data")) == Completed(7, "data", "err\n")


async def test_a_login_shell_that_says_too_much_is_told(connect: Connect, tmp_path: Path) -> None:
    # What comes in one piece with the answer is not too much.
    loud = f'head -c {LONGEST_ANSWER + 2 * WINDOW_BYTES} /dev/zero; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    connection = await connect(_login_shell(tmp_path, loud))
    with pytest.raises(AnswerTooLong):
        await _receive(connection, "echo hello")


async def test_a_login_shell_that_runs_nothing_is_quoted_and_takes_no_chunk(
    connect: Connect, tmp_path: Path
) -> None:
    connection, source = await connect(_login_shell(tmp_path, "echo 'This account is a menu.'")), _Source(1)
    with pytest.raises(AnswerUnreadable) as refused:
        await _send(connection, "cat", aiter(source))
    assert "This account is a menu." in refused.value.quoted
    assert source.taken == 0


async def test_a_start_up_file_that_reads_all_gets_no_chunk(connect: Connect, tmp_path: Path) -> None:
    taking = 'head -n 9 >/dev/null; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    connection, source = await connect(_login_shell(tmp_path, taking)), _Source(1)
    with pytest.raises((NotBegunInTime, Refused)):
        await _send(connection, "cat", aiter(source), seconds=1)
    assert source.taken == 0


@pytest.mark.usefixtures("_is_left_soon")
@pytest.mark.parametrize("data", [b"data", b""])
async def test_a_login_shell_that_hangs_is_given_up(
    connect: Connect, tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await connect(_login_shell(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 600"))
    timeouts = Timeouts(monkeypatch, connection_module)
    async with AsyncExitStack() as stack:
        receiving = asyncio.create_task(_Receiving(connection, stack)("cat", data))
        pid = await _stays(tmp_path, "pid")
        timeouts.come()
        with pytest.raises(Late) as late:
            await receiving
    assert isinstance(late.value, NotBegunInTime) == bool(data)
    _end(pid)
