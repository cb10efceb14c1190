"""Reads keytabs as MIT Kerberos writes them, without libkrb5; keys themselves are left where they are.

Format: "Keytab file format" in the MIT Kerberos documentation, version 0x502.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 1 << 20
_VERSION = b"\x05\x02"


class NoKeytab(Exception):  # noqa: N818
    """A file is none, or is damaged."""


@dataclass(frozen=True)
class Key:
    """One key of a keytab: whose, and its version."""

    principal: str
    kvno: int

    @property
    def service(self) -> str:
        """The first part of the principal, such as host."""
        return self.principal.partition("/")[0] if "/" in self.principal else ""

    @property
    def realm(self) -> str:
        """The realm of the principal."""
        return self.principal.rpartition("@")[2]


def read(path: Path) -> tuple[Key, ...]:
    """Return the keys of a keytab.  Raises OSError, or NoKeytab."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    return parse(data)


def parse(data: bytes) -> tuple[Key, ...]:
    """Return the keys in the bytes of a keytab; removed ones are not among them.  Raises NoKeytab."""
    if len(data) > MAX_BYTES or data[:2] != _VERSION:
        raise NoKeytab
    keys, at = [], 2
    try:
        while at + 4 <= len(data):
            (size,) = struct.unpack_from(">i", data, at)
            if size == 0:
                break
            at += 4
            if at + abs(size) > len(data):
                raise NoKeytab
            if size > 0:
                keys.append(_key(data[at : at + size]))
            at += abs(size)
    except (struct.error, UnicodeDecodeError) as error:
        raise NoKeytab from error
    return tuple(keys)


def _key(entry: bytes) -> Key:
    (components,) = struct.unpack_from(">H", entry)
    at, texts = 2, []
    for _ in range(components + 1):
        (length,) = struct.unpack_from(">H", entry, at)
        if at + 2 + length > len(entry):
            raise NoKeytab
        texts.append(entry[at + 2 : at + 2 + length].decode())
        at += 2 + length
    # Then the type of the name, the time, the version of the key in one byte, its type and the key itself.
    (version,) = struct.unpack_from(">B", entry, at + 8)
    (length,) = struct.unpack_from(">H", entry, at + 11)
    if at + 13 + length > len(entry):
        raise NoKeytab
    if at + 17 + length <= len(entry):
        (wide,) = struct.unpack_from(">I", entry, at + 13 + length)
        version = wide or version
    realm, *parts = texts
    return Key(f"{'/'.join(parts)}@{realm}", version)
