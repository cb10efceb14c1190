"""A job as a form has it, as the API has it, and as somebody would type it at a shell.  Pure."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from fastapi import Request

from job_service.http import cookies
from job_service.record import JobRecord
from job_service.spec import JobSpec
from profiles.catalogue.dataset import Mode
from profiles.sentences import shown as harmless

DATASET = "dataset"
"""The field of a form that has a dataset's id, once for each that is chosen."""

SEARCH = ("q", "of", "at", "act")
"""Fields of a form that only say how datasets are looked for."""

FILES = "file"
"""The field of a form with files; where they are not sent, their names."""

_OUTSIDE = frozenset(
    {
        *("_xsrf", "key", "type", "site", "project", "title", "command", "unpack", "again", "mode"),
        *(DATASET, FILES, *SEARCH),
    }
)


def spec(fields: Mapping[str, list[str]], *file_names: str) -> JobSpec:
    """Return the job that a form describes; what is left empty is not asked for.

    `file_names` are those of the files that come with it, as far as they are known.
    """
    typed_in, inputs = typed(fields), tuple(each for each in file_names if each)
    given = {name: value.strip() for name, value in typed_in.items() if value.strip()}
    return JobSpec(
        type=given.get("type", ""),
        system=given.get("site"),
        project=given.get("project"),
        title=given.get("title", ""),
        choices={name: value for name, value in given.items() if name not in _OUTSIDE},
        # A browser ends lines as Windows does.
        command=typed_in["command"].replace("\r\n", "\n") if "command" in given else None,
        inputs=inputs,
        start="when-complete" if inputs else "now",
        unpack=bool(inputs) and "unpack" in given,
        datasets=chosen(fields),
        # A word that is no way is told by the gate.
        mode=cast(Mode, given.get("mode", "single")),
    )


def chosen(fields: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the ids of the datasets that are chosen, each once."""
    return tuple(dict.fromkeys(each for each in fields.get(DATASET, ()) if each))


def typed(fields: Mapping[str, list[str]]) -> dict[str, str]:
    """Return what was typed, to show it again; datasets and how they are looked for stand beside it."""
    beside = {cookies.XSRF_FIELD, DATASET, *SEARCH}
    return {name: values[0] for name, values in fields.items() if values and name not in beside}


def of(record: JobRecord) -> dict[str, str]:
    """Return what somebody would have typed for a job."""
    said = record.spec
    return {
        **said.choices,
        "type": record.type,
        "site": record.system,
        "project": said.project or "",
        # Those of one request have a dataset's name behind their title.
        "title": record.title if said.mode == "single" else said.title,
        "command": said.command or "",
        "mode": said.mode,
    }


def fields_of(record: JobRecord) -> dict[str, list[str]]:
    """Return a form that is filled in as it would be for a job."""
    return {**{name: [value] for name, value in of(record).items()}, DATASET: list(record.spec.datasets)}


def lines(request: Request, asked: JobSpec) -> tuple[str, ...]:
    """Return the same job as lines for a shell: by hubjobs, and by curl, with one for each of its files."""
    jobs = f"https://{request.headers.get('Host', 'hub')[:200]}{cookies.root(request)}/api/v1/jobs"
    return _hubjobs(asked), _curl(jobs, asked), *(_put(jobs, each) for each in asked.inputs)


def _hubjobs(asked: JobSpec) -> str:
    words = ["hubjobs", "submit", asked.type]
    for option, value in (("--on", asked.system), ("--project", asked.project), ("--title", asked.title)):
        if value:
            words += [option, value]
    for name, value in asked.choices.items():
        words += ["--time", value] if name == "time" else ["--set", f"{name}={value}"]
    for each in asked.datasets:
        words += ["--dataset", each]
    words += [] if asked.mode == "single" else [f"--{asked.mode}"]
    for each in asked.inputs:
        words += ["--input", each]
    words += ["--unpack"] if asked.unpack else []
    if asked.command:
        words += ["--", asked.command]
    return shlex.join(words)


def _curl(jobs: str, asked: JobSpec) -> str:
    body: dict[str, Any] = {"type": asked.type}
    for name in ("system", "project", "title", "command"):
        if value := getattr(asked, name):
            body[name] = value
    if asked.choices:
        body["choices"] = dict(asked.choices)
    if asked.datasets:
        body |= {"datasets": list(asked.datasets), "mode": asked.mode}
    if asked.inputs:
        body |= {"inputs": list(asked.inputs), "start": asked.start, "unpack": asked.unpack}
    data = json.dumps(body, ensure_ascii=False)
    return _joined("curl", "-K", "~/.jobs-token", jobs, "-H", "Content-Type: application/json", "-d", data)


def _put(jobs: str, name: str) -> str:
    # JOB_ID is to be replaced by the id that the line before answers.
    return _joined("curl", "-K", "~/.jobs-token", "-T", name, f"{jobs}/JOB_ID/files/{quote(name)}")


def _joined(*words: str) -> str:
    return " ".join(_word(each) for each in words)


def _word(word: str) -> str:
    return word if word.startswith("~/") else shlex.quote(word)


__all__ = ["DATASET", "FILES", "SEARCH", "chosen", "fields_of", "harmless", "lines", "of", "spec", "typed"]
