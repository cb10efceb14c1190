"""Ten thousand hostile descriptions of jobs: each is refused by field, or its script differs in quotes only."""

import random
import re
import shlex
import subprocess
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from job_service.accepting import again, shown
from job_service.accepting.gate import Decided
from job_service.errors import Invalid, JobError, NotAMember
from job_service.spec import JobSpec
from profiles.catalogue.menu import Jobs
from profiles.sentences import shown as harmless
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import comparable, decided, project, record
from tests.support import builders
from tests.support.hostile import NASTY_OPTIONS, Hostile

pytestmark = pytest.mark.uncounted

COUNT = 10_000
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
    return shown.request(job.launch, "hub", job.title, job.spec.inputs if job.spec.unpack else ())


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
