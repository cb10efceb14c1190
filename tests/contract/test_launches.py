"""What becomes of launches, at sites with Slurm and with PBS alike: a real shell runs what is sent there.

The schedulers are programs that keep their jobs in a file, see `tests/support/slurm.py` and `pbs.py` beside it.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh import sentences
from slurm_ssh.errors import SubmissionAbsent, SubmissionLost, SubmitRefused, Unavailable
from slurm_ssh.job import Job, JobReport, JobState, mark, new_launch_id
from slurm_ssh.jobs import folders
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import LaunchRecord
from tests.support import builders, composing
from tests.support.clusters import Cluster, End, PbsCluster, SlurmCluster
from tests.support.launching import Tickets
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "slurm_ssh.core",
        "slurm_ssh.jobs.watch",
        "slurm_ssh_spawner.launch.unattended",
        "slurm_ssh_spawner.launch.launcher",
    ):
        monkeypatch.setattr(f"{module}.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.question._FIRST_REST_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.submission._SILENCES", 2)
    monkeypatch.setattr("slurm_ssh.jobs.upkeep.PAUSES_SECONDS", (0.1,))


@pytest.fixture(params=[SlurmCluster, PbsCluster], ids=lambda kind: kind.name)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    made: Cluster = request.param(tmp_path)
    return made


@pytest.fixture
def offer(cluster: Cluster) -> Catalogue:
    return builders.catalogue(sites={"geneva": cluster.site})


@asynccontextmanager
async def _launching(cluster: Cluster, offer: Catalogue) -> AsyncIterator[Launcher]:
    tickets: Any = Tickets()
    url = f"sqlite:///{cluster.pool.home}/launches.sqlite"
    launcher = composing.launcher(offer.sites, tickets, url, cluster.pool)
    try:
        yield launcher
    finally:
        await launcher.close()


@pytest.fixture
async def launcher(cluster: Cluster, offer: Catalogue) -> AsyncIterator[Launcher]:
    async with _launching(cluster, offer) as launcher:
        yield launcher


async def _submitted(launcher: Launcher, offer: Catalogue, user: str = "alice", *said: list[str]) -> Job:
    launch = builders.launch(offer, user=user)
    handle = launcher.job(launch, new_launch_id())
    told = said[0] if said else []
    return await launcher.submit(launch, handle, builders.process(), lambda _: None, told.append)


@pytest.fixture
def submit(launcher: Launcher, offer: Catalogue) -> Callable[..., Any]:
    return functools.partial(_submitted, launcher, offer)


async def _record(launcher: Launcher, job: Job) -> LaunchRecord:
    await launcher.records.settled()
    record = await launcher.records.get(job.launch_id)
    assert record is not None
    return record


async def _seen(launcher: Launcher, job: Job, *states: JobState) -> JobReport:
    """Return the first observation of one of these states."""
    async with asyncio.timeout(60):
        while True:
            report = await launcher.report(job)
            if report.state in states:
                return report
            await asyncio.sleep(0.02)


async def _when(launcher: Launcher, job: Job, is_so: Callable[[LaunchRecord], bool]) -> LaunchRecord:
    """Return the record of a launch when something is so of it."""
    async with asyncio.timeout(60):
        while True:
            record = await _record(launcher, job)
            if is_so(record):
                return record
            await asyncio.sleep(0.02)


async def _ended(launcher: Launcher, job: Job) -> LaunchRecord:
    """Return the record of a launch when a sentence in it says why that has ended."""
    return await _when(launcher, job, lambda record: record.end_reason.endswith("."))


async def _released(launcher: Launcher, job: Job) -> LaunchRecord:
    """Return the record of a launch when nothing of it is left at its site."""
    return await _when(launcher, job, lambda record: record.released is not None)


def _ticket(cluster: Cluster, job: Job) -> Path:
    return cluster.pool.home / job.owner / "tickets" / f"{job.launch_id}.ccache"


class TestSubmission:
    async def test_a_job_is_its_owners_under_its_mark_with_a_ticket(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        said: list[str] = []
        job = await submit("carol", said)
        assert cluster.live == {job.job_id: ("carol", job.mark)}
        assert said == ["Connecting to Geneva as carol.", f"Geneva has accepted job {job.job_id}."]
        assert (await _record(launcher, job)).job_id == job.job_id
        assert _ticket(cluster, job).read_bytes() == b"ticket"

    async def test_people_submit_at_once_and_each_job_is_its_own(
        self, cluster: Cluster, submit: Callable[..., Any]
    ) -> None:
        people = [f"person{number}" for number in range(6)]
        jobs = await asyncio.gather(*map(submit, people))
        assert cluster.live == {job.job_id: (job.owner, job.mark) for job in jobs}
        assert [job.owner for job in jobs] == people

    async def test_a_refusal_is_a_sentence_names_the_choice_and_leaves_no_ticket(
        self, cluster: Cluster, submit: Callable[..., Any]
    ) -> None:
        cluster.refuse("partition")
        with pytest.raises(SubmitRefused, match=r"the partition \w+ does not exist there") as refused:
            await submit()
        assert refused.value.choice == "partition"
        assert cluster.live == {}
        assert not list((cluster.pool.home / "alice" / "tickets").iterdir())


class TestDoubt:
    async def test_a_job_whose_number_was_lost_is_found_and_sent_once(
        self, cluster: Cluster, submit: Callable[..., Any]
    ) -> None:
        other = cluster.add(7, "alice", "analysis")
        cluster.pool.of_login("alice").mishaps = ["after"]
        job = await submit()
        assert cluster.live == {other: ("alice", "analysis"), job.job_id: ("alice", job.mark)}

    async def test_what_never_came_to_the_scheduler_is_looked_for_and_was_none(
        self, cluster: Cluster, submit: Callable[..., Any]
    ) -> None:
        cluster.refuse("silence")
        with pytest.raises(SubmissionAbsent, match=f"{cluster.name} at Geneva does not answer"):
            await submit()
        assert cluster.live == {}
        assert not list((cluster.pool.home / "alice" / "tickets").iterdir())

    async def test_a_job_of_somebody_else_under_the_same_mark_is_not_the_lost_one(
        self, cluster: Cluster, launcher: Launcher, offer: Catalogue
    ) -> None:
        launch = builders.launch(offer)
        handle = launcher.job(launch, new_launch_id())
        cluster.add(7, "mallory", handle.mark)
        cluster.refuse("silence")
        with pytest.raises(SubmissionAbsent):
            await launcher.submit(launch, handle, builders.process(), lambda _: None, lambda _: None)

    async def test_a_job_that_may_be_there_is_stopped_as_soon_as_anybody_can_be_asked(
        self, cluster: Cluster, submit: Callable[..., Any]
    ) -> None:
        site = cluster.pool.of_login("alice")
        # The answer is lost, and so are those to the looks for the job.
        site.mishaps = ["after", *["before"] * 20]
        with pytest.raises(SubmissionLost, match="was lost while the job was submitted"):
            await submit()
        assert len(cluster.live) == 1
        site.mishaps = []
        await until(lambda: cluster.live == {})


class TestSurvey:
    async def test_a_job_is_seen_from_the_queue_to_its_end(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        job = await submit()
        waits = await _seen(launcher, job, JobState.PENDING)
        assert (waits.reason != "", waits.node) == (True, "")
        cluster.run(job.job_id)
        runs = await _seen(launcher, job, JobState.RUNNING)
        assert (runs.node, runs.nodes, runs.reason) == ("n1", "n1", "")
        cluster.end(job.job_id, "failed")
        assert (await _seen(launcher, job, JobState.ENDED)).wait_status == 3 * 256

    async def test_each_of_many_jobs_is_seen_as_it_is(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        jobs = [await submit(user) for user in ("alice", "alice", "alice", "carol")]
        cluster.run(jobs[1].job_id)
        cluster.end(jobs[2].job_id, "done")
        cluster.run(jobs[3].job_id)
        expected = [JobState.PENDING, JobState.RUNNING, JobState.ENDED, JobState.RUNNING]
        await asyncio.gather(*(_seen(launcher, job, state) for job, state in zip(jobs, expected, strict=True)))

    async def test_a_number_that_is_another_job_now_is_not_ours(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        job = await submit()
        cluster.add(int(job.job_id.partition(".")[0]), "alice", mark("jupyter", "hub", new_launch_id()))
        await _seen(launcher, job, JobState.GONE)
        assert len(cluster.live) == 1

    async def test_nobody_is_gone_whose_scheduler_says_nothing(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        job = await submit()
        cluster.fall_silent()
        assert [(await launcher.report(job)).state for _ in range(4)] == [JobState.UNKNOWN] * 4
        assert (await _record(launcher, job)).ended is None
        cluster.speak()
        await _seen(launcher, job, JobState.PENDING)


class TestCancel:
    @pytest.mark.parametrize("is_begun", [False, True])
    async def test_a_job_is_stopped_and_no_other(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any], is_begun: bool
    ) -> None:
        stopped, kept = await submit(), await submit()
        carols = cluster.add(7, "carol", stopped.mark)
        if is_begun:
            cluster.run(stopped.job_id)
        await launcher.cancel(stopped)
        assert set(cluster.live) == {kept.job_id, carols}
        assert (await _record(launcher, stopped)).end_reason == "stopped"

    @pytest.mark.parametrize("is_forgotten", [False, True])
    async def test_what_is_over_need_not_be_stopped(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any], is_forgotten: bool
    ) -> None:
        job = await submit()
        cluster.end(job.job_id, "done")
        if is_forgotten:
            cluster.forget()
        await launcher.cancel(job)

    async def test_a_stop_that_nobody_heard_is_said_and_may_be_tried_again(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        job = await submit()
        cluster.fall_silent()
        with pytest.raises(Unavailable, match=f"{cluster.name} at Geneva did not carry out the request to stop"):
            await launcher.cancel(job)
        assert set(cluster.live) == {job.job_id}
        cluster.speak()
        await launcher.cancel(job)
        assert cluster.live == {}


class TestEnding:
    @pytest.mark.parametrize(
        ("how", "said"),
        [
            ("done", sentences.ENDED_BY_ITSELF),
            ("failed", "status 3"),
            ("time", "The job's time limit of 1h was up"),
            ("memory", "memory"),
            ("cancelled", "The job was cancelled"),
        ],
    )
    async def test_why_a_job_ended_is_a_sentence(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any], how: End, said: str
    ) -> None:
        job = await submit()
        cluster.run(job.job_id)
        await _seen(launcher, job, JobState.RUNNING)
        cluster.end(job.job_id, how)
        await _seen(launcher, job, JobState.ENDED)
        assert said in (await _ended(launcher, job)).end_reason

    async def test_of_a_job_that_is_forgotten_its_log_says_why(
        self, cluster: Cluster, launcher: Launcher, submit: Callable[..., Any]
    ) -> None:
        job = await submit()
        cluster.forget()
        cluster.end(job.job_id, "time")
        log = folders.log_path(launcher._core.site(job), "alice", job.launch_id)
        Path(log).write_text("=>> PBS: job killed: walltime 3605 exceeded limit 3600\n")
        await _seen(launcher, job, JobState.GONE)
        assert (await _ended(launcher, job)).end_reason == "The job's time limit was up."


class _Servers:
    """The servers of a hub that notes which it is to start."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def ready(self) -> None:
        """It knows them all."""

    def close(self) -> None:
        """Nothing is open."""

    async def start(self, user: str, _server: str, _choices: Mapping[str, str]) -> None:
        self.started.append(user)


