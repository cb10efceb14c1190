"""Asks by HTTP, as a browser or a job does, but by no proxy of the environment."""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LONGEST = 1 << 16
SECONDS = 4.0


Body = Callable[[http.client.HTTPResponse], bytes]
"""How much of a body is read."""


def beginning(said: http.client.HTTPResponse) -> bytes:
    """Read as much as anybody needs."""
    return said.read(_LONGEST)


def first_line(said: http.client.HTTPResponse) -> bytes:
    """Read a line, as soon as it is there."""
    return said.readline(_LONGEST)


def nothing(said: http.client.HTTPResponse) -> bytes:  # noqa: ARG001
    """Read no body, which may come late."""
    return b""


class NoAnswer(Exception):  # noqa: N818 - named by what happened
    """There was no answer; the text says why, `error` is what was raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__(_why(error))
        self.error = error

    @property
    def is_unknown_name(self) -> bool:
        """Whether the name of the host has no address."""
        return isinstance(self.error, socket.gaierror)

    @property
    def is_refused(self) -> bool:
        """Whether nobody listens there."""
        return isinstance(self.error, ConnectionRefusedError)

    @property
    def is_of_certificate(self) -> bool:
        """Whether the certificate is not believed."""
        return isinstance(self.error, ssl.SSLCertVerificationError)


@dataclass(frozen=True)
class Answer:
    """The beginning of what a server said; the names of `headers` are in small letters.

    `certificate_ends` is the epoch second at which its certificate ends, 0 without one.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    certificate_ends: float = 0


def get(
    url: str,
    headers: Mapping[str, str] | None = None,
    connect_to: tuple[str, int] | None = None,
    body: Body = beginning,
) -> Answer:
    """Return the answer to a GET; `connect_to` is asked in the place of what an http URL names.

    Raises NoAnswer.
    """
    try:
        return _get(url, headers or {}, connect_to, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(error) from error


def _get(url: str, headers: Mapping[str, str], connect_to: tuple[str, int] | None, body: Body) -> Answer:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    connection = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
        if is_tls
        else http.client.HTTPConnection(*(connect_to or (host, port)), timeout=SECONDS)
    )
    try:
        connection.connect()
        ends = _ends(connection.sock)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Host": parts.netloc, **headers})
        said = connection.getresponse()
        found = {name.lower(): value for name, value in said.getheaders()}
        return Answer(said.status, found, body(said), ends)
    finally:
        connection.close()


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _ends(connected: object) -> float:
    if not isinstance(connected, ssl.SSLSocket) or not (found := connected.getpeercert()):
        return 0
    return float(ssl.cert_time_to_seconds(str(found["notAfter"])))
