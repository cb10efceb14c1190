"""From a job to a server that can be reached: waited for, and told of."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.errors import Broken, Refused
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.reported_port import ReportedPort
from tests.slurm_ssh_spawner.launch.launcher.launches import ID, Told, queue, record_of, waited_for
from tests.support import builders
from tests.support.local import LocalSite
from tests.support.ports import free_port
from tests.support.waiting import until


async def test_the_port_that_a_job_reports_makes_it_ready(launcher: Launcher, local: LocalSite) -> None:
    queue(local, "RUNNING", "n1")
    told = Progress()
    port, ready = waited_for(launcher, told)
    port.report(8888)
    assert (await ready)[0] == "http://203.0.113.7:8888"
    assert told.sentences[-1] == "The server is up on n1."


async def test_a_port_that_was_reported_before_the_job_ran_is_not_its_port(
    launcher: Launcher, local: LocalSite
) -> None:
    queue(local, "PENDING", reason="Resources")
    port, ready = waited_for(launcher, Progress())
    port.report(5555)
    await until(lambda: not port.number)
    queue(local, "RUNNING", "n1")
    port.report(8888)
    port.report(5555)
    assert (await ready)[0] == "http://203.0.113.7:8888"


async def test_a_port_waits_for_slurm_while_that_does_not_answer(launcher: Launcher, local: LocalSite) -> None:
    local.tell("silent", "")
    queue(local, "RUNNING", "n1")
    port, ready = waited_for(launcher, Progress())
    port.report(8888)
    await asyncio.wait((ready,), timeout=1)
    (local.slurm / "silent").unlink()
    assert (await ready)[0] == "http://203.0.113.7:8888"


async def test_a_waiting_person_is_told_why_once(launcher: Launcher, local: LocalSite) -> None:
    queue(local, "PENDING", reason="Resources")
    told = Progress()
    port, ready = waited_for(launcher, told)
    await until(lambda: len(told.sentences) == 2)
    queue(local, "RUNNING", "n1")
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
    job = await Told().submit(launcher, offer)
    url = f"http://127.0.0.1:{free_port()}"
    # What leads through a tunnel answers there.
    await launcher.until_open(job, url, Place("n1", 8888, local_port=20000))
    with pytest.raises(Broken, match="The hub cannot reach the server on n1 at ") as broken:
        await launcher.until_open(job, url, Place("n1", 8888))
    await launcher.cancel(job)
    assert (await record_of(launcher)).end_reason == broken.value.message


async def test_a_launch_that_waits_too_long_ends_with_its_reason(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    impatient = replace(builders.launch(offer), queue_wait_minutes=0)
    handle, progress = launcher.job(impatient, ID), Progress()
    queue(local, "PENDING", reason="Resources")
    job = await launcher.submit(impatient, handle, builders.process(), lambda _: None, progress.tell)
    record = await record_of(launcher)
    assert record.wait_until
    assert record.begun - record.wait_until < timedelta(seconds=60)
    with pytest.raises(Refused, match="Your job waited in the queue of Geneva for ") as refused:
        await launcher.until_ready(job, ReportedPort(), progress)
    # As JupyterHub does with a start that has failed.
    await launcher.cancel(job)
    assert local.told("queue") == ""
    assert (await record_of(launcher)).end_reason == refused.value.message
    await until(lambda: launcher.notices("alice") != ())
    (notice,) = launcher.notices("alice")
    assert str(notice).startswith("Your server at Geneva did not come up; the start was over at ")
