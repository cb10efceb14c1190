"""What is said of something wrong: whatever it is, in our own words, with what would be right."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from profiles.catalogue.catalogue import Catalogue
from profiles.loading import load, messages
from profiles.loading.problems import CatalogueInvalid
from tests.support import builders, hooks
from tests.support.folders import DATA

_EVERYTHING = DATA / "catalogues" / "good" / "everything.yaml"


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        yield from schema.get("patternProperties", {})
        for each in schema.values():
            yield from _patterns(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _patterns(each)


def test_every_pattern_has_its_sentence() -> None:
    assert set(_patterns(Catalogue.model_json_schema(mode="serialization"))) <= set(messages.PATTERNS)


class Odd(Hook):
    """A hook with a setting of an unusual type."""

    when: date = Field(description="The day it begins.")

    def fragment(self, job: JobContext) -> Fragment:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sites.geneva.patitions", {}, "there is no such key; did you mean `partitions`?"),
        ("sites.geneva.tunnel.sort", "ssh", "there is no such key; write one of `kind`"),
        ("sites.geneva.tunnel.kind", "shh", "`shh` is not one of direct, ssh; did you mean `ssh`?"),
        (
            "sites.geneva.projects",
            "acconting",
            "not one of none, accounting; did you mean `accounting`?",
        ),
        ("profiles.short.resource", {}, "there is no such key; did you mean `resources`?"),
        ("profiles.short.sites", ["genva"], "there is no site `genva`; did you mean `geneva`?"),
        ("profiles.short.sites", ["zug"], "there is no site `zug`; write one of `geneva`, `lugano`"),
        ("profiles.short.partitions", ["norml"], "geneva has no partition `norml`; did you mean `normal`?"),
        (
            "profiles.everything.modules",
            ["{param.levle}"],
            "no parameter `levle` here; did you mean `level`",
        ),
        (
            "profiles.everything.environment",
            {"A": "{param.x}"},
            "here; write one of `version`, `kind`, `level`",
        ),
        ("profiles.short.hooks", {"sparc": {}}, "there is no such hook; did you mean `spark`?"),
        ("profiles.short.hooks", {"spark": {"worker": 4}}, "there is no such key; did you mean `workers`?"),
        (
            "profiles.short.hooks",
            {"spark": {"workers": "x"}},
            "`x` is not a whole number; write digits, such as 4",
        ),
        ("profiles.everything.kernels.0.kernelspec", [], "there is no such key; did you mean `kernelspecs`?"),
        ("profiles.short.core", "two", "'two' is not a whole number; write digits, such as 4"),
        ("profiles.short.memory", "64 gigs", "'64 GIGS' is not an amount of memory; write 900M or 64G"),
        (
            "profiles.short.directives",
            {"exclusive": "yes"},
            "would become --exclusive=yes; write true",
        ),
    ],
)
def test_a_misspelt_word_is_told_with_what_it_may_have_been(path: str, value: object, said: str) -> None:
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    *steps, last = path.split(".")
    place = data
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    with pytest.raises(CatalogueInvalid) as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    told = [each for each in found.value.problems if said in each.text]
    assert told, found.value
    assert told[0].path.startswith(path)


def test_settings_of_a_hook_that_its_author_describes_are_told_with_the_description(tmp_path: Path) -> None:
    """Of types that no key of ours has, pydantic's words are not shown either."""
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    data["profiles"]["short"]["hooks"] = {"odd": {"when": "soon"}}
    with (
        hooks.installed(tmp_path / "site-packages", {"odd": f"{__name__}:{Odd.__name__}"}),
        pytest.raises(CatalogueInvalid, match="is text, which does not fit; write: The day it begins") as found,
    ):
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    assert len(found.value.problems) == 1


_TIME = "profiles.short.resources.time"
_PARAMETER = "profiles.short.parameters.v"
_SPACES = "is empty, or has spaces around it or unusual ones in it; write it without them"


