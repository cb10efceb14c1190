"""How the hub reaches a job's port: by the site's `tunnel.kind`."""

from pathlib import Path
from typing import Protocol

from profiles.catalogue.site import Site
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.tunnels import addresses
from slurm_ssh.tunnels.route import Route, address, local_url

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


class Keeper(Protocol):
    """Keeps tunnels open: a TunnelKeeper in this process, or a RemoteKeeper, which has a daemon do it."""

    async def open(self, route: Route, site: Site, deadline: Deadline) -> int:
        """Open a tunnel and return its local port, that it had before if possible.

        Raises Unavailable, Broken, or what a connection raises, by the `deadline`; not for a server that was up
        before.
        """

    async def kept(self, launch_id: LaunchId, deadline: Deadline) -> int:
        """Return the local port of a tunnel that is open, whatever became of its site; 0 if there is none."""

    def close(self, launch_id: LaunchId) -> None:
        """Close a tunnel and what goes through it; nothing happens if there is none."""

    def list(self) -> tuple[Route, ...]:
        """Return the routes of all tunnels that this process has opened, with their local ports."""

    async def leave(self) -> None:
        """End, as this process does; the tunnels of a daemon stay open."""


class Tunnel(Protocol):
    """Makes the ports of a site's jobs reachable from the hub."""

    async def open(self, route: Route, deadline: Deadline) -> tuple[str, int]:
        """Return the URL, without a path, at which the hub reaches the server, and the local port or 0.

        Raises Unavailable or Broken if the server cannot be reached that way, or is not by the `deadline`.
        """


class DirectTunnel:
    """The hub connects to the node itself."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def open(self, route: Route, deadline: Deadline) -> tuple[str, int]:
        """Return the address of the name that the site's node_address gives the node.

        A name could lead elsewhere the next time it is looked up.  Raises Broken for an address that is no node's.
        """
        names = {"node": route.node, "site": self._site.title}
        try:
            async with deadline.enforced():
                found = await addresses.of_node(address(self._site, route))
        except (OSError, TimeoutError) as error:
            raise Unavailable(sentences.NODE_WITHOUT_ADDRESS.format(**names), str(error)) from error
        except ValueError as error:
            raise Broken(sentences.NOT_A_NODE.format(**names), str(error)) from error
        return f"http://{f'[{found}]' if ':' in found else found}:{route.port}", 0


class SSHTunnel:
    """A port of the hub's machine leads through a front end of the site to the node."""

    def __init__(self, site: Site, keeper: Keeper) -> None:
        self._site = site
        self._keeper = keeper

    async def open(self, route: Route, deadline: Deadline) -> tuple[str, int]:
        """Open the tunnel, on its old local port if it had one."""
        port = await self._keeper.open(route, self._site, deadline)
        return local_url(port), port


def of(site: Site, keeper: Keeper) -> Tunnel:
    """Return the tunnel that the site's `tunnel.kind` names."""
    return SSHTunnel(site, keeper) if site.tunnel.kind == "ssh" else DirectTunnel(site)


def parse_ports(text: str) -> range:
    """Return the ports in `20000-24999`.

    Raises ValueError with a sentence if it is no such range, or one that outgoing connections use on this machine.
    """
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
        raise ValueError(sentences.NO_PORTS.format(value=repr(text)))
    low, high = (int(word) for word in _EPHEMERAL.read_text().split())
    if int(first) <= high and low <= int(last):
        raise ValueError(sentences.PORTS_OVERLAP.format(value=text, least=low, most=high))
    return range(int(first), int(last) + 1)
