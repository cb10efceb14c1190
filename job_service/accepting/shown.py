"""The script of a job that nobody has sent, as Slurm would get it.  Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import cast

from job_service import script
from job_service.gateways import ordering
from job_service.gateways.backend import Handle
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from kernels.hook import HookFailed
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.dataset import Dataset
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.launch import BatchLaunch, GatewayLaunch, JobLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from slurm_ssh import delivery
from slurm_ssh.errors import Broken
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs

JOB_ID = LaunchId("0" * 12)
"""Stands for the one that a job gets when it is accepted."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

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


def text(
    launch: JobLaunch,
    service: str,
    title: str,
    spec: JobSpec,
    datasets: Sequence[Dataset] = (),
    *,
    is_array: bool = False,
) -> tuple[str, JobRequest | None]:
    """Return the script of a job, and what Slurm would be asked for, None at a gateway.  Raises Broken."""
    unpacked = spec.inputs if spec.unpack else ()
    if not isinstance(launch, GatewayLaunch):
        at_site = cast(BatchLaunch, launch)
        asked_for, found = request(at_site, service, title, unpacked, datasets, is_array=is_array)
        return found, asked_for
    handle = Handle(JOB_ID, mark("job", service, JOB_ID), launch.owner)
    try:
        return ordering.order(launch, handle, title, datasets, inputs=spec.inputs, unpacked=unpacked).script, None
    except ValueError as error:
        where = {"type": launch.type_key, "system": launch.site.title}
        raise Broken(sentences.NO_SCRIPT.format(**where), str(error)) from error


def of_type(
    catalogue: Catalogue,
    service: str,
    key: str | None,
    site: str | None,
    person: Person,
    now: datetime,
    chosen: Mapping[str, str] = _NOTHING,
) -> str:
    """Return the script of a job type for an admin: with its defaults but for the choices `chosen`.

    A type that takes datasets is shown with one.

    `key` None is the first type that the person sees, `site` None its first site that is open.  Nobody is asked.
     Raises ChoiceRefused, Broken.
    """
    asked = {name: value for name, value in (("type", key), ("site", site)) if value is not None}
    choices = Choices.of({**chosen, **asked}, JOB_FIELDS)
    launch = resolve_job(Offer(catalogue.jobs, {}, person, now), choices)
    takes_some = catalogue.jobs.offering(launch.type_key, launch.site_key).datasets is not None
    name = catalogue.job_types[launch.type_key].name
    return text(launch, service, name, JobSpec(launch.type_key), (_DATASET,) if takes_some else ())[0]
