"""Lives of launches in any order: what watch, upkeep and records may never do, and what they do in the end."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from kerberos_auth.tickets import Ticket
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, LaunchId, new_launch_id
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.records import LaunchRecords
from tests.support import builders, composing
from tests.support.small_slurm import SmallSlurm

_OFFER = builders.catalogue()
_PICK = st.integers(0, 5)
# A hub that ends before it has asked why leaves Slurm's word.
_TIME_UP = {"TIMEOUT", "The job's time limit was up."}


class _Tickets:
    """alice's, each of which ends a second after the one before."""

    def __init__(self) -> None:
        self.number = 1
        self.subscribers: list[Callable[[str], None]] = []

    def get(self, user: str) -> Ticket:
        return builders.ticket(user, 2**31 + self.number)

    def read(self, _user: str) -> bytes:
        return str(self.number).encode()

    def subscribe(self, callback: Callable[[str], None]) -> None:
        self.subscribers.append(callback)

    def renew(self) -> None:
        self.number += 1
        for callback in self.subscribers:
            callback("alice")


class Lives(RuleBasedStateMachine):
    """`known` are the handles that JupyterHub has stored; `unwanted` are launches of which nobody wants a job."""

    empty_database: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty_database, self.folder / "launches.sqlite")
        self.slurm, self.tickets = SmallSlurm(), _Tickets()
        self.known: dict[LaunchId, Job] = {}
        self.unwanted: set[LaunchId] = set()
        self.holder: sqlite3.Connection | None = None
        self.waits_for_a_ticket = False
        self.runner = asyncio.Runner()
        self.launcher = self.runner.run(self._started())

    async def _started(self) -> Launcher:
        url = f"sqlite:///{self.folder}/launches.sqlite?timeout=0.02"
        return composing.launcher(_OFFER.sites, self.tickets, url, self.slurm)

    def _picked(self, number: int) -> Job:
        return list(self.known.values())[number % len(self.known)]

    # -- what happens ---------------------------------------------------------------------------------------

    @rule(loses=st.sampled_from(["", "", "program", "answer", "site"]))
    def submit(self, loses: str) -> None:
        launch, launch_id = builders.launch(_OFFER), new_launch_id()
        self.slurm.loses = loses

        def save(job: Job) -> None:
            self.known[job.launch_id] = job

        job = self.launcher.job(launch, launch_id)
        submission = self.launcher.submit(launch, job, builders.process(), save, lambda _: None)
        try:
            self.runner.run(submission)
        except LaunchError:
            assert launch_id not in self.known
            self.unwanted.add(launch_id)
            if self.holder:
                assert launch_id not in self.slurm.rows, "without a record nothing is submitted"
            if not self.slurm.is_away:
                assert launch_id not in self.slurm.tickets, "no ticket stays without a job"
        else:
            assert self.known[launch_id].job_id == str(self.slurm.rows[launch_id].number)
        self.slurm.loses = ""

    @precondition(lambda self: self.known)
    @rule(number=_PICK, goes_away=st.booleans())
    def stop(self, number: int, goes_away: bool) -> None:
        """Stop a server, which JupyterHub forgets then, whatever came of it."""
        job = self._picked(number)
        self.slurm.is_away |= goes_away
        self.unwanted.add(job.launch_id)

        async def stop() -> None:
            try:
                await self.launcher.cancel(job)
            except LaunchError:
                assert self.slurm.is_away
            else:
                assert not self.slurm.runs(job.launch_id)
            self.launcher.release(job)

        self.runner.run(stop())
        del self.known[job.launch_id]

    @precondition(lambda self: self.known)
    @rule(number=_PICK)
    def look(self, number: int) -> None:
        """Poll a server; one that is over is forgotten."""
        job = self._picked(number)

        async def look() -> None:
            if (await self.launcher.report(job)).state.is_over:
                assert not self.slurm.runs(job.launch_id)
                self.launcher.release(job)
                del self.known[job.launch_id]

        self.runner.run(look())

    @precondition(lambda self: self.known)
    @rule(number=_PICK)
    def ends(self, number: int) -> None:
        if row := self.slurm.rows.get(self._picked(number).launch_id):
            row.word = "TIMEOUT"

    @rule(away=st.booleans())
    def site_is(self, away: bool) -> None:
        self.slurm.is_away = away

    @rule()
    def renew(self) -> None:
        async def renew() -> None:
            self.tickets.renew()

        self.runner.run(renew())

    @rule()
    def time_passes(self) -> None:
        self.runner.run(asyncio.sleep(0.01))

    @rule()
    def restart(self) -> None:
        """Start the hub again, as an update does: in order, and while the database can be used."""
        self.database_is(locked=False)
        self.runner.run(self.launcher.close())
        # A stop that is owed over a restart waits for the next ticket.
        self.waits_for_a_ticket = any(map(self.slurm.runs, self.unwanted))
        self.tickets.subscribers.clear()
        self.launcher = self.runner.run(self._started())

    @rule(locked=st.booleans())
    def database_is(self, locked: bool) -> None:
        if locked and self.holder is None:
            self.holder = sqlite3.connect(self.folder / "launches.sqlite")
            self.holder.execute("BEGIN IMMEDIATE")
        elif not locked and self.holder is not None:
            self.holder.close()
            self.holder = None

    # -- what holds -----------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_cancelled_that_somebody_wants(self) -> None:
        assert self.slurm.cancelled <= self.unwanted

    @invariant()
    def nothing_that_runs_is_over(self) -> None:
        assert [job for job in self.known.values() if self._is_wrong(job)] == []

    def _is_wrong(self, job: Job) -> bool:
        return self.slurm.runs(job.launch_id) and self.launcher.is_over(job)

    def all_is_well_in_the_end(self) -> None:
        self.database_is(locked=False)
        self.slurm.is_away = False
        if self.waits_for_a_ticket:
            self.renew()
            self.waits_for_a_ticket = False
        self.runner.run(self._until_well())

    async def _until_well(self) -> None:
        for job in self.known.values():
            await self.launcher.report(job)
        try:
            async with asyncio.timeout(60):
                while wrong := await self._wrong():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(wrong) from None

    async def _wrong(self) -> list[str]:
        records: LaunchRecords = self.launcher.records
        await records.settled()
        wrong = [f"{each} runs on" for each in self.unwanted if self.slurm.runs(each)]
        newest = str(self.tickets.number).encode()
        for launch_id, job in self.known.items():
            record = await records.get(launch_id)
            assert record is not None
            if self.slurm.runs(launch_id):
                wrong += [f"{launch_id} has an old ticket"] * (self.slurm.tickets.get(launch_id) != newest)
                wrong += [f"{launch_id} has ended"] * (record.ended is not None)
                wrong += [f"{launch_id} has no number"] * (record.job_id != job.job_id)
            elif launch_id in self.slurm.rows:
                wrong += [f"{launch_id} goes on"] * (record.end_reason not in _TIME_UP)
        for launch_id in self.unwanted & self.slurm.cancelled:
            record = await records.get(launch_id)
            wrong += [f"{launch_id} was not noted"] * (record is None or record.ended is None)
        return wrong

    def teardown(self) -> None:
        self.all_is_well_in_the_end()
        self.runner.run(self.launcher.close())
        self.runner.close()
        shutil.rmtree(self.folder)


async def _make(path: Path) -> None:
    await LaunchRecords(f"sqlite:///{path}").close()


@pytest.mark.uncounted
def test_whatever_happens_nobody_loses_a_job_or_keeps_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("deliveries", "upkeep"):
        monkeypatch.setattr(f"slurm_ssh.jobs.{module}.PAUSES_SECONDS", (0.005,))
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.001)
    for module in ("slurm_ssh.core", "slurm_ssh.jobs.watch", "slurm_ssh_spawner.launch.launcher"):
        monkeypatch.setattr(f"{module}.ABSENT_SECONDS", 0.005)
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.worker.AGAIN_SECONDS", 0.005)
    asyncio.run(_make(tmp_path / "launches.sqlite"))
    monkeypatch.setattr(Lives, "empty_database", tmp_path / "launches.sqlite", raising=False)
    # A shorter life that goes wrong is not looked for: each one that does takes its whole patience.
    told = settings(
        max_examples=80, stateful_step_count=12, deadline=None, derandomize=True, phases=[Phase.generate]
    )
    run_state_machine_as_test(Lives, settings=told)
