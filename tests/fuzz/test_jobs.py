"""Ten thousand hostile descriptions of jobs: each is refused by field, or its script differs in quotes only.

`FUZZ_COUNT=100000 .venv/bin/python -m pytest tests/fuzz/test_jobs.py` has as many of each kind.
"""

import os
import random
import re
import shlex
import subprocess
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from job_service.accepting import again, gate, shown
from job_service.accepting.gate import Decided
from job_service.accepting.worked_on import Chosen
from job_service.errors import Invalid, JobError, NotAMember
from job_service.spec import JobSpec
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.menu import Jobs
from profiles.sentences import shown as harmless
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import comparable, decided, project, record
from tests.support import builders
from tests.support.hostile import NASTY_OPTIONS, Hostile

pytestmark = pytest.mark.uncounted

COUNT = int(os.environ.get("FUZZ_COUNT", "10000"))
ARGUED = int(os.environ.get("FUZZ_COUNT", "2000"))
PLAIN = "plain"
GOOD = {
    "partition": ("normal", "debug"),
    "time": ("1h", "10m", "00:05:00"),
    "cores": ("1", "8"),
    "nodes": ("2",),
    "qos": ("high",),
    "param.version": (*NASTY_OPTIONS, PLAIN),
    "param.workers": ("1", "9"),
}
_VERSION = {"title": "Version", "options": [PLAIN, *NASTY_OPTIONS], "variable": "VERSION"}
_TOOL = builders.job_type(
    name="Tool",
    run=["/opt/tool", "--version={param.version}", "{param.workers}"],
    parameters={"version": _VERSION, "workers": {"title": "Workers", "min": 1, "max": 9}},
    modules=["tool/{param.version}"],
)
_OFFER = deciding.offer(deciding.catalogue(types={"tool": _TOOL, "command": deciding.COMMAND}))
_PROJECTS = (project("p1", 1), project("secret", 2))
_OUTSIDE = {"type", "system", "project", "title", "command", "arguments", "inputs", "start", "choices"}
_OUTSIDE |= {"datasets", "mode", "unpack"}


