"""Launches at a site whose jobs PBS runs: submitted, seen, found again, stopped, on this machine."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.facts import Capacity, Nodes
from slurm_ssh.errors import SubmissionAbsent, SubmitRefused, Unavailable
from slurm_ssh.job import Job, JobState, new_launch_id
from slurm_ssh.pbs import nodes
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.launch.launcher import Launcher
from tests.support import builders, composing, small_pbs
from tests.support.launching import Tickets
from tests.support.small_pbs import PbsSite
from tests.support.waiting import until
from tests.support.whole_job import stub

_PEOPLE = [f"person{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.watch.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.question._FIRST_REST_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0.01)


@pytest.fixture
def pbs(tmp_path: Path) -> PbsSite:
    return PbsSite(tmp_path)


@pytest.fixture
def offer(pbs: PbsSite) -> Catalogue:
    return builders.catalogue(
        sites={"geneva": small_pbs.site(pbs)},
        # It has no hub to tell its port to: it waits for one until it is told to end.
        profiles={"jupyterlab": builders.profile(command=stub("until-term"))},
    )


@pytest.fixture
async def launcher(offer: Catalogue, pbs: PbsSite, tmp_path: Path) -> AsyncIterator[Launcher]:
    tickets: Any = Tickets()
    launcher = composing.launcher(offer.sites, tickets, f"sqlite:///{tmp_path}/launches", pbs)
    yield launcher
    for number, job in pbs.jobs.items():
        if job["job_state"] == "R":
            asked = Login(job["Job_Owner"], job["Job_Owner"].partition("@")[0], "geneva")
            async with pbs.connection(asked) as connection:
                await connection.run(f"{pbs.folder}/qdel {number}")
    await launcher.close()


async def _submitted(launcher: Launcher, offer: Catalogue, user: str = "alice") -> Job:
    launch = builders.launch(offer, user=user)
    handle = launcher.job(launch, new_launch_id())
    process = builders.process(report_url="http://127.0.0.1:9/hub/api/launches/none")
    return await launcher.submit(launch, handle, process, lambda _: None, lambda _: None)


async def _seen(launcher: Launcher, job: Job, *states: JobState) -> Any:
    """Return the first observation of one of these states."""
    async with asyncio.timeout(60):
        while True:
            report = await launcher.report(job)
            if report.state in states:
                return report
            await asyncio.sleep(0.02)


async def _ended(launcher: Launcher, job: Job) -> Any:
    """Return the record of a launch when it says why that has ended."""
    async with asyncio.timeout(60):
        while True:
            await launcher.records.settled()
            record = await launcher.records.get(job.launch_id)
            if record and " " in record.end_reason and record.end_reason != "gone from Slurm":
                return record
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("version", ["new", "old", "forgetful"])
async def test_many_people_start_see_and_stop_their_jobs_at_once(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite, version: str
) -> None:
    pbs.tell(version)
    people = _PEOPLE if version == "new" else _PEOPLE[:2]
    jobs = await asyncio.gather(*(_submitted(launcher, offer, user) for user in people))
    assert {job.job_id: job.owner for job in jobs} == {
        number: said["Job_Owner"].partition("@")[0] for number, said in pbs.jobs.items()
    }
    reports = await asyncio.gather(*(_seen(launcher, job, JobState.RUNNING) for job in jobs))
    assert {report.node for report in reports} == {"localhost"}
    stopped, running = jobs[::2], jobs[1::2]
    await asyncio.gather(*(launcher.cancel(job) for job in stopped))
    states = {number: said["job_state"] for number, said in pbs.jobs.items()}
    assert {states[job.job_id] for job in stopped} == {"F"}
    assert {states[job.job_id] for job in running} == {"R"}
    assert {(await launcher.report(job)).state for job in running} == {JobState.RUNNING}


async def test_nothing_secret_is_in_what_qstat_shows_everybody(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    pbs.tell("full")
    job = await _submitted(launcher, offer)
    assert "5ec4e7" not in str(pbs.jobs)
    assert "5ec4e7-t0ken" in (pbs.folder / f"{job.job_id}.SC").read_text()
    record = await launcher.records.get(job.launch_id)
    assert record
    assert "5ec4e7" not in str(record)


@pytest.mark.parametrize(
    ("option", "account", "project"), [("-A", "physics", "_pbs_project_default"), ("-P", None, "physics")]
)
async def test_a_project_is_charged_as_the_site_charges_them(
    launcher: Launcher, pbs: PbsSite, option: str, account: str | None, project: str
) -> None:
    pbs.tell("full")
    scheduler = {"kind": "pbs", "path": str(pbs.folder), "project_option": option}
    geneva = {**small_pbs.site(pbs), "scheduler": scheduler}
    job = await _submitted(launcher, builders.catalogue(sites={"geneva": geneva}))
    assert (pbs.jobs[job.job_id].get("Account_Name"), pbs.jobs[job.job_id]["project"]) == (account, project)


async def test_a_job_that_waits_says_why_and_is_cancelled(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    pbs.tell("full")
    job = await _submitted(launcher, offer)
    pbs.change(job.job_id, estimated={"start_time": "Sat Nov 28 09:30:00 2026", "exec_vnode": "(n1:ncpus=1)"})
    report = await launcher.report(job)
    assert (report.state, report.reason, report.begins) == (
        JobState.PENDING,
        "Not Running: Insufficient amount of resource: ncpus",
        datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
    )
    await launcher.cancel(job)
    assert pbs.jobs[job.job_id]["job_state"] == "F"


@pytest.mark.parametrize(
    ("version", "state", "sentence"),
    [
        ("new", JobState.ENDED, "The job was cancelled at Geneva; PBS does not say by whom."),
        ("old", JobState.ENDED, "The job was cancelled at Geneva; PBS does not say by whom."),
        ("forgetful", JobState.GONE, "PBS at Geneva does not say why the job ended."),
    ],
)
async def test_a_job_that_somebody_has_deleted_says_so_as_far_as_that_is_known(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite, version: str, state: JobState, sentence: str
) -> None:
    pbs.tell(version)
    job = await _submitted(launcher, offer)
    await _seen(launcher, job, JobState.RUNNING)
    async with pbs.connection(Login.of(job)) as connection:
        assert (await connection.run(f"{pbs.folder}/qdel {job.job_id}")).status == 0
    assert (await _seen(launcher, job, JobState.ENDED, JobState.GONE)).state is state
    assert (await _ended(launcher, job)).end_reason == sentence


async def test_a_kernel_waits_for_no_job_that_pbs_calls_over(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    pbs.tell("full")
    dead = await _submitted(launcher, offer)
    await launcher.cancel(dead)
    pbs.untell("full")
    lock = pbs.home / ".local/share/jupyterhub-sites/scripts.lock"
    lock.mkdir(parents=True)
    (lock / f"geneva@{dead.job_id}").touch()
    profile = builders.profile(kernels=[{"script": "echo built by $PBS_JOBID"}], command=stub("until-term"))
    with_kernel = builders.catalogue(sites={"geneva": small_pbs.site(pbs)}, profiles={"kernel": profile})
    job = await _submitted(launcher, with_kernel)
    log = pbs.home / "alice" / "jobs" / f"{job.launch_id}.log"
    await until(lambda: f"built by {job.job_id}" in (log.read_text() if log.exists() else ""))
    assert f"Job {dead.job_id} ended before it finished; building again" in log.read_text()


async def test_a_server_that_is_silent_ends_no_job(launcher: Launcher, offer: Catalogue, pbs: PbsSite) -> None:
    job = await _submitted(launcher, offer)
    await _seen(launcher, job, JobState.RUNNING)
    pbs.tell("silent")
    for _ in range(3):
        assert (await launcher.report(job)).state is JobState.UNKNOWN
    with pytest.raises(Unavailable, match="PBS at Geneva did not carry out the request to stop the job"):
        await launcher.cancel(job)
    pbs.untell("silent")
    await launcher.cancel(job)
    assert pbs.jobs[job.job_id]["job_state"] == "F"


async def test_a_job_that_qselect_names_and_qstat_does_not_know_has_ended(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    job = await _submitted(launcher, offer)
    pbs.tell("strays", "77.pbs.test")
    await _seen(launcher, job, JobState.RUNNING)


async def test_a_refusal_is_said_in_words(launcher: Launcher, offer: Catalogue, pbs: PbsSite) -> None:
    pbs.tell("refusal", "qsub: Access to queue is denied\n")
    with pytest.raises(SubmitRefused, match="your groups may not use the partition workq") as refused:
        await _submitted(launcher, offer)
    assert refused.value.choice == "partition"
    pbs.tell("refusal", "qsub: Job violates queue and/or server resource limits\n")
    with pytest.raises(SubmitRefused, match="Job violates queue and/or server resource limits"):
        await _submitted(launcher, offer)


async def test_a_submission_that_did_not_come_to_the_server_is_looked_for_and_was_none(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    pbs.tell("refusal", "qsub: cannot connect to server pbs.test (errno=15010)\n")
    with pytest.raises(SubmissionAbsent, match="PBS at Geneva does not answer"):
        await _submitted(launcher, offer)
    assert pbs.jobs == {}


async def test_an_answer_that_was_lost_is_found_again_by_its_mark(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    pbs.tell("full")
    async with pbs.connection(Login("alice", "alice", "geneva")) as connection:
        connection.mishaps = ["after"]
    job = await _submitted(launcher, offer)
    assert list(pbs.jobs) == [job.job_id]


_HOST = """\
{name}
     Mom = {name}.pbs.test
     ntype = PBS
     state = {state}
     pcpus = 16
     jobs = 1.pbs.test/0, 1.pbs.test/1
     resources_available.arch = linux
     resources_available.host = {name}
     resources_available.mem = {memory}kb
     resources_available.ncpus = 16
     resources_available.vnode = {name}
     resources_assigned.mem = 2097152kb
     resources_assigned.ncpus = {used}
     resv_enable = True
     comment = a|state=free|b
     license = l

