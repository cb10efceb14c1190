"""NSG as a Backend: jobs by their handles, files by NSG's links, ends by what programs have left."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from job_service import errors, layout
from job_service.files.info import FileInfo, Listing, shown
from job_service.gateways.backend import Accepted, Capability, Handle, Order, Seen
from job_service.gateways.nsg import answers, reading, submission
from job_service.gateways.nsg.answers import File, NotUnderstoodError, Status
from job_service.gateways.nsg.inputs import Inputs
from job_service.gateways.nsg.server import NotThereError, Server
from job_service.sentences import files as of_files
from job_service.sentences import nsg as sentences
from job_service.stages import Stage
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import InDoubt, Refused

TOGETHER = 50
"""How many jobs one question is about."""

_STAGES = {
    "QUEUE": Stage.READY,
    "COMMANDRENDERING": Stage.READY,
    "INPUTSTAGING": Stage.STAGINGIN,
    "SUBMITTED": Stage.QUEUED,
    "LOAD_RESULTS": Stage.STAGINGOUT,
}
_RUNS = "SUBMITTED"
_DONE, _SCHEDULER = "done.txt", "_scheduler_stderr.txt"
_TIME_LIMIT = b"DUE TO TIME LIMIT"
_LOGS = {layout.STDOUT: ("STDOUT", "stdout.txt"), layout.STDERR: ("STDERR", "stderr.txt")}
"""What NSG calls the outputs of a program: once it is over, and while it runs."""

_PAUSE_SECONDS = 60.0
"""Between two questions as long as NSG has not said how often it may be asked."""

_LEAST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5, 3600
_SMALL_BYTES = 1 << 16


class Nsg:
    """One NSG, asked as one account; files of jobs that were not sent yet lie in `inputs`, this service's alone.

    Cancelling a job removes it there with all that it has written, so that one that is over is left alone; what it
    left stays until `remove`.
    """

    capabilities: frozenset[Capability] = frozenset({"cancel", "files", "log"})

    def __init__(self, gateway: Gateway, inputs: Path) -> None:
        self._gateway = gateway
        self._title = gateway.title
        self._inputs = Inputs(inputs, gateway.title, gateway.upload_max)
        self._server = Server(gateway)
        self.pause_s = _PAUSE_SECONDS
        self._client_ids: dict[str, str] = {}

    async def prepare(self, order: Order) -> None:
        """See that the job can be sent as it is; its files come by `put`.  Raises Refused."""
        submission.check(order, self._gateway)

    async def put(
        self, handle: Handle, path: str, chunks: AsyncIterator[bytes], length: int | None = None
    ) -> FileInfo:
        """Keep a file until the job is sent."""
        if handle.native_id:
            raise Refused(sentences.SENT_ALREADY.format(gateway=self._title))
        return await self._inputs.put(handle.job_id, path, chunks, length)

    async def submit(self, order: Order) -> Accepted:
        """Send the job with its file, once."""
        submission.check(order, self._gateway)
        handle, path = order.handle, order.inputs[0]
        place = await self._inputs.at(handle.job_id, path)
        if place is None:
            raise Refused(sentences.FILE_GONE)
        form = submission.form(order, self._gateway, place)
        try:
            answer = await self._server.post(handle.owner, form)
        except NotThereError as error:
            raise self._server.not_understood("404 to a submission") from error
        try:
            sent = answers.status(answer)
        except NotUnderstoodError as error:
            raise InDoubt(self._server.not_understood(str(error))) from error
        await self._inputs.remove(handle.job_id)
        return Accepted(sent.handle)

    async def find(self, handles: Sequence[Handle]) -> Mapping[str, str]:
        """Look through all jobs of the owners: NSG takes the same job twice, and finds none by our name."""
        listed: dict[str, str] = {}
        for owner in sorted({handle.owner if self._gateway.umbrella else "" for handle in handles}):
            listed |= await self._listed(owner)
        wanted = {handle.job_id for handle in handles}
        return {job_id: native_id for native_id, job_id in listed.items() if job_id in wanted}

    async def observe(self, handles: Sequence[Handle]) -> Mapping[str, Seen]:
        """Ask for the jobs, some in one question; how one ended that is over, `conclude` says."""
        of_native = {handle.native_id: handle.job_id for handle in handles if handle.native_id}
        found = await self._statuses(tuple(of_native))
        if told := [each.poll_seconds for each in found.values() if each.poll_seconds is not None]:
            self.pause_s = float(min(max(*told, _LEAST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS))
        return {of_native[native_id]: _seen(status) for native_id, status in found.items()}

    async def conclude(self, handle: Handle) -> Seen | None:
        """Return what became of a job; None also of one that was cancelled, which NSG forgets."""
        found = await self._statuses((handle.native_id,)) if handle.native_id else {}
        status = found.get(handle.native_id)
        if status is None:
            return None
        return await self._ended(handle, status) if status.is_over and not status.failed else _seen(status)

    async def cancel(self, handle: Handle) -> None:
        """Have NSG forget a job that is not over: it knows no other way to end one."""
        status = (await self._statuses((handle.native_id,))).get(handle.native_id)
        if status is not None and not status.is_over:
            await self._forget(handle)

    async def files(self, handle: Handle, path: str = "") -> Listing:
        """Return the files of a job: what waits to be sent, what is there while it runs, or its results."""
        if path:
            raise errors.NotFound(of_files.NO_SUCH_FILE.format(path=shown(path)))
        if not handle.native_id:
            return Listing(await self._inputs.all(handle.job_id))
        found = await self._files(handle)
        items = [reading.info(each) for each in found if reading.is_fit(each)]
        return Listing(tuple(sorted(items, key=lambda each: each.path)), is_cut=len(items) < len(found))

    @asynccontextmanager
    async def read(
        self, handle: Handle, path: str, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[tuple[FileInfo, AsyncIterator[bytes]], None]:
        """Give a file; NSG sends it from its beginning, whatever is wanted of it.

        `stdout` and `stderr` are those of the program, whatever NSG calls them.
        """
        if not handle.native_id:
            async with reading.local(await self._inputs.at(handle.job_id, path), path, start, length) as given:
                yield given
            return
        found = {each.name: each for each in await self._files(handle)}
        file = next((found[name] for name in (path, *_LOGS.get(path, ())) if name in found), None)
        if file is None:
            raise errors.NotFound(of_files.NO_SUCH_FILE.format(path=shown(path)))
        window = reading.Window.of(file.size, start, length)
        try:
            async with self._server.stream(handle.owner, file.url) as chunks:
                yield reading.info(file, path), reading.cut(chunks, window, path)
        except NotThereError as error:
            raise errors.NotFound(of_files.NO_SUCH_FILE.format(path=shown(path))) from error

    async def remove(self, handle: Handle, path: str = "") -> None:
        """Have NSG forget a job, or remove a file that waits to be sent.  Raises Refused for one that was sent."""
        if path and handle.native_id:
            raise Refused(sentences.KEPT_TOGETHER.format(gateway=self._title))
        if not path and (native_id := handle.native_id or (await self.find([handle])).get(handle.job_id)):
            await self._forget(replace(handle, native_id=native_id))
        await self._inputs.remove(handle.job_id, path)

    async def close(self) -> None:
        """Let go of connections."""
        await self._server.close()

    async def _forget(self, handle: Handle) -> None:
        with suppress(NotThereError):
            await self._server.delete(handle.owner, handle.native_id)

    async def _listed(self, owner: str) -> Mapping[str, str]:
        """Return all jobs of somebody, by NSG's names, with ours."""
        try:
            listed = answers.handles(await self._server.get(owner))
        except (NotThereError, NotUnderstoodError) as error:
            # That nobody has a job may be said by an empty list alone.
            raise self._server.not_understood(repr(error)) from error
        news = tuple(each for each in listed if each not in self._client_ids)
        for native_id, status in (await self._statuses(news)).items():
            self._client_ids[native_id] = status.client_job_id
        return {each: self._client_ids[each] for each in listed if each in self._client_ids}

    async def _statuses(self, native_ids: Sequence[str]) -> dict[str, Status]:
        """Return what NSG says of jobs, without those that it does not know.

        One that it does not know makes it answer for none of a question: so a part is asked for, and the other.
        """
        found: dict[str, Status] = {}
        for at in range(0, len(native_ids), TOGETHER):
            found |= await self._some_statuses(native_ids[at : at + TOGETHER])
        return found

    async def _some_statuses(self, native_ids: Sequence[str]) -> dict[str, Status]:
        try:
            found = answers.statuses(await self._server.get_some(native_ids))
        except NotThereError:
            if len(native_ids) == 1:
                return {}
            half = len(native_ids) // 2
            return await self._some_statuses(native_ids[:half]) | await self._some_statuses(native_ids[half:])
        except NotUnderstoodError as error:
            raise self._server.not_understood(str(error)) from error
        return {each.handle: each for each in found if each.handle in native_ids}

    async def _ended(self, handle: Handle, status: Status) -> Seen | None:
        """Return how the program of a job ended, of which NSG says nothing; None if nothing is left of it."""
        try:
            left = {each.name: each for each in await self._files(handle)}
            code = answers.exit_code(await self._small(handle, left.get(_DONE)))
            is_late = _TIME_LIMIT in await self._small(handle, left.get(_SCHEDULER))
        except errors.NotFound:
            return None
        if is_late or code is None:
            said = sentences.TIME_UP if is_late else sentences.NO_END
            return replace(_seen(status), stage=Stage.FAILED, message=said)
        return replace(_seen(status), stage=Stage.FAILED if code else Stage.SUCCESSFUL, exit_code=code)

    async def _files(self, handle: Handle) -> tuple[File, ...]:
        """Return the results of a job, or what is in its working directory.  Raises NotFound."""
        of_job = (handle.owner, handle.native_id)
        try:
            results = answers.files(await self._server.get(*of_job, "output"))
            return results or answers.files(await self._server.get(*of_job, "workingdir"))
        except NotThereError as error:
            raise errors.NotFound(of_files.FOLDER_GONE) from error
        except NotUnderstoodError as error:
            raise self._server.not_understood(str(error)) from error

    async def _small(self, handle: Handle, file: File | None) -> bytes:
        """Return the beginning of a file, b"" if there is none."""
        if file is None:
            return b""
        window = reading.Window.of(file.size, 0, _SMALL_BYTES)
        try:
            async with self._server.stream(handle.owner, file.url) as chunks:
                return b"".join([piece async for piece in reading.cut(chunks, window, file.name)])
        except NotThereError as error:
            raise errors.NotFound(of_files.FOLDER_GONE) from error


def _seen(status: Status) -> Seen:
    """Return what NSG itself says of a job: of one that is over, whether it could run it."""
    last = status.messages[-1] if status.messages else None
    message = last.text if last else ""
    if not status.is_over:
        return Seen(_STAGES.get(status.stage), status.stage, message)
    # That it runs, NSG calls as it does that it waits; the last it said so is the nearest.
    began = [each.at for each in status.messages if each.stage == _RUNS and each.at]
    stage = Stage.FAILED if status.failed else Stage.SUCCESSFUL
    return Seen(
        stage,
        status.stage,
        message if status.failed else "",
        started=began[-1] if began else None,
        ended=last.at if last else None,
    )
