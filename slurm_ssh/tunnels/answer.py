"""What a client of a tunnel is answered by HTTP in the place of a server that it does not get through to."""

import asyncio
import contextlib
import html
import json
import re
from http import HTTPStatus

from languages import current, for_reader, preferred, speaking
from slurm_ssh import sentences

IN_PLACE = "X-In-Place-Of-Server"
"""Header of an answer that is not the server's own."""

# JupyterLab takes every other status but 503 for the end of the kernel that it asks about, and a hub that starts
# takes one from 500 on for the end of the server.
STATUS = HTTPStatus.FAILED_DEPENDENCY

# How long a client is waited for: to say what it wants, then to hang up.
_CLIENT_SECONDS = 5.0
_LONGEST_HEAD = 64 * 1024
_LONGEST_REST = 16 * 1024 * 1024
_AGAIN_SECONDS = 20

_END_OF_HEAD = b"\r\n\r\n"
_LIKES = re.compile(rb"\r\naccept-language:([^\r\n]{0,300})", re.IGNORECASE)
_WANTS_PAGE = re.compile(rb"\r\naccept:[^\r\n]*text/html", re.IGNORECASE)

_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
    '<meta http-equiv="refresh" content="{seconds}">\n'
    "<title>{title}</title>\n<p>{said}</p>\n<p>{again}</p>\n"
)


async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: str) -> None:
    """Answer one request with a sentence: in a page that asks again if one is wanted, else in JSON."""
    head = b""
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_CLIENT_SECONDS):
            head = await _head(reader)
    with speaking(_language(head)):
        writer.write(_answer(head, for_reader(said)))
    # What is left unread when a connection is closed would take the answer with it.
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_CLIENT_SECONDS):
            if writer.can_write_eof():
                writer.write_eof()
            left = _LONGEST_REST
            while left > 0 and (data := await reader.read(_LONGEST_HEAD)):
                left -= len(data)


async def _head(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while _END_OF_HEAD not in head[-_LONGEST_HEAD:] and len(head) < _LONGEST_HEAD:
        if not (data := await reader.read(_LONGEST_HEAD - len(head))):
            break
        head += data
    return head


def _language(request: bytes) -> str:
    found = _LIKES.search(request.partition(_END_OF_HEAD)[0])
    return preferred(found[1].decode("latin-1")) if found else ""


def _answer(request: bytes, said: str) -> bytes:
    fields = request.partition(_END_OF_HEAD)[0]
    if _WANTS_PAGE.search(fields):
        kind, text = "text/html", _page(said)
    else:
        kind, text = "application/json", json.dumps({"message": said}, ensure_ascii=False) + "\n"
    body = text.encode()
    head = (
        f"HTTP/1.1 {STATUS.value} {STATUS.phrase}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nContent-Security-Policy: default-src 'none'\r\n{IN_PLACE}: yes\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if request.startswith(b"HEAD ") else body)


def _page(said: str) -> str:
    return _PAGE.format(
        language=current().replace("_", "-"),
        seconds=_AGAIN_SECONDS,
        title=html.escape(sentences.SERVER_NOT_REACHED),
        said=html.escape(said),
        again=html.escape(sentences.PAGE_ASKS_AGAIN.format(seconds=_AGAIN_SECONDS)),
    )
