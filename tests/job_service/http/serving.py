"""A service whose database and gate are real; jobs run as a test says, and their files lie in a folder here."""

import asyncio
import contextlib
import io
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from job_service.errors import NotAFile, NotFound, TooLarge, WrongStage
from job_service.files.info import FileInfo, Listing
from job_service.http.app import make_app
from job_service.record import JobRecord
from job_service.running.running import Stand
from job_service.stages import Stage
from job_service.store.store import Store
from tests.job_service.accepting.serving import serving as deciding
from tests.job_service.http.support import Tokens, logins, servers
from tests.support import builders
from tests.support.local import LocalSite


class Jobs:
    """Stands for what runs jobs: `goes` brings one on its way; what it was told is in `told`."""

    def __init__(self, store: Store) -> None:
        self._jobs = store.jobs
        self._callbacks: list[Callable[[JobRecord], None]] = []
        self.told: list[tuple[str, str]] = []
        self.stale: set[str] = set()
        self.owed: dict[str, str] = {}
        self.refusal: Exception | None = None

    def subscribe(self, callback: Callable[[JobRecord], None]) -> None:
        self._callbacks.append(callback)

    async def goes(self, job_id: str, *stages: Stage, **changes: Any) -> JobRecord:
        for stage in stages:
            record = await self._jobs.get(job_id)
            wanted: dict[str, Any] = {"stage": stage}
            if stage is Stage.QUEUED and record.native_id is None:
                wanted |= {"submission": "sent", "native_id": "17"}
            if stage is stages[-1]:
                wanted |= changes
            record = await self._change(record, wanted, f"It is {stage} now.")
        return record

    async def _change(self, record: JobRecord, changes: Any, text: str = "") -> JobRecord:
        changed = await self._jobs.change(record, changes, text)
        for callback in self._callbacks:
            callback(changed)
        return changed

    def _note(self, act: str, record: JobRecord) -> None:
        self.told.append((act, record.job_id))
        if self.refusal:
            raise self.refusal

    def wake(self, record: JobRecord) -> None:
        self._note("wake", record)

    async def start(self, record: JobRecord) -> JobRecord:
        self._note("start", record)
        if record.stage is not Stage.NEW:
            raise WrongStage("It has started already.")
        return await self._change(record, {"stage": Stage.READY}, "Started.")

    async def prepare(self, record: JobRecord) -> None:
        self._note("prepare", record)

    async def arrived(self, record: JobRecord) -> JobRecord:
        self._note("arrived", record)
        return record

    async def cancel(self, record: JobRecord) -> JobRecord:
        self._note("cancel", record)
        if record.stage.is_over:
            raise WrongStage("It is over.")
        if record.submission == "none":
            return await self._change(record, {"stage": Stage.CANCELED}, "Cancelled.")
        return await self._change(record, {"cancel_wanted": record.created})

    async def hold(self, record: JobRecord) -> JobRecord:
        self._note("hold", record)
        return record

    async def release(self, record: JobRecord) -> JobRecord:
        self._note("release", record)
        return record

    async def remove(self, record: JobRecord) -> JobRecord:
        self._note("remove", record)
        if not record.stage.is_over or record.stage is Stage.DELETED:
            raise WrongStage("It is not over.")
        return await self._change(record, {"stage": Stage.DELETED}, "Removed.")

    async def script(self, record: JobRecord) -> str:
        self._note("script", record)
        return "#!/bin/bash\n"

    def is_stale(self, record: JobRecord) -> bool:
        return record.job_id in self.stale

    def stand(self, system: str) -> Stand:
        return Stand(system, "alice", builders.NOW, None, "", 0, 0, 0, 7, 2, 1.5)

    def owes(self, record: JobRecord) -> str:
        return self.owed.get(record.job_id, "")


