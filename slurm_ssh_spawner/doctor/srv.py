"""Which hosts have a service, as name servers say (SRV, RFC 2782): asked by the C library, as libkrb5 does."""

import ctypes
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

_LIBRARY = "libresolv.so.2"
_NAMES = ("res_query", "__res_query")
_INTERNET, _SRV = 1, 33
_LONGEST = 1 << 15
_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_OF_SRV = struct.Struct(">HHH")
# A name has at most 255 bytes, and so at most as many parts.
_MOST_PARTS = 128


def hosts(name: str) -> tuple[tuple[str, int], ...]:
    """Return host and port of each that has a service, such as _kerberos._tcp.EXAMPLE.ORG, the first ones first.

    There is none also where no name server answers.
    """
    try:
        found = sorted(_hosts(_answer(name)))
    except (struct.error, IndexError, UnicodeDecodeError):
        return ()
    return tuple(dict.fromkeys((host, port) for _, host, port in found))


@cache
def _query() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    found = next((getattr(library, each) for each in _NAMES if hasattr(library, each)), None)
    if found is not None:
        found.argtypes = (ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    return found


def _answer(name: str) -> bytes:
    """Return what a name server says of a name, b"" for nothing."""
    query = _query()
    said = ctypes.create_string_buffer(_LONGEST)
    length = query(name.encode(), _INTERNET, _SRV, said, _LONGEST) if query else -1
    return said.raw[: max(0, length)]


def _hosts(answer: bytes) -> Iterator[tuple[int, str, int]]:
    """Yield priority, host and port of each SRV record in a message of a name server."""
    if not answer:
        return
    _, _, questions, records, _, _ = _HEADER.unpack_from(answer)
    at = _HEADER.size
    for _ in range(questions):
        at = _name(answer, at)[1] + 4
    for _ in range(records):
        at = _name(answer, at)[1]
        kind, _, _, length = _RECORD.unpack_from(answer, at)
        at += _RECORD.size
        if kind == _SRV:
            priority, _, port = _OF_SRV.unpack_from(answer, at)
            host = _name(answer, at + _OF_SRV.size)[0]
            # A point alone says that there is none.
            if host:
                yield priority, host, port
        at += length


def _name(answer: bytes, at: int) -> tuple[str, int]:
    """Return the name at a place, and the place after it.  Names may go on elsewhere (RFC 1035, 4.1.4)."""
    parts: list[str] = []
    after = 0
    for _ in range(_MOST_PARTS):
        length = answer[at]
        if length & 0xC0 == 0xC0:
            after = after or at + 2
            at = (length & 0x3F) << 8 | answer[at + 1]
        elif length == 0:
            return ".".join(parts), after or at + 1
        else:
            parts.append(answer[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
    raise IndexError(at)
