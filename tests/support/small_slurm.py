"""A site whose Slurm is a table in memory: it answers the programs that reach it, as bytes, and keeps tickets."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.ssh.transport import Completed, ConnectionLost

_MARK = re.compile(r"jupyter-hub-([0-9a-f]{12})")
_TICKET = re.compile(r"([0-9a-f]{12})\.ccache")
_PLACED = re.compile(r"head -c ([0-9]+) > ([0-9a-f]{12})\.ccache")


@dataclass
class _Row:
    number: int
    owner: str
    word: str = "RUNNING"


class SmallSlurm:
    """Stands for a pool and its connections.

    `loses` is what is lost of the next submission: the "program" when the ticket is in its place, or after sbatch
    the "answer", or the whole "site" from then on.  `cancelled` are launches that somebody has cancelled.
    """

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.tickets: dict[str, bytes] = {}
        self.cancelled: set[str] = set()
        self.is_away = False
        self.loses = ""
        self._number = 40

    def runs(self, launch_id: str) -> bool:
        """Return whether the launch has a job that has not ended."""
        return launch_id in self.rows and self.rows[launch_id].word == "RUNNING"

    @asynccontextmanager
    async def connection(self, *_: Any) -> AsyncIterator["SmallSlurm"]:
        """Give itself, as a pool gives a connection."""
        if self.is_away:
            raise SiteUnreachable("Geneva cannot be reached.")
        yield self

    def renew(self, _user: str) -> None:
        """Nothing is kept of a connection."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def run(self, program: str, data: bytes = b"", **_: Any) -> Completed:
        """Do what the program would do, as far as it matters."""
        await asyncio.sleep(0)
        if placed := _PLACED.search(program):
            self.tickets[placed[2]], data = data[: int(placed[1])], data[int(placed[1]) :]
        if "/sbatch" in program:
            return self._submitted(data.decode())
        if "/squeue" in program:
            marks = _MARK.findall(program)
            return Completed(0, self._listed(marks) if marks else self._all(), "")
        if "/scancel" in program:
            for launch_id in _MARK.findall(program):
                self.cancelled.add(launch_id)
                self.rows.pop(launch_id, None)
        elif not placed and (found := _TICKET.search(program)):
            self.tickets.pop(found[1], None)
        return Completed(0, "", "")

    def _submitted(self, script: str) -> Completed:
        found = _MARK.search(script)
        assert found
        if self.loses == "program":
            self.loses = ""
            raise ConnectionLost("the wire was cut")
        self._number += 1
        self.rows[found[1]] = _Row(self._number, "alice")
        if loses := self.loses:
            self.loses, self.is_away = "", loses == "site"
            raise ConnectionLost("the wire was cut")
        return Completed(0, f"\n== sbatch\n{self._number}\n", "")

    def _all(self) -> str:
        rows = (
            f"{row.number}|{row.word}|n1|{row.owner}|N/A|N/A|N/A|0:00|0|{row.number}|N/A|n1|None|"
            f"jupyter-hub-{launch_id}\n"
            for launch_id, row in self.rows.items()
        )
        header = "JOBID|STATE|...\n"
        return "".join((header, *rows, "END|0\n"))

    def _listed(self, launch_ids: list[str]) -> str:
        rows = {launch_id: self.rows[launch_id] for launch_id in launch_ids if launch_id in self.rows}
        return "".join(
            f"{row.number}|{row.word}|n1|{row.owner}|None|jupyter-hub-{launch_id}\n"
            for launch_id, row in rows.items()
        )
