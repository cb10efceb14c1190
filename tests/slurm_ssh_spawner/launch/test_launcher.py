import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, JobEnded, Refused, SiteUnreachable, SubmissionLost, SubmitRefused, Unavailable
from slurm_ssh.job import Job, JobState, LaunchId
from slurm_ssh.jobs import folders
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from tests.support import builders, composing, loopback, names
from tests.support.local import LocalSite
from tests.support.small_slurm import SmallSlurm
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

ID = builders.LAUNCH_ID


class _Tickets:
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


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.watch.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.core.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh_spawner.launch.launcher.ABSENT_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.question._FIRST_REST_SECONDS", 0.01)
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)


@pytest.fixture
def offer(local: LocalSite) -> Catalogue:
    return _catalogue(local)


def _catalogue(local: LocalSite, profile: dict[str, Any] | None = None, **site: Any) -> Catalogue:
    usual = {
        "slurm_path": str(local.slurm),
        "job_folder": f"{local.home}/{{owner}}/jobs",
        "ticket_folder": f"{local.home}/{{owner}}/tickets",
        "node_address": "{node}.geneva.test",
    }
    profiles = {"jupyterlab": builders.profile(**(profile or {}))}
    return builders.catalogue(sites={"geneva": builders.site(**{**usual, **site})}, profiles=profiles)


def _launcher(tmp_path: Path, offer: Catalogue, tickets: Any, pool: Any, *ports: int) -> Launcher:
    return composing.launcher(offer.sites, tickets, f"sqlite:///{tmp_path}/launches", pool, ports)


@pytest.fixture
def tickets() -> _Tickets:
    return _Tickets()


@pytest.fixture(autouse=True)
def _nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    names.known(monkeypatch).update({"n1.geneva.test": ("203.0.113.7",), "localhost": ("127.0.0.1",)})


@pytest.fixture
async def launcher(
    offer: Catalogue, local: LocalSite, tmp_path: Path, tickets: _Tickets
) -> AsyncIterator[Launcher]:
    launcher = _launcher(tmp_path, offer, tickets, local)
    yield launcher
    await launcher.close()


async def _record(launcher: Launcher) -> LaunchRecord:
    await launcher.records.settled()
    record = await launcher.records.get(ID)
    assert record is not None
    return record


async def _ended(launcher: Launcher) -> None:
    """Return when the launch's record has an end."""
    async with asyncio.timeout(20):
        while (await _record(launcher)).ended is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


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


def _ready(launcher: Launcher, progress: Progress) -> tuple[ReportedPort, "asyncio.Task[tuple[str, Place]]"]:
    port = ReportedPort()
    return port, asyncio.create_task(launcher.until_ready(_job(), port, progress))


async def test_a_submitted_job_is_saved_with_its_number(launcher: Launcher, offer: Catalogue) -> None:
    told = _Told()
    job = await told.submit(launcher, offer)
    assert told.saved == [job] == [_job()]
    assert told.sentences == ["Connecting to Geneva as alice.", "Geneva has accepted job 42."]
    assert not launcher.is_submitting(job)
    record = await _record(launcher)
    assert (record.user, record.site_key, record.job_id, record.ended) == ("alice", "geneva", "42", None)


