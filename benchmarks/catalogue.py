"""`catalogue`: reading, checking and offering a large catalogue, next to a bare parse of it.  Needs no lab."""

import gc
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from benchmarks.samples import Table, milliseconds, ratio
from lab.folders import HUB_PYTHON
from profiles.form import page
from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from profiles.offer.offer import Offer, Person

PROFILES = 1000
FILES = 10
SITES = 5
FEW = 10
ROUNDS = 7
_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDVgo6BZVy8AwU2yZ3cVYBqZqjKnPvYH1b0cFJ3yGm6k"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

PARSE = "bare parse: the same text with PyYAML and libyaml"
READ = "load: all files, to a catalogue without a problem"
BROKEN = "load of the same with a mistake in every profile"
LOOK = "the look whether a file changed"
CHECK = "jupyterhub-sites check, a process of its own"
FORM = f"form, {PROFILES} profiles"
FORM_FEW = f"form, {FEW} profiles"

Say = Callable[[str], None]


def measure(say: Say) -> dict[str, list[float]]:
    """Return the seconds of each thing, measured in turn."""
    say(f"catalogue: {PROFILES} profiles at {SITES} sites, {ROUNDS} rounds")
    with TemporaryDirectory() as folder:
        whole = _written(Path(folder) / "whole", PROFILES, {})
        broken = _written(Path(folder) / "broken", PROFILES, {"modulse": ["a"]})
        few = _written(Path(folder) / "few", FEW, {})
        texts = [path.read_text(encoding="utf-8") for path in load.loaded(whole).sources.files]
        sources = load.loaded(whole).sources
        offers = {FORM: _offer(whole), FORM_FEW: _offer(few)}
        steps: dict[str, Callable[[], object]] = {
            PARSE: lambda: [yaml.load(text, _LOADER) for text in texts],  # noqa: S506 - a safe one
            READ: lambda: load.read(whole),
            BROKEN: lambda: _refused(broken),
            LOOK: sources.changed,
            CHECK: lambda: _checked(whole),
            FORM: lambda: page.render(offers[FORM], {}),
            FORM_FEW: lambda: page.render(offers[FORM_FEW], {}),
        }
        samples: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(ROUNDS):
            for name, step in steps.items():
                samples[name].append(_seconds(step))
    return samples


def _seconds(step: Callable[[], object]) -> float:
    """Return how long a step takes, without the garbage of those before it."""
    gc.collect()
    gc.disable()
    try:
        begun = time.perf_counter()
        step()
        return time.perf_counter() - begun
    finally:
        gc.enable()


def tables(samples: dict[str, list[float]]) -> list[Table]:
    """Return what to print."""
    reference = {name: FORM_FEW if name in (FORM, FORM_FEW) else PARSE for name in samples}
    rows = tuple(
        (name, (*milliseconds(seconds), ratio(seconds, samples[reference[name]])))
        for name, seconds in samples.items()
    )
    title = f"catalogue: {PROFILES} profiles in {FILES} files, {SITES} sites, ms"
    return [Table(title, ("median", "min", "max", "ratio"), rows)]


def _written(folder: Path, count: int, more: dict[str, Any]) -> Path:
    """Write a catalogue of `count` profiles, each with some keys `more`, and return its first file."""
    (folder / "profiles").mkdir(parents=True)
    sites = {f"site{number}": _site(number) for number in range(SITES)}
    main = folder / "catalogue.yaml"
    main.write_text(_yaml({"include": ["profiles/*.yaml"], "sites": sites}), encoding="utf-8")
    for file in range(FILES):
        numbers = range(file * count // FILES, (file + 1) * count // FILES)
        profiles = {f"profile{number}": _profile(number) | more for number in numbers}
        text = _yaml({"profiles": profiles})
        (folder / "profiles" / f"{file:02}.yaml").write_text(text, encoding="utf-8")
    return main


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False)


def _site(number: int) -> dict[str, Any]:
    return {
        "title": f"Site {number}",
        "front_ends": [{"host": f"login{number}.example.org", "host_keys": [_HOST_KEY]}],
        "job_folder": "/scratch/{owner}/jupyter",
        "jupyter": {"modules": ["jupyterlab"]},
        "partitions": {"normal": {"time_max": "1d"}, "debug": {"time_max": "30m"}},
    }


def _profile(number: int) -> dict[str, Any]:
    """Return a profile that says much, and something else at two of the sites."""
    return {
        "name": f"Application {number}",
        "description": "What it is for, in a sentence or two.",
        "sites": {
            "site0": {},
            "site1": {"modules": ["other/1"]},
            "site2": {},
            "site3": {"resources": {"cores": {"default": 2, "max": 8}}},
            "site4": {},
        },
        "resources": {
            "cores": {"default": 1, "max": 8},
            "memory": {"default": "1G", "max": "4G"},
            "time": {"default": "1h", "max": "8h"},
        },
        "modules": ["tool/{param.version}", "hdf5/1.14"],
        "environment": {"LEVEL": "high"},
        "parameters": {"version": {"title": "Version", "options": ["1.0", "2.0"]}},
    }


def _offer(path: Path) -> Offer:
    return Offer(load.read(path).notebooks, {}, Person("alice"), datetime.now(UTC))


def _refused(path: Path) -> None:
    try:
        load.read(path)
    except CatalogueInvalid as error:
        if len(error.problems) != PROFILES:
            raise
    else:
        raise AssertionError("a mistake in every profile was not found")


def _checked(path: Path) -> None:
    command = Path(HUB_PYTHON).with_name("jupyterhub-sites")
    subprocess.run([command, "check", path], check=True, stdout=subprocess.DEVNULL)
