"""The script of a job that nobody has sent, as Slurm would get it.  Pure."""

from collections.abc import Sequence
from datetime import datetime

from job_service import script
from job_service.sentences import accepting as sentences
from kernels.hook import HookFailed
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.dataset import Dataset
from profiles.offer.choices import Choices
from profiles.offer.launch import BatchLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from slurm_ssh import delivery
from slurm_ssh.errors import Broken
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs

JOB_ID = LaunchId("0" * 12)
"""Stands for the one that a job gets when it is accepted."""

_DATASET = Dataset("source:key", "dataset", "type", "/path/of/the/dataset")


def request(
    launch: BatchLaunch,
    service: str,
    title: str,
    unpacked: Sequence[str] = (),
    datasets: Sequence[Dataset] = (),
    *,
    is_array: bool = False,
) -> tuple[JobRequest, str]:
    """Return what Slurm would be asked for, and the script; zips among the inputs `unpacked` are so by the job.

    Raises Broken for what no script can be made of.
    """
    fragments = [delivery.of(launch.site).fragment(launch.owner, JOB_ID), script.unpacking(unpacked)]
    try:
        asked_for = script.build(
            launch, JOB_ID, mark("job", service, JOB_ID), title, fragments, datasets, is_array=is_array
        )
        return asked_for, slurm_jobs.batch_script(asked_for)
    except (ValueError, HookFailed) as error:
        where = {"type": launch.type_key, "system": launch.site.title}
        raise Broken(sentences.NO_SCRIPT.format(**where), str(error)) from error


def of_type(
    catalogue: Catalogue, service: str, key: str | None, site: str | None, person: Person, now: datetime
) -> str:
    """Return the script of a job type with all its defaults, and one dataset if it takes any, for an admin.

    `key` None is the first type that the person sees, `site` None its first site that is open.  Nobody is asked.
     Raises ChoiceRefused, Broken.
    """
    asked = {name: value for name, value in (("type", key), ("site", site)) if value is not None}
    launch = resolve_job(Offer(catalogue.jobs, {}, person, now), Choices(asked))
    takes_some = catalogue.jobs.offering(launch.type_key, launch.site_key).datasets is not None
    name = catalogue.job_types[launch.type_key].name
    return request(launch, service, name, datasets=(_DATASET,) if takes_some else ())[1]
