"""Front ends of three kinds that a connection has to find alike: our double, OpenSSH, this machine without SSH."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from slurm_ssh.ssh.connection import Connection
from tests.support import openssh, sshd
from tests.support.local_ssh import LocalSsh

Connect = Callable[..., Awaitable[Connection]]


class FrontEnds:
    """Front ends of one kind, `double`, `openssh` or `local`, each with a connection to it."""

    def __init__(self, kind: str, folder: Path, stack: AsyncExitStack) -> None:
        self._kind = kind
        self._folder = folder
        self._stack = stack
        self._cut: list[Callable[[], None]] = []

    async def connect(self, shell: str = "", sessions: int = 10, banner: str = "") -> Connection:
        """Return a connection to a new one with the command `shell` for a login shell, if one is given."""
        if self._kind == "local":
            local: Any = LocalSsh({"HOME": str(self._folder)}, shell, sessions)
            self._stack.push_async_callback(local.stop)
            self._cut.append(local.hang_up)
            return Connection("front-end", local)
        if self._kind == "openssh":
            (self._folder / "banner").write_text(banner)
            more = [f"MaxSessions {sessions}", f"Banner {self._folder}/banner"]
            more += [f"ForceCommand {shell}"] if shell else []
            server = await self._stack.enter_async_context(openssh.running(self._folder / "sshd", *more))
            ssh = await server.connect()
            self._cut.append(server.cut)
        else:
            double = await self._stack.enter_async_context(sshd.running_for_key(self._folder, shell))
            double.sessions, double.greeting = sessions, banner
            ssh = await double.connect()
            self._cut.append(double.cut)
        self._stack.callback(ssh.abort)
        return Connection("front-end", ssh)

    def hang_up(self) -> None:
        """Drop every connection without a word."""
        for cut in self._cut:
            cut()
