import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from slurm_ssh.errors import JobEnded, Refused
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs import folders, watch
from slurm_ssh.jobs.ending import Explained, explain
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh.scheduler import Listing, Row
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.launch import arrival
from slurm_ssh_spawner.launch.arrival import Arrivals
from slurm_ssh_spawner.launch.clock import clock
from slurm_ssh_spawner.launch.patience import Patience
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from tests.support import builders
from tests.support.local import LocalSite
from tests.support.waiting import until

RUNNING = JobReport(JobState.RUNNING, "RUNNING", node="n1")
FAILED = JobReport(JobState.ENDED, "FAILED", node="n1")


class Waiting:
    """A job that somebody waits for: what Slurm says of it is `report`."""

    def __init__(self, folder: Path) -> None:
        self.local = LocalSite(folder)
        self.site = builders.launch().site.model_copy(update={"job_folder": f"{folder}/jobs"})
        self.log = Path(folders.log_path(self.site, "alice", builders.LAUNCH_ID))
        self.log.parent.mkdir()
        self.report = RUNNING
        self.over: list[JobReport] = []
        self.progress = Progress()
        self.port = ReportedPort()
        self.patience = Patience.of(builders.launch())

    def has_monitor(self, _site_key: str) -> bool:
        return False

    async def of_site(self, job: Job) -> Listing:
        raise Refused(job.site_key)

    async def of_owner(self, job: Job) -> Listing:
        return Listing((Row(job.job_id, job.owner, job.mark, self.report),))

    def _ended(self, job: Job, report: JobReport) -> "asyncio.Task[Explained]":
        self.over.append(report)
        return asyncio.create_task(explain(self._remote(), job, report.word))

    def _remote(self) -> Remote:
        pool: Any = self.local
        return Remote(pool, Login("alice", "alice", "geneva"), self.site)

    def start(self) -> "asyncio.Task[str]":
        arrivals = Arrivals(JobWatch(self), lambda _: self._remote(), self._ended)
        return asyncio.create_task(arrivals.node(builders.job(), self.port, self.progress, self.patience))


@pytest.fixture
async def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    monkeypatch.setattr(arrival, "OUTPUT_SECONDS", 0.02)
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)
    monkeypatch.setattr(arrival, "_END_SECONDS", 0.01)
    monkeypatch.setattr(arrival, "UNHEARD_SECONDS", 0.02)
    # Whoever waits for the next look of the watch waits for ever.
    monkeypatch.setattr(watch, "FIRST_PAUSE_SECONDS", 10_000)
    monkeypatch.setattr(watch, "FIRST_LOOK_SECONDS", 0)
    return Waiting(tmp_path)


async def test_the_end_of_the_output_is_read_while_somebody_looks(waiting: Waiting) -> None:
    waiting.log.write_text("one\n")
    node = waiting.start()
    waiting.progress.reported("kernel", "script")
    for _ in range(5):
        await asyncio.sleep(0.02)
    assert waiting.progress.output == ""
    events = waiting.progress.events()
    await anext(events)
    await until(lambda: waiting.progress.output == "one")
    waiting.log.write_text("one\n\x1b[1mtwo\x1b[0m\n")
    await until(lambda: waiting.progress.output == "one\ntwo")
    waiting.port.report(8888)
    assert await node == "n1"
    await events.aclose()


async def test_an_output_that_cannot_be_read_ends_nothing(waiting: Waiting) -> None:
    waiting.local.mishaps = ["before"] * 6
    node = waiting.start()
    waiting.progress.reported("kernel", "script")
    events = waiting.progress.events()
    await anext(events)
    waiting.log.write_text("one\n")
    await until(lambda: waiting.progress.output == "one")
    waiting.port.report(8888)
    assert await node == "n1"
    await events.aclose()


async def test_a_job_that_gives_up_is_seen_to_end_before_the_next_look(waiting: Waiting) -> None:
    waiting.log.write_text("ERROR: no such module\n")
    node = waiting.start()
    waiting.progress.reported("modules", "Loading a")
    await until(lambda: bool(waiting.progress.sentences[1:]))
    waiting.progress.reported("failed", "The module a could not be loaded: ERROR ")
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not node.done()
    waiting.report = FAILED
    with pytest.raises(JobEnded) as ended:
        await asyncio.wait_for(node, 30)
    assert ended.value.message == (
        "The job at Geneva ended before the notebook was up (FAILED). "
        "The module a could not be loaded: ERROR. "
        f"These are the last lines of its log, {waiting.log}:"
    )
    stage, _, tail = ended.value.quoted.partition("\n\n")
    assert re.search(r"modules: Loading a \(\d+ s, failed\)$", stage)
    assert tail == "ERROR: no such module"
    assert waiting.over == [FAILED]


