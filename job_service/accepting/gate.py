"""The gate: from a job as its owner described it to what it is, or to all that is wrong with it.  Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from job_service.accepting import asked, chargeable, worked_on
from job_service.accepting.chargeable import Chargeable
from job_service.accepting.worked_on import Chosen
from job_service.accepting.wrong import Wrong
from job_service.errors import NotAMember
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from job_service.store.accounting import Project
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.menu import Jobs
from profiles.errors import ChoiceRefused
from profiles.offer import demands
from profiles.offer.choices import JOB_FIELDS, MOST_CHOICES, Choices
from profiles.offer.launch import JobLaunch, resolve_job
from profiles.offer.offer import Offer
from profiles.sentences import labels, shown

_FIELDS = tuple(name for name in JOB_FIELDS if name not in Wrong.outside)


@dataclass(frozen=True)
class Decided:
    """A job that has passed: what it is, under which title, and what it counts against.

    `spec` is as its owner described it, with what was decided for them and might be decided otherwise later.
    `datasets` are those that it names.
    """

    launch: JobLaunch
    title: str
    charged: Chargeable
    spec: JobSpec
    datasets: tuple[Dataset, ...] = ()

    @property
    def limit_s(self) -> int:
        """How long it may run, in seconds."""
        return self.launch.time_minutes * 60


_NO_DATASETS = Chosen()


def decide(
    offer: Offer,
    spec: JobSpec,
    projects: Sequence[Project],
    theirs: Collection[int],
    datasets: Chosen = _NO_DATASETS,
) -> Decided:
    """Return what a job is for the person whom `offer`, of jobs, is for.

    `projects` are those of the service, `theirs` the ids of those that the person may use; of `datasets` is known
    what the description names.  Raises Invalid with every field that is wrong; NotAMember if nothing is but the
    project.
    """
    wrong = Wrong(asked.problems(spec))
    choices = _choices(spec, wrong)
    key, site = _where(offer, spec, choices, wrong)
    if key is None or site is None:
        raise wrong.error()
    worked_on.check(offer, key, site, spec, datasets, wrong)
    charged = _charged(offer, site, projects, theirs, choices, wrong)
    known = replace(offer, datasets=datasets.parameters(spec))
    launch = _launch(known, {**choices.values, "type": key, "site": site}, spec, charged, wrong)
    _check_file(offer, site, spec, wrong)
    if spec.mode == "array":
        _check_tasks(len(spec.datasets), offer, site, charged, wrong)
    if launch is None or charged is None or wrong.fields:
        raise wrong.error()
    found = datasets.of(spec)
    title = _title(spec, offer.menu.entries[key].name, found)
    return Decided(launch, title, charged, _fixed(spec, launch), found)


def _title(spec: JobSpec, name: str, datasets: Sequence[Dataset]) -> str:
    """Return the title of a job; those of one request have the name of their dataset in it."""
    title = spec.title.strip() or name
    if spec.mode == "single" or len(datasets) != 1:
        return title
    return asked.cut(f"{title}: {shown(datasets[0].name)}")


def _choices(spec: JobSpec, wrong: Wrong) -> Choices:
    """Return what can be a choice at all."""
    found: dict[str, str] = {}
    if not spec.type.strip():
        wrong.add("type", sentences.NO_TYPE)
    for name, value in _said(spec, wrong):
        try:
            found.update(Choices.of({name: value}, JOB_FIELDS if name in Wrong.outside else _FIELDS).values)
        except ChoiceRefused as refused:
            wrong.take(refused)
    return Choices(found)


def _said(spec: JobSpec, wrong: Wrong) -> Iterator[tuple[str, str]]:
    for name, value in (("type", spec.type), ("site", spec.system), ("project", spec.project)):
        if value is not None:
            yield name, value
    if len(spec.choices) > MOST_CHOICES:
        # They are not looked at one by one.
        wrong.add("choices", sentences.TOO_MANY_CHOICES.format(most=MOST_CHOICES))
        return
    for name, value in spec.choices.items():
        if name in Wrong.outside:
            wrong.add(f"choices.{name}", sentences.OUTSIDE_CHOICES.format(field=Wrong.outside[name]))
        else:
            yield name, value


def _where(offer: Offer, spec: JobSpec, choices: Choices, wrong: Wrong) -> tuple[str | None, str | None]:
    """Return the job type and the site; None for what cannot be had, or if nothing is known of it."""
    key = site = None
    try:
        if "type" not in wrong.fields:
            key = demands.picked(offer, choices)
            _check_line(offer, key, spec, wrong)
            site = demands.site(offer, key, choices) if "system" not in wrong.fields else None
    except ChoiceRefused as refused:
        wrong.take(refused)
    return key, site


def _check_line(offer: Offer, key: str, spec: JobSpec, wrong: Wrong) -> None:
    entry = cast(Jobs, offer.menu).entries[key]
    if entry.command is None and spec.command:
        wrong.add("command", sentences.NO_COMMAND.format(type=entry.name))
    if entry.command is not None and not (spec.command or "").strip():
        wrong.add("command", sentences.COMMAND_NEEDED.format(type=entry.name))
    if spec.arguments and entry.command is not None:
        wrong.add("arguments", sentences.ARGUMENTS_IN_COMMAND.format(type=entry.name))


def _charged(
    offer: Offer, site: str, projects: Sequence[Project], theirs: Collection[int], choices: Choices, wrong: Wrong
) -> Chargeable | None:
    if "project" in wrong.fields:
        return None
    try:
        return chargeable.chosen(offer, site, projects, theirs, choices.get("project"))
    except NotAMember as refused:
        wrong.refuse(refused)
        return None


def _launch(
    offer: Offer, chosen: Mapping[str, str], spec: JobSpec, charged: Chargeable | None, wrong: Wrong
) -> JobLaunch | None:
    """Return what the catalogue's gate says.  Which account a project of the service charges, its admin knows."""
    values = {name: value for name, value in chosen.items() if name != "project"}
    if charged is not None and charged.project is None and charged.account is not None:
        values["project"] = charged.account
    try:
        launch = resolve_job(offer, Choices(values), () if "arguments" in wrong.fields else spec.arguments)
    except ChoiceRefused as refused:
        wrong.take(refused)
        return None
    if charged is None or charged.project is None:
        return launch
    _check_limits(launch, charged.project, wrong)
    return replace(launch, project=charged.account) if charged.account else launch


