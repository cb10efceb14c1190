"""What a connection promises of the programs that it runs, by our double and by OpenSSH."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kernels.shell import Shell
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.connection import COMMANDS_AT_ONCE, Connection
from slurm_ssh.ssh.transport import Completed, ConnectionLost
from tests.support import openssh, sshd
from tests.support.waiting import until

# A wait that never ends fails here, and not when the whole run is given up.
_ENDLESS_SECONDS = 120

Connect = Callable[..., Awaitable[Connection]]


@pytest.fixture(params=["double", "openssh"])
async def connect(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Connect]:
    """Connects to a front end whose login shell is the command `shell`, if one is given."""
    async with AsyncExitStack() as stack:

        async def connected(shell: str = "") -> Connection:
            if request.param == "openssh":
                more = (f"ForceCommand {shell}",) if shell else ()
                server = await stack.enter_async_context(openssh.running(tmp_path / "sshd", *more))
                ssh = await server.connect()
            else:
                double = await stack.enter_async_context(sshd.running_for_key(tmp_path, shell))
                ssh = await double.connect()
            connection = Connection("front-end", ssh)
            stack.callback(ssh.abort)
            return connection

        yield connected


@pytest.fixture(autouse=True)
async def _no_wait_is_endless() -> AsyncIterator[None]:
    async with asyncio.timeout(_ENDLESS_SECONDS):
        yield


async def _run(connection: Connection, program: str, seconds: float = 60) -> Completed:
    return await connection.run(Shell(program), environ={}, timeout_seconds=seconds)


def _alive(pid_file: Path) -> bool:
    return Path(f"/proc/{pid_file.read_text().strip()}").exists()


async def test_a_program_gives_its_status_and_both_outputs(connect: Connect) -> None:
    connection = await connect()
    assert await _run(connection, "echo out; echo err >&2; exit 3") == Completed(3, "out\n", "err\n")


@pytest.mark.parametrize("ignoring", ["", "trap '' TERM HUP INT; "])
async def test_a_time_out_does_not_wait_for_the_program(connect: Connect, tmp_path: Path, ignoring: str) -> None:
    connection = await connect()
    program = f"{ignoring}echo $$ >{tmp_path}/pid; while :; do sleep 0.1; done"
    with pytest.raises(TimeoutError):
        await _run(connection, program, seconds=2)
    os.kill(int((tmp_path / "pid").read_text()), 9)


async def test_a_connection_with_a_program_that_was_left_is_used_no_more(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    assert connection.is_fresh
    with pytest.raises(TimeoutError):
        await _run(connection, f"echo $$ >{tmp_path}/pid; exec sleep 600", seconds=2)
    assert connection.is_open
    assert not connection.is_fresh
    os.kill(int((tmp_path / "pid").read_text()), 9)


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


@pytest.mark.parametrize("said", ["echo Welcome; echo to all >&2; ", "printf 'no line end'; "])
async def test_what_a_login_shell_says_first_is_no_part_of_an_answer(
    connect: Connect, tmp_path: Path, said: str
) -> None:
    shell = tmp_path / "shell"
    shell.write_text(f'#!/bin/sh\n{said}exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    shell.chmod(0o755)
    assert await _run(await connect(str(shell)), "echo hello") == Completed(0, "hello\n", "")


async def test_a_login_shell_that_answers_in_the_programs_place_is_told(connect: Connect, tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\necho 'This account is a menu.'\n")
    shell.chmod(0o755)
    with pytest.raises(Refused) as refused:
        await _run(await connect(str(shell)), "echo hello")
    assert "This account is a menu." in refused.value.quoted


async def test_a_hang_up_in_the_middle_is_no_answer(connect: Connect, tmp_path: Path) -> None:
    connection = await connect()
    running = asyncio.create_task(_run(connection, f"echo $PPID >{tmp_path}/pid; exec sleep 600"))
    await until((tmp_path / "pid").exists)
    connection._ssh.abort()
    with pytest.raises(ConnectionLost):
        await running
