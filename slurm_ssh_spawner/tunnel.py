"""How the hub reaches a job's port: by the site's `tunnel.kind`."""

from typing import Protocol

from profiles.schema import Site


class Tunnel(Protocol):
    """Makes the port of a job reachable from the hub."""

    async def open(self, node: str, port: int) -> str:
        """Return the URL, without a path, at which the hub reaches `port` on Slurm's node `node`."""


class DirectTunnel:
    """The hub connects to the node itself."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def open(self, node: str, port: int) -> str:
        """Return the address that the site's node_address gives the node."""
        return f"http://{self._site.node_address.replace('{node}', node)}:{port}"


def of(site: Site) -> Tunnel:
    """Return the tunnel that the site's `tunnel.kind` names."""
    return DirectTunnel(site)
