"""Reads credential caches as MIT Kerberos writes them (FILE, format 3 and 4), without libkrb5.

One read of one open file gives everything the store must know, so nothing can be swapped between a check
and a use.  Format: "Credential cache file format" in the MIT Kerberos documentation.
"""

from dataclasses import dataclass
from typing import NamedTuple

from .errors import BadTicket

MAX_BYTES = 1 << 20  # tickets with an Active Directory PAC reach 64 KiB each

_FORWARDABLE = 0x40000000
_RENEWABLE = 0x00800000
_REMOVED = 0xFFFFFFFF  # libkrb5 marks a removed credential by this authtime
_ESCAPES = str.maketrans({"\\": r"\\", "/": r"\/", "@": r"\@", "\0": r"\0", "\n": r"\n", "\t": r"\t", "\b": r"\b"})


@dataclass(frozen=True)
class Facts:
    """What a cache says about its ticket-granting ticket.  Times are epoch seconds.

    `principal` is escaped as krb5_unparse_name does, so a `/` or `@` within a component cannot pass for a
    separator.  `renew_until` is 0 when not renewable.  `whole` is the number of bytes up to the end of the
    last complete credential: libkrb5 appends service tickets in place, so the last one may be cut.
    """

    principal: str
    start: int
    end: int
    renew_until: int
    forwardable: bool
    renewable: bool
    whole: int


class _Principal(NamedTuple):
    realm: bytes
    components: tuple[bytes, ...]

    def text(self) -> str:
        try:
            parts = [part.decode().translate(_ESCAPES) for part in (*self.components, self.realm)]
        except UnicodeDecodeError:
            raise BadTicket("the principal is not UTF-8") from None
        return "/".join(parts[:-1]) + "@" + parts[-1]


class _Credential(NamedTuple):
    client: _Principal
    server: _Principal
    authtime: int
    start: int
    end: int
    renew_until: int
    flags: int


class _Reader:
    """Takes big-endian records off a byte string, from offset `at`; EOFError when one is cut."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise EOFError
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def counted(self) -> bytes:
        return self.take(self.number(4))

    def principal(self) -> _Principal:
        self.take(4)  # name type
        count = self.number(4)
        realm = self.counted()
        return _Principal(realm, tuple(self.counted() for _ in range(count)))

    def typed_list(self) -> None:
        for _ in range(self.number(4)):
            self.take(2)
            self.counted()

    def credential(self, version: int) -> _Credential:
        client, server = self.principal(), self.principal()
        self.take(4 if version == 3 else 2)  # encryption type, twice in format 3
        self.counted()
        authtime, start, end, renew_until = (self.number(4) for _ in range(4))
        self.take(1)  # is_skey
        flags = self.number(4)
        self.typed_list()  # addresses
        self.typed_list()  # authorisation data
        self.counted()
        self.counted()  # second ticket
        return _Credential(client, server, authtime, start, end, renew_until, flags)


def parse(data: bytes) -> Facts:
    """Return the facts of the first ticket-granting ticket, wherever it stands among the credentials.

    Raises BadTicket for everything else, whatever the bytes are.
    """
    if len(data) > MAX_BYTES:
        raise BadTicket(f"the cache is larger than {MAX_BYTES} bytes")
    reader = _Reader(data)
    try:
        version, owner = _head(reader)
    except EOFError:
        raise BadTicket("the cache ends within its head") from None
    tgt, _, whole = _find_tgt(reader, version, owner)
    if tgt is None:
        raise BadTicket("the cache has no whole ticket-granting ticket of its principal")
    renewable = bool(tgt.flags & _RENEWABLE)
    return Facts(
        principal=owner.text(),
        start=tgt.start or tgt.authtime,
        end=tgt.end,
        renew_until=tgt.renew_until if renewable else 0,
        forwardable=bool(tgt.flags & _FORWARDABLE),
        renewable=renewable,
        whole=whole,
    )


def alone(data: bytes) -> bytes:
    """Return the cache with its ticket-granting ticket only.  Raises BadTicket as `parse` does."""
    parse(data)
    reader = _Reader(data)
    version, owner = _head(reader)
    head = data[: reader.at]
    _, place, _ = _find_tgt(reader, version, owner)
    return head + data[place]


def _head(reader: _Reader) -> tuple[int, _Principal]:
    magic, version = reader.take(2)
    if magic != 5 or version not in {3, 4}:
        raise BadTicket("the cache is not of format 3 or 4")
    if version == 4:
        reader.take(reader.number(2))
    return version, reader.principal()


def _find_tgt(reader: _Reader, version: int, owner: _Principal) -> tuple[_Credential | None, slice, int]:
    """Return the ticket-granting ticket, where it stands, and where the last whole credential ends."""
    wanted = _Principal(owner.realm, (b"krbtgt", owner.realm))
    tgt, place, whole = None, slice(0), reader.at
    while reader.at < len(reader.data):
        try:
            credential = reader.credential(version)
        except EOFError:
            break
        begin, whole = whole, reader.at
        removed = credential.authtime == _REMOVED and credential.end == 0
        if tgt is None and not removed and (credential.client, credential.server) == (owner, wanted):
            tgt, place = credential, slice(begin, whole)
    return tgt, place, whole