class FolderFiles:
    """Stands for the files at sites, with the signatures of `Files`; they lie in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.most = 1_000_000
        self.refusal: Exception | None = None
        self.left: list[str] = []
        self.came: list[tuple[str, int | None, bytes | None]] = []

    def _of(self, record: JobRecord, path: str) -> Path:
        if self.refusal:
            raise self.refusal
        found = self.folder / record.job_id / path
        if ".." in path or "\0" in path or not found.exists():
            raise NotFound("There is no such file.")
        return found

    def _info(self, record: JobRecord, file: Path) -> FileInfo:
        stat = file.stat()
        path = str(file.relative_to(self.folder / record.job_id))
        return FileInfo(path, stat.st_size, stat.st_mtime_ns, "folder" if file.is_dir() else "file")

    async def put(
        self,
        record: JobRecord,
        path: str,
        chunks: AsyncIterator[bytes],
        length: int | None = None,
        digest: bytes | None = None,
    ) -> FileInfo:
        if self.refusal:
            raise self.refusal
        self.came.append((path, length, digest))
        if length is not None and length > self.most:
            raise TooLarge("It is too large.")
        data = b""
        async for chunk in chunks:
            data += chunk
            if len(data) > self.most:
                raise TooLarge("It is too large.")
        file = self.folder / record.job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return self._info(record, file)

    async def list(self, record: JobRecord, path: str = "") -> Listing:
        if self.refusal:
            raise self.refusal
        folder = self.folder / record.job_id / path
        found = sorted(folder.rglob("*")) if folder.is_dir() else []
        return Listing(tuple(self._info(record, each) for each in found))

    @asynccontextmanager
    async def get(
        self, record: JobRecord, path: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[tuple[FileInfo, AsyncIterator[bytes]]]:
        file = self._of(record, path)
        if file.is_dir():
            raise NotAFile("It is a folder.", {"path": "It is a folder."})
        data = file.read_bytes()
        first = max(0, len(data) + start) if start < 0 else start
        part = data[first:] if length is None else data[first : first + length]
        try:
            yield self._info(record, file), _chunks(part)
        finally:
            self.left.append(path)

    async def delete(self, record: JobRecord, path: str) -> None:
        found = self._of(record, path)
        shutil.rmtree(found) if found.is_dir() else found.unlink()

    @asynccontextmanager
    async def archive(self, record: JobRecord) -> AsyncIterator[AsyncIterator[bytes]]:
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as tar:
            tar.add(self._of(record, ""), ".")
        yield _chunks(whole.getvalue())

    @asynccontextmanager
    async def log(
        self,
        record: JobRecord,
        which: str,
        tail: int | None = None,
        follow: asyncio.Event | None = None,
        offset: int | None = None,
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        file = self.folder / record.job_id / which
        data = file.read_bytes() if file.exists() else b""
        lines = data.splitlines(keepends=True)
        last = b"".join(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])
        begins = len(data) - len(last) if offset is None else offset if offset <= len(data) else 0
        yield begins, self._printed(file, begins, follow)

    async def _printed(self, file: Path, at: int, follow: asyncio.Event | None) -> AsyncIterator[bytes]:
        while True:
            over = follow is None or follow.is_set()
            if found := (file.read_bytes() if file.exists() else b"")[at:]:
                yield found
                at += len(found)
            if follow is None or over:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(follow.wait(), 0.01)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 1000):
        yield data[at : at + 1000]


@dataclass
class Serving:
    """All that a driver needs; what the catalogue offers is as in `accepting.deciding`."""

    store: Store
    accepting: Any
    administration: Any
    tickets: Any
    running: Jobs
    files: FolderFiles
    catalogue: Any
    core: Any = None
    hub_api: str = "http://127.0.0.1:9/hub/api"
    offers: Callable[..., None] = lambda *_: None
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self, **settings: Any) -> FastAPI:
        """Return the application over it."""
        return make_app(self, Tokens(), logins(), servers(self.hub_api), **settings)  # type: ignore[arg-type]


@asynccontextmanager
async def serving(store: Store, folder: Path, local: LocalSite) -> AsyncIterator[Serving]:
    async with deciding(store, folder, local) as gate:
        files = FolderFiles(folder / "sites")
        catalogue = gate.accepting._catalogue
        jobs = Jobs(store)
        yield Serving(
            store, gate.accepting, gate.administration, gate.tickets, jobs, files, catalogue, offers=gate.offers
        )
