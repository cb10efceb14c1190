"""Jobs that run as a site's account: for whom, against which projects, and with nobody's ticket."""

from dataclasses import replace
from typing import Any

import pytest

from job_service.accepting.chargeable import chargeable
from job_service.errors import Invalid, JobError, NotAMember
from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.stages import Stage
from profiles.offer.offer import Person
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import VISIT, VISITED, project
from tests.job_service.accepting.serving import Service

_HEIDI = Person("heidi")
_TYPES = {**deciding.TYPES, "visit": VISIT}
_ASKED = JobSpec("visit", "lugano", choices={"time": "1h"})


@pytest.fixture
def service(service: Service) -> Service:
    """The service, whose lugano has an account; heidi has no ticket."""
    service.offers(_TYPES, sites=VISITED)
    service.tickets.left["heidi"] = None
    return service


async def _visitors(service: Service, *members: str, **fields: Any) -> None:
    await service.accepting.offered.offer(_HEIDI)
    await service.project("visitors", *members, system="lugano", identity="service", **fields)


async def _accepted(service: Service, spec: JobSpec = _ASKED) -> JobRecord:
    return (await service.accepting.accept(_HEIDI, spec))[0]


async def _refused(service: Service, spec: JobSpec) -> JobError:
    with pytest.raises(JobError) as refused:
        await _accepted(service, spec)
    return refused.value


async def test_it_runs_as_the_account_and_is_its_owners_who_needs_no_ticket(service: Service) -> None:
    await _visitors(service, "heidi", "bob")
    record = await _accepted(service)
    assert (record.owner, record.login, record.identity) == ("heidi", "svcjobs", "service")
    assert (record.project, record.account, record.held_s) == ("visitors", None, 3600)
    assert record.folder == f"/scratch/svcjobs/jobs/{record.job_id}"
    assert record.whom == "@lugano/heidi"
    assert await service.store.jobs.get(record.job_id) == record
    left = {each.user: each.time_left for each in await service.administration.quotas("lugano", "visitors")}
    assert left == {"heidi": 18_000 - 3600, "bob": 18_000}
    assert "heidi" not in {user for user, _ in service.accounts.asked}


async def test_a_project_for_it_may_name_what_slurm_charges(service: Service) -> None:
    await _visitors(service, "heidi", account="physics")
    assert (await _accepted(service)).account == "physics"


async def test_who_has_no_project_for_it_cannot_have_it_whatever_else_they_have(service: Service) -> None:
    await _visitors(service, "bob")
    await service.project("own", "heidi", system="lugano")
    for chosen in (None, "own", "visitors", "physics", "default"):
        error = await _refused(service, JobSpec("visit", "lugano", project=chosen))
        assert isinstance(error, NotAMember)
        assert "run as an account of Lugano" in error.message


async def test_what_runs_as_people_does_not_count_against_a_project_for_it(service: Service) -> None:
    await _visitors(service, "heidi", is_default=True)
    service.tickets.left.clear()
    line = JobSpec("command", "lugano", command="true")
    assert (await _accepted(service, line)).project == "physics"
    for_it = await _refused(service, JobSpec("command", "lugano", command="true", project="visitors"))
    assert isinstance(for_it, NotAMember)
    assert "do not count against the project visitors at Lugano. Yours for them: physics" in for_it.message


async def test_each_kind_of_job_has_its_default_project(service: Service) -> None:
    await _visitors(service, "heidi", is_default=True)
    await service.project("own", "heidi", system="lugano", is_default=True)
    service.tickets.left.clear()
    assert (await _accepted(service)).project == "visitors"
    assert (await _accepted(service, JobSpec("command", "lugano", command="true"))).project == "own"


async def test_the_store_lets_no_job_count_against_a_project_of_the_other_kind(service: Service) -> None:
    await _visitors(service, "heidi")
    await _accepted(service)
    await service.administration.change_project("ruth", "lugano", "visitors", {"identity": "person"})
    assert isinstance(await _refused(service, _ASKED), NotAMember)


async def test_a_site_without_an_account_has_no_project_for_it(service: Service) -> None:
    with pytest.raises(Invalid) as refused:
        await service.project("visitors", system="geneva", identity="service")
    assert refused.value.fields == {
        "identity": "No account of Geneva is known as which jobs could run. Omit the identity."
    }
    with pytest.raises(Invalid, match="Choose one of: person, service"):
        await service.project("visitors", system="geneva", identity="robot")


async def test_who_could_only_run_jobs_as_the_account_is_not_tried_at_the_site(service: Service) -> None:
    service.offers({"visit": VISIT}, sites=VISITED)
    await service.accepting.offered.types(_HEIDI)
    (system,) = await service.accepting.offered.systems(_HEIDI)
    # She may charge nothing there.
    assert (system["key"], system["state"]) == ("lugano", "closed")
    assert service.accounts.looked_as == {("@lugano/", "lugano")}


