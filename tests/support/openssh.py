"""A private OpenSSH on loopback, as the user who runs the tests, who logs in by a key made for it.

Further lines of configuration may name it `{folder}`, in which its files are, `log` among them.
"""

import asyncio
import os
import pwd
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from tests.support import loopback
from tests.support.ports import free_port
from tests.support.waiting import until

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PrintMotd no
{more}
"""


class OpenSSH:
    """Where it listens, and the key that opens it."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self.folder = folder
        self.port = port
        self._pid = pid

    async def connect(self) -> asyncssh.SSHClientConnection:
        """Log in."""
        return await asyncssh.connect(
            "127.0.0.1",
            self.port,
            username=pwd.getpwuid(os.getuid()).pw_name,
            known_hosts=None,
            client_keys=[str(self.folder / "client_key")],
            config=None,
            agent_path=None,
        )

    @property
    def host_key(self) -> str:
        """Its public host key, as in a .pub file."""
        return asyncssh.read_private_key(self.folder / "host_key").export_public_key().decode().strip()

    @property
    def log(self) -> str:
        """What it has written into its log."""
        return (self.folder / "log").read_text()

    def cut(self) -> None:
        """Kill the processes of all connections: they are dropped without a word."""
        for child in Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)


@asynccontextmanager
async def running(folder: Path, *more: str, hosts: asyncssh.SSHKey | None = None) -> AsyncIterator[OpenSSH]:
    """Give one with further lines of configuration for the length of a block.

    With an authority for `hosts` it shows a host certificate of that one's, for 127.0.0.1.
    """
    folder.mkdir()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "client_key"):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(folder / name)
        (folder / name).chmod(0o600)
    key = asyncssh.read_private_key(folder / "client_key")
    key.write_public_key(folder / "client_key.pub")
    if hosts:
        shown = hosts.generate_host_certificate(
            asyncssh.read_private_key(folder / "host_key"), "front-end", principals=["127.0.0.1"]
        )
        shown.write_certificate(folder / "host_key-cert.pub")
        more = (*more, "HostCertificate {folder}/host_key-cert.pub")
    port = free_port()
    lines = "\n".join(more).replace("{folder}", str(folder))
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder, more=lines))
    with (folder / "log").open("wb") as log:
        daemon = await asyncio.create_subprocess_exec(
            "/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "config"), stderr=log
        )
    server = OpenSSH(folder, port, daemon.pid)
    try:
        await until(lambda: loopback.listens(port))
        yield server
    finally:
        daemon.terminate()
        await daemon.wait()
