"""A site on this machine: programs run as at a site, in a login shell; Slurm is a folder of shell stubs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from kernels.shell import Shell
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import AnswerTooLong
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.transfer import Transfer
from slurm_ssh.ssh.transport import (
    Completed,
    ConnectionLost,
    Late,
    NotBegun,
    NotBegunInTime,
    ProgramKilled,
    SessionRefused,
    unwrap,
    wrap,
)
from tests.support import shells
from tests.support.local_ssh import LocalSsh

_MARKER = "answer-0011223344556677"

_SBATCH = """#!/bin/sh
cd {folder}
case $* in
  *--test-only*)
    echo x >> forecasts; printf '%s\\n' "$@" > forecast.arguments; env > forecast.environ; cat > forecast.stdin
    [ ! -f refusal ] || {{ cat refusal >&2; exit 1; }}
    exec cat forecast >&2 ;;
esac
printf '%s\\n' "$@" > sbatch.arguments; env > sbatch.environ; cat > sbatch.stdin
echo x >> submissions
[ ! -f refusal ] || {{ cat refusal >&2; exit 1; }}
echo 42
"""
_SQUEUE = """#!/bin/sh
cd {folder}
[ ! -f silent ] || {{ echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1; }}
[ ! -f garbage ] || exec cat garbage
[ -f queue ] || : >queue
case $* in
  *exit_code*)
    # With eight fields more, and with the header.
    echo 'JOBID|STATE|EXEC_HOST|USER|SUBMIT_TIME|START_TIME|END_TIME|TIME|EXIT_CODE|ARRAY_JOB_ID|ARRAY_TASK_ID|' \\
      'NODELIST|REASON|NAME'
    sed -E 's,^([^|]*)(\\|[^|]*\\|)([^|]*)(\\|[^|]*\\|),\\1\\2\\3\\4N/A|N/A|N/A|0:00|0|\\1|N/A|\\3|,' queue ;;
  *) cat queue ;;
esac
"""
_SACCTMGR = """#!/bin/sh
cd {folder}
echo x >> questions
[ ! -f silent ] || {{ echo 'sacctmgr: error: Unable to contact slurm database' >&2; exit 1; }}
[ ! -f projects ] || cat projects
"""
_SCONTROL = """#!/bin/sh
cd {folder}
case $* in
  'show job '*)
    [ -f job ] || {{ echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; }}
    exec cat job ;;
esac
printf '%s\\n' 'Configuration data as of now' 'ClusterName             = lugano' 'CompleteWait = 0 sec'
"""
_SACCT = """#!/bin/sh
cd {folder}
echo x >> lookups
if [ ! -f accounting ]; then
    [ ! -f late ] || mv late accounting
    echo 'Slurm accounting storage is disabled' >&2
    exit 1
