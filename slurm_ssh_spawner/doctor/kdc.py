"""Asks a KDC something that it refuses: so it shows that it answers, and what time it is there.

Messages are those of RFC 4120: an AS-REQ for a name that nobody has, to which a KRB-ERROR is the answer.
"""

import re
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

SECONDS = 2.0
_PORT = 88
_LONGEST = 1 << 16
_NOBODY = "jupyterhub-sites-doctor"
# tcp/kdc1.example.org:88, [2001:db8::1]:88; a proxy (https://...) is asked by libkrb5 alone.
_PLACE = re.compile(r"(?:(?P<by>tcp|udp)/)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:/\[\]]+))(?::(?P<port>\d{1,5}))?")
_INTEGER, _BITS, _TEXT, _TIME, _SEQUENCE = 0x02, 0x03, 0x1B, 0x18, 0x30
_AS_REQ, _KRB_ERROR, _STIME = 0x6A, 0x7E, 0xA4
_AES = (18, 17, 20, 19)


class NoAnswer(Exception):  # noqa: N818 - named by what happened
    """A KDC did not answer; the text says why."""


@dataclass(frozen=True)
class Kdc:
    """Where a KDC is, as krb5.conf writes it."""

    host: str
    port: int
    only_by: str = ""


def place(written: str) -> Kdc | None:
    """Return where a KDC is, None for one that is reached through a proxy."""
    found = _PLACE.fullmatch(written.strip())
    if found is None:
        return None
    return Kdc(found["six"] or found["host"], int(found["port"] or _PORT), found["by"] or "")


def ahead_seconds(kdc: Kdc, realm: str) -> float:
    """Return how many seconds this machine's clock is ahead of the KDC's, which tells whole ones.

    Raises NoAnswer.
    """
    request, said = _as_req(realm), b""
    begun = time.time()
    try:
        said = _by_tcp(kdc, request) if kdc.only_by != "udp" else _by_udp(kdc, request)
    except OSError as error:
        if kdc.only_by == "tcp" or isinstance(error, socket.gaierror):
            raise NoAnswer(_why(error)) from error
        try:
            said = _by_udp(kdc, request)
        except OSError as second:
            raise NoAnswer(_why(second)) from second
    # It looked at its clock at some moment until now, and tells the second that had begun then.
    ended, there = time.time(), _time(said)
    return 0.0 if there <= ended and begun <= there + 1 else begun - there


def in_time(seconds: float) -> str:
    """Return in words that there was no answer."""
    return f"no answer within {seconds:g} s"


def _why(error: OSError) -> str:
    return in_time(SECONDS) if isinstance(error, TimeoutError) else str(error.strerror or error)


def _by_tcp(kdc: Kdc, request: bytes) -> bytes:
    with socket.create_connection((kdc.host, kdc.port), timeout=SECONDS) as there:
        there.sendall(struct.pack(">I", len(request)) + request)
        with there.makefile("rb") as stream:
            (length,) = struct.unpack(">I", stream.read(4).ljust(4, b"\0"))
            return stream.read(min(length, _LONGEST))


def _by_udp(kdc: Kdc, request: bytes) -> bytes:
    kind, _, _, _, address = socket.getaddrinfo(kdc.host, kdc.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(kind, socket.SOCK_DGRAM) as there:
        there.settimeout(SECONDS)
        there.connect(address)
        there.send(request)
        return there.recv(_LONGEST)


def _as_req(realm: str) -> bytes:
    body = _der(
        _SEQUENCE,
        _tagged(0, _der(_BITS, bytes(5))),
        _tagged(1, _name(1, _NOBODY)),
        _tagged(2, _der(_TEXT, realm.encode())),
        _tagged(3, _name(2, "krbtgt", realm)),
        _tagged(5, _der(_TIME, b"20370913024805Z")),
        _tagged(7, _number(secrets.randbits(31))),
        _tagged(8, _der(_SEQUENCE, *map(_number, _AES))),
    )
    return _der(_AS_REQ, _der(_SEQUENCE, _tagged(1, _number(5)), _tagged(2, _number(10)), _tagged(4, body)))


def _name(kind: int, *parts: str) -> bytes:
    texts = _der(_SEQUENCE, *(_der(_TEXT, part.encode()) for part in parts))
    return _der(_SEQUENCE, _tagged(0, _number(kind)), _tagged(1, texts))


def _number(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tagged(number: int, *parts: bytes) -> bytes:
    return _der(0xA0 | number, *parts)


def _der(tag: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    length = len(data)
    if length < 128:
        return bytes((tag, length)) + data
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + data


def _time(answer: bytes) -> float:
    """Return the time in a KRB-ERROR, in epoch seconds.  Raises NoAnswer for anything else."""
    try:
        ((tag, whole),) = _parts(answer)
        ((_, inner),) = _parts(whole)
        if tag != _KRB_ERROR:
            raise ValueError(tag)
        ((_, text),) = _parts(dict(_parts(inner))[_STIME])
        return datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except (ValueError, KeyError, IndexError) as error:
        raise NoAnswer("what answers there is no KDC") from error


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("cut")
        yield tag, data[at : at + length]
        at += length
