"""The folder of a job at a UNICORE server: files sent there and had from there, as they come."""

import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

from job_service import errors, layout
from job_service.files.info import FileInfo, Listing, shown
from job_service.gateways import unicore_said as said
from job_service.gateways.unicore_server import GONE
from job_service.gateways.web import Answer, Headers, Web
from job_service.sentences import files as sentences
from job_service.sentences import gateways as say
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.text import tells_of_no_space

MOST_FOLDERS = 100
MOST_FILES = 5000
"""What of a job's folder is listed at most."""

_BYTES = "application/octet-stream"
_TOO_LARGE = 413

Ask = Callable[..., Awaitable[Answer]]


class Storage:
    """One folder, at the address `url`; `ask` asks the server, `entry` gives what lets in where bytes are sent."""

    def __init__(self, web: Web, url: str, ask: Ask, entry: Callable[[], Headers]) -> None:
        self._web = web
        self._url = url.rstrip("/")
        self._ask = ask
        self._entry = entry

    def _at(self, path: str) -> str:
        return f"{self._url}/files/{quote(path, safe='/', errors='surrogateescape')}"

    async def make_folder(self, path: str) -> None:
        """Make a folder, with those on its way, unless it is there."""
        answer = await self._ask("POST", self._at(path))
        if not answer.is_good and await self._said(path) is None:
            raise self._refused(path, answer, sentences.NOT_SENT)

    async def write(self, path: str, data: bytes) -> None:
        """Put a small file of ours."""

        async def whole() -> AsyncIterator[bytes]:
            yield data

        await self.put(path, whole(), len(data))

    async def put(self, path: str, chunks: AsyncIterator[bytes], length: int | None) -> FileInfo:
        """Put a file, whole or not at all: what breaks off would stay under the name that it was sent to."""
        part = f"{layout.OURS}/put-{secrets.token_hex(8)}.part"
        if "/" in path and not path.startswith(f"{layout.OURS}/"):
            await self.make_folder(path.rpartition("/")[0])
        try:
            await self._send(part, path, chunks, length)
            await self._rename(part, path)
        except BaseException:
            with suppress(LaunchError):
                await self._ask("DELETE", self._at(part))
            raise
        found = await self._said(path)
        if found is None:
            raise Unavailable(sentences.NOT_WHOLE.format(path=shown(path), site=self._web.title))
        return found

    async def _send(self, part: str, path: str, chunks: AsyncIterator[bytes], length: int | None) -> None:
        sent = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal sent
            async for chunk in chunks:
                sent += len(chunk)
                yield chunk

        headers = {**self._entry(), "content-type": _BYTES}
        if length is not None:
            headers["content-length"] = str(length)
        # It cannot be sent again: a session, which may be over, does not stand for the password here.
        answer = await self._web.ask("PUT", self._at(part), headers=headers, content=counted())
        if not answer.is_good:
            raise self._refused(path, answer, sentences.NOT_SENT)
        found = await self._said(part)
        if found is None or found.size != sent:
            raise Unavailable(sentences.NOT_WHOLE.format(path=shown(path), site=self._web.title))

    async def _rename(self, part: str, path: str) -> None:
        body = json.dumps({"from": f"/{part}", "to": f"/{path}"}).encode()
        answer = await self._ask("POST", f"{self._url}/actions/rename", body)
        if not answer.is_good:
            raise self._refused(path, answer, sentences.NOT_SENT)

    async def listing(self, path: str) -> Listing:
        """Return what lies in a folder, and in the folders there; of too many not all."""
        waiting, found, asked = [path], list[FileInfo](), 0
        while waiting and asked < MOST_FOLDERS and len(found) < MOST_FILES:
            folder = waiting.pop(0)
            properties = await self._properties(folder)
            asked += 1
            if properties is None:
                if folder == path:
                    raise self._absent(path)
                continue
            if not properties.get("isDirectory"):
                wrong = sentences.IS_NO_FOLDER.format(path=shown(path))
                raise errors.Invalid(wrong, {"path": wrong})
            for each in said.inside(folder, properties):
                found.append(each)
                if each.kind == "folder":
                    waiting.append(each.path)
        items = sorted(found[:MOST_FILES], key=lambda each: each.path)
        return Listing(tuple(items), is_cut=bool(waiting) or len(found) > MOST_FILES)

    @asynccontextmanager
    async def reading(
        self, path: str, start: int, length: int | None
    ) -> AsyncIterator[tuple[FileInfo, AsyncIterator[bytes]]]:
        """Give a file, and its bytes from one on."""
        found = await self._said(path)
        if found is None:
            raise self._absent(path)
        if found.kind != "file":
            wrong = sentences.IS_NO_FILE.format(path=shown(path))
            raise errors.NotAFile(wrong, {"path": wrong})
        first = start if start >= 0 else max(0, found.size + start)
        count = max(0, found.size - first)
        async with aclosing(self._part(path, first, count if length is None else min(length, count))) as chunks:
            yield found, chunks

    async def _part(self, path: str, first: int, count: int) -> AsyncGenerator[bytes, None]:
        """Yield exactly so many bytes of a file.  How many come, no header says."""
        if not count:
            return
        headers = {**self._entry(), "accept": _BYTES, "range": f"bytes={first}-{first + count - 1}"}
        async with self._web.stream("GET", self._at(path), headers=headers) as (answer, chunks):
            if not answer.is_good:
                raise (
                    self._absent(path)
                    if answer.status in GONE
                    else self._refused(path, answer, sentences.NOT_READ)
                )
            passed = 0 if answer.status == 206 else first
            async for chunk in chunks:
                skipped = min(passed, len(chunk))
                passed -= skipped
                taken = chunk[skipped : skipped + count]
                count -= len(taken)
                if taken:
                    yield taken
                if not count:
                    return
        raise Unavailable(sentences.CHANGED_MEANWHILE.format(path=shown(path)))

    async def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        answer = await self._ask("DELETE", self._at(path))
        if answer.status in GONE:
            raise self._absent(path)
        if not answer.is_good:
            raise self._refused(path, answer, sentences.NOT_REMOVED)

    async def _said(self, path: str) -> FileInfo | None:
        """Return what the server says of a file or folder, None if there is none."""
        properties = await self._properties(path)
        found = said.info(path, properties) if properties is not None else None
        if properties is not None and found is None:
            raise Broken(say.NOT_UNDERSTOOD.format(site=self._web.title), shown(path))
        return found

    async def _properties(self, path: str) -> dict[str, Any] | None:
        answer = await self._ask("GET", self._at(path))
        if answer.status in GONE:
            return None
        if not answer.is_good:
            raise self._refused(path, answer, sentences.NOT_READ)
        return answer.json(self._web.title)

    def _absent(self, path: str) -> errors.NotFound:
        return errors.NotFound(sentences.NO_SUCH_FILE.format(path=shown(path)) if path else sentences.FOLDER_GONE)

    def _refused(self, path: str, answer: Answer, sentence: str) -> Exception:
        named = {"path": shown(path), "site": self._web.title}
        if answer.status == _TOO_LARGE:
            most = self._web.gateway.upload_max
            return errors.TooLarge(sentences.TOO_LARGE.format(**named, megabytes=most))
        reason = answer.reason()
        if tells_of_no_space(reason):
            said_so = sentences.NO_SPACE.format(**named, reason=reason)
            return errors.NoSpace(said_so, sentences.DELETE_OR_ASK.format(**named))
        return Refused(sentence.format(**named, reason=reason))
