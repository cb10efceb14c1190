"""What the harness itself asks the hub, as a service that may see everything."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from lab import Lab

_TOKEN = {"Authorization": "token lab-service-token"}
_ANSWER_SECONDS = 20


def get(lab: Lab, path: str) -> Any:
    """Return the JSON value at a path of the hub or of a server, None if there is none."""
    try:
        return json.loads(_ask(lab, "GET", path, _ANSWER_SECONDS))
    except (OSError, http.client.HTTPException, ValueError):
        return None


def delete(lab: Lab, path: str, seconds: float) -> None:
    """Ask for the end of something, whatever the answer is."""
    try:
        _ask(lab, "DELETE", path, seconds)
    except (OSError, http.client.HTTPException):
        return


def _ask(lab: Lab, method: str, path: str, seconds: float) -> bytes:
    # A client of httpx would read all certificates of the machine each time.
    request = urllib.request.Request(f"{lab.url}{path}", headers=_TOKEN, method=method)  # noqa: S310 - our own http URL
    with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body
