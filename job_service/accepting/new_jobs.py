"""What is kept of a job that has passed the gate.  Pure, but for its id."""

from job_service import layout
from job_service.accepting.gate import Decided
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.values import NewJob, new_job_id
from profiles.offer.launch import BatchLaunch
from profiles.offer.offer import Person


def of(person: Person, decided: Decided) -> NewJob:
    """Return what is kept of a job of a person's, under an id of its own."""
    launch, charged = decided.launch, decided.charged
    job_id, project = new_job_id(), charged.project
    most = (launch.jobs.active_max, (project.limits if project else {}).get("active"))
    return NewJob(
        job_id=job_id,
        owner=person.name,
        groups=person.groups,
        login=launch.owner,
        system=launch.site_key,
        project=charged.name,
        project_id=project.id if project else None,
        account=launch.project,
        spec=decided.spec,
        title=decided.title,
        nodes=launch.nodes,
        cores=launch.cores,
        memory_mib=launch.memory_mib,
        gpus=launch.gpus,
        limit_s=decided.limit_s,
        folder=layout.folder(launch.jobs, launch.owner, job_id) if isinstance(launch, BatchLaunch) else "",
        active_max=min(each for each in most if each is not None),
        stage=_first_stage(decided.spec),
        datasets=decided.datasets,
        identity=launch.identity,
    )


def _first_stage(spec: JobSpec) -> Stage:
    """Return where a job begins: to be sent at once, or when its inputs have come, or when somebody starts it."""
    if spec.inputs_of:
        return Stage.STAGINGIN
    is_complete = spec.start == "now" or (spec.start == "when-complete" and not spec.inputs)
    return Stage.READY if is_complete else Stage.NEW
