"""`jupyterhub-sites tunnels`: the daemon that carries a hub's tunnels, and what it carries."""

import asyncio
import json
import logging
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slurm_ssh.tunnels import daemon
from slurm_ssh.tunnels.daemon_session import DaemonAway, connected
from slurm_ssh.tunnels.route import LOCAL_ADDRESS, Route
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.cli.failed import Failed

SOCKET = Path("/run/jupyterhub-tunnels/socket")

# asyncssh asks the KDC in the loop's executor; a silent one must not keep names from being looked up.
_THREADS = 64


def tunnels(path: Path, *, listing: bool, as_json: bool) -> None:
    """Carry tunnels until SIGTERM comes, or print those that the daemon at the socket carries."""
    try:
        asyncio.run(_list(path, as_json=as_json) if listing else _serve(path))
    except DaemonAway as error:
        raise Failed(sentences.NO_DAEMON.format(path=path, reason=error)) from error
    except OSError as error:
        raise Failed(sentences.SOCKET_UNUSABLE.format(path=path, reason=error.strerror)) from error


async def _serve(path: Path) -> None:
    logging.getLogger("slurm_ssh").setLevel(logging.INFO)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="tunnels"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with daemon.listening(path):
        await ended.wait()


async def _list(path: Path, *, as_json: bool) -> None:
    async with connected(path, None) as session:
        carried = await session.tunnels()
    if as_json:
        print(json.dumps([_told(each) for each in carried], indent=2))
        return
    for each in carried:
        login = each.login
        print(
            f"{LOCAL_ADDRESS}:{each.local_port} {login.user} {login.site_key} {each.node}:{each.port} "
            f"{each.launch_id}"
        )


def _told(each: Route) -> dict[str, object]:
    route = {"local_port": each.local_port, "node": each.node, "port": each.port}
    return {"user": each.login.user, "site": each.login.site_key, **route, "launch_id": each.launch_id}
