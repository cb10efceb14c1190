"""Accepted once: after the gate, with a ticket, in one transaction; a preview says the same and keeps nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from job_service.accepting import offered
from job_service.errors import (
    Banned,
    Invalid,
    JobError,
    KeyReused,
    NotAMember,
    NotFound,
    QuotaExceeded,
    TicketNeeded,
    TooMany,
)
from job_service.record import JobRecord
from job_service.running.places import Places
from job_service.running.scripts import Scripts
from job_service.spec import JobSpec, Start
from job_service.stages import Stage
from job_service.store.values import JobFilter
from profiles.errors import ChoiceRefused
from profiles.offer.offer import Person
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import ALICE
from tests.job_service.accepting.serving import Service
from tests.support import builders
from tests.support.local import LocalSite

_RECON = JobSpec("recon", "geneva")
_BOB = Person("bob", frozenset({"cosmology"}))
_SAID = "sbatch: Job 9 to start at 2026-03-02T12:00:00 using 1 processors on nodes n1 in partition normal\n"


async def _accepted(service: Service, spec: JobSpec = _RECON, person: Person = ALICE) -> JobRecord:
    record, is_new = await service.accepting.accept(person, spec)
    assert is_new
    return record


async def _jobs(service: Service) -> int:
    return await service.store.jobs.count(JobFilter())


# -- what is kept ---------------------------------------------------------------------------------------


async def test_a_job_is_kept_as_it_was_decided(service: Service) -> None:
    spec = replace(_RECON, title="a job title", choices={"time": "2h", "cores": "8", "nodes": "2"})
    record = await _accepted(service, spec, Person("judy"))
    assert (record.owner, record.login, record.system, record.type) == ("judy", "jmeier", "geneva", "recon")
    assert (record.project, record.account, record.title) == ("physics", "physics", "a job title")
    assert (record.nodes, record.cores, record.memory_mib, record.gpus) == (2, 8, 1024, 0)
    assert (record.limit_s, record.held_s, record.stage) == (7200, 0, Stage.READY)
    assert record.folder == f"/scratch/jmeier/jobs/{record.job_id}"
    assert await service.store.jobs.get(record.job_id) == record
    launch = await service.accepting.launch(record)
    assert (launch.owner, launch.cores, launch.partition) == ("jmeier", 8, "normal")


@pytest.mark.parametrize(
    ("start", "inputs", "stage"),
    [
        ("now", (), Stage.READY),
        ("when-complete", (), Stage.READY),
        ("when-complete", ("in.zip",), Stage.NEW),
        ("later", (), Stage.NEW),
        ("later", ("in.zip",), Stage.NEW),
    ],
)
async def test_a_job_is_sent_at_once_or_waits_for_its_inputs_or_its_owner(
    service: Service, start: Start, inputs: tuple[str, ...], stage: Stage
) -> None:
    spec = JobSpec("command", "geneva", command="true", start=start, inputs=inputs)
    assert (await _accepted(service, spec)).stage is stage


async def test_who_has_no_account_at_a_site_that_charges_accounts_is_told_of_no_project_there(
    service: Service,
) -> None:
    service.accounts.theirs = ()
    bob = Person("bob")
    found = await service.accepting.offered.projects(bob)
    assert [(each["system"], each["name"]) for each in found] == [
        ("geneva", "physics"),
        ("geneva", "chemistry"),
        ("zurich", "default"),
    ]
    with pytest.raises(JobError, match="You have no project at Lugano that takes jobs"):
        await service.accepting.accept(bob, JobSpec("command", "lugano", command="true"))


async def test_a_project_s_jobs_hold_what_they_may_use(service: Service) -> None:
    await service.project("p1", "alice", charge="core", account="special")
    record = await _accepted(service, replace(_RECON, choices={"cores": "4"}))
    assert (record.project, record.account, record.held_s) == ("p1", "special", 14_400)
    with pytest.raises(QuotaExceeded) as found:
        await _accepted(service, replace(_RECON, choices={"time": "2h"}, project="p1"))
    assert (found.value.needed, found.value.left) == (7200, 3600)


async def test_members_of_a_group_are_members(service: Service) -> None:
    await service.project("p1")
    assert (await _accepted(service)).project == "physics"
    await service.administration.add_member("ruth", "geneva", "p1", "group", "cosmology")
    assert (await _accepted(service)).project == "p1"
    assert (await _accepted(service, person=Person("carol"))).project == "physics"


async def test_a_project_limits_how_many_jobs_one_person_has(service: Service) -> None:
    await service.project("p1", "alice", limits={"active": 1})
    await _accepted(service)
    with pytest.raises(TooMany):
        await _accepted(service)
    assert (await _accepted(service, replace(_RECON, system="lugano"))).project == "proj3"


async def test_who_is_banned_sends_no_job(service: Service) -> None:
    await service.administration.ban("ruth", "alice", reason="Mining coins.")
    with pytest.raises(Banned, match="Mining coins"):
        await _accepted(service)
    await service.administration.unban("ruth", "alice")
    await _accepted(service)


async def test_another_one_s_project_is_refused(service: Service) -> None:
    await service.project("p1", "bob")
    with pytest.raises(NotAMember):
        await _accepted(service, replace(_RECON, project="p1"))
    assert (await _accepted(service, replace(_RECON, project="p1"), _BOB)).project == "p1"


# -- asked again ----------------------------------------------------------------------------------------


async def test_a_request_that_comes_again_is_answered_as_the_first(service: Service) -> None:
    first, _ = await service.accepting.accept(ALICE, _RECON, "a key")
    service.offers({"command": deciding.COMMAND})
    service.tickets.left["alice"] = None
    assert await service.accepting.accept(ALICE, _RECON, "a key") == (first, False)
    with pytest.raises(KeyReused):
        await service.accepting.accept(ALICE, replace(_RECON, title="x"), "a key")
    with pytest.raises(Invalid):
        await service.accepting.accept(_BOB, _RECON, "a key")
    assert await _jobs(service) == 1


async def test_how_a_request_is_written_makes_it_no_other(service: Service) -> None:
    one = replace(_RECON, choices={"time": "2h", "cores": "8"})
    first, _ = await service.accepting.accept(ALICE, one, "a key")
    again = replace(_RECON, choices={"cores": "8", "time": "2h"})
    assert await service.accepting.accept(ALICE, again, "a key") == (first, False)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "\ud800"])
async def test_a_key_is_one_line(service: Service, key: str) -> None:
    with pytest.raises(Invalid) as found:
        await service.accepting.accept(ALICE, _RECON, key)
    assert list(found.value.fields) == ["Idempotency-Key"]


async def test_who_asks_anew_gets_the_same_inputs(service: Service) -> None:
    asked = replace(_RECON, inputs=("a.zip",), start="later", unpack=True)
    first = await _accepted(service, asked)
    again, _ = await service.accepting.resubmit(ALICE, first)
    expected = replace(first.spec, inputs_of=first.job_id, start="when-complete")
    assert (again.spec, again.stage) == (expected, Stage.STAGINGIN)


async def test_what_was_asked_for_once_can_be_asked_for_anew(service: Service) -> None:
    first = await _accepted(service, replace(_RECON, title="x", choices={"param.method": "full"}))
    again, is_new = await service.accepting.resubmit(ALICE, first)
    assert is_new
    assert again.job_id != first.job_id
    assert (again.spec, again.title) == (first.spec, "x")
    service.offers({"command": deciding.COMMAND})
    with pytest.raises(Invalid) as found:
        await service.accepting.resubmit(ALICE, first)
    assert list(found.value.fields) == ["type"]
    with pytest.raises(ChoiceRefused):
        await service.accepting.launch(first)


# -- tickets and sites ----------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [None, 599, -1])
async def test_without_a_ticket_that_is_good_for_a_while_no_job_is_kept(
    service: Service, left: float | None
) -> None:
    service.tickets.left["alice"] = left
    with pytest.raises(TicketNeeded) as found:
        await _accepted(service)
    assert found.value.hint == "Log in at the hub, then send the job again."
    with pytest.raises(Invalid):
        await _accepted(service, JobSpec("nope"))
    assert await _jobs(service) == 0
    service.tickets.left["alice"] = 600
    await _accepted(service)


async def test_where_people_come_by_certificate_no_ticket_is_asked_for(service: Service) -> None:
    service.tickets.left["alice"] = None
    login = {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"}
    sites = {key: {**site, "login": login, "ticket": {}} for key, site in deciding.SITES.items()}
    service.offers(deciding.TYPES, sites=sites)
    await _accepted(service)
    assert await _jobs(service) == 1


async def test_a_silent_site_keeps_nobody_waiting(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "_FIRST_FACTS_SECONDS", 0.01)
    service.accounts.may_answer.clear()
    lugano = replace(_RECON, system="lugano")
    assert (await _accepted(service, lugano)).project == "default"
    named = await _accepted(service, replace(lugano, project="proj9"))
    assert (named.project, named.account) == ("proj9", "proj9")
    assert dict(service.accounts.asked) == {("alice", "lugano"): 1}


async def test_only_the_site_that_is_named_gets_to_know_the_ticket(service: Service) -> None:
    await _accepted(service)
    assert (service.accounts.asked, service.accounts.looked_at) == ({}, {"geneva"})


# -- before it is sent ----------------------------------------------------------------------------------


async def test_a_preview_says_what_would_be_kept_and_keeps_nothing(service: Service, local: LocalSite) -> None:
    local.tell("forecast", _SAID)
    await service.project("p1", "alice", charge="node")
    spec = replace(_RECON, title="it's", choices={"nodes": "2", "time": "2h"})
    told = await service.accepting.preview(ALICE, spec)
    assert (told.type, told.system, told.project, told.account) == ("recon", "geneva", "p1", "physics")
    assert (told.title, told.nodes, told.limit_s) == ("it's", 2, 7200)
    assert (told.cost_s, told.left_s) == (14_400, 18_000)
    assert (told.begins, told.obstacles) == (datetime(2026, 3, 2, 12, 0, tzinfo=UTC), ())
    assert await _jobs(service) == 0
    (quota,) = await service.accepting.offered.quotas(ALICE)
    assert quota.id is None
    assert (await service.administration.people()).items == ()
    record = await _accepted(service, spec)
    assert (record.held_s, record.title, record.account) == (told.cost_s, told.title, told.account)


@pytest.mark.parametrize(
    "spec",
    [
        _RECON,
        JobSpec("recon", "lugano", "proj3", "it's `id`", {"time": "2h", "param.method": "full"}),
        JobSpec("command", command="sh run.sh", inputs=("it's.zip", "data"), start="when-complete", unpack=True),
    ],
)
async def test_the_script_of_a_preview_is_the_one_that_is_sent(service: Service, spec: JobSpec) -> None:
    told = await service.accepting.preview(ALICE, spec)
    record = await _accepted(service, spec)
    core: Any = None
    scripts = Scripts(service.store.jobs, Places(core, {}, "hub"), service.accepting.launch)
    assert (await scripts.shown(record)).replace(record.job_id, "0" * 12) == told.script
    assert (told.cost_s, told.left_s) == (0, None)


async def test_a_preview_says_what_is_in_the_way(service: Service, local: LocalSite) -> None:
    local.tell("forecast", _SAID)
    await service.project("p1", "alice", init_time=3600)
    service.tickets.left["alice"] = 60
    told = await service.accepting.preview(ALICE, replace(_RECON, choices={"time": "2h"}))
    ticket, quota = told.obstacles
    assert ticket == "Your Kerberos ticket ends in 1 minute, too soon for a new job."
    assert "7200" in quota
    assert "3600" in quota
    assert told.begins is not None


async def test_a_preview_of_what_cannot_be_had_is_refused_as_the_job(service: Service) -> None:
    spec = JobSpec("recon", title="\n", choices={"time": "x"})
    errors: list[JobError] = []
    for ask in (service.accepting.preview, service.accepting.accept):
        with pytest.raises(Invalid) as found:
            await ask(ALICE, spec)
        errors.append(found.value)
    assert errors[0].message == errors[1].message


async def test_what_slurm_would_refuse_is_in_the_way(service: Service) -> None:
    told = await service.accepting.preview(ALICE, _RECON)
    (refused,) = told.obstacles
    assert (told.begins, refused.startswith("Geneva did not accept the job")) == (None, True)


# -- what is offered ------------------------------------------------------------------------------------


async def test_people_read_what_they_are_offered(service: Service) -> None:
    await service.project("p1", "alice", is_default=True)
    systems = await service.accepting.offered.systems(ALICE)
    assert [each["key"] for each in systems] == ["geneva", "lugano", "zurich"]
    assert [each["projects"] for each in systems] == [["p1", "physics", "chemistry"], ["proj3"], ["default"]]
    assert await service.accepting.offered.system(ALICE, "lugano") == systems[1]
    types = await service.accepting.offered.types(ALICE)
    assert [each["key"] for each in types] == ["recon", "command"]
    assert await service.accepting.offered.type(ALICE, "command") == types[1]
    for ask in (
        service.accepting.offered.system,
        service.accepting.offered.type,
        service.accepting.offered.projects,
    ):
        with pytest.raises(NotFound):
            await ask(ALICE, "bern")


async def test_people_read_their_projects_and_what_is_left(service: Service) -> None:
    await service.project("p1", "alice", "bob")
    await service.project("secret", "bob")
    await _accepted(service)
    every = await service.accepting.offered.projects(ALICE)
    assert [(each["system"], each["name"], each["is_default"]) for each in every] == [
        ("geneva", "p1", True),
        ("geneva", "physics", False),
        ("geneva", "chemistry", False),
        ("lugano", "proj3", True),
        ("zurich", "default", True),
    ]
    assert every[0]["quota"]["time_left_s"] == 14_400
    assert await service.accepting.offered.projects(ALICE, "geneva") == every[:3]
    assert await service.accepting.offered.project(ALICE, "geneva", "p1") == every[0]
    with pytest.raises(NotFound):
        await service.accepting.offered.project(ALICE, "geneva", "secret")
    assert [each.project.name for each in await service.accepting.offered.quotas(ALICE)] == ["p1"]


# -- at gateways ------------------------------------------------------------------------------------------


def _at_gateway(service: Service) -> JobSpec:
    types = {"recon": builders.job_type(sites=["daint"])}
    gateway = builders.gateway(own_lines=True, active_max=2)
    service.offers(types, gateways={"daint": gateway})
    return JobSpec("recon", "daint")


async def test_a_job_at_a_gateway_needs_no_ticket_and_has_no_folder_yet(service: Service) -> None:
    service.tickets.left["alice"] = None
    record = await _accepted(service, _at_gateway(service))
    assert (record.system, record.folder, record.stage, record.account) == ("daint", "", Stage.READY, None)
    assert record.project == "default"


async def test_a_gateway_has_limits_of_its_own(service: Service) -> None:
    spec = _at_gateway(service)
    for _ in range(2):
        await _accepted(service, spec)
    with pytest.raises(TooMany):
        await service.accepting.accept(ALICE, spec)


async def test_a_preview_at_a_gateway_shows_its_script_and_asks_nobody(service: Service) -> None:
    service.tickets.left["alice"] = None
    seen = await service.accepting.preview(ALICE, _at_gateway(service))
    assert "attend /opt/recon --method=fast 5" in seen.script
    assert "#SBATCH" not in seen.script
    assert (seen.begins, seen.obstacles) == (None, ())


async def test_a_gateway_takes_no_arrays(service: Service) -> None:
    types = {
        "recon": builders.job_type(
            sites=["daint"], datasets={"types": ["scan"], "min": 1, "max": 5, "modes": ["array"]}
        )
    }
    sources = {"scans": {"list": [{"id": "1", "type": "scan", "location": "/data/1"}]}}
    service.offers(types, sources, gateways={"daint": builders.gateway()})
    spec = JobSpec("recon", "daint", datasets=("scans:1",), mode="array")
    with pytest.raises(Invalid) as refused:
        await service.accepting.accept_each(ALICE, spec)
    assert refused.value.fields == {"mode": "Daint takes no arrays. Choose a job for each dataset."}


async def test_a_gateway_that_does_not_answer_is_away(service: Service) -> None:
    _at_gateway(service)
    assert (await service.accepting.offered.system(ALICE, "daint"))["state"] == "open"
    service.away["daint"] = builders.NOW
    told = await service.accepting.offered.system(ALICE, "daint")
    assert (told["state"], told["capabilities"]) == ("away", ["cancel", "files", "log"])
