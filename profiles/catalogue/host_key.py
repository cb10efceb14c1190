"""What a public host key is, looked into: OpenSSH's PROTOCOL and RFC 4253, 5656 and 8709.  Pure."""

import base64
import binascii
import re
import struct

from profiles.sentences import mistakes

AUTHORITY = "@cert-authority "
"""What stands before the key of an authority of host certificates."""

_CURVES = {f"ecdsa-sha2-nistp{bits}": (f"nistp{bits}", 2 * -(-bits // 8) + 1) for bits in (256, 384, 521)}
_POINTS = {"ssh-ed25519": 32, "ssh-ed448": 57}
_RSA = "ssh-rsa"
# Shorter ones are refused by today's OpenSSH.
_RSA_BITS = 1024
_KNOWN_HOSTS = re.compile(r"(\[?[^\s|@]+(?:\]:[0-9]+)?|\|1\|\S+) +((?:ssh|ecdsa)-\S+ +\S+.*)")


def wrong(line: str) -> str | None:
    """Return what is wrong with a line of a host's .pub file, and what to write; None for a key."""
    kind, blob, *_ = line.split(" ")
    if "-cert-v0" in kind:
        return mistakes.HOST_CERTIFICATE
    if kind == "ssh-dss":
        return mistakes.HOST_KEY_DSA
    if kind not in (*_CURVES, *_POINTS, _RSA):
        return mistakes.HOST_KEY_KIND.format(kind=kind[:40], known=", ".join((*_POINTS, *_CURVES, _RSA)))
    try:
        parts = _parts(base64.b64decode(blob, validate=True))
    except (binascii.Error, ValueError):
        return mistakes.HOST_KEY_CUT
    if parts[0] != kind.encode():
        inside = parts[0].decode("ascii", "replace")
        return mistakes.HOST_KEY_OF_OTHER_KIND.format(
            kind=kind, inside=inside[:40] if inside.isprintable() else "?"
        )
    return None if _is_whole(kind, parts[1:]) else mistakes.HOST_KEY_CUT


def behind_names(line: str) -> str | None:
    """Return the key of a line of known_hosts, which has names in front; None for any other line."""
    found = _KNOWN_HOSTS.fullmatch(line.strip())
    return found[2] if found else None


def _parts(blob: bytes) -> list[bytes]:
    """Return the texts of which a key is made.  Raises ValueError if one is cut."""
    parts, at = [], 0
    while at < len(blob):
        if at + 4 > len(blob):
            raise ValueError("cut")
        (length,) = struct.unpack_from(">I", blob, at)
        if at + 4 + length > len(blob):
            raise ValueError("cut")
        parts.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    if not parts:
        raise ValueError("empty")
    return parts


def _is_whole(kind: str, parts: list[bytes]) -> bool:
    if kind in _POINTS:
        return [len(part) for part in parts] == [_POINTS[kind]]
    if kind in _CURVES:
        curve, length = _CURVES[kind]
        return len(parts) == 2 and parts[0] == curve.encode() and len(parts[1]) == length
    return len(parts) == 2 and int.from_bytes(parts[1]).bit_length() >= _RSA_BITS
