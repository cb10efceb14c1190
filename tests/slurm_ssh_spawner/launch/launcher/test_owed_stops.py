"""Stops that could not be carried out, and with which settings they are, later."""

import json
from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.errors import Refused, SubmissionLost
from slurm_ssh.job import Job
from slurm_ssh_spawner.launch.launcher import Launcher
from tests.slurm_ssh_spawner.launch.launcher.launches import (
    ID,
    Tickets,
    Told,
    a_catalogue,
    a_job,
    has_ended,
    opened,
    queue,
    record_of,
)
from tests.support.local import LocalSite
from tests.support.small_slurm import SmallSlurm
from tests.support.waiting import until


async def test_a_stop_that_waits_for_a_ticket_is_carried_out_with_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
    queue(local, "RUNNING", "n1")
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused, match="stops the server as soon as its owner has a new ticket"):
        await launcher.cancel(a_job())
    assert local.told("scancel.arguments") == ""
    local.refusal = None
    tickets.put("alice", b"a newer ticket")
    await has_ended(launcher)
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")
    assert (await record_of(launcher)).end_reason == "stopped"


async def test_the_stop_of_a_job_whose_submission_was_lost_is_owed_over_a_restart(
    offer: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    slurm = SmallSlurm()
    slurm.loses = "site"
    earlier = opened(tmp_path, offer, Tickets(), slurm)
    with pytest.raises(SubmissionLost):
        await Told().submit(earlier, offer)
    await earlier.close()
    slurm.is_away = False
    assert slurm.runs(ID)
    tickets = Tickets()
    later = opened(tmp_path, offer, tickets, slurm)
    tickets.put("alice", b"a newer ticket")
    await has_ended(later)
    assert not slurm.runs(ID)
    await later.close()


async def test_a_stop_is_owed_over_a_restart(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    await Told().submit(launcher, offer)
    queue(local, "RUNNING", "n1")
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused):
        await launcher.cancel(a_job())
    local.refusal = None
    tickets = Tickets()
    restarted = opened(tmp_path, offer, tickets, local)
    tickets.put("alice", b"a newer ticket")
    await has_ended(restarted)
    assert local.told("queue") == ""
    await restarted.close()


async def test_a_job_keeps_the_folders_and_the_delivery_that_it_was_started_with(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    job = await Told().submit(launcher, offer)
    await launcher.close()
    ticket = local.home / f"alice/tickets/{ID}.ccache"
    folder = local.home / f"alice/jobs/{ID}"
    folder.mkdir()
    edited = a_catalogue(
        local,
        job_folder=f"{local.home}/other/{{owner}}",
        ticket_folder=f"{local.home}/elsewhere/{{owner}}",
        ticket={"delivery": "auks"},
    )
    tickets = Tickets()
    later = opened(tmp_path, edited, tickets, local)
    queue(local, "RUNNING", "n1")
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
    job = await Told().submit(launcher, offer)
    local.refusal = Refused("Your Kerberos ticket has expired. Log in again.")
    with pytest.raises(Refused):
        await launcher.cancel(job)
    local.refusal = None
    (record,) = await launcher.records.to_stop("alice")
    assert record.job("hub") == job
    assert record.job("hub").started_with == job.started_with is not None
