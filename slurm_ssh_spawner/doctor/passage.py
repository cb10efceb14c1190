"""C2: whether websockets and events get through to the hub, as the hub that runs sees it and says."""

import base64
import secrets
import time
from collections.abc import Iterator

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.doctor import web
from slurm_ssh_spawner.hub.passage import HOLD_SECONDS
from slurm_ssh_spawner.sentences import doctor as sentences

_STREAM = "text/event-stream"
_SWITCHING = 101
# What is held back is so each time; what is late because a machine is busy is not.
_TRIES = 3


class _NotAsked(Exception):  # noqa: N818 - named by what happened
    """Nobody who knows the question answers; the text says who does."""


def looked_at(url: str) -> Iterator[Outcome]:
    """Yield what does not get through to a hub that answers at a URL, which ends in a slash."""
    place = f"{url}hub/api/passage"
    try:
        is_held = all(_is_late(place) for _ in range(_TRIES))
    except (web.NoAnswer, _NotAsked) as error:
        text = sentences.PASSAGE_NOT_ASKED.format(said=error)
        yield Outcome("C2", State.SKIP, text, sentences.RESTART_HUB)
        return
    if reason := _no_websocket(place):
        text = sentences.NO_WEBSOCKETS.format(url=url, said=reason)
        yield Outcome("C2", State.FAIL, text, sentences.LET_WEBSOCKETS)
    if is_held:
        yield Outcome("C2", State.WARN, sentences.EVENTS_HELD.format(url=url), sentences.LET_EVENTS)


def _is_late(place: str) -> bool:
    """Return whether the first event of a stream comes when it ends.  Raises NoAnswer or _NotAsked."""
    said = web.get(place, {"Accept": _STREAM}, body=web.first_line)
    if said.status != 200 or (sent := _sent(said.body)) is None:
        raise _NotAsked(f"status {said.status}")
    # Without anything in between it takes some milliseconds.
    return time.time() - sent > HOLD_SECONDS / 2


def _sent(line: bytes) -> float | None:
    """Return when the first event was sent, None for another one."""
    name, _, text = line.decode("ascii", "replace").strip().partition(": ")
    try:
        return float(text) if name == "data" else None
    except ValueError:
        return None


def _no_websocket(place: str) -> str:
    """Return why no websocket can be opened, "" if it can."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }
    try:
        said = web.get(place, headers, body=web.nothing)
    except web.NoAnswer as error:
        return str(error)
    return "" if said.status == _SWITCHING else sentences.STATUS.format(status=said.status)
