import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kerberos_auth.errors import AuthFailed
from profiles.schema import Catalogue
from slurm_ssh_spawner import launcher as launcher_module
from slurm_ssh_spawner import script
from slurm_ssh_spawner.errors import Broken, JobEnded, Refused, Unavailable
from slurm_ssh_spawner.job import Job, JobState
from slurm_ssh_spawner.launcher import Launcher
from tests.support import builders
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID


class _Tickets:
    """Everybody but bob has a ticket."""

    def get(self, user: str) -> str:
        return user

    def read(self, user: str) -> bytes:
        if user == "bob":
            raise AuthFailed("Your ticket has expired. Log in again.")
        return b"ticket"


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalSite:
    """A site on this machine in place of the SSH connections to one."""
    local = LocalSite(tmp_path)
    local.install_slurm()
    monkeypatch.setattr(launcher_module, "ConnectionPool", lambda _ticket_of: local)
    monkeypatch.setattr("slurm_ssh_spawner.watch.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(launcher_module, "_END_LOOK_SECONDS", 0.01)
    return local


@pytest.fixture
def offer(local: LocalSite) -> Catalogue:
    site = builders.site(
        slurm_path=str(local.slurm),
        job_folder=f"{local.home}/{{owner}}/jobs",
        ticket_folder=f"{local.home}/{{owner}}/tickets",
        node_address="{node}.geneva.test",
    )
    return builders.catalogue(sites={"geneva": site})


@pytest.fixture
async def launcher(offer: Catalogue) -> AsyncIterator[Launcher]:
    tickets: Any = _Tickets()
    launcher = Launcher("hub", offer.sites, tickets)
    yield launcher
    await launcher.close()


class _Told:
    """What a launch said and saved."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.saved: list[Job] = []

    async def submit(self, launcher: Launcher, offer: Catalogue, user: str = "alice") -> Job:
        launch = builders.launch(offer, user=user)
        job = launcher.job(launch, ID)
        return await launcher.submit(launch, job, builders.process(), self.saved.append, self.sentences.append)


def _queue(local: LocalSite, word: str, node: str = "n/a", reason: str = "None") -> None:
    local.tell("queue", f"42|{word}|{node}|alice|{reason}|jupyter-hub-{ID}\n")


def _job(**changed: str) -> Job:
    return builders.job(job_id="42", **changed)


def _ready(launcher: Launcher, told: _Told) -> tuple["asyncio.Future[int]", "asyncio.Task[str]"]:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    return port, asyncio.create_task(launcher.until_ready(_job(), port, told.sentences.append))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_a_submitted_job_is_saved_with_its_number(launcher: Launcher, offer: Catalogue) -> None:
    told = _Told()
    job = await told.submit(launcher, offer)
    assert told.saved == [job] == [_job()]
    assert told.sentences == ["Connecting to Geneva as alice.", "Geneva has accepted job 42."]
    assert not launcher.is_submitting(job)


async def test_without_a_ticket_nothing_is_submitted(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    told = _Told()
    with pytest.raises(Refused, match="Your ticket has expired"):
        await told.submit(launcher, offer, user="bob")
    assert (local.told("submissions"), told.saved) == ("", [])


async def test_a_submission_goes_on_when_nobody_waits_for_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    told = _Told()
    waiting = asyncio.create_task(told.submit(launcher, offer))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert waiting.cancelled()
    await launcher.cancel(_job())
    assert told.saved == [_job()]
    assert local.told("submissions") == "x\n"


async def test_a_job_is_cancelled_by_its_mark_and_seen_to_end(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "RUNNING", "n1")
    await launcher.cancel(_job())
    assert local.told("scancel.arguments").splitlines() == ["--user=alice", f"--name=jupyter-hub-{ID}"]
    assert local.told("queue") == ""


async def test_a_site_that_cannot_be_told_to_stop_a_job_is_said(launcher: Launcher, local: LocalSite) -> None:
    local.tell("silent", "")
    with pytest.raises(Unavailable, match="Geneva could not be told to stop the job"):
        await launcher.cancel(_job())


async def test_the_port_that_a_job_reports_makes_it_ready(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "RUNNING", "n1")
    told = _Told()
    port, ready = _ready(launcher, told)
    port.set_result(8888)
    assert await ready == "http://n1.geneva.test:8888"
    assert told.sentences[-1] == "The server is up on n1."


async def test_a_waiting_person_is_told_why_once(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "PENDING", reason="Resources")
    told = _Told()
    port, ready = _ready(launcher, told)
    await _until(lambda: len(told.sentences) == 1)
    _queue(local, "RUNNING", "n1")
    await _until(lambda: len(told.sentences) == 2)
    port.set_result(8888)
    await ready
    assert told.sentences[0] == "The job waits in the queue (Resources)."
    assert told.sentences[1].startswith("The job runs on n1")
    assert len(told.sentences) == 3


async def test_a_job_that_ends_before_its_server_is_up_shows_the_end_of_its_log(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    _queue(local, "FAILED", "n1", "NonZeroExitCode")
    log = Path(script.log_path(offer.sites["geneva"], "alice", ID))
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    _, ready = _ready(launcher, _Told())
    with pytest.raises(JobEnded, match="ended before the notebook was up") as ended:
        await ready
    assert "(FAILED)" in ended.value.message
    assert ended.value.quoted.splitlines() == [f"line {number}" for number in range(85, 100)]


async def test_a_job_that_slurm_twice_does_not_know_is_gone(launcher: Launcher) -> None:
    _, ready = _ready(launcher, _Told())
    with pytest.raises(JobEnded, match="gone from Slurm"):
        await ready


@pytest.mark.parametrize("mishap", ["silent", "garbage", "lost"])
async def test_a_site_that_cannot_be_asked_does_not_end_a_job(
    launcher: Launcher, local: LocalSite, mishap: str
) -> None:
    match mishap:
        case "silent":
            local.tell("silent", "")
        case "garbage":
            local.tell("queue", "maintenance until Monday\n")
        case "lost":
            local.mishaps = ["before"] * 10
    states = [(await launcher.report(_job())).state for _ in range(4)]
    assert states == [JobState.UNKNOWN] * 4


async def test_a_released_launch_leaves_no_ticket(launcher: Launcher, offer: Catalogue, local: LocalSite) -> None:
    job = await _Told().submit(launcher, offer)
    ticket = local.home / "alice" / "tickets" / f"{ID}.ccache"
    assert ticket.exists()
    launcher.release(job)
    await _until(lambda: not ticket.exists())


async def test_a_job_of_a_site_that_left_the_catalogue_is_for_the_admin(launcher: Launcher) -> None:
    with pytest.raises(Broken, match="bern is no longer in the catalogue"):
        await launcher.cancel(_job(site_key="bern"))
    assert (await launcher.report(_job(site_key="bern"))).state is JobState.UNKNOWN
