"""A program at a site that prints what a file, a log or a folder holds, while somebody takes it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from job_service.errors import TooMany
from job_service.files import answers
from job_service.files.info import shown
from job_service.sentences import files as sentences
from kernels.shell import Shell
from slurm_ssh.errors import TransfersBusy, Unavailable
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transfer import Transfer

_LONGEST_BEGINNING = 200
# GNU tar's status, if files changed while it read them.
_CHANGED = 1


class Reading:
    """One program that prints `ok ...;` and then bytes, for as long as they are wanted.

    What it says of `path`, if it fails, is `otherwise`, and of a folder that is not there what it is for one that
    `is_made`, or not yet; of one that `may_change` the files, it is all the same
    whether they do while they are read.
    """

    def __init__(
        self, remote: Remote, path: str, otherwise: str, *, is_made: bool, may_change: bool = False
    ) -> None:
        self.beginning = ""
        self._remote = remote
        self._path = path
        self._otherwise = otherwise
        self._is_made = is_made
        self._good = (0, _CHANGED) if may_change else (0,)
        self._ready = b""

    @asynccontextmanager
    async def begun(self, program: Shell, *, keeps_input: bool = False) -> AsyncIterator["Reading"]:
        """Give itself, once the program has said its `beginning` without `ok`."""
        async with self._entered(program, keeps_input) as self._transfer:
            await self._begin()
            yield self

    @asynccontextmanager
    async def _entered(self, program: Shell, keeps_input: bool) -> AsyncIterator[Transfer]:
        with busy(self._remote):
            async with self._remote.receive(program, keeps_input=keeps_input) as transfer:
                yield transfer

    async def _begin(self) -> None:
        said = b""
        async for piece in self._transfer:
            said += piece
            if b";" in said or len(said) > _LONGEST_BEGINNING:
                break
        else:
            self._check_end()
        beginning, _, self._ready = said.partition(b";")
        if not answers.OK.fullmatch(beginning):
            raise answers.not_understood(self._remote.site.title, beginning.decode(errors="replace"))
        self.beginning = beginning.decode().removeprefix("ok")

    async def rest(self) -> AsyncGenerator[bytes, None]:
        """Yield what the program prints, then raise what to tell if it has failed."""
        if self._ready:
            yield self._ready
        async for piece in self._transfer:
            yield piece
        self._check_end()

    async def exactly(self, count: int) -> AsyncGenerator[bytes, None]:
        """Yield what the program prints, then raise also if that are not so many bytes."""
        async for piece in self.rest():
            count -= len(piece)
            yield piece
        if count:
            raise Unavailable(sentences.CHANGED_MEANWHILE.format(path=shown(self._path)))

    @asynccontextmanager
    async def ended_with(self, over: asyncio.Event | None) -> AsyncIterator[None]:
        """Let a program that keeps its input come to its end as soon as the event is there."""
        telling = asyncio.create_task(self._tell(over)) if over else None
        try:
            yield
        finally:
            if telling:
                telling.cancel()

    async def _tell(self, over: asyncio.Event) -> None:
        await over.wait()
        self._transfer.end_input()

    def _check_end(self) -> None:
        answer = self._transfer.completed
        if answer and answer.status not in self._good:
            raise answers.error(
                self._path, self._remote.site.title, answer, self._otherwise, is_made=self._is_made
            )


@contextmanager
def busy(remote: Remote) -> Iterator[None]:
    """Tell somebody whose transfers are all under way what to do: TooMany is raised for TransfersBusy."""
    try:
        yield
    except TransfersBusy as error:
        raise TooMany(error.message, sentences.TRANSFERS_BUSY.format(site=remote.site.title)) from error
