"""What is made from the catalogue's models and kept in the tree: JSON Schema and reference page."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, Field

from kernels import environment, kernel
from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from kernels.spark.hook import InitCluster, Spark
from profiles.catalogue import (
    catalogue,
    copying,
    job_type,
    partition,
    profile,
    reference_page,
    resources,
    site,
    values,
    visibility,
    work,
)
from profiles.catalogue.json_schema import json_schema
from profiles.loading import model_fields, yaml_nodes
from tests.support import builders, hooks
from tests.support.folders import TREE

_CATALOGUES = TREE / "tests" / "data" / "catalogues"
_SCHEMA = TREE / "examples" / "catalogue.schema.json"
_PAGE = TREE / "docs" / "catalogue.md"
_MARK = "<!-- reference -->\n"


class Ephemeral(Hook):
    """A folder on the node."""

    size: int = Field(default=10, description="Its size in GB.")

    def fragment(self, job: JobContext) -> Fragment:
        raise NotImplementedError


@pytest.fixture
def a_hook(tmp_path: Path) -> Iterator[None]:
    named = {"ephemeral": f"{__name__}:{Ephemeral.__name__}", "broken": "no_such_module:Hook"}
    with hooks.installed(tmp_path / "site-packages", named):
        yield


def _values(path: Path) -> Any:
    root = yaml_nodes.compose(path.read_text(encoding="utf-8"), str(path))
    return None if root is None else yaml_nodes.values(root, str(path))


def _is_valid(data: Any) -> bool:
    return jsonschema.Draft202012Validator(json_schema()).is_valid(data)


def _yaml(folder: str) -> list[Path]:
    return sorted((_CATALOGUES / folder).glob("*.yaml"))


def test_the_schema_in_the_tree_is_current() -> None:
    """If not: `jupyterhub-sites schema > examples/catalogue.schema.json`."""
    assert json.loads(_SCHEMA.read_text(encoding="utf-8")) == json_schema()


def test_the_reference_page_is_current() -> None:
    """If not: `sed -i '/<!-- reference -->/q' docs/catalogue.md`, `jupyterhub-sites schema --reference >>` it."""
    json_schema, mark, made = _PAGE.read_text(encoding="utf-8").partition(_MARK)
    assert json_schema
    assert mark
    assert made == reference_page.page()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "path", [*_yaml("good"), *sorted((TREE / "examples").glob("*.yaml"))], ids=lambda path: path.stem
)
def test_what_loads_is_valid(path: Path) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(_values(path))


def test_most_of_what_is_broken_is_invalid() -> None:
    """What one entry says of another, and YAML that is none, no schema can see."""
    readable = []
    for path in _yaml("bad"):
        try:
            readable.append(_values(path))
        except yaml_nodes.NotYAML:
            continue
    invalid = [data for data in readable if not _is_valid(data)]
    assert len(invalid) > len(readable) / 2


def test_the_examples_name_the_schema() -> None:
    for path in (TREE / "examples").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema={_SCHEMA.name}", path


@pytest.mark.parametrize(
    ("hooks_written", "valid"),
    [
        ({"ephemeral": {"size": 20}}, True),
        ({"ephemeral": None}, True),
        ({"ephemeral": {"size": "large"}}, False),
        ({"other": {}}, False),
        # What cannot be loaded may have any settings.
        ({"broken": {"size": "large"}}, True),
    ],
)
@pytest.mark.usefixtures("a_hook")
def test_the_settings_of_installed_hooks_are_in_the_schema(hooks_written: dict[str, Any], valid: bool) -> None:
    assert _is_valid({"profiles": {"one": {"name": "One", "hooks": hooks_written}}}) is valid


@pytest.mark.usefixtures("a_hook")
def test_the_settings_of_installed_hooks_are_in_the_schema_of_job_types() -> None:
    def job_type(hooks: dict[str, Any]) -> dict[str, Any]:
        return {"job_types": {"one": {"name": "One", "run": ["hostname"], "hooks": hooks}}}

    assert _is_valid(job_type({"ephemeral": {"size": 20}}))
    assert not _is_valid(job_type({"ephemeral": {"size": "large"}}))


@pytest.mark.usefixtures("a_hook")
def test_the_settings_of_installed_hooks_are_on_the_page() -> None:
    page = reference_page.page()
    assert "## `profiles.<name>.hooks.ephemeral`" in page
    assert "| `size` | Its size in GB. | `10` |" in page


@pytest.mark.usefixtures("a_hook")
def test_a_misspelt_setting_of_a_hook_is_recognized() -> None:
    fields = model_fields.fields_at(catalogue.Catalogue, ["profiles", "one", "hooks", "ephemeral"])
    assert list(fields) == ["size"]


def _models() -> Iterator[type[BaseModel]]:
    modules = (
        catalogue,
        copying,
        site,
        partition,
        visibility,
        work,
        profile,
        job_type,
        resources,
        values,
        kernel,
        environment,
    )
    for each in (value for module in modules for value in vars(module).values()):
        if inspect.isclass(each) and issubclass(each, BaseModel) and each is not BaseModel:
            yield each
    yield from (Spark, InitCluster)


@pytest.mark.parametrize("model", sorted(set(_models()), key=lambda each: each.__name__), ids=lambda m: m.__name__)
def test_every_key_is_described_in_a_sentence(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert (field.description or "").endswith("."), f"{model.__name__}.{name}"


def test_every_key_is_on_the_reference_page() -> None:
    page = reference_page.page()
    for model in set(_models()) - {Hook}:
        for name in model.model_fields:
            assert f"\n| `{name}` | " in page, f"{model.__name__}.{name}"


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("queue_wait", "`1d`"),
        ("time_max", "`30m`"),
        ("cores", "`1`"),
        ("memory", "`1G`"),
        ("time", "`{default: 1h, min: 1m, max: 8h}`"),
        ("command", "`[jupyterhub-singleuser]`"),
        ("modules", "none"),
        ("text", "none"),
        ("sites", "**needed**"),
        ("hub_url", "the hub's own API URL"),
    ],
)
def test_a_default_reads_as_an_admin_would_write_it(key: str, default: str) -> None:
    rows = [row for row in reference_page.page().splitlines() if row.startswith(f"| `{key}` | ")]
    assert default in {row.split(" | ")[-1].removesuffix("|").strip() for row in rows}


def test_what_an_editor_fills_in_is_a_catalogue() -> None:
    resources_of = json_schema()["$defs"]["Resources"]["properties"]
    filled = {key: each["default"] for key, each in resources_of.items() if "default" in each}
    assert (filled["memory"], filled["time"]) == ("1G", {"default": "1h", "min": "1m", "max": "8h"})
    offer = builders.catalogue(profiles={"one": builders.profile(resources=filled)})
    assert offer.profiles["one"].resources == resources.Resources(**filled)


@pytest.mark.parametrize("section", ["profiles", "job_types"])
def test_an_entry_begins_with_its_name_and_what_a_site_may_change_is_told_once(section: str) -> None:
    sections = dict(part.split("\n", 1) for part in reference_page.page().split("\n## ") if "\n" in part)
    rows = [row for row in sections[f"`{section}.<name>`"].splitlines() if row.startswith("| `")]
    assert [row.split("`")[1] for row in rows[:2]] == ["name", "description"]
    assert f"As in `{section}.<name>`" in sections[f"`{section}.<name>.sites.<name>`"]
