"""Newer tickets reach the jobs that run, and no others."""

import asyncio
from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.job import Job
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from tests.slurm_ssh_spawner.launch.launcher.launches import ID, Tickets, Told, a_catalogue, a_job, opened, queue
from tests.support.local import LocalSite
from tests.support.waiting import until


async def test_a_new_ticket_reaches_the_running_job_in_the_same_file(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    assert delivered.read_bytes() == b"ticket"
    tickets.put("alice", b"a newer ticket")
    await until(lambda: delivered.read_bytes() == b"a newer ticket")
    assert local.renewed == ["alice"]


async def test_a_new_ticket_of_somebody_else_reaches_nobodys_job(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
    tickets.put("carol", b"carol's")
    tickets.put("alice", b"alice's")
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    await until(lambda: delivered.read_bytes() != b"ticket")
    assert delivered.read_bytes() == b"alice's"


async def test_a_job_that_is_over_gets_no_ticket(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    queue(local, "COMPLETED")
    await launcher.report(a_job())
    delivered.unlink()
    tickets.put("alice", b"a newer ticket")
    await launcher.report(a_job())
    assert not delivered.exists()


async def test_a_new_ticket_that_does_not_arrive_is_told_until_one_does(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
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


async def _with_a_newer_ticket(tickets: Tickets) -> Tickets:
    """Return the tickets of a hub that starts and renews alice's before it knows of any job."""
    later = Tickets()
    later.tickets = dict(tickets.tickets)
    later.put("alice", b"renewed")
    return later


@pytest.mark.parametrize("look", ["reach", "report"])
async def test_a_ticket_renewed_while_the_hub_was_down_is_delivered_at_the_first_look_at_the_job(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets, tmp_path: Path, look: str
) -> None:
    job = await Told().submit(launcher, offer)
    queue(local, "RUNNING", "n1")
    await launcher.report(job)
    await launcher.close()
    later = opened(tmp_path, offer, await _with_a_newer_ticket(tickets), local)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    assert delivered.read_bytes() == b"ticket"
    if look == "reach":
        await later.reach(job, Place("n1", 8888), Deadline.after(60))
    else:
        await later.report(job)
    await until(lambda: delivered.read_bytes() == b"renewed")
    await later.close()


async def test_a_job_that_was_given_the_newest_ticket_gets_none_when_the_hub_starts_again(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets, tmp_path: Path
) -> None:
    job = await Told().submit(launcher, offer)
    queue(local, "RUNNING", "n1")
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    tickets.put("alice", b"renewed")
    await until(lambda: delivered.read_bytes() == b"renewed")
    await launcher._core.upkeep.settled(job)
    await launcher.close()
    delivered.write_bytes(b"as it was")
    later = opened(tmp_path, offer, tickets, local)
    await later.report(job)
    await later._core.upkeep.settled(job)
    assert delivered.read_bytes() == b"as it was"
    await later.close()


async def test_a_site_that_was_away_at_a_renewal_gets_the_ticket_when_it_is_back(
    launcher: Launcher,
    offer: Catalogue,
    local: LocalSite,
    tickets: Tickets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.deliveries.PAUSES_SECONDS", (0.01,))
    await Told().submit(launcher, offer)
    local.refusal = SiteUnreachable("Geneva cannot be reached.")
    tickets.put("alice", b"renewed")
    await until(lambda: launcher.notices("alice") != ())
    assert launcher.notices("alice")[0].endswith("the hub keeps trying. Geneva cannot be reached.")
    local.refusal = None
    await until(lambda: launcher.notices("alice") == ())
    assert (local.home / f"alice/tickets/{ID}.ccache").read_bytes() == b"renewed"


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_edit_of_the_site_does_not_lead_a_running_jobs_ticket_elsewhere(
    launcher: Launcher, local: LocalSite, tickets: Tickets, tmp_path: Path, offer: Catalogue, *, restarted: bool
) -> None:
    job = await Told().submit(launcher, offer)
    edited = a_catalogue(local, ticket_folder=f"{local.home}/elsewhere/{{owner}}", ticket={"delivery": "copy"})
    offer.sites.clear()  # type: ignore[attr-defined]
    offer.sites.update(edited.sites)  # type: ignore[attr-defined]
    if restarted:
        await launcher.close()
        launcher = opened(tmp_path, offer, await _with_a_newer_ticket(tickets), local)
        stored = Job.from_state(job.to_state())
        assert stored
        await launcher.report(stored)
    else:
        tickets.put("alice", b"renewed")
    await until(lambda: (local.home / f"alice/tickets/{ID}.ccache").read_bytes() == b"renewed")
    assert not (local.home / "elsewhere").exists()
    await launcher.close()


async def test_a_delivery_that_is_late_leaves_no_ticket_behind(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: Tickets
) -> None:
    await Told().submit(launcher, offer)
    delivered = local.home / f"alice/tickets/{ID}.ccache"
    held = asyncio.Event()
    local.holds.append(held)
    tickets.put("alice", b"a newer ticket")
    await until(lambda: not local.holds)
    launcher.release(a_job())
    for _ in range(20):
        await asyncio.sleep(0)
    held.set()
    await until(lambda: not launcher.unattended._tasks)
    assert not delivered.exists()
