"""What each exchange of a launch with the front end costs.

Runs on the hub's host as the hub's account, with the ticket of a person who is logged in.  Prints the seconds of
each by name: a submission, the question for the job's node, and an exchange that does nothing.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kerberos_auth.store import TicketStore
from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.loading import load
from profiles.offer import launch
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer, Person
from slurm_ssh.job import Job, mark, new_launch_id
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import submission
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.connection import LONGEST_ANSWER
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.script import ServerProcess

PERSON = "alice"
ROUNDS = 10
# A job that ends must not slow the next round down.
QUIET_SECONDS = 1.5
IDLE_SECONDS = 60
CATALOGUE = Path("/etc/jupyterhub/catalogue.yaml")
TICKETS = Path("/run/jupyterhub/krb5")
CONNECT = "connect: TCP, host key, login, delegation"
FIRST = "an empty program, the first over a connection"
EMPTY = "an empty program"
SUBMISSION = "a submission: home, job folder, ticket, sbatch"
QUEUE = "squeue"
# Nobody listens there: the jobs are cancelled before they would report.
NOWHERE = "http://127.0.0.1:9/"

Answer = TypeVar("Answer")


async def timed(into: list[float], work: Awaitable[Answer]) -> Answer:
    """Add the seconds that `work` takes to `into`."""
    began = time.perf_counter()
    answer = await work
    into.append(time.perf_counter() - began)
    return answer


@dataclass(frozen=True)
class TimedRemote(Remote):
    """A Remote that keeps the seconds of its exchanges, in their order."""

    seconds: list[float] = field(default_factory=list)

    async def run_once(self, program: Shell, data: bytes = b"", limit_bytes: int = LONGEST_ANSWER) -> Completed:
        """Run the program and keep its seconds."""
        return await timed(self.seconds, super().run_once(program, data, limit_bytes))


async def submit(
    remote: Remote, asked: launch.NotebookLaunch, ticket: bytes, seconds: dict[str, list[float]]
) -> None:
    """Submit the launch, ask for its node, cancel it."""
    launch_id = new_launch_id()
    name = mark("jupyter", "bench", launch_id)
    job = Job(launch_id, "", name, asked.user, asked.owner, asked.site_key)
    process = ServerProcess((), {}, {"JUPYTERHUB_API_TOKEN": "none"}, NOWHERE)

    def build(fragment: Fragment) -> JobRequest:
        return script.build(asked, launch_id, name, process, (fragment,))

    watched = TimedRemote(remote.pool, remote.login, remote.site)
    await submission.submit(watched, job, build, ticket, lambda _sentence: None)
    (took,) = watched.seconds
    seconds[SUBMISSION].append(took)
    await timed(seconds[QUEUE], remote.run(slurm_jobs.queue(remote.site, asked.owner, (name,))))
    await remote.run(slurm_jobs.cancel(remote.site, asked.owner, name))


async def connect(remote: Remote) -> None:
    """Make the connection that later exchanges go over."""
    async with remote.pool.connection(remote.login, remote.site):
        pass


@contextmanager
def own_store() -> Iterator[TicketStore]:
    """Give a store with the person's ticket: the hub lets nobody else open its own."""
    with tempfile.TemporaryDirectory() as folder:
        store = TicketStore(Path(folder) / "krb5")
        store.put(PERSON, (TICKETS / PERSON).read_bytes(), f"{PERSON}@{store.realm}")
        yield store


async def main(tickets: TicketStore) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in (CONNECT, FIRST, EMPTY, SUBMISSION, QUEUE)}
    asked = launch.resolve(
        Offer(load.read(CATALOGUE).notebooks, {}, Person(PERSON), datetime.now(UTC)),
        Choices.of({"profile": "stub"}),
    )
    login = Login(PERSON, asked.owner, asked.site_key)
    for _ in range(ROUNDS):
        remote = Remote(ConnectionPool(tickets.get, IDLE_SECONDS), login, asked.site)
        await timed(seconds[CONNECT], connect(remote))
        await timed(seconds[FIRST], remote.run(Shell(":")))
        await timed(seconds[EMPTY], remote.run(Shell(":")))
        await submit(remote, asked, tickets.read(PERSON), seconds)
        await remote.pool.close()
        await asyncio.sleep(QUIET_SECONDS)
    print(json.dumps(seconds))


if __name__ == "__main__":
    with own_store() as tickets:
        asyncio.run(main(tickets))
