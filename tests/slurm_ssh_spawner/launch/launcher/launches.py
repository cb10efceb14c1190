"""A launcher of geneva, whose Slurm is a local one, and what is asked of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.job import Job
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from tests.support import builders, composing
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID


class Tickets:
    """Everybody but bob has a ticket; each that is put ends a second after the one before."""

    def __init__(self) -> None:
        self.tickets: dict[str, tuple[bytes, int]] = {}
        self.subscribers: list[Callable[[str], None]] = []

    def get(self, user: str) -> Ticket:
        return builders.ticket(user, self._of(user)[1])

    def read(self, user: str) -> bytes:
        return self._of(user)[0]

    def _of(self, user: str) -> tuple[bytes, int]:
        if user == "bob":
            raise AuthFailed("Your ticket has expired. Log in again.")
        return self.tickets.get(user, (b"ticket", 2**31))

    def subscribe(self, callback: Callable[[str], None]) -> None:
        self.subscribers.append(callback)

    def put(self, user: str, ticket: bytes) -> None:
        """Give somebody a newer ticket."""
        self.tickets[user] = ticket, self._of(user)[1] + 1
        for callback in self.subscribers:
            callback(user)


def a_catalogue(local: LocalSite, profile: dict[str, Any] | None = None, **site: Any) -> Catalogue:
    usual = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket_folder": f"{local.home}/{{owner}}/tickets",
        "node_address": "{node}.geneva.test",
    }
    profiles = {"jupyterlab": builders.profile(**(profile or {}))}
    return builders.catalogue(sites={"geneva": builders.site(**{**usual, **site})}, profiles=profiles)


def opened(tmp_path: Path, offer: Catalogue, tickets: Any, pool: Any, *ports: int) -> Launcher:
    return composing.launcher(offer.sites, tickets, f"sqlite:///{tmp_path}/launches", pool, ports)


async def record_of(launcher: Launcher) -> LaunchRecord:
    await launcher.records.settled()
    record = await launcher.records.get(ID)
    assert record is not None
    return record


async def has_ended(launcher: Launcher) -> None:
    """Return when the launch's record has an end."""
    async with asyncio.timeout(60):
        while (await record_of(launcher)).ended is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Told:
    """What a launch said and saved."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.saved: list[Job] = []

    async def submit(self, launcher: Launcher, offer: Catalogue, user: str = "alice") -> Job:
        launch = builders.launch(offer, user=user)
        job = launcher.job(launch, ID)
        return await launcher.submit(launch, job, builders.process(), self.saved.append, self.sentences.append)


def queue(local: LocalSite, word: str, node: str = "n/a", reason: str = "None") -> None:
    local.tell("queue", f"42|{word}|{node}|alice|{reason}|jupyter-hub-{ID}\n")


def a_job(**changed: str) -> Job:
    return builders.job(job_id="42", **changed)


def waited_for(launcher: Launcher, progress: Progress) -> tuple[ReportedPort, "asyncio.Task[tuple[str, Place]]"]:
    port = ReportedPort()
    return port, asyncio.create_task(launcher.until_ready(a_job(), port, progress))
