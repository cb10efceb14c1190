"""Launches: what one start or job is, when everything is decided.

`resolve` and `resolve_job` are the single gate.  Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kernels.environment import Environment
from kernels.hook import Hook
from kernels.kernel import Kernel
from profiles.catalogue.dataset import IDS_PLACE, PLACE
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.identity import Identity
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.menu import Jobs, Notebooks
from profiles.catalogue.profile import Offering
from profiles.catalogue.site import Site, SiteJobs
from profiles.catalogue.system import JobSettings, System
from profiles.catalogue.work import Work, filled
from profiles.errors import ChoiceRefused, together
from profiles.offer import demands
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer
from profiles.sentences import refusals

DATASET_IDS = "\0ids\0"
"""Stands there for the ids of all its datasets, with commas between them."""

DATASET = "\0"
"""Stands in a launch's program for the location of its dataset: no word that anybody writes can hold it."""


@dataclass(frozen=True)
class Launch:
    """Choices resolved for one user: everything decided, nothing left to look up; what any job has.

    `entry_key` is what was picked of a menu.  `time_minutes` are minutes.  `cores`, `memory_mib` (MiB) and `gpus`
    are for each of `nodes`.
    """

    user: str
    owner: str
    entry_key: str
    site_key: str
    site: System
    partition: str | None
    project: str | None
    reservation: str | None
    qos: str | None
    time_minutes: int
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    gpu_type: str | None
    directives: Mapping[str, str | Literal[True]]
    environments: tuple[Environment, ...]
    hooks: Mapping[str, Hook]
    container: str | None
    choices: Choices


@dataclass(frozen=True)
class NotebookLaunch(Launch):
    """A start of a notebook server.

    `..._minutes` are minutes: for `queue_wait` the job may wait in the queue, for its `max` if its owner says so.
    With `copies` its server can be asked to copy a notebook.
    """

    site: Site
    queue_wait_minutes: int
    queue_wait_max_minutes: int
    kernels: tuple[Kernel, ...]
    command: tuple[str, ...]
    default_url: str | None
    copies: bool

    @property
    def profile_key(self) -> str:
        """The profile that was picked."""
        return self.entry_key


@dataclass(frozen=True)
class JobLaunch(Launch):
    """A batch job, wherever it runs.

    `program` are the words that are run, DATASET in them for the location of the job's, None for a line of the
    person's own; `tasks` says what has a task each: the nodes or their cores.  `jobs` are the
    system's settings.  With the `identity` "service" its `owner` is the site's account.
    """

    program: tuple[str, ...] | None
    tasks: Literal["node", "core"]
    requeue: bool
    jobs: JobSettings
    identity: Identity = "person"

    @property
    def type_key(self) -> str:
        """The job type that was picked."""
        return self.entry_key


@dataclass(frozen=True)
class BatchLaunch(JobLaunch):
    """A batch job at a site."""

    site: Site
    jobs: SiteJobs


@dataclass(frozen=True)
class GatewayLaunch(JobLaunch):
    """A batch job at a gateway."""

    site: Gateway
    jobs: Gateway


def resolve(offer: Offer, choices: Choices) -> NotebookLaunch:
    """Return the launch that `choices` mean for the person whom `offer`, of notebooks, is for.

    `{}` means the first profile that they see, at the first of its sites that is open.  Raises ChoiceRefused,
    naming each field that cannot be had and what would be accepted; a profile that they do not see is one that
    there is not.
    """
    passed = _passed(offer, choices)
    what, menu = passed.what, offer.menu
    if not isinstance(what, Offering) or not isinstance(menu, Notebooks):
        raise TypeError(menu.section)
    return NotebookLaunch(
        **passed.decided,
        environments=(menu.sites[passed.site_key].jupyter, what.needs(passed.parameters)),
        queue_wait_minutes=what.queue_wait,
        queue_wait_max_minutes=what.queue_wait_max,
        kernels=what.kernels,
        command=what.command,
        default_url=what.default_url,
        copies=menu.copies,
    )