class _Specs:
    """A source of hostile descriptions, some of them harmless in most of their parts."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)  # noqa: S311 - no secret
        self._source = Hostile(seed, GOOD)

    def spec(self) -> JobSpec:
        pick = self._pick
        line = pick.random() < 0.5
        return JobSpec(
            type=self._mostly("command" if line else "tool"),
            system=self._mostly(pick.choice((None, "geneva", "lugano", "zurich", "bern"))),
            project=self._mostly(pick.choice((None, None, None, "p1", "secret", "physics", "default"))),
            title=self._text() if pick.random() < 0.7 else "a job title",
            choices=self._choices(),
            command=self._text() if line and pick.random() < 0.9 else None,
            arguments=tuple(self._text() for _ in range(pick.choice((0,) * 19 + (3,)))),
            inputs=(inputs := self._inputs()),
            start=self._mostly("later" if inputs else "now"),
            unpack=pick.random() < 0.5,
        )

    def _inputs(self) -> tuple[str, ...]:
        count = self._pick.choice((0, 0, 0, 1, 3))
        return tuple(f"{n}{self._text()}{self._pick.choice(('', '.zip'))}" for n in range(count))

    def _mostly(self, good: Any) -> Any:
        return good if self._pick.random() < 0.95 else self._text()

    def _text(self) -> str:
        """Return any text, also one that no UTF-8 can hold."""
        texts = [text for _, text in self._source.fields()]
        return self._pick.choice((*texts, "", "\ud800", "plain", "sh run.sh\n\ttrue\n", "a.zip"))

    def _choices(self) -> dict[str, str]:
        kind = self._pick.random()
        if kind < 0.4:
            return {name: self._pick.choice(GOOD[name]) for name in GOOD if name.startswith("param.")}
        if kind < 0.6:
            return {name: self._pick.choice(values) for name, values in GOOD.items() if self._pick.random() < 0.3}
        return {name: text for name, text in self._source.options().items() if isinstance(text, str)}


def _outcome(spec: JobSpec) -> Decided | JobError:
    try:
        return decided(spec, _OFFER, _PROJECTS, (1,))
    except (Invalid, NotAMember) as refused:
        return refused


def _check_refusal(spec: JobSpec, refused: JobError) -> None:
    """See that a refusal names what was sent, in sentences that any page can show."""
    assert refused.message.isprintable()
    names = {f"choices.{harmless(name)}" for name in spec.choices}
    names |= {f"choices.{name}" for name in ("cores", "time", "nodes", "partition", "gpus", "memory", *GOOD)}
    for name, sentence in getattr(refused, "fields", {"project": refused.message}).items():
        assert name in _OUTSIDE | names, name
        assert sentence.isprintable()
        assert sentence.endswith((".", ". ")), sentence
        assert len(sentence) < 1000
        assert name.isprintable()


def _script(job: Decided) -> tuple[JobRequest, str]:
    inputs = job.spec.inputs if job.spec.unpack else ()
    return shown.request(job.launch, "hub", job.title, inputs, job.datasets)


def _words(title: str, version: str, workers: str) -> tuple[str, ...]:
    """Return the texts of a script in which the title and the version may stand."""
    return (
        f"export JOB_TITLE={shlex.quote(title)}\n",
        f"load_modules {shlex.quote(f'tool/{version}')}\n",
        f"export VERSION={shlex.quote(version)}\n",
        f"attend /opt/tool {shlex.quote(f'--version={version}')} {workers}\n",
    )


def _unpacked(name: str) -> str:
    """Return the text of a script in which the name of an input may stand."""
    return f"unpack {shlex.quote(f'./{name}')} {shlex.quote(f'{name} could not be unpacked.')}\n"


def _check_script(spec: JobSpec, job: Decided) -> None:
    """See that a script is that of a harmless job but for words in quotes."""
    request, text = _script(job)
    for name, value in slurm_jobs.directives(request):
        assert re.fullmatch(r"[a-z-]+", name)
        assert value is None or re.fullmatch(r"[A-Za-z0-9_.:/-]+", value), value
    version = job.launch.environments[0].variables.get("VERSION", "")
    program = job.launch.program or ("", "", "")
    asked = {"choices": {**spec.choices, "param.version": PLAIN}} if version else {"command": "true"}
    plain = tuple(f"{n}.zip" if name.lower().endswith(".zip") else f"{n}" for n, name in enumerate(spec.inputs))
    harmless_job = decided(replace(spec, title=PLAIN, inputs=plain, **asked), _OFFER, _PROJECTS, (1,))
    _, expected = _script(harmless_job)
    ours, theirs = _words(job.title, version, program[2]), _words(PLAIN, PLAIN, program[2])
    for new, old in list(zip(ours, theirs, strict=True))[: 4 if version else 1]:
        assert expected.count(old) == 1, old
        expected = expected.replace(old, new)
    for new, old in zip(spec.inputs, plain, strict=True):
        expected = expected.replace(_unpacked(old), _unpacked(new))
    assert text == expected


def test_a_description_gives_a_harmless_script_or_a_refusal_that_names_what_is_wrong() -> None:
    source, seen = _Specs(3), Counter[str]()
    for _ in range(COUNT):
        spec = source.spec()
        outcome = _outcome(spec)
        seen[type(outcome).__name__] += 1
        if isinstance(outcome, Decided):
            _check_script(spec, outcome)
            kept = again.launch(cast(Jobs, _OFFER.menu), record(outcome))
            assert comparable(kept) == comparable(outcome.launch)
            seen[outcome.launch.type_key] += 1
            seen["unpacks"] += "\nstage unpack\n" in _script(outcome)[1]
        else:
            _check_refusal(spec, outcome)
    assert min(seen[name] for name in ("Invalid", "NotAMember", "tool", "command", "unpacks")) > 50, seen


def test_a_few_of_the_scripts_are_shell() -> None:
    source, read = _Specs(4), 0
    while read < 20:
        outcome = _outcome(source.spec())
        if isinstance(outcome, Decided):
            text = _script(outcome)[1]
            checked = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
            assert (checked.returncode, checked.stderr) == (0, b"")
            read += 1


# -- parameters that become words of the command line, conditions, datasets --------------------------------

_WORDS = {"r": ["--red"], **{option: ["--colour", option] for option in NASTY_OPTIONS}}
_ARGUED = builders.job_type(
    name="Argued",
    run=["/opt/argued", "--ids={dataset_ids}"],
    parameters={
        "cutoff": {
            "title": "Cut-off",
            "decimal": {"min": 0, "max": 1},
            "argument": "--cutoff",
            "when": "channels > 1",
        },
        "size": {"title": "Size", "min": 1, "max": 9, "argument": []},
        "label": {"title": "Label", "text": {"longest": 60}, "argument": "--label", "variable": "LABEL"},
        "tracks": {"title": "Without tracks", "flag": True, "argument": "--no-tracks"},
        "colour": {"title": "Colour", "options": {"": "None", **{each: each for each in _WORDS}}, "words": _WORDS},
    },
    free_arguments=2,
    datasets={"types": ["scan"], "min": 0, "max": 3, "modes": ["single"]},
)
_DATASETS = {
    f"demo:{key}": Dataset(f"demo:{key}", key, kind, f"/data/it's $(id) {key}", {"channels": at})
    for at, (key, kind) in enumerate((("a", "scan"), ("b", "scan"), ("c", "scan"), ("mesh", "mesh")))
}
_LIST = [
    {"id": key.removeprefix("demo:"), "type": each.type, "location": each.location}
    for key, each in _DATASETS.items()
]
_OF_ARGUED = deciding.offer(
    builders.catalogue(sites=deciding.SITES, job_types={"argued": _ARGUED}, datasets={"demo": {"list": _LIST}})
)
_GOOD = {
    "param.cutoff": ("0", "0.5", "1e-3", ".5", "1.000"),
    "param.size": ("1", "9", "05"),
    "param.label": (*NASTY_OPTIONS, "a label", "--not-an-option"),
    "param.tracks": ("true", "false"),
    "param.colour": tuple(_WORDS),
}


class _Argued:
    """A source of descriptions of jobs of the type `argued`, hostile in some of their parts."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)  # noqa: S311 - no secret
        self._source = Hostile(seed, _GOOD)

    def spec(self) -> JobSpec:
        pick = self._pick
        choices = {name: pick.choice(values) for name, values in _GOOD.items() if pick.random() < 0.4}
        if pick.random() < 0.6:
            choices |= dict(self._source.fields())
        count = pick.choice((0, 0, 1, 1, 2, 3))
        return JobSpec(
            type="argued",
            system="geneva",
            title="a job title",
            choices=choices,
            arguments=tuple(self._text() for _ in range(pick.choice((0, 0, 1, 2, 3)))),
            datasets=tuple(pick.choice((*_DATASETS, "demo:b", "demo:c", self._text())) for _ in range(count)),
            mode="single" if pick.random() < 0.95 else pick.choice(("each", "array", self._text())),
        )

    def _text(self) -> str:
        texts = [text for _, text in self._source.fields() if len(text) < 500]
        return self._pick.choice((*texts, *NASTY_OPTIONS, "", "\ud800"))


