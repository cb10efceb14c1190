"""People at a real hub whose servers are at everything that a page of ours can show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub import orm

from profiles.facts import Capacity, Nodes, PartitionFacts, Queue, SiteFacts
from slurm_ssh.facts.availability import Availability
from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh_spawner.hub import guests
from slurm_ssh_spawner.launch.progress import Progress
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.local import LocalSite

LAUNCH = "0123456789ab"
"""A launch of alice's that ended, with the end of its log."""

OPEN = "open?from=/gpfs/project/a.ipynb"
_LONG = "a-very-long-name-without-a-place-to-break-it-which-somebody-has-chosen"


def catalogue(local: LocalSite) -> dict[str, Any]:
    """Return one with more profiles than fit on a screen, one that is shared, and a site with maintenance."""
    now = datetime.now(UTC)
    begins, ends = (f"{now + timedelta(hours=hours):%F %H:%M}" for hours in (-1, 48))
    works = {"begins": begins, "ends": ends, "text": "New disks"}
    workers = {"workers": {"title": "Workers", "description": "Of Spark", "min": 1, "max": 9}}
    more = {
        f"more{number}": builders.profile(name=f"Profile {number}", category=("Physics", "Biology")[number % 2])
        for number in range(8)
    }
    return {
        "sites": {
            "geneva": launching.site(local),
            "bern": launching.site(local, title="Bern", maintenance=[works]),
            "lugano": launching.site(local, title="Lugano"),
        },
        "profiles": {
            "jupyterlab": builders.profile(),
            "together": builders.profile(name="Together", sharing=True, parameters=workers),
            **more,
        },
        "copy_from": {"folders": ["/gpfs/project"]},
    }


async def _projects(_user: str, _site: str) -> None:
    return None


async def _free(_user: str | None, site: str) -> SiteFacts:
    capacity, free = Capacity(8, 8000, (("a100", 2),)), Capacity(3, 4000, (("a100", 1),))
    normal = PartitionFacts(True, True, None, None, (Nodes(2, capacity, None if site == "geneva" else free),))
    return SiteFacts(
        ("physics",), {"normal": normal}, (), datetime.now(UTC), queue=Queue({"normal": 4}, {"17": 3})
    )


