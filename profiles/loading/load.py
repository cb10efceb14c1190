"""Read catalogue files into a Catalogue, or say everything that is wrong with them and where."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from yaml.nodes import MappingNode, Node

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.copying import CopyFrom
from profiles.catalogue.dataset import DatasetSource
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobType
from profiles.catalogue.profile import Profile
from profiles.catalogue.site import Site
from profiles.catalogue.values import Entry, Key, Plain
from profiles.catalogue.wrong import WrongAt
from profiles.checks import datasets, doubts, groups, interactive, names, schedulers, sites
from profiles.loading import garbage, include, messages, model_fields, partial, yaml_nodes
from profiles.loading.files import Sources
from profiles.loading.include import Tree
from profiles.loading.problems import CatalogueInvalid, Problem
from profiles.sentences import mistakes


@dataclass(frozen=True)
class Loaded:
    """A catalogue, the files it was read from, and the nodes that know where everything stands in them.

    `off` is what is wrong with job types in XML, which the catalogue is without; `notices` what means nothing in
    those, and what can work and may not be meant.
    """

    catalogue: Catalogue
    sources: Sources
    root: Node
    off: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()

    def problem(self, path: tuple[str, ...], text: str) -> Problem:
        """Return what is wrong with the value at `path`, with its place in the file."""
        found = yaml_nodes.place(self.root, path)
        return yaml_nodes.at(found.key, found.path, text)


def read(path: str | Path) -> Catalogue:
    """Return the catalogue in the YAML file at `path` and those that it includes.

    Raises CatalogueInvalid, naming file, line and column of every problem, also if it cannot be read.
    """
    return loaded(path).catalogue


def loaded(path: str | Path) -> Loaded:
    """Return the same, with the files and places it came from.  Raises CatalogueInvalid."""
    tree = include.gather(Path(path))
    with garbage.left_lying():
        return _loaded(tree)


def parse(text: str, name: str) -> Catalogue:
    """Return the catalogue in `text`; `name` stands for the file in problems.  Raises CatalogueInvalid."""
    return _loaded(include.gather_text(text, name)).catalogue


class _Frame(Entry):
    """A catalogue whose entries have not been looked at."""

    include: tuple[Plain, ...] = ()
    copy_from: CopyFrom | None = None
    sites: dict[Key, Any] = Field(min_length=1)
    gateways: dict[Key, Any] = Field(default_factory=dict)
    profiles: dict[Key, Any] = Field(min_length=1)
    job_types: dict[Key, Any] = Field(default_factory=dict)
    datasets: dict[Key, Any] = Field(default_factory=dict)


_Model = type[Site] | type[Gateway] | type[Profile] | type[JobType] | type[DatasetSource]
_MODELS: Mapping[str, _Model] = {
    "sites": Site,
    "gateways": Gateway,
    "profiles": Profile,
    "job_types": JobType,
    "datasets": DatasetSource,
}
"""What reads an entry of each section."""


def of_type(path: str | Path) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return what is wrong with a job type in XML by itself, and what means nothing in it."""
    tree = include.gather_type(Path(path))
    found = list(tree.problems)
    if tree.root is not None:
        found += _checked(yaml_nodes.values(tree.root, str(path)), tree.root, is_whole=False)[1]
    return _in_order(found, tree.sources), tree.notices


def _loaded(tree: Tree) -> Loaded:
    problems = list(tree.problems)
    catalogue = None
    if tree.root is not None:
        try:
            catalogue, found = _read(tree.root, tree)
            problems += found
            if off := {each.file for each in problems} & tree.xml:
                # Without the types that are wrong, which are no part of it.
                _leave_out(tree.root, off)
                catalogue, _ = _read(tree.root, tree)
        except yaml_nodes.NotYAML as error:
            problems.append(error.problem)
    wrong = [each for each in problems if each.file not in tree.xml]
    if wrong or catalogue is None or tree.root is None:
        raise CatalogueInvalid(_in_order(problems, tree.sources), tree.sources)
    doubtful = (_misfit(tree.root, each) for each in doubts.doubts(catalogue))
    notices = (*tree.notices, *_in_order(doubtful, tree.sources))
    return Loaded(catalogue, tree.sources, tree.root, _in_order(problems, tree.sources), notices)


def _read(root: Node, tree: Tree) -> tuple[Catalogue, list[Problem]]:
    """Return the catalogue as far as it could be read, and what is wrong with it.  Raises NotYAML."""
    catalogue, found = _checked(yaml_nodes.values(root, str(tree.sources.files[0])), root, tree.is_whole)
    return catalogue, list(found)


