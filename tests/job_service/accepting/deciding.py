"""A catalogue with three systems, as somebody sees it, and projects of the service there."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from job_service import layout
from job_service.accepting import gate
from job_service.accepting.gate import Decided
from job_service.errors import JobError
from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.store.accounting import Project
from profiles.catalogue.catalogue import Catalogue
from profiles.facts import SiteFacts
from profiles.offer.offer import Offer, Person
from tests.support import builders

FOLDER = {"folder": "/scratch/{owner}/jobs"}
SITES = {
    "geneva": builders.site(jobs=FOLDER, login_name={"judy": "jmeier"}),
    "lugano": builders.site(title="Lugano", jobs=FOLDER, projects="accounting", reservations=[], qos=[]),
    "zurich": builders.site(title="Zurich", jobs=FOLDER, projects="none", partitions={}),
    "bern": builders.site(title="Bern"),
}
COMMAND = builders.job_type(name="Command", command="any", run=None, parameters={})
TYPES = {"recon": builders.job_type(), "command": COMMAND}
RUN_AS = {"principal": "jobs@LAB.TEST", "keytab": "/etc/jobs.keytab", "login": "svcjobs"}
VISITED = {
    **SITES,
    "lugano": builders.site(
        title="Lugano",
        jobs={**FOLDER, "run_as": RUN_AS},
        login_name={"heidi": "somebody"},
        reservations=[],
        qos=[],
    ),
}
"""The same sites, where lugano has an account for people who have none there."""

VISIT = builders.job_type(name="Visit", identity="service", sites=["lugano"])
ALICE = Person("alice", frozenset({"cosmology"}))


def catalogue(sites: dict[str, Any] | None = None, types: dict[str, Any] | None = None) -> Catalogue:
    """Return the catalogue, or one of other sites or types."""
    return builders.catalogue(sites=sites or SITES, job_types=types or TYPES)


CATALOGUE = catalogue()


def offer(
    what: Catalogue = CATALOGUE,
    *,
    accounts: tuple[str, ...] | None = None,
    person: Person = ALICE,
    now: datetime = builders.NOW,
) -> Offer:
    """Return what somebody is offered of it, who has these accounts at lugano."""
    return Offer(what.jobs, {"lugano": SiteFacts(projects=accounts)}, person, now)


def project(name: str, number: int, system: str = "geneva", **changed: Any) -> Project:
    """Return a project of the service."""
    return Project(system=system, name=name, id=number, time_left=36_000, **changed)


OFFER = offer()


def decided(
    spec: JobSpec, offered: Offer = OFFER, projects: tuple[Project, ...] = (), theirs: tuple[int, ...] = ()
) -> Decided:
    """Return what the gate says."""
    return gate.decide(offered, spec, projects, frozenset(theirs))


def refused(
    spec: JobSpec, offered: Offer = OFFER, projects: tuple[Project, ...] = (), theirs: tuple[int, ...] = ()
) -> JobError:
    """Return why the gate refuses it."""
    try:
        passed = decided(spec, offered, projects, theirs)
    except JobError as error:
        return error
    raise AssertionError(passed)


def fields(error: JobError) -> dict[str, str]:
    """Return the fields that a refusal names."""
    return dict(getattr(error, "fields", {}))


def record(job: Decided) -> JobRecord:
    """Return what is kept of a job."""
    launch = job.launch
    return JobRecord(
        id=1,
        job_id=builders.LAUNCH_ID,
        owner=launch.user,
        login=launch.owner,
        system=launch.site_key,
        project=job.charged.name,
        account=launch.project,
        spec=JobSpec.from_json(job.spec.to_json()),
        title=job.title,
        nodes=launch.nodes,
        cores=launch.cores,
        memory_mib=launch.memory_mib,
        gpus=launch.gpus,
        limit_s=job.limit_s,
        held_s=0,
        folder=layout.folder(launch.jobs, launch.owner, builders.LAUNCH_ID),
        created=builders.NOW,
    )


def comparable(launch: Any) -> Any:
    """Return all of a launch but how the choices were written, and where the folder's owner stands."""
    folder = layout.folder(launch.jobs, launch.owner, builders.LAUNCH_ID)
    return replace(launch, choices=None, jobs=launch.jobs.model_copy(update={"folder": folder}))
