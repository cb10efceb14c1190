"""What a job is that was accepted earlier: what is kept of it, and the catalogue as it is now.  Pure."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from job_service import layout
from job_service.errors import Invalid
from job_service.record import JobRecord
from job_service.sentences import accepting as sentences
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.menu import Jobs
from profiles.offer.choices import Choices
from profiles.offer.launch import BatchLaunch, JobLaunch, resolve_job
from profiles.offer.offer import Offer, Person


class _Accepted(Offer):
    """What is offered to somebody who has passed the gate: who may see what, and when, was decided then."""

    def sites(self, key: str) -> tuple[str, ...]:
        """Return the sites that offer an entry."""
        return self.menu.sites_of(key) if key in self.menu.entries else ()

    def closed(self, _site: str) -> str | None:
        """Return that it can be sent: Slurm keeps it until a maintenance is over."""
        return None


def launch(menu: Jobs, record: JobRecord, datasets: Sequence[Dataset] = ()) -> JobLaunch:
    """Return the job as it is to be sent: what was decided stays, its type is as the catalogue has it now.

    `datasets` are those that it works on.  Raises ChoiceRefused if the type, its site or the value of a parameter
    is not offered any more.
    """
    spec = record.spec
    parameters = {name: value for name, value in spec.choices.items() if name.startswith("param.")}
    offer = _Accepted(menu, {}, Person(record.owner), record.created, tuple(each.parameters for each in datasets))
    found = resolve_job(offer, Choices({"type": spec.type, "site": record.system, **parameters}), spec.arguments)
    folder = str(PurePosixPath(record.folder).parent)
    if isinstance(found, BatchLaunch):
        found = replace(found, jobs=found.jobs.model_copy(update={"folder": folder}))
    return replace(
        found,
        owner=record.login,
        identity=record.identity,
        partition=spec.choices.get("partition"),
        project=record.account,
        reservation=spec.choices.get("reservation"),
        qos=spec.choices.get("qos"),
        time_minutes=record.limit_s // 60,
        nodes=record.nodes,
        cores=record.cores,
        memory_mib=record.memory_mib,
        gpus=record.gpus,
        gpu_type=spec.choices.get("gpu_type"),
    )


def see_inputs(before: JobRecord, found: JobLaunch) -> None:
    """Raise Invalid if a job would not find the inputs of an earlier one, which are copied from beside its folder.

    There they do not lie if its type runs as somebody else by now, or its site has the folders of jobs elsewhere.
    """
    if not isinstance(found, BatchLaunch):
        return
    if str(PurePosixPath(before.folder).parent) != layout.parent(found.jobs, found.owner):
        said = sentences.INPUTS_ELSEWHERE.format(login=found.owner, system=found.site.title)
        raise Invalid(said, {"inputs": said}, sentences.SEND_WITH_FILES)
