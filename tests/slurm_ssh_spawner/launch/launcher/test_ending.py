"""A job that is cancelled, has ended or is released: what is kept of it, and what it leaves."""

from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.errors import Broken, JobEnded, Unavailable
from slurm_ssh.job import JobState, LaunchId
from slurm_ssh.jobs import folders
from slurm_ssh.jobs.watch import ABSENT_SECONDS
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.progress import Progress
from tests.slurm_ssh_spawner.launch.launcher.launches import (
    ID,
    Tickets,
    Told,
    a_catalogue,
    a_job,
    opened,
    queue,
    record_of,
    waited_for,
)
from tests.support.local import LocalSite
from tests.support.waiting import Clock, until


async def test_a_job_is_cancelled_by_its_mark_and_seen_to_end(launcher: Launcher, local: LocalSite) -> None:
    queue(local, "RUNNING", "n1")
    await launcher.cancel(a_job())
    assert local.told("scancel.arguments").splitlines() == ["--user=alice", f"--name=jupyter-hub-{ID}"]
    assert local.told("queue") == ""


async def test_a_site_that_cannot_be_told_to_stop_a_job_is_said(launcher: Launcher, local: LocalSite) -> None:
    local.tell("silent", "")
    with pytest.raises(Unavailable, match="Slurm at Geneva did not carry out the request to stop the job"):
        await launcher.cancel(a_job())


async def test_a_job_that_ends_before_its_server_is_up_shows_the_end_of_its_log(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    queue(local, "FAILED", "n1", "NonZeroExitCode")
    log = Path(folders.log_path(offer.sites["geneva"], "alice", ID))
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    _, ready = waited_for(launcher, Progress())
    with pytest.raises(JobEnded, match="ended before the notebook was up") as ended:
        await ready
    assert "(FAILED)" in ended.value.message
    assert ended.value.quoted.splitlines() == [f"line {number}" for number in range(85, 100)]


async def test_a_job_that_slurm_twice_does_not_know_is_gone(launcher: Launcher) -> None:
    _, ready = waited_for(launcher, Progress())
    with pytest.raises(JobEnded, match="gone from Slurm"):
        await ready


@pytest.mark.parametrize("mishap", ["silent", "garbage", "lost"])
async def test_a_site_that_cannot_be_asked_does_not_end_a_job(
    launcher: Launcher, local: LocalSite, mishap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, states = Clock(monkeypatch), []
    match mishap:
        case "silent":
            local.tell("silent", "")
        case "garbage":
            local.tell("garbage", "maintenance until Monday\n")
        case "lost":
            local.mishaps = ["before"] * 10
    for _ in range(4):
        states.append((await launcher.report(a_job())).state)
        clock.advance(2 * ABSENT_SECONDS)
    assert states == [JobState.UNKNOWN] * 4


async def test_a_released_launch_leaves_no_ticket(launcher: Launcher, offer: Catalogue, local: LocalSite) -> None:
    job = await Told().submit(launcher, offer)
    ticket = local.home / "alice" / "tickets" / f"{ID}.ccache"
    assert ticket.exists()
    launcher.release(job)
    await until(lambda: not ticket.exists())


_LEFT_BY_SPARK = f"--user=alice\n--name=spark_cluster-{ID}\n"


async def test_a_released_launch_leaves_no_spark_cluster_in_the_queue(
    local: LocalSite, tmp_path: Path, tickets: Tickets
) -> None:
    offer = a_catalogue(local, {"hooks": {"spark": {"workers": 1}}})
    launcher = opened(tmp_path, offer, tickets, local)
    job = await Told().submit(launcher, offer)
    await launcher.close()
    later = opened(tmp_path, offer, tickets, local)
    later.release(job)
    await until(lambda: local.told("scancel.arguments") == _LEFT_BY_SPARK)
    await later.close()


async def test_a_step_of_a_release_that_fails_holds_no_other_up(
    local: LocalSite, tmp_path: Path, tickets: Tickets, caplog: pytest.LogCaptureFixture
) -> None:
    offer = a_catalogue(local, {"hooks": {"spark": {"workers": 1}}})
    launcher = opened(tmp_path, offer, tickets, local)
    job = await Told().submit(launcher, offer)
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
    job = await Told().submit(launcher, offer)
    launcher.release(job)
    await until(lambda: not launcher.unattended._tasks)
    assert local.told("scancel.arguments") == ""


async def test_a_job_of_a_site_that_left_the_catalogue_is_for_the_admin(launcher: Launcher) -> None:
    with pytest.raises(Broken, match=r"bern is no longer in the catalogue.* The hub stops the job"):
        await launcher.cancel(a_job(site_key="bern"))
    assert (await launcher.report(a_job(site_key="bern"))).state is JobState.UNKNOWN


async def test_a_stopped_launch_was_stopped_whatever_slurm_calls_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await Told().submit(launcher, offer)
    await launcher.cancel(job)
    queue(local, "CANCELLED", "n1")
    assert (await launcher.report(job)).state is JobState.ENDED
    assert (await record_of(launcher)).end_reason == "stopped"


async def test_a_launch_that_ended_by_itself_keeps_why(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await Told().submit(launcher, offer)
    queue(local, "TIMEOUT", "n1")
    await launcher.report(job)
    await until(lambda: launcher.endings.notices("alice") != ())
    assert (await record_of(launcher)).end_reason == "The job's time limit was up."


async def test_a_site_that_cannot_be_asked_ends_no_record(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    job = await Told().submit(launcher, offer)
    local.tell("silent", "")
    for _ in range(3):
        await launcher.report(job)
    assert (await record_of(launcher)).ended is None


async def test_a_launch_keeps_the_text_that_was_sent_and_its_stages(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    job = await Told().submit(launcher, offer)
    live = launcher.reports.expect(job, "", "")
    launcher.reports.stage(live, "loaded", "jupyterlab/new")
    launcher.reports.stage(live, "starting", "Python 3.11.2")
    await launcher.close()
    launcher = opened(tmp_path, offer, Tickets(), local)
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
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    job = await Told().submit(launcher, offer)
    queue(local, "RUNNING", "n1")
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
    job = await Told().submit(launcher, offer)
    launcher.reports.stage(launcher.reports.expect(job, "", ""), "notice", "Without the kernel a.")
    assert launcher.notices("alice") == ("Without the kernel a.",)
    assert launcher.notices("carol") == ()
    queue(local, "COMPLETED", "n1")
    await launcher.report(job)
    assert launcher.notices("alice") == ()


async def test_a_released_launch_leaves_no_folder(launcher: Launcher, offer: Catalogue) -> None:
    job = await Told().submit(launcher, offer)
    folder = Path(folders.launch_folder(offer.sites["geneva"], "alice", ID))
    (folder / "config").mkdir(parents=True)
    launcher.release(job)
    await until(lambda: not folder.exists())
    assert folder.parent.exists()
