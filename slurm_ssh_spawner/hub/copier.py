"""Asks a person's own server to copy a notebook, and reads what it answers: untrusted, as all that servers say."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from languages import for_log
from slurm_ssh.text import one_line
from slurm_ssh.tunnels.answer import IN_PLACE
from slurm_ssh_spawner.hub.storing import forget_token
from slurm_ssh_spawner.launch.source import Kind, Source, shown
from slurm_ssh_spawner.sentences import copying as say

_CONNECT_SECONDS = 5
_SECONDS = 60
"""More than a server takes for a copy at most, see `jobside/copying.py`."""

_TOKEN_SECONDS = 300
_LONGEST_ANSWER = 16 * 1024
_LONGEST_PATH = 1000
_LONGEST_DETAIL = 300
# What servers say of an address, or a method, that they do not know.
_NO_HANDLER = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
_PAGES = {"lab": "lab/tree/", "notebook": "notebooks/"}
# The names of sentences, which are said in the language of each request.
_SENTENCES: Mapping[str, str] = {
    "no-file": "NO_SUCH_FILE",
    "not-allowed": "MAY_NOT_READ",
    "unreadable": "CANNOT_READ",
    "no-regular-file": "NO_REGULAR_FILE",
    "no-notebook": "NO_NOTEBOOK",
    "too-large": "TOO_LARGE",
    "too-slow": "TOO_SLOW",
    "busy": "BUSY",
    "no-git": "NO_GIT",
    "no-ref": "NO_SUCH_REF",
    "not-in-repository": "NOT_IN_REPOSITORY",
    "repository-too-large": "REPOSITORY_TOO_LARGE",
    "repository-closed": "REPOSITORY_CLOSED",
    "git-failed": "GIT_FAILED",
    "gallery-closed": "GALLERY_CLOSED",
    "gallery-away": "GALLERY_AWAY",
    "not-in-gallery": "NOT_IN_GALLERY",
    "no-room": "NO_ROOM",
    "cannot-write": "CANNOT_WRITE",
}


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Copied:
    """What became of a copy: where it opens, below the server's address, or the sentence why there is none."""

    page: str = ""
    problem: str = ""


async def copied(db: Any, spawner: Any, title: str, source: Source) -> Copied:
    """Have a JupyterHub's spawner's server, which is up, copy a notebook; `title` is what its owner calls it."""
    user = spawner.user
    scope = f"access:servers!server={user.name}/{spawner.name}"
    token = user.new_api_token(note="Copy of a notebook", expires_in=_TOKEN_SECONDS, scopes=[scope])
    try:
        answer = await _ask(f"{await spawner.get_url()}jupyterhub-sites/copy", token, source)
    finally:
        forget_token(db, token)
    made = _said(answer, title, source)
    _log.info("copy of %s for %s: %s", shown(source.place), user.name, made.page or for_log(made.problem))
    return made


async def _ask(url: str, token: str, source: Source) -> HTTPResponse | None:
    """Return the server's answer, None if there is none in time or it is too long."""
    ask = HTTPRequest(
        url,
        method="POST",
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        body=json.dumps(source.asked),
        follow_redirects=False,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_SECONDS,
    )
    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=_LONGEST_ANSWER)
    try:
        return await client.fetch(ask, raise_error=False)
    except (OSError, HTTPClientError):
        return None
    finally:
        client.close()


def _said(answer: HTTPResponse | None, title: str, source: Source) -> Copied:
    if answer is None or answer.code == HTTPStatus.SERVICE_UNAVAILABLE:
        return Copied(problem=say.SERVER_SILENT.format(name=title))
    said = _read(answer.body)
    if IN_PLACE in answer.headers:
        sentence = one_line(str(said.get("message", "")), _LONGEST_DETAIL)
        return Copied(problem=sentence or say.SERVER_SILENT.format(name=title))
    if answer.code != HTTPStatus.OK:
        is_unknown = answer.code in _NO_HANDLER
        return Copied(problem=(say.CANNOT_COPY if is_unknown else say.SERVER_SILENT).format(name=title))
    if page := _page(said):
        return Copied(page=page)
    return Copied(problem=_why(said, title, source))


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _page(said: Mapping[str, Any]) -> str:
    """Return where a copy opens, "" if none was made: a path that leads nowhere but below the server's address."""
    path, page = said.get("path"), said.get("page")
    if not isinstance(path, str) or not isinstance(page, str) or not 0 < len(path) <= _LONGEST_PATH:
        return ""
    steps = path.split("/")
    if not path.isprintable() or any(step in ("", ".", "..") for step in steps):
        return ""
    # What has no page for notebooks shows what it has.
    return f"{_PAGES.get(page, 'tree/')}{'/'.join(quote(step, safe='') for step in steps)}"


def _why(said: Mapping[str, Any], title: str, source: Source) -> str:
    word, detail = said.get("problem"), one_line(str(said.get("detail", "")), _LONGEST_DETAIL)
    if word == "not-shown":
        return say.NOT_SHOWN.format(what=detail)
    known = _SENTENCES.get(word) if isinstance(word, str) else None
    if known is None:
        return say.SERVER_SILENT.format(name=title)
    sentence: str = getattr(say, known)
    what = {"no-ref": source.ref, "not-in-repository": source.path}.get(str(word), "")
    if not what:
        what = source.place if source.kind is not Kind.GIT or word == "too-slow" else source.path
    return sentence.format(what=shown(what), detail=detail.rstrip("."))
