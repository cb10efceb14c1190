"""Where a server is, and from where it can be reached."""

from dataclasses import dataclass
from typing import Protocol

from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.login import Login, Reachable

# Only processes of the hub's machine, such as the proxy, need to reach a tunnel.
LOCAL_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Route:
    """Where a server is: the job's `port` on `node` (Slurm's name), and who may go there.

    `local_port` is the hub's end that it had before, 0 for a new one.
    """

    launch_id: LaunchId
    login: Login
    node: str
    port: int
    local_port: int = 0


class Way(Reachable, Protocol):
    """What is needed of a site to reach its nodes through its front ends; the catalogue's Site is one."""

    @property
    def node_address(self) -> str:
        """The address of a node, with `{node}` for Slurm's name of it."""


def local_url(port: int) -> str:
    """Return the URL of a tunnel's local port, without a path."""
    return f"http://{LOCAL_ADDRESS}:{port}"


def address(site: Way, route: Route) -> str:
    """Return the host at which the site's front ends, or the hub itself, reach the route's node."""
    return site.node_address.replace("{node}", route.node)