"""


async def test_hosts_that_are_alike_are_counted_at_the_site(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    alike = "".join(_HOST.format(name=f"n{at}", state="free", memory=16777216 + at, used=4) for at in range(600))
    down = _HOST.format(name="n600", state="down,offline", memory=16777216, used=0)
    pbs.tell("nodes", alike + down)
    async with pbs.connection(Login("alice", "alice", "geneva")) as connection:
        answer = await connection.run(nodes.question(offer.sites["geneva"]))
    assert len(answer.stdout) < 500
    (facts,) = {(await launcher._core.queries.snapshot("alice", "geneva")).partitions["workq"]}  # type: ignore[index]
    whole = Capacity(16, 16384)
    assert set(facts.nodes) == {Nodes(600, whole, Capacity(12, 14336)), Nodes(1, whole, None)}


async def test_the_queues_are_partitions_of_which_nobody_says_what_is_free(
    launcher: Launcher, offer: Catalogue, pbs: PbsSite
) -> None:
    # The catalogue's people need no pbsnodes.
    (pbs.folder / "pbsnodes").unlink()
    facts = await launcher._core.queries.snapshot("alice", "geneva")
    assert facts.partitions is not None
    said = {name: (each.is_up, each.is_default, each.time_max_minutes) for name, each in facts.partitions.items()}
    assert said == {"workq": (True, True, None), "short": (True, False, 150), "closed": (False, False, None)}
    assert {each.nodes for each in facts.partitions.values()} == {()}


async def test_nobody_is_asked_when_a_job_would_start(launcher: Launcher, offer: Catalogue, pbs: PbsSite) -> None:
    launch = builders.launch(offer)
    login = Login("alice", "alice", "geneva")
    known = await launcher._core.forecasts.of(login, launch.site, builders.request(), 20)
    assert (known.forecast, pbs.logins_of) == (None, {})
