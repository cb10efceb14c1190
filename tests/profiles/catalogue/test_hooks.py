"""The hooks of a profile: what another package's code does wrong is a problem with its place and its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from tests.support import builders, hooks

_SOURCE = """
from pydantic import Field, field_validator
from kernels.fragment import Fragment
from kernels.hook import Hook

class Picky(Hook):
    size: object = Field(default=1, description="Its size.")

    @field_validator("size", mode="before")
    @classmethod
    def _looked_up(cls, value):
        return {"small": 1}[value]

    def fragment(self, job):
        return Fragment()
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path) -> Iterator[None]:
    named = {"picky": f"{hooks.MODULE}:Picky", "missing": "no_such_module:Hook"}
    with hooks.installed(tmp_path / "site-packages", named, _SOURCE):
        yield


def _parse(**given: object) -> None:
    load.parse(builders.written(profiles={"one": builders.profile(hooks=given)}), "catalogue.yaml")


def test_a_hook_that_cannot_be_loaded_breaks_nobody_who_does_not_name_it() -> None:
    _parse(picky={"size": "small"})
    _parse(spark={"workers": 1})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("picky", "the hook `picky` cannot be used (KeyError: 'large')"),
        ("missing", "the hook `missing` cannot be used (ModuleNotFoundError: No module named 'no_such_module')"),
    ],
)
def test_what_its_code_raises_is_a_problem_with_its_place_and_its_name(name: str, said: str) -> None:
    with pytest.raises(CatalogueInvalid) as found:
        _parse(**{name: {"size": "large"}}, other={})
    told = {problem.path: problem for problem in found.value.problems}
    assert set(told) == {f"profiles.one.hooks.{name}", "profiles.one.hooks.other"}
    assert told[f"profiles.one.hooks.{name}"].text.startswith(said)
    lines = builders.written(profiles={"one": builders.profile(hooks={name: {"size": "large"}})}).splitlines()
    assert told[f"profiles.one.hooks.{name}"].line == lines.index(f"      {name}:") + 1
    assert yaml.safe_load("\n".join(lines))
