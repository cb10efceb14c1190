"""Where a server is, and from where it can be reached."""

from dataclasses import dataclass

from profiles.catalogue.site import Site
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.login import Login

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


def address(site: Site, route: Route) -> str:
    """Return the host at which the site's front ends, or the hub itself, reach the route's node."""
    return site.node_address.replace("{node}", route.node)