@pytest.mark.parametrize(
    ("path", "value", "where", "said"),
    [
        (_TIME, {"max": "8h"}, ".default", "is missing; write it: What a launch gets if nothing is chosen"),
        (_TIME, ["1h", "2h"], "", "is a list; write {options: [...]} for a choice"),
        (
            _TIME,
            {"default": "2h", "max": "1h"},
            ".default",
            "is 2h, but only 1m to 1h is allowed; write one of these",
        ),
        (
            "profiles.short.resources.cores",
            {"default": 1, "max": 0},
            ".max",
            "is less than the minimum, which is 1; write a larger one",
        ),
        (
            "profiles.short.core",
            {"default": 1, "max": 8},
            "",
            "is short for one value; write a range or options as `resources: {cores: }`",
        ),
        (
            "profiles.short.memory",
            ["1G", "2G"],
            "",
            "is short for one value; write a range or options as `resources: {memory: }`",
        ),
        (_TIME, {"options": []}, ".options", "is empty; write at least one"),
        (_TIME, {"options": "1h"}, ".options", "is text, but must be a list; write [1h]"),
        (_PARAMETER, {"title": "V", "options": "a"}, ".options", "is one text, but must be a list; write [a]"),
        (_PARAMETER, {"title": "V", "options": ["a", "a"]}, ".options.1", "is there twice; remove one of them"),
        (_PARAMETER, {"title": "V", "options": ["", "a"]}, ".options.0", _SPACES),
        (_PARAMETER, {"title": "V", "options": {"": "None"}}, ".options.", _SPACES),
        (_PARAMETER, {"title": "V", "options": [" a", "a"]}, ".options. a", _SPACES),
        (_PARAMETER, {"title": "V", "options": {"a\u00a0b": "A"}}, ".options.a\u00a0b", _SPACES),
        (
            _PARAMETER,
            {"title": "V", "min": True, "max": 2},
            ".min",
            "true or false is not a whole number; write digits, such as 4",
        ),
        (
            _PARAMETER,
            {"title": "V", "min": 1, "max": 10**18},
            ".max",
            "`1000000000000000000` is out of range; write at most 999999999999999999",
        ),
        (
            _PARAMETER,
            {"title": "V", "min": 1, "max": 5, "default": "\u0663"},
            ".default",
            "is not in the range; write a whole number from 1 to 5",
        ),
        (
            _PARAMETER,
            {"title": "V", "min": -5, "max": 5, "default": "--3"},
            ".default",
            "is not in the range; write a whole number from -5 to 5",
        ),
        ("profiles.short.servers_max", True, "", "true or false is not a whole number; write digits, such as 4"),
        (
            "profiles.short.modules",
            [{"param.v": None}],
            ".0",
            'is a mapping, but must be text; write it in quotes: "{param.v}"',
        ),
        ("profiles.short.icon", "fa-brain", "", "`fa-brain` has the prefix that all icons have; write brain"),
        ("profiles.short.visible_to", "staff", "", "is text, but must be a mapping; write {groups: ...}"),
        ("sites.geneva.tunnel", "ssh", "", "is text, but must be a mapping; write {kind: ssh}"),
        (
            "sites.geneva.monitor",
            ["m"],
            "",
            "is a list, but must be a mapping; write {principal: ..., keytab: ..., login: ...}",
        ),
        (
            "sites.geneva.front_ends.0.host_keys",
            ["me"],
            ".0",
            "`me` is not a public host key; write a line of /etc/ssh/ssh_host_*_key.pub: ssh-ed25519 AAAA...",
        ),
        (
            "sites.geneva.projects",
            "physics",
            "",
            "is neither a list, nor none or accounting; for a list write [physics]",
        ),
    ],
)
def test_what_is_nearly_right_is_told_once_with_what_to_write(
    path: str, value: object, where: str, said: str
) -> None:
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    data["profiles"] = {"short": {"name": "Short", "partitions": []}}
    *steps, last = path.split(".")
    place = data
    for step in steps:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    place[last] = value
    with pytest.raises(CatalogueInvalid) as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    problems = [(each.path, each.text) for each in found.value.problems]
    assert problems == [(path + where, said)]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-12-01",
        "2026-W49-2",
        "2026-12-01 08",
        "2026-12-01 8:00",
        "2026-13-01 08:00",
        "0001-01-01 00:00",
        "1.12.",
    ],
)
def test_a_moment_has_a_date_and_a_time(moment: str) -> None:
    site = builders.site(maintenance=[{"begins": moment, "ends": "2026-12-02 08:00"}])
    with pytest.raises(CatalogueInvalid) as found:
        builders.catalogue(sites={"geneva": site})
    (problem,) = found.value.problems
    said = "write 2026-12-01 08:00, with +01:00 or Z behind it if it is not the time of this machine"
    assert problem.text == f"'{moment}' is not a date with a time; {said}"
