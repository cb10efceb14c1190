"""What the machine's resolver knows, in a test's words."""

import socket
from typing import Any

import pytest

Names = dict[str, tuple[str, ...]]
"""The addresses of each name; other names are not found."""


def known(patch: pytest.MonkeyPatch) -> Names:
    """Have the resolver know the names that the test puts into the answer, and no others."""
    names: Names = {}

    def getaddrinfo(host: str, port: Any, *_hints: Any, **_more: Any) -> list[Any]:
        if host not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [found for each in names[host] for found in lookup(each, port, type=socket.SOCK_STREAM)]

    lookup = socket.getaddrinfo
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names
