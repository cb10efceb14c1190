"""A site on this machine whose jobs a PBS runs, by the programs of `pbs`; everybody has a login there."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support import builders
from tests.support.local import LocalSite

_PROGRAM = Path(__file__).with_name("pbs.py")

QUEUES = {
    "workq": {"queue_type": "Execution", "enabled": "True", "started": "True", "total_jobs": 0},
    "short": {
        "queue_type": "Execution",
        "enabled": "True",
        "started": "True",
        "resources_max": {"walltime": "02:30:00", "ncpus": 64},
    },
    "closed": {"queue_type": "Execution", "enabled": "True", "started": "False"},
}


class PbsSite:
    """Stands for a pool; each login has a LocalSite of its own, all with the same PBS in `folder`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "pbs"
        self.folder.mkdir()
        self.logins_of: dict[str, LocalSite] = {}
        self.tell("queues.json", json.dumps(QUEUES))
        for name in ("qsub", "qstat", "qselect", "qdel", "pbsnodes"):
            path = self.folder / name
            path.write_text(f'#!/bin/sh\nexec {sys.executable} -I {_PROGRAM} {self.folder} {name} "$@"\n')
            path.chmod(0o755)

    def tell(self, name: str, text: str = "") -> None:
        """Change what PBS does, see `pbs`."""
        (self.folder / name).write_text(text)

    def untell(self, name: str) -> None:
        """Have it do again what it does without that."""
        (self.folder / name).unlink()

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """What PBS has of all jobs, by number."""
        path = self.folder / "jobs.json"
        found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def logins(self) -> tuple[Any, ...]:
        """Return nobody: nothing is kept of a connection."""
        return ()

    @asynccontextmanager
    async def connection(self, login: Any, *rest: Any) -> AsyncIterator[LocalSite]:
        """Give a login's own."""
        site = self.logins_of.get(login.owner)
        if site is None:
            site = self.logins_of[login.owner] = LocalSite(self.home)
            site.environ = {"USER": login.owner}
        async with site.connection(login, *rest) as connection:
            yield connection

    def renew(self, _user: str) -> None:
        """Nothing is kept of a connection."""

    async def close(self) -> None:
        """There is nothing to close."""


def site(pbs: PbsSite, **changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue's YAML has it, with the PBS of the tests."""
    plain = builders.site(
        scheduler={"kind": "pbs", "path": str(pbs.folder)},
        job_folder=f"{pbs.home}/{{owner}}/jobs",
        jupyter={},
        ticket={"delivery": "none"},
        partitions={"workq": {"time_max": "8h"}, "short": {"time_max": "2h"}},
        projects=["physics"],
        **changed,
    )
    left_out = ("ticket_folder", "module_init", "reservations", "qos")
    return {name: value for name, value in plain.items() if name not in left_out}