def _check_limits(launch: JobLaunch, project: Project, wrong: Wrong) -> None:
    """See that a job is not larger than one of the project may be."""
    for name, number in (("nodes", launch.nodes), ("cores", launch.cores), ("time", launch.time_minutes * 60)):
        most = project.limits.get(name)
        if most is not None and number > most:
            said = labels.duration(most // 60) if name == "time" else str(most)
            wrong.add(f"choices.{name}", sentences.LIMITS[name].format(project=project.name, most=said))


def _check_file(offer: Offer, site: str, spec: JobSpec, wrong: Wrong) -> None:
    """See that a job at NSG has its one file: it takes none without, and no other way in."""
    system = offer.menu.sites[site]
    if isinstance(system, Gateway) and system.kind == "nsg" and len(spec.inputs) != 1:
        wrong.add("inputs", sentences.ONE_INPUT.format(system=system.title))


def _check_tasks(count: int, offer: Offer, site: str, charged: Chargeable | None, wrong: Wrong) -> None:
    """See that an array has no more tasks than Slurm takes at its site, and than one of its project may have."""
    if isinstance(offer.menu.sites[site], Gateway):
        wrong.add("mode", sentences.NO_ARRAYS.format(system=offer.menu.sites[site].title))
        return
    project = charged.project if charged else None
    most = project.limits.get("array") if project else None
    if project and most is not None and count > most:
        wrong.add("datasets", sentences.LIMITS["array"].format(project=project.name, most=most))
    taken = offer.facts_of(site).array_most
    if taken is not None and count > taken:
        title = offer.menu.sites[site].title
        said = sentences.ARRAY_TOO_LARGE if taken else sentences.NO_ARRAYS
        wrong.add("datasets", said.format(system=title, most=taken, count=count))


def _fixed(spec: JobSpec, launch: JobLaunch) -> JobSpec:
    """Return the description as it was understood, with what was decided by what is free, or open, now."""
    chosen = {name: value for name, value in launch.choices.values.items() if name not in Wrong.outside}
    decided = {"partition": launch.partition, "gpu_type": launch.gpu_type}
    chosen.update((name, value) for name, value in decided.items() if value is not None)
    return replace(spec, type=launch.type_key, system=launch.site_key, choices=chosen)
