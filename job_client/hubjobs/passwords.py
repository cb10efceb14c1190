"""A password becomes a token of the hub.  The hub gets a Kerberos ticket for its owner by the same login."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

from hubjobs import sentences, text
from hubjobs.engine import read
from hubjobs.errors import HubJobsError, LoginRefused
from hubjobs.reading import read as as_model
from hubjobs.transport import Blocking, Request, Transport, now

SCOPES = ("custom:jobs:submit", "access:services!service=jobs")
"""What a token may: send and see its owner's jobs, and reach the service."""

ADMIN_SCOPE = "custom:jobs:admin"
SERVER_SCOPES = ("start:servers!user", "read:servers!user")
"""What a token needs to start servers of interactive types."""

DAYS = 30
"""For how long, unless the hub gives shorter ones only."""

_MOST_BYTES = 256 * 1024
_PAGES = re.compile(r"/(?:hub|user|services)(?:/.*)?$")


@dataclass(frozen=True)
class Token:
    """A token of the hub's; it is not shown.  `id` names it on the hub's page of tokens."""

    token: str = field(repr=False)
    expires_at: datetime | None = None
    id: str = ""


@dataclass(frozen=True)
class Credentials:
    """Name and password on the hub; the password is not shown."""

    user: str
    password: str = field(repr=False)


def hub_of(url: str) -> str:
    """Return a hub's address, of that of any of its pages.  Raises ValueError for what is none, or not safe."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        is_one = parts.scheme in {"https", "http"} and parts.hostname and not parts.username and url.isprintable()
    except ValueError:
        is_one = False
    if not is_one or parts.hostname is None:
        raise ValueError(sentences.NO_ADDRESS.format(url=text.one_line(url, 200)))
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError(sentences.NOT_SAFE.format(host=parts.hostname))
    return f"{parts.scheme}://{parts.netloc}{_PAGES.sub('', parts.path).rstrip('/')}"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def login(
    url: str, user: str, password: str, *, days: int | None = None, admin: bool = False, servers: bool = False
) -> Token:
    """Return a token for the jobs of whoever has this password, good for so many days.

    `admin` asks for one that may do what admins of jobs may, `servers` for one that may start servers of
    interactive types, if its owner may.  Raises LoginRefused, and HubJobsError where the hub cannot be asked.
    """
    transport = Blocking()
    try:
        scopes = [*SCOPES, *([ADMIN_SCOPE] if admin else [])]
        return now(_login(transport, hub_of(url), Credentials(user, password), days, scopes, servers))
    finally:
        now(transport.close())


async def _login(
    transport: Transport, hub: str, who: Credentials, days: int | None, scopes: list[str], servers: bool
) -> Token:
    seconds: int | None = (days or DAYS) * 86400
    wanted = [*scopes, *(SERVER_SCOPES if servers else ())]
    status, said = await _asked(transport, hub, who, seconds, wanted)
    if status == 400 and servers and "expires_in" not in _message(said):
        # Where people may start no servers, they may still have jobs.
        wanted = scopes
        status, said = await _asked(transport, hub, who, seconds, wanted)
    if status == 400 and days is None and "expires_in" in _message(said):
        status, said = await _asked(transport, hub, who, None, wanted)
    if status == 201 and isinstance(said.get("token"), str):
        return as_model(Token, said)
    raise _refused(hub, who.user, status, _message(said))


async def _asked(
    transport: Transport, hub: str, who: Credentials, seconds: int | None, scopes: list[str]
) -> tuple[int, dict[str, Any]]:
    wanted: dict[str, Any] = {
        "auth": {"username": who.user, "password": who.password},
        "note": "hubjobs",
        "scopes": scopes,
    }
    if seconds is not None:
        wanted["expires_in"] = seconds
    address = f"{hub}/hub/api/users/{quote(who.user, safe='')}/tokens"
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "hubjobs"}
    answer = await transport.send(Request("POST", address, headers, json.dumps(wanted).encode()))
    try:
        body = await read(answer, _MOST_BYTES)
    finally:
        await answer.close()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = {}
    return answer.status, value if isinstance(value, dict) else {}


def _message(said: dict[str, Any]) -> str:
    message = said.get("message")
    return text.one_line(message, 500) if isinstance(message, str) else ""


def _refused(hub: str, user: str, status: int, message: str) -> HubJobsError:
    host, name = urlsplit(hub).netloc, text.one_line(user, 100)
    if status in {401, 403}:
        # The hub says the same of both.
        hint = sentences.LOGIN_REFUSED_HINT.format(hub=hub)
        return LoginRefused(sentences.LOGIN_REFUSED.format(host=host, user=name), hint)
    if status == 404:
        return LoginRefused(sentences.NO_HUB.format(url=hub), sentences.NO_HUB_HINT)
    if status == 400:
        return LoginRefused(sentences.TOKEN_NOT_GIVEN.format(host=host, reason=message or status))
    return LoginRefused(sentences.LOGIN_FAILED.format(host=host, status=status), sentences.AWAY_HINT)
