"""A UNICORE server as a Backend, by its REST API "core".

A job is made there before it is sent: it waits, with its mark as a tag, until it is started.  So its files have a
place, and what is sent is the start alone: a job that was made twice, because an answer was lost, runs once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from job_service import layout
from job_service.errors import NotMade
from job_service.files.info import FileInfo, Listing
from job_service.gateways import unicore_said as said
from job_service.gateways.backend import Accepted, Capability, Handle, Order, Seen
from job_service.gateways.unicore_server import GONE, Server
from job_service.gateways.unicore_storage import Storage
from job_service.gateways.web import Answer, Lost
from job_service.sentences import files as of_files
from job_service.sentences import gateways as say
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken, InDoubt, LaunchError, Refused, Unavailable

# Whatever is wrong with a job is the server's own mistake for it.
_REFUSES = (400, 500)
_AT_ONCE = 4
_MOST_REMEMBERED = 10_000


class Unicore:
    """One server; of jobs it only remembers where they are."""

    capabilities: frozenset[Capability] = frozenset({"cancel", "files", "log"})
    pause_s = 5.0

    def __init__(self, gateway: Gateway) -> None:
        self._server = Server(gateway)
        self._native: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._prepared: dict[str, str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def _title(self) -> str:
        return self._server.title

    # -- on its way ------------------------------------------------------------------------------------------

    async def prepare(self, order: Order) -> None:
        """Make a job that waits to be started, with our files in its folder."""
        # Of two at once, each would make one.
        async with self._locks.setdefault(order.handle.job_id, asyncio.Lock()):
            native = await self._id(order.handle)
            if native is None:
                native = await self._make(order)
            if native not in self._prepared:
                await self._fill(native, order)
                await self._leave_alone(native, order.handle)
                _remember(self._prepared, native, order.handle.job_id)

    async def _fill(self, native: str, order: Order) -> None:
        """Put our files into the folder of a job."""
        storage = await self._storage(native)
        try:
            await storage.make_folder(layout.OURS)
            for path, data in order.files.items():
                await storage.write(path, data)
        except Refused as error:
            # Nothing of it is the owner's fault.
            raise Unavailable(error.message, error.detail) from error

    async def _leave_alone(self, native: str, handle: Handle) -> None:
        """Remove what was made for the same job, and nobody heard of: it might be taken for the one with files."""
        for other, properties in await self._server.alike(handle):
            if other != native and said.word(properties) == said.READY:
                await self._server.ask_about_jobs("DELETE", self._server.job(other))

    async def _make(self, order: Order) -> str:
        description = json.dumps(_description(order)).encode()
        answer = await self._server.ask_about_jobs("POST", self._server.web.url("jobs"), description)
        if not answer.is_good:
            raise self._not_accepted(answer)
        native = said.native_id(self._server.web.within(answer.headers.get("location", "")))
        if native is None:
            raise Broken(say.NOT_UNDERSTOOD.format(site=self._title), "no address of the job")
        self._know(order.handle, native)
        return native

    async def submit(self, order: Order) -> Accepted:
        """Start a job that was made.  A start that was refused has left it waiting."""
        await self.prepare(order)
        native = await self._known(order.handle)
        try:
            answer = await self._server.ask_about_jobs("POST", self._server.job(native, "actions", "start"), b"{}")
        except Lost as error:
            raise InDoubt(error) from error
        if answer.is_good:
            return Accepted(native)
        if answer.status in GONE:
            self._forget(order.handle)
            raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))
        try:
            properties = await self._server.properties(native, "status")
        except (Unavailable, Broken) as error:
            raise InDoubt(error) from error
        if properties is not None and said.word(properties) != said.READY:
            return Accepted(native)
        raise self._not_accepted(answer)

    def _not_accepted(self, answer: Answer) -> LaunchError:
        """Return what to tell of a job that was not taken: whether it is wrong, or something else is."""
        if answer.status in _REFUSES and answer.said():
            return Refused(say.REFUSED.format(site=self._title, reason=answer.reason()))
        return Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))

    async def find(self, handles: Sequence[Handle]) -> Mapping[str, str]:
        """Return which of these jobs were started: one that only waits was not."""
        found: dict[str, str] = {}
        for handle in handles:
            for native, properties in await self._server.alike(handle):
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
                return await self._server.properties(handle.native_id, "status,statusMessage")

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
        properties = await self._server.properties(handle.native_id, "status,statusMessage,exitCode,log")
        return said.seen(properties) if properties is not None else None

    async def cancel(self, handle: Handle) -> None:
        """Abort a job."""
        url = self._server.job(handle.native_id, "actions", "abort")
        answer = await self._server.ask_about_jobs("POST", url, b"{}")
        if not answer.is_good and answer.status not in GONE:
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
        alike = {native for native, _ in await self._server.alike(handle)} | ({handle.native_id} - {""})
        for native in sorted(alike):
            answer = await self._server.ask_about_jobs("DELETE", self._server.job(native))
            if not answer.is_good and answer.status not in GONE:
                raise Unavailable(say.NOT_DONE.format(site=self._title, reason=answer.reason()))
        self._forget(handle)

    async def close(self) -> None:
        """Let go of connections."""
        await self._server.web.close()

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
            alike = await self._server.alike(handle)
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
        self._prepared.pop(native, None)

    async def _storage(self, native: str) -> Storage:
        """Return the folder of a job, where the server says that it is."""
        folder = self._folders.get(native)
        if folder is None:
            properties = await self._server.properties(native)
            if properties is None:
                raise NotMade(of_files.FOLDER_GONE)
            folder = self._server.web.within(said.link(properties, "workingDirectory"))
            _remember(self._folders, native, folder)
        return Storage(self._server.web, folder, self._server.ask, self._server.web.entry)


def _remember(known: dict[str, str], key: str, value: str) -> None:
    """Keep something, and forget the first of too many."""
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