def resolve_job(offer: Offer, choices: Choices, arguments: Sequence[str] = ()) -> JobLaunch:
    """Return the job that `choices` mean for the person whom `offer`, of jobs, is for.

    `{}` means the first job type that they see.  `arguments` are words of the person's own behind a program; of a
    line of their own they are no part.  Raises ChoiceRefused as `resolve` does, also for `arguments`.
    """
    passed = _passed(offer, choices, arguments)
    what, system = passed.what, offer.menu.sites[passed.site_key]
    if offer.menu.is_of_another(passed.key):
        raise ChoiceRefused("type", refusals.NO_BATCH_JOB.format(type=offer.menu.entries[passed.key].name))
    if not isinstance(what, JobOffering) or system.jobs is None:
        raise TypeError(offer.menu.section)
    run = what.run
    program = None
    if run is not None:
        words = tuple(_in_program(word, passed.parameters) for word in run)
        program = (*words, *what.argv(passed.parameters), *passed.arguments)
    launch: Callable[..., JobLaunch] = GatewayLaunch if isinstance(system, Gateway) else BatchLaunch
    return launch(
        **passed.decided,
        environments=(what.needs(passed.parameters),),
        program=program,
        tasks=what.tasks,
        requeue=what.requeue,
        jobs=system.jobs,
        identity=what.identity,
    )


def resolve_server(offer: Offer, choices: Choices) -> Launch:
    """Return what `choices` of an interactive job type mean; the hub decides as `resolve` does when it starts it.

    Raises ChoiceRefused as `resolve` does.
    """
    passed = _passed(offer, choices)
    return Launch(**passed.decided, environments=(passed.what.needs(passed.parameters),))


def _in_program(word: str, parameters: Mapping[str, str]) -> str:
    """Return a word of a program with the values of parameters, in which braces mean nothing, put in."""
    for place, stands_for in ((PLACE, DATASET), (IDS_PLACE, DATASET_IDS)):
        word = word.replace(place, stands_for)
    return filled(word, parameters)


def resolved(offer: Offer, choices: Choices) -> Launch:
    """Return what `choices` mean, whatever menu the offer is of.  Raises ChoiceRefused."""
    if not isinstance(offer.menu, Jobs):
        return resolve(offer, choices)
    is_server = offer.menu.is_of_another(demands.picked(offer, choices))
    return resolve_server(offer, choices) if is_server else resolve_job(offer, choices)


@dataclass(frozen=True)
class _Passed:
    """What has passed the gate: what is to run at a site, the values of its parameters, and most of a Launch.

    `key` is the entry's, `arguments` are the person's own words behind a program.
    """

    key: str
    site_key: str
    what: Work
    parameters: Mapping[str, str]
    arguments: tuple[str, ...]
    decided: Mapping[str, Any]


def _for_owner(directives: Mapping[str, str | Literal[True]], owner: str) -> Mapping[str, str | Literal[True]]:
    return {
        name: value if value is True else value.replace("{owner}", owner) for name, value in directives.items()
    }


def _passed(offer: Offer, choices: Choices, arguments: Sequence[str] = ()) -> _Passed:
    key = demands.picked(offer, choices)
    site_key = demands.site(offer, key, choices)
    demands.one_more(offer, key)
    site, what = offer.menu.sites[site_key], offer.offering(key, site_key)
    offer = offer.as_run(site_key, what)
    checks: tuple[Callable[[], Any], ...] = (
        lambda: demands.place(offer, site_key, what, choices),
        lambda: demands.project(site, offer.projects(site_key), choices),
        lambda: choices.one_of("qos", site.qos),
        lambda: demands.parameters(offer, offer.menu.entries[key].name, what, choices),
        lambda: demands.arguments(what, arguments),
    )
    (reservation, partition, numbers, gpu_type), project, qos, parameters, words = together(checks)
    decided = {
        "user": offer.person.name,
        "owner": offer.owner(site_key),
        "entry_key": key,
        "site_key": site_key,
        "site": site,
        "partition": partition,
        "project": project,
        "reservation": reservation,
        "qos": qos,
        "time_minutes": numbers["time"],
        "nodes": numbers["nodes"],
        "cores": numbers["cores"],
        "memory_mib": numbers["memory"],
        "gpus": numbers["gpus"],
        "gpu_type": gpu_type,
        "directives": _for_owner({**site.directives, **what.directives}, offer.owner(site_key)),
        "hooks": what.hooks,
        "container": what.container,
        "choices": choices,
    }
    return _Passed(key, site_key, what, parameters, words, decided)
