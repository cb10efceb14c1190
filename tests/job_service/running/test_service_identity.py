"""Jobs of people who have no account at a site: all that is done there for them is done as that site's account."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from job_service.errors import TicketNeeded
from job_service.running import routine
from job_service.stages import Stage
from job_service.store.accounting import NewProject
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.login import Login
from tests.job_service.running.crowd import Crowd
from tests.job_service.running.service import Service, holds
from tests.job_service.running.test_running import is_at, losing

_PRINCIPAL = "jobs@LAB.TEST"
_ACCOUNT = Login("@zurich/", "svcjobs", "zurich")
_FOR_HEIDI = Login("@zurich/heidi", "svcjobs", "zurich")
_FOR_IVAN = Login("@zurich/ivan", "svcjobs", "zurich")


@pytest.fixture(autouse=True)
def _nobody_has_a_ticket(service: Service) -> None:
    service.reader.missing = {"heidi", "ivan"}


def _logins(site: Crowd) -> set[Login]:
    return {login for login, _ in site.sent}


def _tickets(site: Crowd) -> set[bytes]:
    """Return whose tickets have left the hub."""
    return {whose for _, data in site.sent for whose in re.findall(rb"the ticket of ([a-zA-Z@.]+)", data)}


async def test_a_job_runs_as_the_account_and_no_ticket_but_the_accounts_leaves_the_hub(
    service: Service, site: Crowd
) -> None:
    done = await service.over(await service.visit())
    assert (done.stage, done.owner, done.login) == (Stage.SUCCESSFUL, "heidi", "svcjobs")
    assert site.runs[done.job_id] == 1
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}
    assert _tickets(site) == {_PRINCIPAL.encode()}


async def test_the_type_says_how_long_its_folder_is_kept(service: Service) -> None:
    done = await service.over(await service.visit())
    assert done.ended
    assert done.remove_after == done.ended + timedelta(hours=2)


async def test_nobodys_ticket_is_kept_for_it(service: Service, site: Crowd) -> None:
    site.lasts = 10**6
    service.reader.missing = set()
    visit = await service.visit()
    own = await service.accept("alice")
    for record in (visit, own):
        await service.until(record, is_at(Stage.RUNNING))
    await holds(lambda: service.holds.users() == {"alice"})


async def test_the_account_asks_about_all_jobs_at_its_site_and_people_where_there_is_none(
    service: Service, site: Crowd
) -> None:
    visit = await service.visit()
    alice = await service.accept("alice", system="zurich")
    bern = await service.accept("bob", system="bern")
    for record in (visit, alice, bern):
        assert (await service.over(record)).stage is Stage.SUCCESSFUL
    # The account is not believed about the end of a job that is not its own.
    assert set(site.asked) == {"svcjobs", "alice", "bob"}
    assert service.running.stand("zurich").observer == _PRINCIPAL


async def test_where_slurm_hides_others_jobs_their_owners_are_asked(service: Service, site: Crowd) -> None:
    site.hides = True
    alice, visit = await service.accept("alice", system="zurich"), await service.visit()
    for record in (alice, visit):
        assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert site.asked["alice"]


async def test_without_a_ticket_of_the_account_somebody_asks_who_has_a_job_there(
    service: Service, site: Crowd
) -> None:
    service.keytabs.forget()
    service.keytabs.is_away = True
    assert (await service.over(await service.accept("alice", system="zurich"))).stage is Stage.SUCCESSFUL
    assert set(site.asked) == {"alice"}


async def test_an_account_that_may_not_ask_is_told_of_once_and_somebody_else_asks(
    service: Service, site: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    site.barred = {"svcjobs"}
    assert (await service.over(await service.accept("alice", system="zurich"))).stage is Stage.SUCCESSFUL
    assert set(site.asked) == {"alice"}
    said = [record.getMessage() for record in caplog.records if record.name.endswith("observers")]
    assert len(said) == 1
    assert "The account for jobs at zurich cannot ask about them" in said[0]


async def test_an_array_and_its_tasks_run_as_the_account(service: Service, site: Crowd) -> None:
    site.waits = 10**6
    array, tasks = await service.accept_array(3, "heidi", login="svcjobs", identity="service", system="zurich")
    assert {each.whom for each in (array, *tasks)} == {"@zurich/heidi"}
    await service.running.cancel(await service.until(tasks[1], is_at(Stage.QUEUED)))
    await service.until(tasks[1], is_at(Stage.CANCELED))
    site.waits = 0
    await service.over(array)
    assert [(await service.get(each)).stage for each in tasks] == [
        Stage.SUCCESSFUL,
        Stage.CANCELED,
        Stage.SUCCESSFUL,
    ]
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}


async def test_a_job_is_held_released_cancelled_and_removed_as_the_account(service: Service, site: Crowd) -> None:
    site.waits = 10**6
    record = await service.until(await service.visit(), is_at(Stage.QUEUED))
    await service.running.hold(record)
    record = await service.until(record, is_at(Stage.HELD))
    await service.running.release(record)
    record = await service.until(record, is_at(Stage.QUEUED))
    await service.running.cancel(record)
    record = await service.over(record)
    assert record.stage is Stage.CANCELED
    await service.running.remove(record)
    await service.until(record, lambda job: job.removed is not None)
    assert record.job_id not in site.folders
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}


async def test_a_submission_in_doubt_is_settled_as_the_account(service: Service, site: Crowd) -> None:
    losing("/sbatch", "after", site)
    done = await service.over(await service.visit())
    assert (done.stage, site.runs[done.job_id], len(site.of(done.job_id))) == (Stage.SUCCESSFUL, 1, 1)
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}


async def test_how_a_job_ended_while_the_service_was_down_is_learned_as_the_account(
    service: Service, site: Crowd
) -> None:
    site.lasts = 10**6
    record = await service.until(await service.visit(), is_at(Stage.RUNNING))
    await service.stop()
    site.lasts, site.forgets = 0, 0
    site.goes_on()
    await service.start()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}


async def test_what_nobody_foresaw_is_for_the_log_and_not_for_its_owner(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a defect at 0x7f00")

    site.lasts = 10**6
    record = await service.until(await service.visit(), is_at(Stage.RUNNING))
    errands = service.running._errands
    monkeypatch.setattr(errands, "_visit", broken)
    errand = errands.of(record.system, record.whom)
    errand.gone[record.job_id] = (0, None)
    errands.wake(errand)
    await holds(lambda: bool(service.running.owes(record)))
    assert service.running.owes(record) == "What became of the job is not known yet. It is looked for again."


async def test_folders_go_when_their_time_has_come_though_nobody_logs_in(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = [await service.over(await service.visit(owner)) for owner in ("heidi", "ivan")]
    await service.stop()
    monkeypatch.setattr(service.clock, "speed", 100_000.0)
    await service.start()
    for record in done:
        await service.until(record, lambda job: job.removed is not None)
    assert not site.folders
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI, _FOR_IVAN}


async def test_what_uploads_left_is_removed_once_for_all_who_share_the_account(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routine, "UPLOADS_SECONDS", 0.001)
    for owner in ("heidi", "ivan"):
        await service.over(await service.visit(owner))
    assert [each.owner for each in await service.store.jobs.newest_with_folders("zurich")] == ["ivan"]


async def test_while_the_account_has_no_ticket_a_job_waits_and_its_owner_is_asked_for_none(
    service: Service, site: Crowd
) -> None:
    service.keytabs.is_away = True
    service.keytabs.forget()
    record = await service.visit()
    says = "The account of Zurich as which the job runs has no ticket now."
    record = await service.until(record, lambda job: says in job.reason)
    assert (record.stage, record.attempts, site.sent) == (Stage.READY, 0, [])
    with pytest.raises(Unavailable, match=says):
        await service.running.prepare(record)
    service.keytabs.is_away = False
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_a_new_ticket_of_the_account_reaches_jobs_that_run(service: Service, site: Crowd) -> None:
    site.lasts = 10**6
    record = await service.until(await service.visit(), is_at(Stage.RUNNING))
    before = len(site.sent)
    service.keytabs.ends += 3600
    await holds(lambda: any(b"the ticket of" in data for _, data in site.sent[before:]))
    assert _logins(site) == {_ACCOUNT, _FOR_HEIDI}
    assert (await service.get(record)).stage is Stage.RUNNING


async def test_one_persons_jobs_wait_for_nobody_elses_though_they_run_as_the_same_account(
    service: Service, site: Crowd
) -> None:
    never = asyncio.Event()
    site.held = lambda login, program: never if login == _FOR_HEIDI and "/sbatch" in program else None
    slow = await service.visit("heidi")
    assert (await service.over(await service.visit("ivan"))).stage is Stage.SUCCESSFUL
    assert (await service.get(slow)).submission == "sending"
    never.set()
    assert (await service.over(slow)).stage is Stage.SUCCESSFUL


async def test_a_job_of_the_same_person_with_their_own_account_needs_their_own_ticket(
    service: Service, site: Crowd
) -> None:
    service.reader.missing = {"alice"}
    own, visit = await service.accept("alice", system="zurich"), await service.visit("alice")
    assert (await service.over(visit)).stage is Stage.SUCCESSFUL
    assert "log in to the hub" in (await service.get(own)).reason
    with pytest.raises(TicketNeeded):
        service.access.remote(own)
    service.reader.missing = set()
    assert (await service.over(own)).stage is Stage.SUCCESSFUL
    assert {login.user for login in _logins(site) if login.owner == "alice"} == {"alice"}


async def test_its_owner_pays_and_nobody_else(service: Service, site: Crowd) -> None:
    new = NewProject("zurich", "visitors", init_time=10**6, user_time=10**5, is_open=True, identity="service")
    project = await service.store.projects.add(new, "ruth")
    record = await service.visit(project="visitors", project_id=project.id)
    await service.over(record)
    left = {name: await service.store.ledger.quota(project, name) for name in ("heidi", "ivan", "svcjobs")}
    assert {name: each.time_left for name, each in left.items()} == {
        "heidi": 10**5 - 20,
        "ivan": 10**5,
        "svcjobs": 10**5,
    }