def _argued(spec: JobSpec) -> Decided | JobError:
    known = {each: _DATASETS[each] for each in spec.datasets if each in _DATASETS}
    try:
        return gate.decide(_OF_ARGUED, spec, (), (), Chosen(known, len(spec.datasets)))
    except (Invalid, NotAMember) as refused:
        return refused


def _program(spec: JobSpec) -> list[str]:
    """Return the words that a description means, as `docs/jobs.md` says it."""
    chosen = {name: value.strip() for name, value in spec.choices.items()}
    channels = [_DATASETS[each].parameters["channels"] for each in spec.datasets]
    words = ["/opt/argued", f"--ids={','.join(spec.datasets)}"]
    if channels and min(cast(list[int], channels)) > 1:
        words += ["--cutoff", chosen.get("param.cutoff") or "0"]
    words.append(str(int(chosen.get("param.size") or "1")))
    words += ["--label", chosen["param.label"]] if chosen.get("param.label") else []
    words += ["--no-tracks"] if chosen.get("param.tracks") == "true" else []
    words += _WORDS[chosen["param.colour"]] if chosen.get("param.colour") else []
    return [*words, *spec.arguments]


def test_words_of_the_command_line_are_those_that_were_chosen() -> None:
    source, seen = _Argued(5), Counter[str]()
    plain = _argued(JobSpec("argued", "geneva", title="a job title"))
    assert isinstance(plain, Decided)
    expected = [line for line in _script(plain)[1].splitlines() if not _is_of_values(line)]
    for _ in range(ARGUED):
        spec = source.spec()
        outcome = _argued(spec)
        if not isinstance(outcome, Decided):
            _check_refusal(spec, outcome)
            seen["refused"] += 1
            continue
        lines = _script(outcome)[1].splitlines()
        (attended,) = [line for line in lines if line.startswith("attend ")]
        assert shlex.split(attended)[1:] == _program(spec)
        kept = again.launch(cast(Jobs, _OF_ARGUED.menu), record(outcome), outcome.datasets)
        assert comparable(kept) == comparable(outcome.launch)
        if {*spec.choices} <= {*_GOOD}:
            assert [line for line in lines if not _is_of_values(line)] == expected
        seen["decided"] += 1
        seen["with a condition"] += "--cutoff" in _program(spec)
        seen["nasty"] += any(each in attended for each in ("$(id)", "`id`"))
    assert min(seen[name] for name in ("refused", "decided", "with a condition", "nasty")) > 50, seen


def _is_of_values(line: str) -> bool:
    return line.startswith(("attend ", "export LABEL=", "export JOB_DATASETS="))
