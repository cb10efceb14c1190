"""Which ports of this machine somebody listens at, and who: read from /proc/net, which needs no right."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"


@dataclass(frozen=True)
class Listener:
    """A port that is listened at, on an address of this machine or all of them, by a process of uid `uid`."""

    address: IPv4Address | IPv6Address
    port: int
    uid: int
    inode: int

    @property
    def is_local(self) -> bool:
        """Whether this machine alone reaches it."""
        mapped = getattr(self.address, "ipv4_mapped", None)
        return (mapped or self.address).is_loopback


def listeners() -> tuple[Listener, ...]:
    """Return all of them; none where the kernel does not tell."""
    return tuple(found for table in _TABLES for found in _of(table))


def _of(table: Path) -> Iterator[Listener]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        # sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; see proc(5).
        words = line.split()
        if len(words) > 9 and words[3] == _LISTENS:
            address, _, port = words[1].partition(":")
            yield Listener(_address(address), int(port, 16), int(words[7]), int(words[9]))


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return an address as the kernel writes it: words of four bytes, in the order of this machine."""
    numbers = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    raw = b"".join(struct.pack("=I", number) for number in numbers)
    kind = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return ip_address(socket.inet_ntop(kind, raw))
