"""What the older services did wrong with people, projects and quotas; each test is named after a fault."""

import asyncio

import pytest

from job_service.errors import Banned, NotAMember, QuotaExceeded
from job_service.spec import JobSpec
from job_service.store.values import JobFilter
from profiles.offer.offer import Person
from tests.job_service.accepting.deciding import ALICE
from tests.job_service.accepting.serving import Service

_P1, _P2 = (JobSpec("recon", "geneva", name) for name in ("p1", "p2"))


async def test_a_ban_that_did_nothing_or_banned_from_everything(service: Service) -> None:
    for name in ("p1", "p2"):
        await service.project(name, "alice")
    await service.administration.ban("ruth", "alice", "geneva", "p1")
    with pytest.raises(Banned):
        await service.accepting.accept(ALICE, _P1)
    record, _ = await service.accepting.accept(ALICE, _P2)
    assert record.project == "p2"
    obstacle = (await service.accepting.preview(ALICE, _P1)).obstacles[0]
    assert obstacle.startswith("You may not send jobs to the project p1 at present")


async def test_groups_edited_as_text(service: Service) -> None:
    await service.project("p1")
    await service.administration.add_member("ruth", "geneva", "p1", "group", "11,")
    for groups in ("1", "11", "1,", ","):
        with pytest.raises(NotAMember):
            await service.accepting.accept(Person("alice", frozenset({groups})), _P1)
    await service.accepting.accept(Person("alice", frozenset({"11,"})), _P1)


async def test_a_default_project_of_another_system(service: Service) -> None:
    await service.project("p1", "alice", is_default=True)
    record, _ = await service.accepting.accept(ALICE, JobSpec("recon", "zurich"))
    assert (record.system, record.project) == ("zurich", "default")
    with pytest.raises(NotAMember):
        await service.accepting.accept(ALICE, JobSpec("recon", "zurich", "p1"))


async def test_an_exhausted_quota_refilled_itself(service: Service) -> None:
    await service.project("p1", "alice")
    await service.administration.set_time_left("ruth", "geneva", "p1", "alice", 0)
    for _ in range(2):
        with pytest.raises(QuotaExceeded) as found:
            await service.accepting.accept(ALICE, _P1)
        assert found.value.left == 0


async def test_project_totals_never_charged(service: Service) -> None:
    await service.project("p1", "alice", "bob", user_time=3600, init_time=3600)
    await service.accepting.accept(ALICE, _P1)
    (quota,) = await service.accepting.offered.quotas(Person("bob"))
    assert (quota.time_left, quota.project.time_left) == (3600, 0)
    with pytest.raises(QuotaExceeded):
        await service.accepting.accept(Person("bob"), _P1)


async def test_a_retry_was_a_second_job(service: Service) -> None:
    asked = [service.accepting.accept(ALICE, JobSpec("recon", "geneva"), "a key") for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert len({record.job_id for record, _ in answers}) == sum(is_new for _, is_new in answers) == 1
    assert await service.store.jobs.count(JobFilter()) == 1


async def test_the_last_seconds_were_sold_twice(service: Service) -> None:
    await service.project("p1", "alice", user_time=3600)
    asked = [service.accepting.accept(ALICE, _P1) for _ in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, QuotaExceeded)]
    assert (len(refused), len(answers)) == (4, 5)
