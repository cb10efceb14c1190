"""What a connection promises of the programs that it runs, by our double and by OpenSSH."""

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernels.shell import Shell
from slurm_ssh.errors import Refused
from slurm_ssh.ssh import connection as connection_module
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.sessions import COMMANDS_AT_ONCE
from slurm_ssh.ssh.transport import (
    Completed,
    ConnectionLost,
    Late,
    NotBegun,
    NotBegunInTime,
    ProgramKilled,
    SessionRefused,
)
from tests.support.front_ends import Connect, FrontEnds
from tests.support.waiting import Timeouts, until

# A wait that never ends fails here, and not when the whole run is given up.
_ENDLESS_SECONDS = 120


@pytest.fixture(autouse=True)
async def _no_wait_is_endless() -> AsyncIterator[None]:
    async with asyncio.timeout(_ENDLESS_SECONDS):
        yield


@pytest.fixture
def timeouts(monkeypatch: pytest.MonkeyPatch) -> Timeouts:
    """When the time of a program is up."""
    return Timeouts(monkeypatch, connection_module)


async def _run(connection: Connection, program: str, data: bytes = b"") -> Completed:
    return await connection.run(Shell(program), data, environ={}, timeout_seconds=60)


async def _left(
    connection: Connection, timeouts: Timeouts, folder: Path, program: str, data: bytes = b""
) -> BaseException | None:
    """Run a program, let the time be up once something has written `pid`, end that, and return what was raised."""
    running = asyncio.create_task(_run(connection, program, data=data))
    pid = folder / "pid"
    await until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    # What was printed before is on its way.
    await asyncio.sleep(0.3)
    timeouts.come()
    await asyncio.wait((running,))
    os.kill(int(pid.read_text()), 9)
    return running.exception()


def _login_shell(folder: Path, lines: str) -> str:
    """Return a program that stands for a login shell; `$SSH_ORIGINAL_COMMAND` is what it is asked to run."""
    shell = folder / "shell"
    shell.write_text(f"#!/bin/sh\n{lines}\n")
    shell.chmod(0o755)
    return str(shell)


def _with_start_up_file(folder: Path, shell: str, lines: str) -> str:
    """Return a login shell of this kind with these lines in its start-up file."""
    (folder / f".{shell}rc").write_text(f"{lines}\n")
    begin = f'unset SHLVL; HOME={folder}; export HOME; exec {shell} -c "$SSH_ORIGINAL_COMMAND"'
    return _login_shell(folder, begin)


async def test_a_program_gives_its_status_and_both_outputs(connect: Connect) -> None:
    connection = await connect()
    assert await _run(connection, "echo out; echo err >&2; exit 3") == Completed(3, "out\n", "err\n")


@pytest.mark.parametrize("ignoring", ["", "trap '' TERM HUP INT; "])
async def test_a_time_out_does_not_wait_for_the_program(
    connect: Connect, timeouts: Timeouts, tmp_path: Path, ignoring: str
) -> None:
    program = f"{ignoring}echo $$ >{tmp_path}/pid; while :; do sleep 0.1; done"
    assert isinstance(await _left(await connect(), timeouts, tmp_path, program), TimeoutError)


async def test_a_connection_with_a_program_that_was_left_is_used_no_more(
    connect: Connect, timeouts: Timeouts, tmp_path: Path
) -> None:
    connection = await connect()
    assert connection.is_fresh
    late = await _left(connection, timeouts, tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 600")
    assert isinstance(late, TimeoutError)
    assert connection.is_open
    assert not connection.is_fresh


@pytest.mark.parametrize("where", ["", " >&2"])
async def test_output_without_end_is_refused_and_not_kept(connect: Connect, where: str) -> None:
    connection = await connect()
    await _run(connection, "true")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match="more text than"):
        await _run(connection, f"head -c 400000000 /dev/zero{where}")
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 10 * 1024
    assert not connection.is_fresh


