"""One connection to the tunnel daemon: questions, and their answers."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.tunnels import local_socket, messages
from slurm_ssh.tunnels.messages import Begin, Keep, List, Malformed, Message, Open, Version
from slurm_ssh.tunnels.route import Route

_FIRST_SECONDS = 5.0

# None stands for the end of the connection.
_Answers = asyncio.Queue[Mapping[str, Any] | LaunchError | None]


class DaemonAway(Exception):  # noqa: N818
    """The daemon cannot be asked, or did not answer before the connection ended."""


class DaemonSession:
    """Asks several questions at once; the answers come in any order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._asked: dict[int, _Answers] = {}
        self._number = 0
        self._has_ended = False
        self._reading = asyncio.create_task(self._read())

    async def port(self, question: Open | Keep) -> int:
        """Ask for a tunnel and return its port.  Raises what the daemon says, and DaemonAway."""
        port = (await self.ask(question)).get("port")
        if not isinstance(port, int):
            raise DaemonAway("its answer has no port")
        return port

    async def tunnels(self) -> tuple[Route, ...]:
        """Return where all tunnels lead.  Raises DaemonAway."""
        found = []
        with self._asking(List()) as answers:
            while "done" not in (fields := await self._next(answers)):
                try:
                    found.append(messages.told(fields))
                except Malformed as error:
                    raise DaemonAway("its answer has no tunnel") from error
        return tuple(found)

    async def ask(self, question: Message) -> Mapping[str, Any]:
        """Ask for something and return the first answer.  Raises what the daemon says, and DaemonAway."""
        with self._asking(question) as answers:
            return await self._next(answers)

    def tell(self, message: Message) -> None:
        """Say something that has no answer; lost if the daemon is away."""
        if not self._has_ended:
            self._writer.write(messages.question(0, message))

    async def ended(self) -> None:
        """Return when the connection has ended."""
        await asyncio.wait((self._reading,))

    async def close(self) -> None:
        """End the connection."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await local_socket.close(self._writer)

    @contextmanager
    def _asking(self, question: Message) -> Iterator[_Answers]:
        """Ask, and give what the answers are put into."""
        self._number += 1
        number, answers = self._number, _Answers()
        self._asked[number] = answers
        try:
            if self._has_ended:
                answers.put_nowait(None)
            else:
                self._writer.write(messages.question(number, question))
            yield answers
        finally:
            del self._asked[number]

    async def _next(self, answers: _Answers) -> Mapping[str, Any]:
        match await answers.get():
            case LaunchError() as error:
                raise error
            case None:
                raise DaemonAway("it has ended")
            case fields:
                return fields

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                number, answer = messages.answered(line)
                if number in self._asked:
                    self._asked[number].put_nowait(answer)
        except (OSError, ValueError, Malformed):
            pass
        finally:
            self._has_ended = True
            for answers in self._asked.values():
                answers.put_nowait(None)


@asynccontextmanager
async def connected(path: Path, begin: Begin | None) -> AsyncIterator[DaemonSession]:
    """Give a session with the daemon at a socket, that has been told `begin` if that is given.

    Raises DaemonAway, also if it does not answer, and what the daemon says.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=messages.LONGEST)
    except OSError as error:
        raise DaemonAway(error.strerror or str(error)) from error
    if not local_socket.is_ours(writer):
        writer.transport.abort()
        raise DaemonAway("it belongs to another account")
    session = DaemonSession(reader, writer)
    try:
        try:
            async with Deadline.after(_FIRST_SECONDS).enforced():
                await session.ask(Version(version=messages.VERSION))
                if begin:
                    await session.ask(begin)
        except TimeoutError as error:
            raise DaemonAway("it does not answer") from error
        yield session
    finally:
        await session.close()
