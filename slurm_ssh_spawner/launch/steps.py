"""The steps of a launch as a page shows them: done, under way, to come.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.job import JobState
from slurm_ssh_spawner.launch.progress import Progress, Stage
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.sentences import labels

_SERVER = "starting"
# Stages that are one step for a person; all others are one each, by their own name.
_KIND = {"loaded": "modules", "waiting": "kernel"}
_WORDS = {
    "job": labels.STEP_JOB,
    "modules": labels.STEP_MODULES,
    "kernel": labels.STEP_KERNELS,
    "spark": labels.STEP_SPARK,
    _SERVER: labels.STEP_SERVER,
}
# What these say is for administrators, and stands in the details.
_UNSAID = {"job", "loaded", "kernel", _SERVER}


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    NOW = "now"
    FAILED = "failed"
    TO_COME = "to-come"


@dataclass(frozen=True)
class Step:
    """One step; `note` is what else is said of it, "" for nothing, and may be what a job says.

    `began` is in UTC, `seconds` how long it took, `usual_seconds` how long it took the last time; None where that
    is not known, or not yet.
    """

    text: str
    state: StepState
    note: str = ""
    began: datetime | None = None
    seconds: float | None = None
    usual_seconds: float | None = None


def steps(
    catalogue: Catalogue, record: LaunchRecord, progress: Progress, last: Sequence[Mapping[str, Any]] = ()
) -> tuple[Step, ...]:
    """Return the steps of a launch in their order.

    `last` are the stages of the last launch of the same profile at the same site, as its record has them.
    """
    usual = _times(Stage.of(each) for each in last)
    reported = _reported(progress, usual)
    known = {kind for kind, _ in reported}
    expected = [kind for kind in (usual or _expected(catalogue, record)) if kind not in known and kind != "job"]
    is_over = _SERVER in known or (reported and reported[-1][1].state is StepState.FAILED)
    to_come = [] if is_over else [_to_come(kind, catalogue, record, usual) for kind in expected]
    return (*_before(catalogue, record, progress), *(step for _, step in reported), *to_come)


def _before(catalogue: Catalogue, record: LaunchRecord, progress: Progress) -> tuple[Step, ...]:
    """Return the steps until the job runs."""
    site = catalogue.sites.get(record.site_key)
    title, accepted, runs = site.title if site else record.site_key, progress.accepted_at, progress.runs_since
    if not record.job_id:
        text = labels.STEP_SUBMIT.format(site=title, login=record.owner)
        return (Step(text, StepState.NOW, began=record.begun), Step(labels.STEP_QUEUE, StepState.TO_COME))
    text = labels.STEP_ACCEPTED.format(site=title, job=record.job_id)
    submitted = Step(text, StepState.DONE, began=record.begun, seconds=_between(record.begun, accepted))
    if runs is None and progress.report.state is not JobState.RUNNING:
        since = accepted or progress.report.submitted
        return submitted, Step(labels.STEP_QUEUE, StepState.NOW, began=since)
    return submitted, Step(labels.STEP_QUEUED, StepState.DONE, seconds=_between(accepted, runs))


def _between(began: datetime | None, ended: datetime | None) -> float | None:
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def _kind(stage: Stage) -> str:
    return _KIND.get(stage.name, stage.name)


def _reported(progress: Progress, usual: Mapping[str, float]) -> list[tuple[str, Step]]:
    """Return kind and step of what the job has reported, those of one kind that follow each other as one."""
    if not progress.stages and progress.runs_since:
        return [("job", Step(_words("job", progress.report.node), StepState.NOW, began=progress.runs_since))]
    return [
        (kind, replace(_step(kind, list(stages), progress), usual_seconds=usual.get(kind)))
        for kind, stages in groupby(progress.stages, _kind)
    ]


def _step(kind: str, stages: Sequence[Stage], progress: Progress) -> Step:
    first, last = stages[0], stages[-1]
    state = StepState.FAILED if last.failed else StepState.NOW if last.ended is None else StepState.DONE
    said = next((stage.text for stage in reversed(stages) if stage.name not in _UNSAID), "")
    return Step(_words(kind, progress.report.node), state, said, first.began, _between(first.began, last.ended))


def _words(kind: str, node: str = "") -> str:
    words = _WORDS.get(kind, kind.replace("-", " ").capitalize())
    return words.format(node=node or labels.A_NODE) if kind == "job" else words


def _times(stages: Iterable[Stage]) -> dict[str, float]:
    """Return how long each kind of step took, in their order."""
    found: dict[str, float] = {}
    for stage in stages:
        found[_kind(stage)] = found.get(_kind(stage), 0.0) + (stage.seconds or 0.0)
    return found


def _expected(catalogue: Catalogue, record: LaunchRecord) -> list[str]:
    """Return the kinds of steps that the catalogue lets expect."""
    kernels, modules = _kernels(catalogue, record), _modules(catalogue, record)
    return [*(["modules"] if modules else []), *(["kernel"] if kernels else []), _SERVER]


def _to_come(kind: str, catalogue: Catalogue, record: LaunchRecord, usual: Mapping[str, float]) -> Step:
    names = {"modules": _modules, "kernel": _kernels}.get(kind)
    note = ", ".join(names(catalogue, record)) if names else ""
    return Step(_words(kind), StepState.TO_COME, note, usual_seconds=usual.get(kind))


def is_offered(catalogue: Catalogue, record: LaunchRecord) -> bool:
    """Return whether the catalogue still has what a launch is of, where it is."""
    return record.profile_key in catalogue.profiles and record.site_key in catalogue.notebooks.sites_of(
        record.profile_key
    )


def _modules(catalogue: Catalogue, record: LaunchRecord) -> tuple[str, ...]:
    if not is_offered(catalogue, record):
        return ()
    what = catalogue.notebooks.offering(record.profile_key, record.site_key)
    return tuple(_filled(each, record.choices) for each in what.modules)


def _filled(text: str, choices: Mapping[str, str]) -> str:
    for name, value in choices.items():
        text = text.replace(f"{{param.{name}}}", value)
    return text


def _kernels(catalogue: Catalogue, record: LaunchRecord) -> tuple[str, ...]:
    if not is_offered(catalogue, record):
        return ()
    kernels = catalogue.notebooks.offering(record.profile_key, record.site_key).kernels
    # A script may make several, and need not say which.
    return tuple(
        getattr(kernel, "name", "") or ", ".join(getattr(kernel, "kernelspecs", ())) or labels.A_KERNEL
        for kernel in kernels
    )
