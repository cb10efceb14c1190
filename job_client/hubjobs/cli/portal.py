"""How the ICAT Job Portal wrote jobs and how people typed them: ids, states, a program's own words.  Pure."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hubjobs import calls, models, sentences, text

_NUMBER = re.compile(r"([0-9]{1,18})(?:\.(.*))?", re.DOTALL)
_DATASETS = "--datasetIds"

ASKED_FOR = "-"
"""What stands for the value of a credential that is asked for."""

BATCH = frozenset({"line", "program"})
"""What jobs of a batch type run; those of others are servers."""

_STATES = {
    "NEW": "W",
    "STAGINGIN": "Q",
    "READY": "Q",
    "QUEUED": "Q",
    "HELD": "H",
    "RUNNING": "R",
    "STAGINGOUT": "E",
    "SUCCESSFUL": "C",
    "FAILED": "F",
    "CANCELED": "X",
    "DELETED": "C",
}
_UNKNOWN = "U"
"""The letters of Torque's qstat: waiting, queued, held, running, exiting, completed.  It knew one end only, so for
those that failed or were cancelled, and for a stage of a later service, there are letters besides."""


def host_of(url: str) -> str:
    """Return the name of a hub's host."""
    return urlsplit(url).hostname or ""


def job_id(job: models.Job, host: str) -> str:
    """Return the id that the portal would have given a job."""
    return job.job_id if job.id is None else f"{job.id}.{host}"


def state(job: models.Job) -> str:
    """Return the letter for where a job is."""
    return _STATES.get(job.stage, _UNKNOWN)


def number_of(typed: str, host: str) -> int | None:
    """Return the number of a job that is named by it, with or without its host; None for an id of our own.

    Raises ValueError.
    """
    if calls.is_job_id(typed):
        return None
    found = _NUMBER.fullmatch(typed)
    if found is None or (host if found[2] is None else found[2].lower()) != host:
        raise ValueError(sentences.IJP_NO_JOB_ID.format(text=text.one_line(typed, 100), host=host))
    return int(found[1])


def credentials(given: Sequence[str]) -> tuple[str, str]:
    """Return name and password, of an authenticator and pairs of a name and a value.  Raises ValueError."""
    pairs = given[1:]
    values = dict(zip(pairs[::2], pairs[1::2], strict=False))
    if len(pairs) % 2 or values.keys() != {"username", "password"}:
        raise ValueError(sentences.IJP_CREDENTIALS)
    return values["username"], values["password"]


@dataclass
class _Read:
    """What words behind a job type were, as far as they have been read."""

    choices: dict[str, str] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)


def spec(
    job_type: models.JobType,
    words: Sequence[str],
    system: str | None,
    project: str | None,
    datasets: Sequence[str],
) -> models.Spec:
    """Return the job of a type that its words describe, as the portal passed them to its program.

    Words of an option become the choice that gives the program these words; `--NAME VALUE` is a choice of that
    name; `--datasetIds` are datasets; the others stay words for the program.  For a type that runs any line they
    are the line.  Raises ValueError for an option without its value.
    """
    given = words[1:] if words[:1] == ["--"] else words
    if job_type.runs == "line":
        line = given[0] if len(given) == 1 else shlex.join(given)
        return models.Spec(job_type.key, system, project, command=line, datasets=tuple(datasets))
    found = _read(_options(job_type, system), given, takes_datasets=job_type.datasets is not None)
    return models.Spec(
        job_type.key,
        system,
        project,
        choices=found.choices,
        arguments=tuple(found.arguments),
        datasets=(*datasets, *found.datasets),
    )


def mode(job_type: models.JobType, count: int) -> str | None:
    """Return what becomes of so many datasets where nobody says it: one job, unless the type takes one in each."""
    modes = job_type.datasets.modes if job_type.datasets else ()
    return modes[0] if count and modes and "single" not in modes else None


def _options(job_type: models.JobType, system: str | None) -> list[models.OnLine]:
    """Return what can be set by words at a system (None: at the default one)."""
    place = next((each for each in job_type.systems if system in {None, each.system}), None)
    if place is None:
        return []
    named = [models.OnLine(each.name, (f"--{each.name.removeprefix('param.')}",)) for each in place.fields]
    return [*place.on_line, *named]


def _read(options: Sequence[models.OnLine], words: Sequence[str], *, takes_datasets: bool) -> _Read:
    found, rest = _Read(), list(words)
    while rest:
        if rest[0] == "--":
            found.arguments += rest[1:]
            break
        if takes_datasets and (ids := _valued(rest, (_DATASETS,))) is not None:
            found.datasets += [each for each in ids.split(",") if each]
        elif (chosen := _chosen(options, rest)) is not None:
            name, value = chosen
            found.choices[name] = value
        else:
            _take(found, options, rest.pop(0))
    return found


def _take(found: _Read, options: Sequence[models.OnLine], word: str) -> None:
    """Keep a word that no option takes: as the next value that stands alone, else for the program."""
    alone = (each.name for each in options if each.argument == () and each.name not in found.choices)
    if (name := next(alone, None)) is not None:
        found.choices[name] = word
    else:
        found.arguments.append(word)


def _chosen(options: Sequence[models.OnLine], rest: list[str]) -> tuple[str, str] | None:
    """Return name and value of the option that stands first, and take its words away; of two the longer one."""
    of_values = [(words, each.name, value) for each in options for value, words in each.words.items() if words]
    for words, name, value in sorted(of_values, key=lambda one: -len(one[0])):
        if tuple(rest[: len(words)]) == words:
            del rest[: len(words)]
            return name, value
    for each in sorted(options, key=lambda one: -len(one.argument or ())):
        if each.argument and (typed := _valued(rest, each.argument)) is not None:
            return each.name, typed
    return None


def _valued(rest: list[str], argument: tuple[str, ...]) -> str | None:
    """Return the value behind the words of an option that stands first, and take both away."""
    head, count = argument[-1], len(argument)
    if tuple(rest[:count]) == argument:
        if len(rest) == count:
            raise ValueError(sentences.IJP_NO_VALUE.format(word=" ".join(argument)))
        value = rest[count]
        del rest[: count + 1]
        return value
    if tuple(rest[: count - 1]) == argument[:-1] and len(rest) >= count and rest[count - 1].startswith(f"{head}="):
        value = rest[count - 1].removeprefix(f"{head}=")
        del rest[:count]
        return value
    return None
