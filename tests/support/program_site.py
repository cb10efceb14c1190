"""A site on this machine whose scheduler is a Python program that keeps its jobs in a file."""

import fcntl
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.local import LocalSite


class ProgramSite:
    """Stands for a pool; each login has a LocalSite of its own, all with the same scheduler in `folder`.

    `program` is run as `python3 PROGRAM FOLDER NAME ARGUMENT...` for each of the commands that are `names`.
    """

    def __init__(self, home: Path, folder: str, program: Path, names: Iterable[str]) -> None:
        self.home = home
        self.folder = home / folder
        self.folder.mkdir()
        self.logins_of: dict[str, LocalSite] = {}
        for name in names:
            path = self.folder / name
            path.write_text(f'#!/bin/sh\nexec {sys.executable} -I {program} {self.folder} {name} "$@"\n')
            path.chmod(0o755)

    def tell(self, name: str, text: str = "") -> None:
        """Change what the scheduler does, see its program."""
        (self.folder / name).write_text(text)

    def untell(self, name: str) -> None:
        """Have it do again what it does without that."""
        (self.folder / name).unlink()

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """What the scheduler has of all jobs, by number."""
        path = self.folder / "jobs.json"
        found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def change(self, number: str, **said: Any) -> None:
        """Say something else of a job, or of a new one."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self.jobs
            known[number] = {**known.get(number, {}), **said}
            (self.folder / "jobs.new").write_text(json.dumps(known))
            (self.folder / "jobs.new").replace(self.folder / "jobs.json")

    def logins(self) -> tuple[Any, ...]:
        """Return nobody: nothing is kept of a connection."""
        return ()

    def of_login(self, owner: str) -> LocalSite:
        """Return what a login comes to."""
        site = self.logins_of.get(owner)
        if site is None:
            site = self.logins_of[owner] = LocalSite(self.home)
            site.environ = {"USER": owner}
        return site

    @asynccontextmanager
    async def connection(self, login: Any, *rest: Any) -> AsyncIterator[LocalSite]:
        """Give a login's own."""
        async with self.of_login(login.owner).connection(login, *rest) as connection:
            yield connection

    def renew(self, _user: str) -> None:
        """Nothing is kept of a connection."""

    async def close(self) -> None:
        """There is nothing to close."""