async def test_a_job_is_saved_whatever_becomes_of_the_database_of_launches(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.worker.AGAIN_SECONDS", 0.01)
    told, held = _Told(), asyncio.Event()
    local.holds.append(held)
    submission = asyncio.create_task(told.submit(launcher, offer))
    await until(lambda: not local.holds)
    database = tmp_path / "launches"
    database.rename(tmp_path / "away")
    held.set()
    assert [await submission] == told.saved == [_job()]
    (tmp_path / "away").rename(database)
    record = await _record(launcher)
    assert (record.job_id, record.ended) == ("42", None)


async def test_without_a_record_nothing_is_submitted(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    (tmp_path / "launches").rename(tmp_path / "away")
    told = _Told()
    with pytest.raises(DatabaseAway):
        await told.submit(launcher, offer)
    assert (local.told("submissions"), told.saved, told.sentences) == ("", [], [])


async def test_a_launch_that_was_refused_keeps_the_reason(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    local.tell("refusal", "sbatch: error: Too tired\n")
    with pytest.raises(SubmitRefused, match="Too tired"):
        await _Told().submit(launcher, offer)
    record = await _record(launcher)
    assert record.ended is not None
    assert record.end_reason.startswith("not submitted: Geneva did not accept the job: Too tired.")
    assert not launcher._patiences._kept, "it is remembered for ever"


async def test_without_a_ticket_nothing_is_submitted(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    told = _Told()
    with pytest.raises(Refused, match="Your ticket has expired"):
        await told.submit(launcher, offer, user="bob")
    assert (local.told("submissions"), told.saved) == ("", [])


async def test_where_people_come_by_certificate_nobody_needs_a_ticket_and_no_job_gets_one(
    local: LocalSite, tmp_path: Path, tickets: _Tickets
) -> None:
    login = {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"}
    offer = _catalogue(local, login=login, ticket={"delivery": "none"})
    launcher = _launcher(tmp_path, offer, tickets, local)
    job = await _Told().submit(launcher, offer, user="bob")
    record = await _record(launcher)
    assert (record.job_id, record.ticket_ends) == ("42", None)
    # Somebody may have one for another site.
    job = replace(job, user="alice")
    launcher._core.upkeep.add(job)
    tickets.put("alice", b"newer")
    await launcher._core.upkeep.settled(job)
    assert (await _record(launcher)).ticket_ends is None
    await launcher.close()


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


async def test_a_stop_does_not_wait_for_ever_for_a_submission(
    launcher: Launcher, offer: Catalogue, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.cancelling._STOP_SECONDS", 0.2)
    monkeypatch.setattr("slurm_ssh_spawner.launch.cancelling._CANCEL_SECONDS", 0.1)
    local.holds = [asyncio.Event()]
    (held,) = local.holds
    submitting = asyncio.create_task(_Told().submit(launcher, offer))
    await until(lambda: launcher.is_submitting(_job()))
    with pytest.raises(Unavailable) as late:
        await launcher.cancel(_job())
    assert late.value.message.startswith("Geneva has not answered yet whether it accepts the job. The hub stops")
    assert local.told("scancel.arguments") == ""
    held.set()
    await submitting
    await _ended(launcher)
    assert (await _record(launcher)).end_reason == "stopped"
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")


async def test_a_job_that_may_be_there_is_stopped_as_soon_as_its_site_answers(
    launcher: Launcher, offer: Catalogue, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setattr("slurm_ssh.jobs.upkeep.PAUSES_SECONDS", (0.1,))
    local.tell("silent", "")
    local.mishaps = ["after"]
    with pytest.raises(Unavailable, match="was lost while the job was submitted"):
        await _Told().submit(launcher, offer)
    _queue(local, "PENDING")
    (local.slurm / "silent").unlink()
    await until(lambda: local.told("queue") == "")
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")


async def test_a_job_is_cancelled_by_its_mark_and_seen_to_end(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "RUNNING", "n1")
    await launcher.cancel(_job())
    assert local.told("scancel.arguments").splitlines() == ["--user=alice", f"--name=jupyter-hub-{ID}"]
    assert local.told("queue") == ""


async def test_a_site_that_cannot_be_told_to_stop_a_job_is_said(launcher: Launcher, local: LocalSite) -> None:
    local.tell("silent", "")
    with pytest.raises(Unavailable, match="Slurm at Geneva did not carry out the request to stop the job"):
        await launcher.cancel(_job())


async def test_the_port_that_a_job_reports_makes_it_ready(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "RUNNING", "n1")
    told = Progress()
    port, ready = _ready(launcher, told)
    port.report(8888)
    assert (await ready)[0] == "http://203.0.113.7:8888"
    assert told.sentences[-1] == "The server is up on n1."


async def test_a_port_that_was_reported_before_the_job_ran_is_not_its_port(
    launcher: Launcher, local: LocalSite
) -> None:
    _queue(local, "PENDING", reason="Resources")
    port, ready = _ready(launcher, Progress())
    port.report(5555)
    await until(lambda: not port.number)
    _queue(local, "RUNNING", "n1")
    port.report(8888)
    port.report(5555)
    assert (await ready)[0] == "http://203.0.113.7:8888"


async def test_a_port_waits_for_slurm_while_that_does_not_answer(launcher: Launcher, local: LocalSite) -> None:
    local.tell("silent", "")
    _queue(local, "RUNNING", "n1")
    port, ready = _ready(launcher, Progress())
    port.report(8888)
    await asyncio.wait((ready,), timeout=1)
    (local.slurm / "silent").unlink()
    assert (await ready)[0] == "http://203.0.113.7:8888"


async def test_a_waiting_person_is_told_why_once(launcher: Launcher, local: LocalSite) -> None:
    _queue(local, "PENDING", reason="Resources")
    told = Progress()
    port, ready = _ready(launcher, told)
    await until(lambda: len(told.sentences) == 2)
    _queue(local, "RUNNING", "n1")
    await until(lambda: len(told.sentences) == 3)
    port.report(8888)
    await ready
    assert told.sentences[0] == "The job waits in the queue (Resources)."
    assert told.sentences[1].startswith("The hub waits for it until ")
    assert told.sentences[2].startswith("The job runs on n1")
    assert len(told.sentences) == 4


async def test_a_server_that_the_hub_does_not_reach_ends_with_its_reason(
    launcher: Launcher, offer: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.reachable.SECONDS", 0.05)
    job = await _Told().submit(launcher, offer)
    url = f"http://127.0.0.1:{loopback.free_port()}"
    # What leads through a tunnel answers there.
    await launcher.until_open(job, url, Place("n1", 8888, local_port=20000))
    with pytest.raises(Broken, match="The hub cannot reach the server on n1 at ") as broken:
        await launcher.until_open(job, url, Place("n1", 8888))
    await launcher.cancel(job)
    assert (await _record(launcher)).end_reason == broken.value.message


async def test_a_launch_that_waits_too_long_ends_with_its_reason(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    impatient = replace(builders.launch(offer), queue_wait_minutes=0)
    handle, progress = launcher.job(impatient, ID), Progress()
    _queue(local, "PENDING", reason="Resources")
    job = await launcher.submit(impatient, handle, builders.process(), lambda _: None, progress.tell)
    record = await _record(launcher)
    assert record.wait_until
    assert record.begun - record.wait_until < timedelta(seconds=60)
    with pytest.raises(Refused, match="Your job waited in the queue of Geneva for ") as refused:
        await launcher.until_ready(job, ReportedPort(), progress)
    # As JupyterHub does with a start that has failed.
    await launcher.cancel(job)
    assert local.told("queue") == ""
    assert (await _record(launcher)).end_reason == refused.value.message
    await until(lambda: launcher.notices("alice") != ())
    (notice,) = launcher.notices("alice")
    assert str(notice).startswith("Your server at Geneva did not come up; the start was over at ")


async def test_a_job_that_ends_before_its_server_is_up_shows_the_end_of_its_log(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    _queue(local, "FAILED", "n1", "NonZeroExitCode")
    log = Path(folders.log_path(offer.sites["geneva"], "alice", ID))
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    _, ready = _ready(launcher, Progress())
    with pytest.raises(JobEnded, match="ended before the notebook was up") as ended:
        await ready
    assert "(FAILED)" in ended.value.message
    assert ended.value.quoted.splitlines() == [f"line {number}" for number in range(85, 100)]


async def test_a_job_that_slurm_twice_does_not_know_is_gone(launcher: Launcher) -> None:
    _, ready = _ready(launcher, Progress())
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
    await until(lambda: not ticket.exists())


_LEFT_BY_SPARK = f"--user=alice\n--name=spark_cluster-{ID}\n"


async def test_a_released_launch_leaves_no_spark_cluster_in_the_queue(
    local: LocalSite, tmp_path: Path, tickets: _Tickets
) -> None:
    offer = _catalogue(local, {"hooks": {"spark": {"workers": 1}}})
    launcher = _launcher(tmp_path, offer, tickets, local)
    job = await _Told().submit(launcher, offer)
    await launcher.close()
    later = _launcher(tmp_path, offer, tickets, local)
    later.release(job)
    await until(lambda: local.told("scancel.arguments") == _LEFT_BY_SPARK)
    await later.close()


async def test_a_step_of_a_release_that_fails_holds_no_other_up(
    local: LocalSite, tmp_path: Path, tickets: _Tickets, caplog: pytest.LogCaptureFixture
) -> None:
    offer = _catalogue(local, {"hooks": {"spark": {"workers": 1}}})
    launcher = _launcher(tmp_path, offer, tickets, local)
    job = await _Told().submit(launcher, offer)
    ticket = local.home / "alice" / "tickets" / f"{ID}.ccache"
    assert ticket.exists()
    local.mishaps = ["before", "before"]
    launcher.release(job)
    await until(lambda: not ticket.exists())
    assert "what its hooks started at geneva may be left over" in caplog.text
    await launcher.close()


async def test_a_launch_without_hooks_cancels_nothing_but_itself(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    launcher.release(job)
    await until(lambda: not launcher.unattended._tasks)
    assert local.told("scancel.arguments") == ""


async def test_a_job_of_a_site_that_left_the_catalogue_is_for_the_admin(launcher: Launcher) -> None:
    with pytest.raises(Broken, match=r"bern is no longer in the catalogue.* The hub stops the job"):
        await launcher.cancel(_job(site_key="bern"))
    assert (await launcher.report(_job(site_key="bern"))).state is JobState.UNKNOWN


async def test_the_tunnel_of_a_site_that_left_the_catalogue_is_kept(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, place = _job(site_key="bern"), Place("n1", 8888, local_port=20000)
    with pytest.raises(Broken, match="bern is no longer in the catalogue"):
        await launcher.reach(job, place, Deadline.after(5))

    async def kept(launch_id: LaunchId, _deadline: Deadline) -> int:
        return 20001 if launch_id == job.launch_id else 0

    monkeypatch.setattr(launcher._tunnels, "kept", kept)
    url, now = await launcher.reach(job, place, Deadline.after(5))
    assert (url, now.local_port) == ("http://127.0.0.1:20001", 20001)


async def test_a_stopped_launch_was_stopped_whatever_slurm_calls_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    await launcher.cancel(job)
    _queue(local, "CANCELLED", "n1")
    assert (await launcher.report(job)).state is JobState.ENDED
    assert (await _record(launcher)).end_reason == "stopped"


async def test_a_launch_that_ended_by_itself_keeps_why(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    _queue(local, "TIMEOUT", "n1")
    await launcher.report(job)
    await until(lambda: launcher.endings.notices("alice") != ())
    assert (await _record(launcher)).end_reason == "The job's time limit was up."


async def test_a_site_that_cannot_be_asked_ends_no_record(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    local.tell("silent", "")
    for _ in range(3):
        await launcher.report(job)
    assert (await _record(launcher)).ended is None


async def test_a_launch_keeps_the_text_that_was_sent_and_its_stages(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    job = await _Told().submit(launcher, offer)
    live = launcher.reports.expect(job, "", "")
    launcher.reports.stage(live, "loaded", "jupyterlab/new")
    launcher.reports.stage(live, "starting", "Python 3.11.2")
    await launcher.close()
    launcher = _launcher(tmp_path, offer, _Tickets(), local)
    run = await launcher.records.run(ID)
    assert run is not None
    assert run.script == local.told("sbatch.stdin")
    assert [(stage["name"], stage["text"]) for stage in run.stages] == [
        ("loaded", "jupyterlab/new"),
        ("starting", "Python 3.11.2"),
    ]
    assert await launcher.records.run(LaunchId("ffffffffffff")) is None
    await launcher.close()


async def test_an_answer_that_comes_after_the_release_keeps_no_job_up(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    job = await _Told().submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    launcher.release(job)
    assert (await launcher.report(job)).state == JobState.RUNNING
    await launcher._core.upkeep.settled(job)
    tickets.put("alice", b"a newer ticket")
    await launcher.records.settled()
    await launcher._core.upkeep.settled(job)
    # Nothing is delivered any more; what was is being removed.
    await until(lambda: not list(local.home.glob("alice/tickets/*")))


async def test_what_a_job_remarks_is_shown_to_its_owner_while_it_runs(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    launcher.reports.stage(launcher.reports.expect(job, "", ""), "notice", "Without the kernel a.")
    assert launcher.notices("alice") == ("Without the kernel a.",)
    assert launcher.notices("carol") == ()
    _queue(local, "COMPLETED", "n1")
    await launcher.report(job)
    assert launcher.notices("alice") == ()


async def test_a_released_launch_leaves_no_folder(launcher: Launcher, offer: Catalogue) -> None:
    job = await _Told().submit(launcher, offer)
    folder = Path(folders.launch_folder(offer.sites["geneva"], "alice", ID))
    (folder / "config").mkdir(parents=True)
    launcher.release(job)
    await until(lambda: not folder.exists())
    assert folder.parent.exists()


async def test_a_server_that_was_up_is_found_again_by_its_record(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    told = _Told()
    job = await told.submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    port, ready = _ready(launcher, Progress())
    port.report(8888)
    assert await ready == ("http://203.0.113.7:8888", Place("n1", 8888))
    place = Place.of(await _record(launcher))
    assert place == Place("n1", 8888)
    later = _launcher(tmp_path, offer, _Tickets(), local)
    assert await later.reach(job, place, Deadline.after(20)) == ("http://203.0.113.7:8888", place)
    await later.close()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stand for a notebook server: give the first line back."""
    writer.write(await reader.readline())
    writer.close()


async def _said_at(url: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(b"hello\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.fixture
def lugano(login1: Sshd) -> LocalSite:
    """A site behind a front end, whose nodes the hub cannot reach."""
    lugano = LocalSite(login1.home)
    lugano.install_slurm()
    _queue(lugano, "RUNNING", "n1")
    return lugano


async def test_a_server_behind_a_front_end_is_reached_let_go_and_found_again(
    lugano: LocalSite, login1: Sshd, wallet: Wallet, tmp_path: Path
) -> None:
    front_end = login1.front_end.model_dump(mode="json")
    offer = _catalogue(lugano, front_ends=[front_end], tunnel={"kind": "ssh"})
    launcher = _launcher(tmp_path, offer, wallet.store, ConnectionPool(wallet.store.get, 60), loopback.free_port())
    told = _Told()
    job = await told.submit(launcher, offer)
    server = await asyncio.start_server(_answers, "127.0.0.1", 0)
    port, ready = _ready(launcher, Progress())
    port.report(server.sockets[0].getsockname()[1])
    url, place = await ready
    assert await _said_at(url) == b"hello\n"
    assert f"http://127.0.0.1:{(await _record(launcher)).local_port}" == url
    launcher.detach(job)
    with pytest.raises(ConnectionRefusedError):
        await _said_at(url)
    await launcher.close()
    later = _launcher(tmp_path, offer, wallet.store, ConnectionPool(wallet.store.get, 60), loopback.free_port())
    assert await later.reach(job, place, Deadline.after(20)) == (url, place)
    assert await _said_at(url) == b"hello\n"
    ticket = lugano.home / "alice" / "tickets" / f"{ID}.ccache"
    assert ticket.exists()
    later.release(job)
    await until(lambda: not ticket.exists())
    with pytest.raises(ConnectionRefusedError):
        await _said_at(url)
    await later.close()
    await until(lambda: not login1.connections)
    server.close()


async def test_a_new_ticket_reaches_the_running_job_in_the_same_file(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    assert delivered.read_bytes() == b"ticket"
    tickets.put("alice", b"a newer ticket")
    await until(lambda: delivered.read_bytes() == b"a newer ticket")
    assert local.renewed == ["alice"]


async def test_a_new_ticket_of_somebody_else_reaches_nobodys_job(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    tickets.put("carol", b"carol's")
    tickets.put("alice", b"alice's")
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    await until(lambda: delivered.read_bytes() != b"ticket")
    assert delivered.read_bytes() == b"alice's"


async def test_a_job_that_is_over_gets_no_ticket(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    _queue(local, "COMPLETED")
    await launcher.report(_job())
    delivered.unlink()
    tickets.put("alice", b"a newer ticket")
    await launcher.report(_job())
    assert not delivered.exists()


async def test_a_stop_that_waits_for_a_ticket_is_carried_out_with_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused, match="stops the server as soon as its owner has a new ticket"):
        await launcher.cancel(_job())
    assert local.told("scancel.arguments") == ""
    local.refusal = None
    tickets.put("alice", b"a newer ticket")
    await _ended(launcher)
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")
    assert (await _record(launcher)).end_reason == "stopped"


async def test_the_stop_of_a_job_whose_submission_was_lost_is_owed_over_a_restart(
    offer: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    slurm = SmallSlurm()
    slurm.loses = "site"
    earlier = _launcher(tmp_path, offer, _Tickets(), slurm)
    with pytest.raises(SubmissionLost):
        await _Told().submit(earlier, offer)
    await earlier.close()
    slurm.is_away = False
    assert slurm.runs(ID)
    tickets = _Tickets()
    later = _launcher(tmp_path, offer, tickets, slurm)
    tickets.put("alice", b"a newer ticket")
    await _ended(later)
    assert not slurm.runs(ID)
    await later.close()


async def test_a_stop_is_owed_over_a_restart(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    await _Told().submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused):
        await launcher.cancel(_job())
    local.refusal = None
    tickets = _Tickets()
    restarted = _launcher(tmp_path, offer, tickets, local)
    tickets.put("alice", b"a newer ticket")
    await _ended(restarted)
    assert local.told("queue") == ""
    await restarted.close()


async def test_a_job_keeps_the_folders_and_the_delivery_that_it_was_started_with(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    job = await _Told().submit(launcher, offer)
    await launcher.close()
    ticket = local.home / f"alice/tickets/{ID}.ccache"
    folder = local.home / f"alice/jobs/{ID}"
    folder.mkdir()
    edited = _catalogue(
        local,
        job_folder=f"{local.home}/other/{{owner}}",
        ticket_folder=f"{local.home}/elsewhere/{{owner}}",
        ticket={"delivery": "auks"},
    )
    tickets = _Tickets()
    later = _launcher(tmp_path, edited, tickets, local)
    _queue(local, "RUNNING", "n1")
    stored = Job.from_state(json.loads(json.dumps(job.to_state())))
    assert stored is not None
    await later.report(stored)
    tickets.put("alice", b"a newer ticket")
    await until(lambda: ticket.read_bytes() == b"a newer ticket")
    later.release(stored)
    await until(lambda: not ticket.exists() and not folder.exists())
    assert not (local.home / "elsewhere").exists()
    await later.close()


async def test_a_stop_that_is_owed_knows_what_its_job_was_started_with(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await _Told().submit(launcher, offer)
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused):
        await launcher.cancel(job)
    local.refusal = None
    (record,) = await launcher.records.to_stop("alice")
    assert record.job("hub") == job
    assert record.job("hub").started_with == job.started_with is not None


async def test_a_new_ticket_that_does_not_arrive_is_told_until_one_does(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    folder = local.home / "alice/tickets"
    folder.chmod(0o755)
    tickets.put("alice", b"a newer ticket")
    await until(lambda: launcher.notices("alice") != ())
    (sentence,) = launcher.notices("alice")
    assert sentence.startswith("Your jobs at Geneva do not have your new ticket yet and use the one they have; ")
    assert launcher.notices("bob") == ()
    folder.chmod(0o700)
    tickets.put("alice", b"the newest ticket")
    await until(lambda: launcher.notices("alice") == ())
    assert (folder / f"{ID}.ccache").read_bytes() == b"the newest ticket"


async def _with_a_newer_ticket(tickets: _Tickets) -> _Tickets:
    """Return the tickets of a hub that starts and renews alice's before it knows of any job."""
    later = _Tickets()
    later.tickets = dict(tickets.tickets)
    later.put("alice", b"renewed")
    return later


@pytest.mark.parametrize("look", ["reach", "report"])
async def test_a_ticket_renewed_while_the_hub_was_down_is_delivered_at_the_first_look_at_the_job(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets, tmp_path: Path, look: str
) -> None:
    job = await _Told().submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    await launcher.report(job)
    await launcher.close()
    later = _launcher(tmp_path, offer, await _with_a_newer_ticket(tickets), local)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    assert delivered.read_bytes() == b"ticket"
    if look == "reach":
        await later.reach(job, Place("n1", 8888), Deadline.after(20))
    else:
        await later.report(job)
    await until(lambda: delivered.read_bytes() == b"renewed")
    await later.close()


async def test_a_job_that_was_given_the_newest_ticket_gets_none_when_the_hub_starts_again(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets, tmp_path: Path
) -> None:
    job = await _Told().submit(launcher, offer)
    _queue(local, "RUNNING", "n1")
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    tickets.put("alice", b"renewed")
    await until(lambda: delivered.read_bytes() == b"renewed")
    await launcher._core.upkeep.settled(job)
    await launcher.close()
    delivered.write_bytes(b"as it was")
    later = _launcher(tmp_path, offer, tickets, local)
    await later.report(job)
    await later._core.upkeep.settled(job)
    assert delivered.read_bytes() == b"as it was"
    await later.close()


async def test_a_site_that_was_away_at_a_renewal_gets_the_ticket_when_it_is_back(
    launcher: Launcher,
    offer: Catalogue,
    local: LocalSite,
    tickets: _Tickets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.deliveries.PAUSES_SECONDS", (0.01,))
    await _Told().submit(launcher, offer)
    local.refusal = SiteUnreachable("Geneva cannot be reached.")
    tickets.put("alice", b"renewed")
    await until(lambda: launcher.notices("alice") != ())
    assert launcher.notices("alice")[0].endswith("the hub keeps trying. Geneva cannot be reached.")
    local.refusal = None
    await until(lambda: launcher.notices("alice") == ())
    assert (local.home / f"alice/tickets/{ID}.ccache").read_bytes() == b"renewed"


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_edit_of_the_site_does_not_lead_a_running_jobs_ticket_elsewhere(
    launcher: Launcher, local: LocalSite, tickets: _Tickets, tmp_path: Path, offer: Catalogue, *, restarted: bool
) -> None:
    job = await _Told().submit(launcher, offer)
    edited = _catalogue(local, ticket_folder=f"{local.home}/elsewhere/{{owner}}", ticket={"delivery": "copy"})
    offer.sites.clear()  # type: ignore[attr-defined]
    offer.sites.update(edited.sites)  # type: ignore[attr-defined]
    if restarted:
        await launcher.close()
        launcher = _launcher(tmp_path, offer, await _with_a_newer_ticket(tickets), local)
        stored = Job.from_state(job.to_state())
        assert stored
        await launcher.report(stored)
    else:
        tickets.put("alice", b"renewed")
    await until(lambda: (local.home / f"alice/tickets/{ID}.ccache").read_bytes() == b"renewed")
    assert not (local.home / "elsewhere").exists()
    await launcher.close()


async def test_a_delivery_that_is_late_leaves_no_ticket_behind(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets
) -> None:
    await _Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    held = asyncio.Event()
    local.holds.append(held)
    tickets.put("alice", b"a newer ticket")
    await until(lambda: not local.holds)
    launcher.release(_job())
    for _ in range(20):
        await asyncio.sleep(0)
    held.set()
    await until(lambda: not launcher.unattended._tasks)
    assert not delivered.exists()