class Scenes:
    """Owner of the people.

    alice, an administrator, has a server that ended, one whose stop is owed and one that did not start, and keeps
    settings.  bob has one that runs, one that ends soon, one that waits and one that was never started, and is a
    guest of carol, who shares hers.  dora has a start in the queue, one on its way, and a server that is ending.
    """

    def __init__(self, hub: LaunchingHub) -> None:
        self.hub = hub
        self.people: dict[str, Person] = {}
        self.values = {"launch": LAUNCH}
        self._numbers = iter(range(1, 1000))
        self._starts: list[asyncio.Future[None]] = []

    async def _come(self) -> None:
        for name in ("alice", "bob", "carol", "dora"):
            self.people[name] = await self.hub.person(name, admin=name == "alice")
        core = self.hub.core
        core.availability = Availability(core.catalogue.sites, _projects, _free)
        for name in self.people:
            await core.availability.refreshed(name, 20)
        await self._ended()
        await self._running()
        await self._on_their_way()
        self._shared()
        alice, records = self.people["alice"], self.hub.core.launcher.records
        await alice.send([("profile", "jupyterlab"), ("site", "geneva"), ("server_name", "refused")])
        await alice.post("presets", [("profile", "together"), ("time", "2h"), ("settings", "night run")])
        until = datetime.now(UTC) + timedelta(hours=4)
        await records.announcements.announce("The disks of Bern are replaced.", until, "alice")

    async def _ended(self) -> None:
        """Have a server that ended, with a log, one whose stop is not carried out, and two with the same error."""
        records = self.hub.core.launcher.records
        ended, owed = LaunchId(LAUNCH), await self._launch("alice", "owed")
        await self._launch("alice", "", launch_id=ended)
        records.end(ended, "TIMEOUT")
        records.explain(ended, "TIMEOUT", "The job's time limit of 2h was up.", "the last line of a log " * 9)
        for server in ("first", "second"):
            records.end(
                await self._launch("alice", server, node=""), "not submitted: Lugano cannot be reached. [x]"
            )
        await records.want_stop(owed)
        await records.settled()

    async def _running(self) -> None:
        now, reports = datetime.now(UTC), {}
        for server, minutes in (("", 50), (_LONG, 5)):
            launch_id = await self._launch("bob", server, profile="together")
            ends = now + timedelta(minutes=minutes)
            reports[launch_id] = JobReport(JobState.RUNNING, "RUNNING", node="n1", submitted=now, ends=ends)
            self.up(self.hub, self.people["bob"], server)
        waiting = await self._launch("bob", "waits", node="")
        begins = now + timedelta(hours=2)
        reports[waiting] = JobReport(JobState.PENDING, "PENDING", "Priority", submitted=now, begins=begins)
        self._starting("bob", "waits", waiting).saw(reports[waiting])
        self.people["bob"].user._new_orm_spawner("off", "off")
        jobs = [builders.job(launch_id=each, job_id="17", user="bob") for each in reports]
        self.hub.core.seen.of("bob", jobs, lambda job, _young: reports[job.launch_id])

    async def _on_their_way(self) -> None:
        now = datetime.now(UTC)
        queued = self._starting("dora", "queued", await self._launch("dora", "queued", node=""))
        queued.accepted()
        queued.tell("Geneva has accepted job 17.")
        later = now + timedelta(hours=2)
        queued.saw(JobReport(JobState.PENDING, "PENDING", "Priority", submitted=now, begins=later))
        steps = self._starting("dora", "steps", await self._launch("dora", "steps"))
        steps.accepted()
        steps.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1", submitted=now))
        steps.reported("modules", "jupyterlab")
        steps.reported("kernel", "script 1432")
        steps.reported("notice", "One module has a newer version.")
        steps.show_output("\n".join(f"line {number} " + "x" * 200 for number in range(40)))
        launch_id = await self._launch("dora", "ends")
        self.up(self.hub, self.people["dora"], "ends")
        spawner = self.people["dora"].user.spawners["ends"]
        spawner._stop_pending, spawner.last_launch_id, spawner.stopping_since = True, launch_id, now

    def _shared(self) -> None:
        carol, bob = self.people["carol"], self.people["bob"]
        self.up(self.hub, self.people["carol"], "south")
        row, db = carol.user.orm_spawners["south"], self.hub.app.db
        code, _ = guests.invite(db, row, 60, None)
        guests.accept(db, guests.invitation(db, code), bob.user)
        self.values["code"], _ = guests.invite(db, row, 60, None)

    async def _launch(
        self,
        user: str,
        server: str,
        *,
        launch_id: LaunchId | None = None,
        profile: str = "jupyterlab",
        node: str = "n1",
    ) -> LaunchId:
        """Keep a launch of theirs; with a node its job has begun."""
        records, launch_id = self.hub.core.launcher.records, launch_id or LaunchId(f"{next(self._numbers):012x}")
        choices = {"profile": profile, "site": "geneva", "cores": "2"}
        what = builders.launch(self.hub.core.catalogue.current, choices, user)
        until = None if node else datetime.now(UTC) + timedelta(hours=4)
        await records.begin(launch_id, what, server=server, wait_until=until)
        records.submitted(launch_id, "17")
        if node:
            records.reached(launch_id, node, 8888, 0)
        await records.settled()
        return launch_id

    @staticmethod
    def up(hub: LaunchingHub, person: Person, server: str = "") -> None:
        """Let a server of theirs be up, as far as JupyterHub knows; it was used just now."""
        owner, url = person.user, f"/@/space%20word/user/{person.name}/{server}"
        if server not in owner.orm_spawners:
            owner._new_orm_spawner(server, server)
        spawner = owner.spawners[server]
        spawner.orm_spawner.server = orm.Server(base_url=url.rstrip("/") + "/", ip="127.0.0.1", port=9)
        spawner.orm_spawner.last_activity = datetime.now(UTC).replace(tzinfo=None)
        spawner.profile_key = "together"
        hub.app.db.commit()

    def _starting(self, user: str, server: str, launch_id: LaunchId) -> Progress:
        """Let a start of theirs be under way."""
        owner = self.people[user].user
        owner._new_orm_spawner(server, server)
        spawner = owner.spawners[server]
        spawner._spawn_pending, spawner.last_launch_id, spawner._progress = True, launch_id, Progress()
        spawner._spawn_future = asyncio.get_running_loop().create_future()
        self._starts.append(spawner._spawn_future)
        return spawner._progress

    def _go(self) -> None:
        for start in self._starts:
            start.cancel()
        for person in self.people.values():
            for spawner in person.user.spawners.values():
                spawner._spawn_pending = spawner._stop_pending = False


@asynccontextmanager
async def scenes(hub: LaunchingHub) -> AsyncIterator[Scenes]:
    """Give the people at a hub that has the catalogue of this module."""
    found = Scenes(hub)
    await found._come()
    yield found
    found._go()
