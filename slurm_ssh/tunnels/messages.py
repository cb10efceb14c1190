"""What a hub and its tunnel daemon say to each other: one JSON object a line, over a Unix socket.  Pure.

A question has an `id`, which its answer has too.  What another version has added is passed over; what one means
otherwise makes another VERSION, which is told before anything else.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_serializer

from profiles.catalogue.login import SiteLogin
from profiles.catalogue.site import FrontEnd
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.ssh.login import Login
from slurm_ssh.tunnels import route
from slurm_ssh.tunnels.route import Route

VERSION = 1

LONGEST = 64 * 1024
"""Bytes of a line."""

_FAMILIES = (Refused, Unavailable, Broken)


class Malformed(Exception):  # noqa: N818
    """A line is none of these messages."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Place(_Message):
    launch_id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    user: str
    owner: str
    site_key: str
    node: str
    port: Annotated[int, Field(ge=1, le=65535)]
    local_port: Annotated[int, Field(ge=0, le=65535)]


class Way(_Message):
    """What is needed of a site to reach its nodes; stable, whatever else a catalogue has."""

    title: str
    front_ends: tuple[FrontEnd, ...]
    node_address: str
    login: SiteLogin = Field(default_factory=SiteLogin)

    @property
    def forwards(self) -> bool:
        """A tunnel leads on to a node."""
        return True

    def is_login_of(self, name: str, login: str) -> bool:  # noqa: ARG002
        """The hub has seen to that: there is a job of theirs."""
        return True

    @field_serializer("login")
    def _as_written(self, login: SiteLogin) -> dict[str, Any]:
        """Leave out what was not written: a login by ticket that tells of certificates is not read again."""
        return login.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def of(cls, site: route.Way) -> Self:
        """Return what is needed of a site."""
        ends = (FrontEnd(host=each.host, port=each.port, host_keys=each.host_keys) for each in site.front_ends)
        return cls(title=site.title, front_ends=tuple(ends), node_address=site.node_address, login=site.login)


class Version(_Message):
    """Which version the hub speaks: first of all."""

    do: Literal["version"] = "version"
    version: int


class Begin(_Message):
    """The hub keeps what it opens from here on, and what it does not open is nobody's.

    `tickets` is its folder of people's tickets, of that `realm`, None if nobody there has one; `ports` are the
    first and the last local port.
    """

    do: Literal["begin"] = "begin"
    tickets: Path | None
    realm: str
    ports: tuple[int, int]
    idle_seconds: float


class Open(_Message):
    """Open a tunnel within so many `seconds`; the answer is its `port`."""

    do: Literal["open"] = "open"
    place: _Place
    way: Way
    seconds: float

    @classmethod
    def of(cls, where: Route, site: route.Way, seconds: float) -> Self:
        """Return the message for a route to one of a site's nodes."""
        return cls(place=_place(where), way=Way.of(site), seconds=seconds)

    @property
    def route(self) -> Route:
        """Where the tunnel leads."""
        return _route(self.place)


class Close(_Message):
    """Close a tunnel; no answer."""

    do: Literal["close"] = "close"
    launch_id: str


class Keep(_Message):
    """Keep a tunnel that an earlier hub has opened; the answer is its `port`, 0 if there is none."""

    do: Literal["keep"] = "keep"
    launch_id: str


class Renew(_Message):
    """Somebody has a new ticket; no answer."""

    do: Literal["renew"] = "renew"
    user: str


class List(_Message):
    """Tell of every tunnel: an answer for each, the last one with `done`."""

    do: Literal["list"] = "list"


Message = Version | Begin | Open | Keep | Close | Renew | List
_ANY: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="do")])


def _place(where: Route) -> _Place:
    login = where.login
    return _Place(
        launch_id=where.launch_id,
        user=login.user,
        owner=login.owner,
        site_key=login.site_key,
        node=where.node,
        port=where.port,
        local_port=where.local_port,
    )


def _route(place: _Place) -> Route:
    login = Login(place.user, place.owner, place.site_key)
    return Route(LaunchId(place.launch_id), login, place.node, place.port, place.local_port)


def question(number: int, message: Message) -> bytes:
    """Return a message as a line."""
    return _line({"id": number, **message.model_dump(mode="json")})


def asked(line: bytes) -> tuple[int, Message]:
    """Return the number and the message in a line.  Raises Malformed."""
    fields = _fields(line)
    try:
        return fields["id"], _ANY.validate_python(fields)
    except (ValidationError, KeyError) as error:
        raise Malformed(str(error)) from error


def answer(number: int, **fields: Any) -> bytes:
    """Return an answer as a line."""
    return _line({"id": number, **fields})


def tunnel(number: int, where: Route) -> bytes:
    """Return the answer that tells of one tunnel."""
    return answer(number, tunnel=_place(where).model_dump(mode="json"))


def told(fields: Mapping[str, Any]) -> Route:
    """Return the tunnel that an answer tells of.  Raises Malformed."""
    try:
        return _route(_Place.model_validate(fields["tunnel"]))
    except (ValidationError, KeyError) as error:
        raise Malformed(str(error)) from error


def failure(number: int, error: LaunchError) -> bytes:
    """Return the answer to what could not be done."""
    family = next((each.__name__ for each in _FAMILIES if isinstance(error, each)), Broken.__name__)
    return answer(number, error={"family": family, "message": error.message, "detail": error.detail})


def answered(line: bytes) -> tuple[int, Mapping[str, Any] | LaunchError]:
    """Return the number and the fields of an answer, or the error that it tells of.  Raises Malformed."""
    fields = _fields(line)
    match fields:
        case {"id": int(number), "error": {"family": family, "message": str(message), "detail": str(detail)}}:
            known = {each.__name__: each for each in _FAMILIES}
            return number, known.get(family, Broken)(message, detail)
        case {"id": int(number)}:
            return number, fields
    raise Malformed("an answer without a number")


def of_version(version: int) -> LaunchError | None:
    """Return what is wrong with the version that the other side speaks, None if nothing is."""
    if version == VERSION:
        return None
    return Broken(sentences.TUNNELS_OF_ANOTHER_VERSION.format(daemon=VERSION, hub=version))


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("id"), int):
        raise Malformed("not an object with a number")
    return fields


def _line(fields: Mapping[str, Any]) -> bytes:
    line = json.dumps(fields).encode() + b"\n"
    if len(line) > LONGEST:
        raise Broken(sentences.TUNNEL_MESSAGE_TOO_LONG.format(kilobytes=LONGEST // 1024))
    return line
