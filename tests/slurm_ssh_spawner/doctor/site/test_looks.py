"""How a look ends early, as a monitor, in a partition that is wanted, and what answers in a job's place."""

import asyncio
from contextlib import suppress

import pytest

from kerberos_auth.outcome import State
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh_spawner.doctor.doors import Doors
from slurm_ssh_spawner.doctor.site import front_ends, job, look, ways
from tests.slurm_ssh_spawner.doctor.site.conftest import Place, told, wrong
from tests.support import loopback
from tests.support.ports import free_port
from tests.support.waiting import until


async def test_who_is_interrupted_leaves_no_job(place: Place) -> None:
    place.slurm.tell("node", "sleep 1\n")
    looking = asyncio.create_task(place.look(with_job=True))
    await until(lambda: bool(place.slurm.told("mark")))
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    assert place.slurm.told("mark").strip() in place.slurm.told("cancelled")
    scratch = place.folder / "scratch" / "alice"
    await until(lambda: not [each for folder in scratch.iterdir() for each in folder.iterdir()])
    assert not place.front_end.connections


async def test_a_job_is_none_of_the_hubs(place: Place) -> None:
    await place.look(with_job=True)
    assert place.slurm.told("mark").startswith("doctor-hub-")


async def test_a_monitor_submits_nothing(place: Place) -> None:
    place.changed = {"is_monitor": True}
    found = await place.look(with_job=True)
    assert wrong(found) == {}, told(found)
    skipped = {each.check: str(each.sentence) for each in found if each.state is State.SKIP}
    assert skipped.keys() == {"E9", "E10", *job.CHECKS}
    assert set(skipped.values()) == {"Not looked at as the monitor, which submits no jobs: add --as NAME."}
    assert not place.slurm.told("mark")


async def test_a_partition_in_which_nothing_is_offered(place: Place) -> None:
    place.changed = {"partition": "gpu"}
    found = await place.look(with_job=True)
    [text] = {str(each.sentence) for each in found if each.state is State.SKIP}
    assert text == "No job was submitted: Slurm would take nothing that alice may start in gpu."


async def test_what_is_not_done_in_time_is_said(place: Place) -> None:
    place.slurm.tell("waits", "")
    found = await look.looked(place.visit(), 3, with_job=True)
    skipped = {each.check for each in found if each.state is State.SKIP}
    assert skipped == set(job.CHECKS)
    assert place.slurm.told("cancelled")
    assert not place.slurm.told("mark")


@pytest.fixture
async def pool(place: Place) -> ConnectionPool:
    return ConnectionPool(lambda _: place.visit().ticket, 60)  # type: ignore[arg-type]


async def test_g3_somebody_else_at_the_port(place: Place, pool: ConnectionPool) -> None:
    port = free_port()
    with loopback.babbling(port, b"220 mail.geneva.test ESMTP\r\n"):
        _, found = await ways.to_node(place.visit(), pool, "n1", str(port), "doctor-1")
        await pool.close()
    assert (found.check, found.state) == ("G3", State.FAIL)
    assert "Somebody else answers on port" in str(found.sentence)


async def test_g3_a_port_that_is_closed(place: Place, pool: ConnectionPool) -> None:
    port = free_port()
    _, found = await ways.to_node(place.visit(), pool, "n1", str(port), "doctor-1")
    await pool.close()
    assert (found.check, found.state) == ("G3", State.FAIL)
    assert f"does not reach port {port} of n1 through a front end" in str(found.sentence)
    assert "Open the nodes' ports" in str(found.fix)


async def test_g3_a_port_that_a_job_makes_up(place: Place, pool: ConnectionPool) -> None:
    for said in ("99999", "-1", "x" * 100, "\u0663"):
        _, found = await ways.to_node(place.visit(), pool, "n1", said, "doctor-1")
        assert found.state is State.SKIP
    assert not place.front_end.asked


async def test_looks_at_many_sites_with_one_front_end_are_not_too_many_at_its_door(place: Place) -> None:
    place.front_end.startups = 6
    doors = Doors()
    place.changed = {"doors": doors}
    found = await asyncio.gather(*(place.look() for _ in range(8)))
    assert [wrong(each) for each in found] == [{}] * 8
    assert not place.front_end.turned_away


async def test_e2_and_e3_a_front_end_that_turns_some_away_is_asked_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_ends, "_BUSY_PAUSES_SECONDS", (0.01,) * 1000)
    place.front_end.startups = 0
    looking = asyncio.create_task(place.look())
    await until(lambda: place.front_end.turned_away >= 2)
    place.front_end.startups = 100
    found = await looking
    assert wrong(found) == {}, told(found)
