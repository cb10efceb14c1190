"""A server over TLS that answers what a test says, byte by byte, and remembers what it was asked."""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.gateways import Authority

Say = Callable[[str, str], bytes]
"""Returns what is answered to a method and a path."""


def answer(status: int, body: bytes | dict[str, Any] | list[Any] = b"", **headers: str) -> bytes:
    """Return an answer as its bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} x", f"content-length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + data


class HostileWeb:
    """Whatever it says, it has the right certificate; `asked` are the heads of requests."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority", "The authority of a test")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority.certificate())
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.say: Say = lambda _method, _path: answer(404)
        self.endless = b""
        """What follows an answer again and again until nobody reads it any more."""

        self.origin = ""

    @asynccontextmanager
    async def up(self) -> AsyncIterator["HostileWeb"]:
        """Answer for the length of a block."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._context)
        async with server:
            self.origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked.append(head)
                if length := re.search(r"(?i)^content-length: (\d+)", head, re.M):
                    self.bodies.append(await reader.readexactly(int(length[1])))
                method, path, _ = head.split(" ", 2)
                writer.write(self.say(method, path))
                while self.endless:
                    writer.write(self.endless)
                    await writer.drain()
        writer.close()
