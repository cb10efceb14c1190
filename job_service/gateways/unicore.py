"""A UNICORE server as a Backend, by its REST API "core".

A job is made there before it is sent: it waits, with its mark as a tag, until it is started.  So its files have a
place, and what is sent is the start alone: a job that was made twice, because an answer was lost, runs once.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from job_service import layout
from job_service.errors import NotMade
from job_service.files.info import FileInfo, Listing
from job_service.gateways import unicore_said as said
from job_service.gateways.backend import Accepted, Capability, Handle, Order, Seen
from job_service.gateways.credentials import Credentials
from job_service.gateways.unicore_storage import Storage
from job_service.gateways.web import Answer, Headers, Lost, Web
from job_service.sentences import files as of_files
from job_service.sentences import gateways as say
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, InDoubt, Refused, Unavailable

_SESSION = "x-unicore-securitysession"
_SESSION_OVER = 432
_GONE = (404, 410)
_AT_ONCE = 4
_MOST_ALIKE = 20
"""Jobs of one mark that are looked at: there are more only if the server does not look at marks."""

_MOST_REMEMBERED = 10_000
_JSON = {"accept": "application/json", "content-type": "application/json"}


class Unicore:
    """One server; of jobs it only remembers where they are."""

    capabilities: frozenset[Capability] = frozenset({"archive", "cancel", "files", "log"})
    pause_s = 5.0

    def __init__(self, gateway: Gateway) -> None:
        self._web = Web(gateway, _basic)
        self._session = ""
        self._native: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._prepared: set[str] = set()

    @property
    def _title(self) -> str:
        return self._web.title

    # -- on its way ------------------------------------------------------------------------------------------

    async def prepare(self, order: Order) -> None:
        """Make a job that waits to be started, with our files in its folder."""
        native = await self._id(order.handle)
        if native is None:
            native = await self._make(order)
        if native in self._prepared:
            return
        storage = await self._storage(native)
        await storage.make_folder(layout.OURS)
        for path, data in order.files.items():
            await storage.write(path, data)
        _remember(self._prepared, native)

    async def _make(self, order: Order) -> str:
        answer = await self._ask("POST", self._web.url("jobs"), json.dumps(_description(order)).encode())
        if not answer.is_good:
            # Whatever is wrong with a job is the server's own mistake for it, 500.
            raise Refused(say.REFUSED.format(site=self._title, reason=answer.reason()))
        native = said.native_id(self._web.within(answer.headers.get("location", "")))
        if native is None:
            raise Broken(say.NOT_UNDERSTOOD.format(site=self._title), "no address of the job")
        self._know(order.handle, native)
        return native

    async def submit(self, order: Order) -> Accepted:
        """Start a job that was made.  A start that was refused has left it waiting."""
        await self.prepare(order)
        native = await self._known(order.handle)
        try:
            answer = await self._ask("POST", self._web.url("jobs", native, "actions", "start"), b"{}")
        except Lost as error:
            raise InDoubt(error) from error
        if answer.is_good:
            return Accepted(native)
        if answer.status in _GONE:
            self._forget(order.handle)
            raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))
        try:
            properties = await self._properties(native, "status")
        except (Unavailable, Broken) as error:
            raise InDoubt(error) from error
        if properties is not None and said.word(properties) != said.READY:
            return Accepted(native)
        raise Refused(say.REFUSED.format(site=self._title, reason=answer.reason()))

    async def find(self, handles: Sequence[Handle]) -> Mapping[str, str]:
        """Return which of these jobs were started: one that only waits was not."""
        found: dict[str, str] = {}
        for handle in handles:
            for native, properties in await self._alike(handle):
                if said.word(properties) != said.READY:
                    found[handle.job_id] = native
                    self._know(handle, native)
                    break
        return found

    # -- while it is there -----------------------------------------------------------------------------------

    async def observe(self, handles: Sequence[Handle]) -> Mapping[str, Seen]:
        """Return what is known of these jobs: each is asked for by itself, some at the same time."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(handle: Handle) -> dict[str, Any] | None:
            async with slots:
                return await self._properties(handle.native_id, "status,statusMessage")

        answers = await asyncio.gather(*map(ask, handles), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return {
            handle.job_id: said.seen(answer)
            for handle, answer in zip(handles, answers, strict=True)
            if isinstance(answer, dict)
        }

    async def conclude(self, handle: Handle) -> Seen | None:
        """Return how a job ended, None if the server has none such."""
        properties = await self._properties(handle.native_id, "status,statusMessage,exitCode,log")
        return said.seen(properties) if properties is not None else None

    async def cancel(self, handle: Handle) -> None:
        """Abort a job."""
        answer = await self._ask("POST", self._web.url("jobs", handle.native_id, "actions", "abort"), b"{}")
        if not answer.is_good and answer.status not in _GONE:
            seen = await self.conclude(handle)
            if seen is None or seen.stage is None or not seen.stage.is_over:
                raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))

    # -- files -------------------------------------------------------------------------------------------------

    async def put(
        self, handle: Handle, path: str, chunks: AsyncIterator[bytes], length: int | None = None
    ) -> FileInfo:
        """Put a file into the job's folder: under a name of ours, which it has no more once it is whole."""
        return await (await self._storage(await self._known(handle))).put(path, chunks, length)

    async def files(self, handle: Handle, path: str = "") -> Listing:
        """Return what lies in the job's folder, or in one in it, but for what is ours."""
        native = await self._id(handle)
        if native is None and not path:
            return Listing(())
        return await (await self._storage(await self._known(handle))).listing(path)

    @asynccontextmanager
    async def read(
        self, handle: Handle, path: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[tuple[FileInfo, AsyncIterator[bytes]]]:
        """Give a file, and its bytes."""
        storage = await self._storage(await self._known(handle))
        async with storage.reading(path, start, length) as found:
            yield found

    async def remove(self, handle: Handle, path: str = "") -> None:
        """Remove a file or a folder; for "" all jobs with its mark, with what they have."""
        if path:
            await (await self._storage(await self._known(handle))).remove(path)
            return
        alike = {native for native, _ in await self._alike(handle)} | ({handle.native_id} - {""})
        for native in sorted(alike):
            answer = await self._ask("DELETE", self._web.url("jobs", native))
            if not answer.is_good and answer.status not in _GONE:
                raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))
        self._forget(handle)

    async def close(self) -> None:
        """Let go of connections."""
        await self._web.close()

    # -- which job it is ---------------------------------------------------------------------------------------

    async def _known(self, handle: Handle) -> str:
        native = await self._id(handle)
        if native is None:
            raise NotMade(of_files.FOLDER_NOT_MADE)
        return native

    async def _id(self, handle: Handle) -> str | None:
        """Return what the server calls a job, None if it has none: of several, the one that was started."""
        native = handle.native_id or self._native.get(handle.job_id)
        if native is None:
            alike = await self._alike(handle)
            alike.sort(key=lambda each: (said.word(each[1]) == said.READY, each[0]))
            native = alike[0][0] if alike else None
            if native is not None:
                self._know(handle, native)
        return native

    def _know(self, handle: Handle, native: str) -> None:
        _remember(self._native, handle.job_id, native)

    def _forget(self, handle: Handle) -> None:
        native = self._native.pop(handle.job_id, "")
        self._folders.pop(native, None)
        self._prepared.discard(native)

    async def _alike(self, handle: Handle) -> list[tuple[str, dict[str, Any]]]:
        """Return the jobs that have a mark, by what the server calls each, with their properties."""
        asked = urlencode({"tags": handle.mark, "num": _MOST_ALIKE + 1})
        answer = await self._ask("GET", f"{self._web.url('jobs')}?{asked}")
        self._see_it_is_good(answer)
        found = [said.native_id(self._web.within(url)) for url in said.urls(answer.json(self._title))]
        if len(found) > _MOST_ALIKE:
            raise Broken(say.MANY_ARE_THERE.format(site=self._title), handle.mark)
        alike = []
        for native in filter(None, found):
            properties = await self._properties(native, "status,tags")
            if properties is not None and said.has_tag(properties, handle.mark):
                alike.append((native, properties))
        return alike

    async def _properties(self, native: str, fields: str = "") -> dict[str, Any] | None:
        """Return what the server says of a job, None if it has none such."""
        asked = f"?{urlencode({'fields': fields})}" if fields else ""
        answer = await self._ask("GET", self._web.url("jobs", native) + asked)
        if answer.status in _GONE:
            return None
        self._see_it_is_good(answer)
        return answer.json(self._title)

    async def _storage(self, native: str) -> Storage:
        """Return the folder of a job, where the server says that it is."""
        folder = self._folders.get(native)
        if folder is None:
            properties = await self._properties(native)
            if properties is None:
                raise NotMade(of_files.FOLDER_GONE)
            folder = self._web.within(said.link(properties, "workingDirectory"))
            _remember(self._folders, native, folder)
        return Storage(self._web, folder, self._ask, self._web.entry)

    # -- how it is asked ---------------------------------------------------------------------------------------

    def _see_it_is_good(self, answer: Answer) -> None:
        if answer.status == 403:
            raise Broken(say.WRONG_CREDENTIALS.format(site=self._title), answer.reason())
        if not answer.is_good:
            raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))

    async def _ask(self, method: str, url: str, content: bytes | None = None, headers: Headers = _JSON) -> Answer:
        """Return an answer; a session stands for the password, until the server knows it no more."""
        for _ in range(2):
            entry = {_SESSION: self._session} if self._session else self._web.entry()
            answer = await self._web.ask(method, url, headers={**headers, **entry}, content=content)
            if answer.status != _SESSION_OVER:
                break
            self._session = ""
        if answer.is_good:
            self._session = _session(answer) or self._session
        if answer.status == _SESSION_OVER:
            raise Unavailable(say.BUSY.format(site=self._title), say.STATUS.format(status=answer.status))
        return answer