fi
cat accounting
"""
_SCANCEL = """#!/bin/sh
cd {folder}
printf '%s\\n' "$@" > scancel.arguments
[ ! -f silent ] || {{ echo 'scancel: error: Unable to contact slurm controller' >&2; exit 1; }}
rm -f queue
"""


class LocalSite:
    """Runs programs with `home` as the home directory; stands for a connection and for its pool.

    `mishaps` are what happens to the next programs: `before` loses the connection before a program ran,
    `after` when it had run, a number when so many bytes of its data were there; `stale` finds it lost already,
    `late` lets the program not answer in time after it came to sbatch, `stuck` before that, `hung` not even
    begin; `killed` ends it when it has run, `long` lets it say more than is read, `no session` opens none for
    it. `shell` is the login shell, `environ` what is in its environment, `delegated` the ticket of the login;
    `exchanges` counts them all.
    """

    is_open = True

    def logins(self) -> tuple[Any, ...]:
        """Return who is `connected`."""
        return self.connected

    def __init__(self, home: Path) -> None:
        self.home = home
        self.exchanges = 0
        self.connected: tuple[Any, ...] = ()
        self.entered: list[tuple[str, str]] = []
        self.mishaps: list[str | int] = []
        self.shell = "sh"
        self.slurm = home / "slurm"
        self.environ: dict[str, str] = {}
        self.delegated: Path | None = None
        self.refusal: Exception | None = None
        self.renewed: list[str] = []
        self.holds: list[asyncio.Event] = []
        self._wire: Connection | None = None

    async def run(
        self,
        program: Shell,
        data: bytes = b"",
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = 0,  # noqa: ARG002 - nothing here is late but by `mishaps`
        limit_bytes: int = 0,  # noqa: ARG002 - nothing here is long
    ) -> Completed:
        """Run a program with data on its stdin; as a Connection does, and a `delivery.Run`."""
        mishap = self._mishap()
        sent = wrap(program, data, environ or {}, _MARKER)
        lacking = max(0, len(data) - mishap) if isinstance(mishap, int) else 0
        answer = await asyncio.to_thread(
            shells.run,
            [self.shell, "-c", sent.command],
            sent.stdin[: len(sent.stdin) - lacking],
            self._login_environ(),
            cwd="/",
        )
        if mishap == "killed":
            raise ProgramKilled("the answer ended before its marker")
        if mishap == "long":
            raise AnswerTooLong("login1.geneva.test says more text than is read.")
        if mishap == "after" or isinstance(mishap, int):
            raise ConnectionLost("the wire was cut")
        return unwrap(answer.stdout.decode(), answer.stderr.decode(), _MARKER)

    def _mishap(self) -> str | int:
        """Return what happens to a program that has begun, "" for nothing; raise what happens before that."""
        self.exchanges += 1
        mishap = self.mishaps.pop(0) if self.mishaps else ""
        if mishap == "before":
            raise ConnectionLost("the wire was cut")
        if mishap == "stale":
            raise NotBegun("the wire had been cut")
        if mishap == "no session":
            raise SessionRefused("open failed")
        if mishap == "late":
            raise Late(f"\n{_MARKER}\n\n== sbatch\n")
        if mishap == "stuck":
            raise Late(f"\n{_MARKER}\n\n== folder\n")
        if mishap == "hung":
            raise NotBegunInTime
        return mishap

    def _login_environ(self) -> dict[str, str]:
        ticket = {"KRB5CCNAME": f"FILE:{self.delegated}"} if self.delegated else {}
        return {"HOME": str(self.home), "USER": "alice"} | self.environ | ticket

    async def send(
        self,
        program: Shell,
        chunks: AsyncIterator[bytes],
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
    ) -> Completed:
        """Send chunks as a Connection does, with the mishaps that come before a program runs."""
        self._mishap()
        return await self._transfers().send(
            program, chunks, environ=environ or {}, timeout_seconds=timeout_seconds
        )

    def receive(
        self,
        program: Shell,
        data: bytes = b"",
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
        keeps_input: bool = False,
    ) -> AbstractAsyncContextManager[Transfer]:
        """Receive as a Connection does, with the mishaps that come before a program runs."""
        self._mishap()
        return self._transfers().receive(
            program, data, environ=environ or {}, timeout_seconds=timeout_seconds, keeps_input=keeps_input
        )

    def cut(self) -> None:
        """Lose the connection under all transfers; the next ones go over another."""
        if self._wire:
            self._ssh.hang_up()

    def _transfers(self) -> Connection:
        """Return a real connection, which runs its programs on this machine."""
        if not (self._wire and self._wire.is_fresh):
            ssh: Any = LocalSsh(self._login_environ(), f'exec {self.shell} -c "$SSH_ORIGINAL_COMMAND"')
            self._ssh, self._wire = ssh, Connection("login1.geneva.test", ssh)
        return self._wire

    @asynccontextmanager
    async def connection(self, login: Any, *_: Any) -> AsyncIterator["LocalSite"]:
        """Give itself, as a ConnectionPool gives a connection; raise `refusal` if there is one.

        `entered` has who came to which site.
        Each of `holds` keeps one caller waiting, the first the first.
        """
        self.entered.append((login.user, login.site_key))
        if self.holds:
            await self.holds.pop(0).wait()
        if self.refusal:
            raise self.refusal
        yield self

    @asynccontextmanager
    async def stream(
        self, _host: str, port: int, _deadline: Deadline | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give what reaches a port of one of its nodes: all of them are this machine."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise ConnectionLost(f"n1:{port}: {error}") from error
        try:
            yield reader, writer
        finally:
            writer.close()

    def renew(self, user: str) -> None:
        """Note whose further work is to use a new ticket."""
        self.renewed.append(user)

    async def close(self) -> None:
        """There is nothing to close."""

    def install_slurm(self) -> None:
        """Put stubs of Slurm's commands into the folder `slurm`, where they also keep what they were told."""
        self.slurm.mkdir()
        stubs = {
            "sbatch": _SBATCH,
            "squeue": _SQUEUE,
            "scancel": _SCANCEL,
            "sacctmgr": _SACCTMGR,
            "scontrol": _SCONTROL,
            "sacct": _SACCT,
        }
        for name, text in stubs.items():
            path = self.slurm / name
            path.write_text(text.format(folder=self.slurm))
            path.chmod(0o755)

    def told(self, name: str) -> str:
        """Return what a stub was told, or ""."""
        path = self.slurm / name
        return path.read_text() if path.exists() else ""

    def tell(self, name: str, text: str) -> None:
        """Make the stubs answer with `text`.

        `queue`, `garbage` (in the place of squeue), `refusal`, `projects`, `silent`, `job`, `accounting`, `late`
        (what the accounting says from the second question on), `forecast`.
        """
        (self.slurm / name).write_text(text)