async def _ended(waiting: Waiting) -> JobEnded:
    waiting.report = FAILED
    with pytest.raises(JobEnded) as ended:
        await waiting.start()
    return ended.value


_OWN = "/home/alice/.local/lib/python3.11/site-packages"
_SERVERS = "/opt/jupyterlab/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (f"{_OWN}/traitlets/__init__.py", "AttributeError: no such thing"),
        (f"{_OWN}/traitlets.py", "AttributeError: no such thing"),
        (f"{_SERVERS}/app.py", f"ImportError: cannot import name 'x' from 'traitlets' ({_OWN}/traitlets/a.py)"),
    ],
)
async def test_a_persons_package_that_hides_the_servers_own_is_named(
    waiting: Waiting, frame: str, error: str
) -> None:
    waiting.log.write_text(
        f'Traceback (most recent call last):\n  File "{_SERVERS}/run.py", line 1, in main\n    run()\n'
        f'  File "{frame}", line 7, in <module>\n    x\n{error}\n'
    )
    assert (
        f"The package traitlets in {_OWN} hides the server's own. "
        "Move it away (pip uninstall traitlets), and install it in an environment of its own."
        in (await _ended(waiting)).message
    )


async def test_other_failures_blame_no_package(waiting: Waiting) -> None:
    waiting.log.write_text(
        f"found {_OWN}/traitlets/__init__.py\nTraceback (most recent call last):\n"
        f'  File "{_OWN}/mine/__init__.py", line 7, in run\n    x\n'
        f'  File "{_SERVERS}/app.py", line 7, in <module>\n    x\nValueError: no\n'
    )
    assert "hides" not in (await _ended(waiting)).message


async def test_a_log_that_is_missing_is_not_announced(waiting: Waiting) -> None:
    ended = await _ended(waiting)
    assert ended.message == (
        "The job at Geneva ended before the notebook was up (FAILED). "
        "Slurm at Geneva does not say why the job ended. "
        f"Its log, {waiting.log}, is empty or missing. If that is so for each job, tell the administrators: "
        "the nodes may not share that folder with the front ends."
    )
    assert ended.quoted == ""


async def test_a_log_that_cannot_be_read_is_said_with_the_reason(waiting: Waiting) -> None:
    waiting.log.write_text("one\n")
    waiting.local.mishaps = ["before", "before"]
    ended = await _ended(waiting)
    assert ended.message == (
        "The job at Geneva ended before the notebook was up (FAILED). "
        "Slurm at Geneva does not say why the job ended. "
        f"Its log, {waiting.log}, could not be read. The connection to Geneva was lost."
    )
    assert ended.quoted == ""


async def test_the_last_stage_ends_when_the_server_is_up(waiting: Waiting) -> None:
    node = waiting.start()
    waiting.progress.reported("starting", "Python")
    waiting.port.report(8888)
    await node
    assert [(stage.ended is not None, stage.failed) for stage in waiting.progress.stages] == [(True, False)]


def _patience(queue: float, run: float = 3600.0) -> Patience:
    """Return one for a launch that was begun two hours before the end of its wait, `queue` seconds from now."""
    until = datetime.now(UTC) + timedelta(seconds=queue)
    return Patience(until - timedelta(hours=2), until, timedelta(seconds=run))


async def test_a_job_that_waits_too_long_is_given_up_with_a_sentence(waiting: Waiting) -> None:
    waiting.report, waiting.patience = JobReport(JobState.PENDING, "PENDING", "Resources"), _patience(0.1)
    with pytest.raises(Refused) as refused:
        await waiting.start()
    assert not isinstance(refused.value, JobEnded)
    assert refused.value.message == (
        "Your job waited in the queue of Geneva for 2h, and is cancelled. "
        "Start it again, or ask for less: smaller and shorter jobs begin sooner."
    )
    assert waiting.over == []