async def test_what_is_long_but_asked_for_is_read_whole(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.run(
        Shell("head -c 3000000 /dev/zero | tr '\\0' x"), environ={}, timeout_seconds=60, limit_bytes=4_000_000
    )
    assert len(answer.stdout) == 3_000_000


async def test_as_many_programs_run_at_once_as_a_front_end_allows(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    program = f"touch {tmp_path}/began-$$; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    running = [asyncio.create_task(_run(connection, program)) for _ in range(COMMANDS_AT_ONCE + 4)]
    await until(lambda: len(list(tmp_path.glob("began-*"))) >= COMMANDS_AT_ONCE)
    (tmp_path / "go").touch()
    assert {answer.status for answer in await asyncio.gather(*running)} == {0}


async def test_programs_wait_for_each_other_where_fewer_sessions_are_allowed(
    connect: Connect, tmp_path: Path
) -> None:
    connection = await connect(sessions=2)
    program = f"touch {tmp_path}/began-$$; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    running = [asyncio.create_task(_run(connection, program)) for _ in range(COMMANDS_AT_ONCE + 4)]
    await until(lambda: len(list(tmp_path.glob("began-*"))) >= 2)
    (tmp_path / "go").touch()
    assert {answer.status for answer in await asyncio.gather(*running)} == {0}
    assert connection.is_fresh


async def test_without_a_session_a_program_has_not_run(
    connect: Connect, timeouts: Timeouts, tmp_path: Path
) -> None:
    connection = await connect(sessions=1)
    pid = tmp_path / "pid"
    running = asyncio.create_task(_run(connection, f"echo $$ >{pid}; exec sleep 600"))
    await until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    timeouts.come()
    with pytest.raises(TimeoutError):
        await running
    timeouts.stay_away()
    with pytest.raises(SessionRefused):
        await _run(connection, f"touch {tmp_path}/ran")
    os.kill(int(pid.read_text()), 9)
    assert not (tmp_path / "ran").exists()


async def test_a_banner_is_no_part_of_an_answer(connect: Connect) -> None:
    connection = await connect(banner="Authorised use only.\n\nanswer-0011223344556677\n")
    assert await _run(connection, "echo hello") == Completed(0, "hello\n", "")


@pytest.mark.parametrize("said", ["echo Welcome; echo to all >&2; ", "printf 'no line end'; "])
async def test_what_a_login_shell_says_first_is_no_part_of_an_answer(
    connect: Connect, tmp_path: Path, said: str
) -> None:
    shell = _login_shell(tmp_path, f'{said}exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"')
    assert await _run(await connect(shell), "echo hello") == Completed(0, "hello\n", "")


async def test_a_login_shell_that_answers_in_the_programs_place_is_told(connect: Connect, tmp_path: Path) -> None:
    connection = await connect(_login_shell(tmp_path, "echo 'This account is a menu.'"))
    with pytest.raises(Refused) as refused:
        await _run(connection, "echo hello")
    assert "This account is a menu." in refused.value.quoted


_SHELLS = pytest.mark.parametrize("shell", ["bash", "tcsh"])


@_SHELLS
@pytest.mark.parametrize("other", ["bash", "dash", "tcsh -f"])
async def test_a_start_up_file_that_replaces_the_shell_is_told(
    connect: Connect, tmp_path: Path, shell: str, other: str
) -> None:
    connection = await connect(_with_start_up_file(tmp_path, shell, f"exec {other}"))
    with pytest.raises(Refused, match=r"a start-up file of your shell there .* starts another shell in its place"):
        await _run(connection, "cat", data=f"touch {tmp_path}/hole\n".encode())
    assert not (tmp_path / "hole").exists()


@pytest.mark.parametrize("ending", ["exit 0", "set -e; false"])
async def test_a_start_up_file_that_ends_the_shell_is_told(connect: Connect, tmp_path: Path, ending: str) -> None:
    connection = await connect(_with_start_up_file(tmp_path, "bash", f"echo oh no; {ending}"))
    with pytest.raises(Refused, match=r"your shell there ended before it ran a command of the hub") as refused:
        await _run(connection, "echo hello")
    assert refused.value.quoted == "oh no"


@_SHELLS
async def test_a_start_up_file_that_reads_a_line_does_no_harm(
    connect: Connect, tmp_path: Path, shell: str
) -> None:
    reads = "read -r X" if shell == "bash" else "set X = $<"
    connection = await connect(_with_start_up_file(tmp_path, shell, reads))
    assert await _run(connection, "cat", data=b"data\n") == Completed(0, "data\n", "")


@_SHELLS
async def test_a_start_up_file_that_reads_all_is_told_where_data_are_sent(
    connect: Connect, tmp_path: Path, shell: str
) -> None:
    connection = await connect(_with_start_up_file(tmp_path, shell, "cat >/dev/null"))
    assert await _run(connection, "cat; echo hello") == Completed(0, "hello\n", "")
    with pytest.raises(Refused, match=r"a start-up file of your shell there .* reads what the hub sends"):
        await _run(connection, "cat", data=b"data\n")


async def test_what_a_start_up_file_leaves_running_is_not_waited_for(connect: Connect, tmp_path: Path) -> None:
    left = f"sleep 600 & echo $! >{tmp_path}/pid"
    connection = await connect(shell=_with_start_up_file(tmp_path, "bash", left))
    try:
        assert await _run(connection, "cat; echo err >&2; exit 3", data=b"out\n") == Completed(3, "out\n", "err\n")
        assert connection.is_fresh
    finally:
        os.kill(int((tmp_path / "pid").read_text()), 9)


async def test_a_program_that_is_killed_with_its_shell_is_not_a_lost_connection(connect: Connect) -> None:
    connection = await connect()
    with pytest.raises(ProgramKilled):
        await _run(connection, "kill -KILL $PPID")
    assert connection.is_fresh


async def test_a_hang_up_in_the_middle_is_no_answer(
    front_ends: FrontEnds, connect: Connect, tmp_path: Path
) -> None:
    connection = await connect()
    running = asyncio.create_task(_run(connection, f"echo $$ >{tmp_path}/pid; exec sleep 600"))
    await until((tmp_path / "pid").exists)
    front_ends.hang_up()
    with pytest.raises(ConnectionLost) as lost:
        await running
    assert type(lost.value) is ConnectionLost
    await until(lambda: not connection.is_open)


async def test_a_connection_that_is_found_lost_has_run_nothing_of_a_program_that_waits_for_data(
    front_ends: FrontEnds, connect: Connect, tmp_path: Path
) -> None:
    connection = await connect()
    await _run(connection, "true")
    front_ends.hang_up()
    with pytest.raises(NotBegun):
        await _run(connection, f"touch {tmp_path}/ran", data=b"data")
    assert not connection.is_fresh
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("data", "is_certain"), [(b"data", True), (b"", False)])
async def test_a_login_shell_that_hangs_has_not_begun_a_program_that_waits_for_data(
    connect: Connect, timeouts: Timeouts, tmp_path: Path, data: bytes, is_certain: bool
) -> None:
    connection = await connect(_login_shell(tmp_path, f"echo hello; echo $$ >{tmp_path}/pid; exec sleep 600"))
    late = await _left(connection, timeouts, tmp_path, "true", data)
    assert isinstance(late, TimeoutError)
    assert isinstance(late, NotBegunInTime) == is_certain
    assert not connection.is_fresh


async def test_a_program_that_hangs_has_begun(connect: Connect, timeouts: Timeouts, tmp_path: Path) -> None:
    program = f"echo $$ >{tmp_path}/pid; exec sleep 600"
    assert type(await _left(await connect(), timeouts, tmp_path, program, b"data")) is Late


@pytest.mark.parametrize("parting", ["late", "cut"])
async def test_a_program_that_is_left_is_ended_by_its_next_word(
    front_ends: FrontEnds, connect: Connect, tmp_path: Path, parting: str
) -> None:
    connection, pid = await connect(), tmp_path / "pid"
    program = f"until [ -e {tmp_path}/go ]; do sleep 0.1; done; while echo word; do sleep 0.1; done"
    running = asyncio.create_task(_run(connection, f"echo $$ >{pid}; {program}", b"data"))
    await until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    if parting == "cut":
        front_ends.hang_up()
    else:
        running.cancel()
    with contextlib.suppress(asyncio.CancelledError, ConnectionLost):
        await running
    (tmp_path / "go").touch()
    await until(lambda: not Path("/proc", pid.read_text().strip()).exists())
