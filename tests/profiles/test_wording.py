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
from profiles import hooks as catalogue_hooks
from profiles import keys, load, wording
from profiles.errors import CatalogueInvalid
from profiles.schema import Catalogue

_EVERYTHING = Path(__file__).parents[1] / "data" / "catalogues" / "good" / "everything.yaml"


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
    assert set(_patterns(Catalogue.model_json_schema(mode="serialization"))) <= set(wording.PATTERNS)


class _Spark(Hook):
    """A hook that is installed."""

    workers: int = Field(default=1, description="How many.")

    def fragment(self, job: JobContext) -> Fragment:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sites.geneva.patitions", {}, "there is no such key; did you mean `partitions`?"),
        ("sites.geneva.tunnel.sort", "ssh", "there is no such key; the keys here are `kind`"),
        ("sites.geneva.tunnel.kind", "shh", "`shh` is not one of direct, ssh; did you mean `ssh`?"),
        (
            "sites.geneva.projects",
            "acconting",
            "not one of none, accounting; did you mean `accounting`?",
        ),
        ("profiles.short.resource", {}, "there is no such key; did you mean `resources`?"),
        ("profiles.short.sites", ["genva"], "there is no site `genva`; did you mean `geneva`?"),
        ("profiles.short.sites", ["zug"], "there is no site `zug`; sites are `geneva`, `lugano`"),
        ("profiles.short.partitions", ["norml"], "geneva has no partition `norml`; did you mean `normal`?"),
        (
            "profiles.everything.modules",
            ["{param.levle}"],
            "no parameter `levle` in this profile; did you mean `level`",
        ),
        ("profiles.everything.environment", {"A": "{param.x}"}, "its parameters are `version`, `kind`, `level`"),
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
def test_a_misspelt_word_is_told_with_what_it_may_have_been(
    path: str, value: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (catalogue_hooks, keys):
        monkeypatch.setattr(module, "hooks", lambda: {"spark": _Spark})
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


def test_settings_of_a_hook_that_its_author_describes_are_told_with_the_description(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of types that no key of ours has, pydantic's words are not shown either."""

    class Odd(_Spark):
        """A hook with a setting of an unusual type."""

        when: date = Field(description="The day it begins.")

    for module in (catalogue_hooks, keys):
        monkeypatch.setattr(module, "hooks", lambda: {"odd": Odd})
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    data["profiles"]["short"]["hooks"] = {"odd": {"when": "soon"}}
    with pytest.raises(CatalogueInvalid, match="is text, which does not fit; write: The day it begins") as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    assert len(found.value.problems) == 1
