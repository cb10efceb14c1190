"""The lab's network: a switch in the rack, one cable to each host. None of it is in the machine's own network."""

import subprocess
from collections.abc import Mapping, Sequence

from lab.plan import HUB, HUB_API_PORT, SITES, Host, Role

SWITCH = "switch"
CABLES = 7
"""The interface group of all devices in the rack, by which they are deleted at once."""

NETWORK_BITS = 24


def plug(hosts: Mapping[int, str]) -> None:
    """Make the switch in this network namespace and a cable to each host, given by the pid of its first process.

    The end at the switch has the host's name, the other end is the host's `eth0`.
    """
    commands = [f"link add {SWITCH} group {CABLES} type bridge", f"link set {SWITCH} up"]
    for pid, name in hosts.items():
        commands.append(f"link add {name} group {CABLES} type veth peer name eth0 netns {pid}")
        commands.append(f"link set {name} master {SWITCH} up")
    _ip(commands)


def configure(host: Host) -> None:
    """Give this network namespace, with its `eth0`, the address of `host`."""
    address = f"{host.address}/{NETWORK_BITS}"
    _ip(["link set lo up", f"addr add {address} dev eth0", "link set eth0 up"])
    if host is HUB:
        _ip(_hide_nodes())


def _hide_nodes() -> list[str]:
    """Return what lets the hub answer nodes on the port of its API and say nothing else to them."""
    nodes = [node.address for site in SITES if site.hidden_nodes for node in site.having(Role.NODE)]
    return [
        rule
        for address in nodes
        for rule in (
            f"rule add priority 100 to {address} ipproto tcp sport {HUB_API_PORT} lookup main",
            f"rule add priority 101 to {address} unreachable",
        )
    ]


def unplug_all(rack: int) -> None:
    """Delete the switch and all cables of the rack with machine pid `rack`, as far as they are there."""
    delete = ["ip", "link", "delete", "group", str(CABLES)]
    subprocess.run(["nsenter", "-t", str(rack), "-n", *delete], capture_output=True, check=False)


def set_cable(rack: int, host: str, state: str) -> None:
    """Set the cable of `host` `up` or `down`, at the switch of the rack with machine pid `rack`."""
    subprocess.run(["nsenter", "-t", str(rack), "-n", "ip", "link", "set", host, state], check=True)


def _ip(commands: Sequence[str]) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)
