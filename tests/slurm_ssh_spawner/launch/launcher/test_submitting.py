"""A launch is recorded, submitted and saved, or said why not."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.errors import Refused, SubmitRefused, Unavailable
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.records import DatabaseAway
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
from tests.support.waiting import until


async def test_a_submitted_job_is_saved_with_its_number(launcher: Launcher, offer: Catalogue) -> None:
    told = Told()
    job = await told.submit(launcher, offer)
    assert told.saved == [job] == [a_job()]
    assert told.sentences == ["Connecting to Geneva as alice.", "Geneva has accepted job 42."]
    assert not launcher.is_submitting(job)
    record = await record_of(launcher)
    assert (record.user, record.site_key, record.job_id, record.ended) == ("alice", "geneva", "42", None)


async def test_a_job_is_saved_whatever_becomes_of_the_database_of_launches(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.worker.AGAIN_SECONDS", 0.01)
    told, held = Told(), asyncio.Event()
    local.holds.append(held)
    submission = asyncio.create_task(told.submit(launcher, offer))
    await until(lambda: not local.holds)
    database = tmp_path / "launches"
    database.rename(tmp_path / "away")
    held.set()
    assert [await submission] == told.saved == [a_job()]
    (tmp_path / "away").rename(database)
    record = await record_of(launcher)
    assert (record.job_id, record.ended) == ("42", None)


async def test_without_a_record_nothing_is_submitted(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    (tmp_path / "launches").rename(tmp_path / "away")
    told = Told()
    with pytest.raises(DatabaseAway):
        await told.submit(launcher, offer)
    assert (local.told("submissions"), told.saved, told.sentences) == ("", [], [])


async def test_a_launch_that_was_refused_keeps_the_reason(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    local.tell("refusal", "sbatch: error: Too tired\n")
    with pytest.raises(SubmitRefused, match="Too tired"):
        await Told().submit(launcher, offer)
    record = await record_of(launcher)
    assert record.ended is not None
    assert record.end_reason.startswith("not submitted: Geneva did not accept the job: Too tired.")
    assert not launcher._patiences._kept, "it is remembered for ever"


async def test_without_a_ticket_nothing_is_submitted(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    told = Told()
    with pytest.raises(Refused, match="Your ticket has expired"):
        await told.submit(launcher, offer, user="bob")
    assert (local.told("submissions"), told.saved) == ("", [])


async def test_where_people_come_by_certificate_nobody_needs_a_ticket_and_no_job_gets_one(
    local: LocalSite, tmp_path: Path, tickets: Tickets
) -> None:
    login = {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"}
    offer = a_catalogue(local, login=login, ticket={"delivery": "none"})
    launcher = opened(tmp_path, offer, tickets, local)
    job = await Told().submit(launcher, offer, user="bob")
    record = await record_of(launcher)
    assert (record.job_id, record.ticket_ends) == ("42", None)
    # Somebody may have one for another site.
    job = replace(job, user="alice")
    launcher._core.upkeep.add(job)
    tickets.put("alice", b"newer")
    await launcher._core.upkeep.settled(job)
    assert (await record_of(launcher)).ticket_ends is None
    await launcher.close()


async def test_a_submission_goes_on_when_nobody_waits_for_it(
    launcher: Launcher, offer: Catalogue, local: LocalSite
) -> None:
    told = Told()
    waiting = asyncio.create_task(told.submit(launcher, offer))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert waiting.cancelled()
    await launcher.cancel(a_job())
    assert told.saved == [a_job()]
    assert local.told("submissions") == "x\n"


async def test_a_stop_does_not_wait_for_ever_for_a_submission(
    launcher: Launcher, offer: Catalogue, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.cancelling._STOP_SECONDS", 0.2)
    monkeypatch.setattr("slurm_ssh_spawner.launch.cancelling._CANCEL_SECONDS", 0.1)
    local.holds = [asyncio.Event()]
    (held,) = local.holds
    submitting = asyncio.create_task(Told().submit(launcher, offer))
    await until(lambda: launcher.is_submitting(a_job()))
    with pytest.raises(Unavailable) as late:
        await launcher.cancel(a_job())
    assert late.value.message.startswith("Geneva has not answered yet whether it accepts the job. The hub stops")
    assert local.told("scancel.arguments") == ""
    held.set()
    await submitting
    await has_ended(launcher)
    assert (await record_of(launcher)).end_reason == "stopped"
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")


async def test_a_job_that_may_be_there_is_stopped_as_soon_as_its_site_answers(
    launcher: Launcher, offer: Catalogue, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.submission._LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setattr("slurm_ssh.jobs.upkeep.PAUSES_SECONDS", (0.1,))
    local.tell("silent", "")
    local.mishaps = ["after"]
    with pytest.raises(Unavailable, match="was lost while the job was submitted"):
        await Told().submit(launcher, offer)
    queue(local, "PENDING")
    (local.slurm / "silent").unlink()
    await until(lambda: local.told("queue") == "")
    assert f"--name=jupyter-hub-{ID}" in local.told("scancel.arguments")