async def test_a_type_and_a_project_say_as_whom_jobs_run(service: Service) -> None:
    await _visitors(service, "heidi")
    (visit,) = (await service.accepting.offered.type(_HEIDI, "visit"))["systems"]
    assert (visit["system"], visit["identity"]) == ("lugano", "service")
    command = (await service.accepting.offered.type(_HEIDI, "command"))["systems"]
    assert {each["identity"] for each in command} == {"person"}
    found = await service.accepting.offered.projects(_HEIDI, "lugano")
    assert {each["name"]: each["identity"] for each in found} == {
        "physics": "person",
        "chemistry": "person",
        "visitors": "service",
    }
    assert [each["name"] for each in found if each["is_default"]] == ["physics", "visitors"]


async def test_an_accepted_job_stays_what_it_is_when_the_catalogue_says_otherwise(service: Service) -> None:
    await _visitors(service, "heidi")
    record = await _accepted(service)
    service.offers({**_TYPES, "visit": {**VISIT, "identity": "person"}}, sites=VISITED)
    launch = await service.accepting.launch(record)
    assert (launch.owner, launch.identity) == ("svcjobs", "service")
    again, _ = await service.accepting.accept(Person("bob"), JobSpec("visit", "lugano"))
    assert (again.login, again.identity) == ("bob", "person")
    assert (await service.accepting.launch(again)).owner == "bob"


async def test_what_is_sent_again_runs_as_its_type_says_now(service: Service) -> None:
    """Or is refused with the sentence that a new job gets."""
    service.tickets.left.clear()
    service.offers({**_TYPES, "visit": {**VISIT, "identity": "person"}}, sites=VISITED)
    own, _ = await service.accepting.accept(_HEIDI, _ASKED)
    named, _ = await service.accepting.accept(_HEIDI, replace(_ASKED, project="physics"))
    assert {(each.login, each.identity) for each in (own, named)} == {("somebody", "person")}
    service.offers(_TYPES, sites=VISITED)
    for record in (own, named):
        with pytest.raises(NotAMember, match="Jobs of this type run as an account of Lugano"):
            await service.accepting.resubmit(_HEIDI, record)
    await _visitors(service, "heidi")
    with pytest.raises(NotAMember, match=r"do not count against the project physics at Lugano\. Yours for"):
        await service.accepting.resubmit(_HEIDI, named)
    again, is_new = await service.accepting.resubmit(_HEIDI, own)
    assert (is_new, again.login, again.identity, again.project) == (True, "svcjobs", "service", "visitors")
    assert again.folder.startswith("/scratch/svcjobs/jobs/")
    # And back.
    service.offers({**_TYPES, "visit": {**VISIT, "identity": "person"}}, sites=VISITED)
    back, _ = await service.accepting.resubmit(_HEIDI, again)
    assert (back.login, back.identity, back.held_s) == ("somebody", "person", 0)


async def test_inputs_that_lie_with_another_account_are_not_waited_for(service: Service) -> None:
    await _visitors(service, "heidi")
    asked = replace(_ASKED, inputs=("a.zip",), start="later")
    first = await _accepted(service, asked)
    again, _ = await service.accepting.resubmit(_HEIDI, first)
    assert (again.identity, again.stage) == ("service", Stage.STAGINGIN)
    service.tickets.left.clear()
    service.offers({**_TYPES, "visit": {**VISIT, "identity": "person"}}, sites=VISITED)
    with pytest.raises(Invalid, match="as somebody at Lugano, the files") as refused:
        await service.accepting.resubmit(_HEIDI, first)
    assert (list(refused.value.fields), refused.value.hint) == (["inputs"], "Send it anew, with its files.")


async def test_a_preview_says_that_it_would_be_accepted_without_a_ticket(service: Service) -> None:
    await _visitors(service, "heidi")
    found = await service.accepting.preview(_HEIDI, _ASKED)
    assert (found.cost_s, found.left_s) == (3600, 18_000)
    assert not [each for each in found.obstacles if "ticket" in each.lower()]


def test_a_project_for_it_takes_no_account_from_people_who_have_one() -> None:
    visitors = (project("visitors", 1, "geneva", account="physics", identity="service"),)
    own = chargeable(deciding.OFFER, "geneva", visitors, {1})
    assert [each.name for each in own] == ["physics", "chemistry"]
    for_it = chargeable(deciding.OFFER, "geneva", visitors, {1}, "service")
    assert [each.name for each in for_it] == ["visitors"]