class TestSettle:
    """What a hub does that has just started, with the launches of the one before."""

    @asynccontextmanager
    async def _later(self, cluster: Cluster, offer: Catalogue) -> AsyncIterator[tuple[Launcher, _Servers]]:
        async with _launching(cluster, offer) as launcher:
            servers, tickets = _Servers(), Tickets()
            reconciliation = Reconciliation(launcher, tickets, servers)
            await reconciliation.of_everybody()
            yield launcher, servers
            await reconciliation.close()

    async def test_a_launch_that_goes_on_gets_its_server_back(self, cluster: Cluster, offer: Catalogue) -> None:
        async with _launching(cluster, offer) as launcher:
            job = await _submitted(launcher, offer)
        cluster.run(job.job_id)
        async with self._later(cluster, offer) as (later, servers):
            assert servers.started == ["alice"]
            assert (await _record(later, job)).is_open

    @pytest.mark.parametrize("is_forgotten", [False, True])
    async def test_a_launch_that_is_over_ends_and_leaves_nothing(
        self, cluster: Cluster, offer: Catalogue, is_forgotten: bool
    ) -> None:
        async with _launching(cluster, offer) as launcher:
            job = await _submitted(launcher, offer)
        cluster.end(job.job_id, "done")
        if is_forgotten:
            cluster.forget()
        async with self._later(cluster, offer) as (later, servers):
            assert (await _released(later, job)).ended
            assert servers.started == []
            assert not _ticket(cluster, job).exists()

    async def test_whose_site_says_nothing_is_not_over(self, cluster: Cluster, offer: Catalogue) -> None:
        async with _launching(cluster, offer) as launcher:
            job = await _submitted(launcher, offer)
        cluster.fall_silent()
        async with self._later(cluster, offer) as (later, _):
            assert (await _record(later, job)).is_open
            assert _ticket(cluster, job).exists()
        assert set(cluster.live) == {job.job_id}

    async def test_a_job_whose_number_nobody_heard_is_found_by_its_mark(
        self, cluster: Cluster, offer: Catalogue
    ) -> None:
        launch_id = new_launch_id()
        async with _launching(cluster, offer) as launcher:
            name = mark("jupyter", "hub", launch_id)
            await launcher.records.begin(
                launch_id, builders.launch(offer), server="", mark=name, token_hash="f" * 64
            )
        number = cluster.add(7, "alice", mark("jupyter", "hub", launch_id))
        async with self._later(cluster, offer) as (later, servers):
            await later.records.settled()
            record = await later.records.get(launch_id)
            assert (record and record.job_id, servers.started) == (number, ["alice"])

    async def test_a_stop_that_was_promised_is_carried_out(self, cluster: Cluster, offer: Catalogue) -> None:
        async with _launching(cluster, offer) as launcher:
            job = await _submitted(launcher, offer)
            await launcher.records.want_stop(job.launch_id)
        cluster.run(job.job_id)
        async with self._later(cluster, offer) as (later, _):
            await _released(later, job)
        assert cluster.live == {}

    async def test_a_job_that_no_record_knows_is_cancelled_and_others_are_not(
        self, cluster: Cluster, offer: Catalogue
    ) -> None:
        async with _launching(cluster, offer) as launcher:
            job = await _submitted(launcher, offer)
        cluster.run(job.job_id)
        stray = cluster.add(7, "alice", mark("jupyter", "hub", new_launch_id()))
        names = (
            mark("jupyter", "hub-2", new_launch_id()),
            mark("job", "hub", new_launch_id()),
            "jupyter-hub-x",
            "a",
        )
        for number, name in enumerate(names, 8):
            cluster.add(number, "alice", name)
        cluster.add(20, "carol", mark("jupyter", "hub", new_launch_id()))
        async with self._later(cluster, offer):
            await until(lambda: stray not in cluster.live)
        assert len(cluster.live) == 1 + len(names) + 1