def _session(answer: Answer) -> str:
    found = answer.headers.get(_SESSION, "")
    return found if len(found) <= 200 and found.isascii() and found.isprintable() else ""


def _basic(credentials: Credentials) -> Headers:
    pair = f"{credentials.user}:{credentials.password}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _remember(known: Any, key: str, value: str | None = None) -> None:
    """Keep something, and forget the first of too many."""
    if isinstance(known, set):
        known.add(key)
        if len(known) > _MOST_REMEMBERED:
            known.pop()
        return
    known[key] = value
    if len(known) > _MOST_REMEMBERED:
        known.pop(next(iter(known)))


def _description(order: Order) -> dict[str, Any]:
    """Return the job as UNICORE has it: words of its owner's are in our script alone, where they are quoted."""
    resources: dict[str, Any] = {
        "Runtime": f"{max(1, order.limit_s // 60)}m",
        "Nodes": str(order.nodes),
        "CPUsPerNode": str(order.cores),
    }
    if order.memory_mib:
        resources["MemoryPerNode"] = f"{order.memory_mib}m"
    if order.gpus:
        resources["GPUsPerNode"] = str(order.gpus)
    if order.queue:
        resources["Queue"] = order.queue
    return {
        "Name": order.handle.mark,
        "Executable": "/bin/bash",
        "Arguments": [order.script_path],
        "Resources": resources,
        "Tags": [order.handle.mark],
        # Without it the job would begin before its files are there.
        "haveClientStageIn": "true",
        **({"Project": order.project} if order.project else {}),
    }
