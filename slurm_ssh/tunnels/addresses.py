"""At which address a host is reached, and which addresses are no node's."""

import asyncio
import ipaddress
import socket

import psutil

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


async def of_node(host: str) -> str:
    """Return the address of a node's host, as numbers; of several an IPv4 one, where notebooks listen always.

    Raises OSError if it has none, ValueError if one of them is no node's: this machine's own, or one that every
    machine has for itself, such as 127.0.0.1.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for family, *_, address in found if family in _FAMILIES]
    own = _own()
    for address in addresses:
        if _is_everywhere(address) or _plain(address) in own:
            raise ValueError(f"{host} has the address {address}")
    if not addresses:
        raise OSError(f"{host} has no address")
    return next((address for address in addresses if ":" not in address), addresses[0])


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address without its zone, one of IPv4 also where IPv6 wraps it."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    return getattr(plain, "ipv4_mapped", None) or plain


def _is_everywhere(address: str) -> bool:
    plain = _plain(address)
    return plain.is_loopback or plain.is_link_local or plain.is_unspecified or plain.is_multicast


def _own() -> frozenset[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    cards = psutil.net_if_addrs().values()
    return frozenset(_plain(each.address) for card in cards for each in card if each.family in _FAMILIES)
