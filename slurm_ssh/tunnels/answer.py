"""What a client of a tunnel is answered by HTTP in the place of a server that it does not get through to."""

import asyncio
import contextlib
import json
import re
from http import HTTPStatus
from urllib.parse import quote

from markupsafe import Markup

from languages import current, for_reader, preferred, speaking
from slurm_ssh.sentences import tunnels as sentences

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

# What stands before a server's path stands before the hub's.  Two slashes would begin the name of a host.
_BEFORE = re.compile(rb"\A[A-Z]+ ((?:/[^/\\\s?#]+)*?)/user/")

# The hub that has the style sheet of other pages may be away, and a page's policy lets in nothing but this.
_STYLE = (
    ":root{color-scheme:light dark;background:Canvas}"
    "body{margin:2rem auto;max-width:40rem;padding:0 1rem;overflow-wrap:anywhere;"
    "font:1rem/1.5 system-ui,sans-serif}"
    "h1{font-size:1.5rem;line-height:1.2}"
)
_POLICY = "default-src 'none'; style-src data:; base-uri 'none'; form-action 'none'"

_PAGE = Markup("""\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="data:text/css,{style}">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{said}</p>
<p>{job}</p>
<p>{again}</p>
{home}</main>
</body>
</html>
""")
_HOME = Markup('<p><a href="{address}">{label}</a></p>\n')


async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: str, job: str) -> None:
    """Answer one request with a sentence: in a page that asks again if one is wanted, else in JSON.

    `job` is the sentence that names the server's job, for the page.
    """
    head = b""
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_CLIENT_SECONDS):
            head = await _head(reader)
    with speaking(_language(head)):
        writer.write(_answer(head, said, job))
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


def _answer(request: bytes, said: str, job: str) -> bytes:
    fields = request.partition(_END_OF_HEAD)[0]
    if _WANTS_PAGE.search(fields):
        kind, text, again = "text/html", _page(fields, said, job), f"Refresh: {_AGAIN_SECONDS}\r\n"
    else:
        message = json.dumps({"message": for_reader(said)}, ensure_ascii=False)
        kind, text, again = "application/json", f"{message}\n", ""
    body = text.encode()
    head = (
        f"HTTP/1.1 {STATUS.value} {STATUS.phrase}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nContent-Security-Policy: {_POLICY}\r\n{IN_PLACE}: yes\r\n"
        f"{again}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if request.startswith(b"HEAD ") else body)


def _page(fields: bytes, said: str, job: str) -> str:
    before = _BEFORE.match(fields)
    address = f"{before[1].decode('latin-1')}/hub/home" if before else ""
    return _PAGE.format(
        language=current().replace("_", "-"),
        title=sentences.SERVER_NOT_REACHED,
        style=quote(_STYLE),
        said=said,
        job=job,
        again=sentences.PAGE_ASKS_AGAIN.format(seconds=_AGAIN_SECONDS),
        home=_HOME.format(address=address, label=sentences.ALL_SERVERS) if address else "",
    )