def _leave_out(root: Node, files: Collection[str]) -> None:
    """Take the job types of some files out of the nodes."""
    for key, entries in root.value:
        if key.value == "job_types" and isinstance(entries, MappingNode):
            entries.value = [pair for pair in entries.value if pair[0].start_mark.name not in files]


def _checked(data: Any, root: Node, is_whole: bool) -> tuple[Catalogue, Iterable[Problem]]:
    """Return the catalogue as far as it could be read, and what is wrong with it."""
    if under := _under_sites(data):
        real = {key: entry for key, entry in data["sites"].items() if key not in under}
        catalogue, found = _checked({**data, "sites": real}, root, is_whole=False)
        text = mistakes.STANDS_UNDER_SITES
        return catalogue, [*(_misfit(root, WrongAt(("sites", key), text)) for key in under), *found]
    details = [each for each in _frame(data) if is_whole or each["type"] not in ("missing", "too_short")]
    sections: dict[str, Any] = data if isinstance(data, dict) else {}
    entries = {section: _entries(model, sections.get(section)) for section, model in _MODELS.items()}
    for section, read_there in entries.items():
        for key, entry in read_there.items():
            details += [{**each, "loc": (section, key, *each["loc"])} for each in entry.details]
    # Every part of it has been validated.
    values = {section: _values(read_there) for section, read_there in entries.items()}
    catalogue = Catalogue.model_construct(
        include=tuple(sections.get("include") or ()) if not details else (),
        copy_from=CopyFrom(**sections["copy_from"]) if sections.get("copy_from") and not details else None,
        sites=values["sites"],
        gateways=values["gateways"],
        profiles=values["profiles"],
        job_types=values["job_types"],
        datasets=values["datasets"],
    )
    misfits = _misfits(catalogue, entries, is_whole)
    return catalogue, [*(_problem(root, each) for each in details), *(_misfit(root, each) for each in misfits)]


def _misfits(
    catalogue: Catalogue, entries: Mapping[str, Mapping[str, partial.Partial]], is_whole: bool
) -> tuple[WrongAt, ...]:
    """Return what does not fit together between entries that were read."""
    unsure = {
        (section, key, site)
        for section, read_there in entries.items()
        for key, entry in read_there.items()
        for site in entry.unsure
    }
    known_sites = tuple(entries["sites"]) if is_whole else None
    known_profiles = tuple(entries["profiles"]) if is_whole else None
    all_sites = is_whole and all(entry.value for entry in entries["sites"].values())
    all_sources = is_whole and all(entry.value for entry in entries["datasets"].values())
    return (
        *names.misfits(catalogue, known_sites, unsure, tuple(entries["gateways"])),
        *groups.misfits(catalogue, unsure),
        *datasets.misfits(catalogue, known_sites, all_sources=all_sources),
        *interactive.misfits(catalogue, known_profiles, unsure, all_sites=all_sites),
        *sites.misfits(catalogue),
        *schedulers.misfits(catalogue),
    )


def _under_sites(data: Any) -> list[str]:
    """Return the sections that are indented as if they were sites."""
    if not isinstance(data, dict) or not isinstance(data.get("sites"), dict):
        return []
    return [key for key in _MODELS if key in data["sites"] and key not in data]


def _frame(data: Any) -> Iterator[partial.Detail]:
    try:
        _Frame.model_validate(data)
    except ValidationError as error:
        yield from partial.spread(error)


def _entries(model: _Model, section: Any) -> dict[str, partial.Partial]:
    found = section if isinstance(section, dict) else {}
    return {str(key): partial.read(model, value) for key, value in found.items()}


def _values(entries: Mapping[str, partial.Partial]) -> dict[str, Entry]:
    return {key: entry.value for key, entry in entries.items() if entry.value}


def _problem(root: Node, detail: partial.Detail) -> Problem:
    steps = [str(step) for step in detail["loc"]]
    found = yaml_nodes.place(root, steps)
    of_key = steps[-1:] == ["[key]"]
    written = getattr(found.key, "value", None) if of_key else found.written
    around = steps if detail["type"] in messages.OF_A_MODEL else steps[:-1]
    text = messages.sentence(detail, written, model_fields.fields_at(Catalogue, around))
    path = (*found.path, steps[-1]) if detail["type"] == "missing" else found.path
    return yaml_nodes.at(found.key, path, text)


def _misfit(root: Node, misfit: WrongAt) -> Problem:
    found = yaml_nodes.place(root, misfit.path)
    return yaml_nodes.at(found.key, found.path, str(misfit))


def _in_order(problems: Iterable[Problem], sources: Sources) -> tuple[Problem, ...]:
    order = {str(path): number for number, path in enumerate(sources.files)}
    unlike = dict.fromkeys(problems)
    return tuple(sorted(unlike, key=lambda each: (order.get(each.file, 0), each.line, each.column, each.path)))
