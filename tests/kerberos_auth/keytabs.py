"""Writes keytabs byte by byte."""

import struct


def _counted(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def entry(principal: str, kvno: int = 1) -> bytes:
    name, _, realm = principal.rpartition("@")
    parts = name.split("/")
    whose = struct.pack(">H", len(parts)) + b"".join(_counted(part) for part in (realm, *parts))
    key = struct.pack(">IIB", 1, 0, kvno & 0xFF) + struct.pack(">HH", 18, 32) + bytes(32)
    return whose + key + struct.pack(">I", kvno)


def keytab(*principals: str, kvno: int = 1) -> bytes:
    entries = [entry(principal, kvno) for principal in principals]
    return b"\x05\x02" + b"".join(struct.pack(">i", len(each)) + each for each in entries)
