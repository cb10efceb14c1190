"""Writes credential caches byte by byte, good ones and odd ones."""

import struct
import time

FORWARDABLE, RENEWABLE, INITIAL = 0x40000000, 0x00800000, 0x00400000
HEAD = {3: b"\x05\x03", 4: b"\x05\x04" + b"\x00\x0c" + b"\x00\x01\x00\x08" + bytes(8)}


def counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def principal(text: str) -> bytes:
    """`a/b@R`; a component may hold anything but `/`, the realm begins after the last `@`."""
    name, _, realm = text.rpartition("@")
    parts = name.split("/")
    return struct.pack(">II", 1, len(parts)) + b"".join(counted(part.encode()) for part in (realm, *parts))


def credential(
    client: str = "alice@LAB.TEST",
    server: str = "krbtgt/LAB.TEST@LAB.TEST",
    *,
    authtime: int = 0,
    start: int = 0,
    end: int | None = None,
    renew_until: int = 0,
    flags: int = FORWARDABLE | RENEWABLE | INITIAL,
    version: int = 4,
    ticket: bytes = b"ticket",
) -> bytes:
    now = int(time.time())
    times = (authtime or now - 5, start, now + 3600 if end is None else end, renew_until or now + 86400)
    return b"".join(
        [
            principal(client),
            principal(server),
            b"\x00\x12" * (2 if version == 3 else 1),
            counted(bytes(32)),
            struct.pack(">IIII", *times),
            b"\x00",
            struct.pack(">I", flags),
            struct.pack(">I", 1) + b"\x00\x02" + counted(b"\x7f\x00\x00\x01"),
            struct.pack(">I", 0),
            counted(ticket),
            counted(b""),
        ]
    )


def cache(*credentials: bytes, owner: str = "alice@LAB.TEST", version: int = 4) -> bytes:
    body = b"".join(credentials) if credentials else credential(owner, version=version)
    return HEAD[version] + principal(owner) + body