async def test_until_when_a_job_may_wait_is_told_from_the_start(waiting: Waiting) -> None:
    waiting.report = JobReport(JobState.PENDING, "PENDING", "Resources")
    node = waiting.start()
    await until(lambda: len(waiting.progress.sentences) == 2)
    assert waiting.progress.sentences == [
        "The job waits in the queue (Resources).",
        f"The hub waits for it until {clock(waiting.patience.until)} at most.",
    ]
    node.cancel()


async def test_a_job_that_runs_is_waited_for_longer(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.patience._LOOK_SECONDS", 0.01)
    waiting.patience = _patience(3600)
    node = waiting.start()
    await until(lambda: waiting.patience.runs)
    waiting.patience.until = datetime.now(UTC)
    await asyncio.sleep(0.05)
    waiting.port.report(8888)
    assert await node == "n1"


async def test_a_job_that_runs_without_its_server_is_given_up_too(waiting: Waiting) -> None:
    waiting.log.write_text("still loading\n")
    waiting.patience = _patience(0, run=0.2)
    waiting.patience.seen(RUNNING)
    with pytest.raises(Refused) as refused:
        await waiting.start()
    assert refused.value.message == (
        f"The job at Geneva ran, but its server was not up by {waiting.patience.clock}. The job is cancelled."
    )
    assert refused.value.quoted == "still loading"
    # In a page the reader's clock says it.
    assert f">{waiting.patience.clock}</time>. The job is cancelled." in escape(refused.value.message)


async def test_a_site_that_is_silent_is_not_waited_for_without_end(waiting: Waiting) -> None:
    waiting.report, waiting.patience = JobReport(JobState.UNKNOWN), _patience(0.1)
    waiting.port.report(8888)
    with pytest.raises(Refused, match="Your job waited in the queue of Geneva for 2h"):
        await waiting.start()


_UNREACHABLE = (
    "[10:00:01] modules: Loading a\nwaiting for the hub: <urlopen error [Errno 111] Connection refused>\n"
)


async def test_a_job_that_cannot_reach_the_hub_says_so(waiting: Waiting, caplog: pytest.LogCaptureFixture) -> None:
    waiting.site = waiting.site.model_copy(update={"hub_url": "http://hub.test:9999"})
    waiting.log.write_text(_UNREACHABLE)
    node = waiting.start()
    await until(lambda: len(waiting.progress.sentences) == 2)
    assert waiting.progress.sentences[1] == (
        "The job runs on n1, which cannot reach the hub at http://hub.test:9999: Connection refused. "
        "Please tell the administrators of the hub."
    )
    assert waiting.progress.output == _UNREACHABLE.strip()
    assert (
        "(Connection refused). See hub_url of geneva in the catalogue (jobs report to http://hub.test:9999)"
        in (caplog.text)
    )
    waiting.log.write_text(f"{_UNREACHABLE}waiting for the hub: HTTP Error 502: Bad Gateway\n")
    await until(lambda: len(waiting.progress.sentences) == 3)
    assert "HTTP Error 502: Bad Gateway" in waiting.progress.sentences[2]
    waiting.port.report(8888)
    assert await node == "n1"


async def test_a_job_that_waits_or_has_reported_is_not_taken_for_silent(waiting: Waiting) -> None:
    waiting.log.write_text(_UNREACHABLE)
    waiting.report = JobReport(JobState.PENDING, "PENDING")
    node = waiting.start()
    await until(lambda: len(waiting.progress.sentences) == 2)
    waiting.progress.reported("modules", "Loading a")
    waiting.patience.seen(RUNNING)
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert not any("cannot reach" in sentence for sentence in waiting.progress.sentences)
    node.cancel()


async def test_a_log_that_cannot_be_read_is_read_again(waiting: Waiting) -> None:
    waiting.local.mishaps = ["before"] * 4
    waiting.log.write_text(_UNREACHABLE)
    node = waiting.start()
    await until(lambda: len(waiting.progress.sentences) == 2)
    assert "cannot reach the hub: Connection refused" in waiting.progress.sentences[1]
    node.cancel()


async def test_a_job_that_ended_because_it_did_not_reach_the_hub_says_that(waiting: Waiting) -> None:
    waiting.log.write_text("This job ends, because the hub could not be reached for 4 h: timed out.\n")
    ended = await _ended(waiting)
    assert "(FAILED). The job runs on n1, which cannot reach the hub: timed out." in ended.message
