"""One description for several datasets: what becomes of each.  Pure, but for letting others have their turn."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from job_service.accepting import asked
from job_service.accepting.gate import Decided
from job_service.accepting.wrong import Wrong
from job_service.errors import Invalid, JobError
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from job_service.store.values import NotAccepted
from languages import together

_TURN = 20
_FIELDS_TOLD = 100


def check(spec: JobSpec) -> None:
    """Raise Invalid for what no dataset can have a job of."""
    wrong = Wrong(asked.problems(spec))
    if wrong.fields:
        raise wrong.error()


async def each(spec: JobSpec, decide: Callable[[JobSpec], Decided]) -> tuple[list[Decided], list[NotAccepted]]:
    """Return what a job is for each dataset of a description, and why others have none.

    `decide` is the gate.  Raises what it raises if there is no job at all: the refusal that all have, or Invalid
    with one for each.
    """
    decided: list[Decided] = []
    refused: list[tuple[str, JobError]] = []
    for at, dataset in enumerate(spec.datasets, 1):
        try:
            decided.append(decide(replace(spec, datasets=(dataset,))))
        except JobError as error:
            refused.append((dataset, error))
        if at % _TURN == 0:
            await asyncio.sleep(0)
    if not decided:
        raise _of_all(refused)
    return decided, [NotAccepted.of(dataset, error) for dataset, error in refused]


def _of_all(refused: Sequence[tuple[str, JobError]]) -> JobError:
    first = refused[0][1]
    if all((type(error), error.message) == (type(first), first.message) for _, error in refused):
        return first
    said = {f"datasets.{dataset}": error.message for dataset, error in refused[:_FIELDS_TOLD]}
    told = together(dict.fromkeys(said.values()))
    return Invalid(sentences.NONE_ACCEPTED.format(count=len(refused), sentences=told), said)
