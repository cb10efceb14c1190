"""Front ends of two kinds, our double and OpenSSH, that a connection has to find alike."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from slurm_ssh.ssh.connection import Connection
from tests.support import openssh, sshd

Connect = Callable[..., Awaitable[Connection]]


class FrontEnds:
    """Front ends of one kind, the double or OpenSSH, each with a connection to it."""

    def __init__(self, kind: str, folder: Path, stack: AsyncExitStack) -> None:
        self._kind = kind
        self._folder = folder
        self._stack = stack
        self._cut: list[Callable[[], None]] = []

    async def connect(self, shell: str = "", sessions: int = 10, banner: str = "") -> Connection:
        """Return a connection to a new one with the command `shell` for a login shell, if one is given."""
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
