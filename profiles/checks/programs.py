"""Modules, folders and commands that no shell would find as they are written.  Pure."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.profile import Offering
from profiles.catalogue.work import Work
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes
from profiles.sentences import sites as sentences

Path = tuple[str, ...]

_LOADED = "module load "


def misfits(catalogue: Catalogue) -> Iterator[WrongAt]:
    """Yield everything of that kind: of sites, and of entries as they are written, at their sites too."""
    for key, site in catalogue.sites.items():
        yield from _environment(("sites", key, "jupyter"), site.jupyter.modules, site.jupyter.prefix)
    for section, entries in (("profiles", catalogue.profiles), ("job_types", catalogue.job_types)):
        for key, entry in entries.items():
            yield from _work((section, key), entry)
            for site_key, there in entry.at_sites.items():
                yield from _work((section, key, "sites", site_key), there)


def _work(path: Path, work: Work) -> Iterator[WrongAt]:
    yield from _environment(path, work.modules, work.prefix)
    if isinstance(work, Offering) and "command" in work.model_fields_set:
        program = work.command[0]
        if not program.strip():
            yield WrongAt((*path, "command", "0"), mistakes.EMPTY_PROGRAM)
        elif " " in program:
            text = sentences.PROGRAM_WITH_SPACE.format(words=", ".join(program.split()))
            yield WrongAt((*path, "command", "0"), text)


def _environment(path: Path, modules: Sequence[str], prefix: str | None) -> Iterator[WrongAt]:
    for index, module in enumerate(modules):
        names = module.removeprefix(_LOADED).replace(",", " ").replace(";", " ").split()
        if names and module != names[0] and "{" not in module:
            text = sentences.MODULES_IN_ONE.format(modules=", ".join(names))
            yield WrongAt((*path, "modules", str(index)), text)
    if prefix and (wrong := _wrong_prefix(prefix)):
        yield WrongAt((*path, "prefix"), wrong)


def _wrong_prefix(prefix: str) -> str | None:
    # Braces of parameters are told elsewhere.
    if prefix.startswith("{param"):
        return None
    if not prefix.startswith("/") or "$" in prefix or "{owner}" in prefix:
        return sentences.PREFIX_NOT_EXPANDED
    folder = PurePosixPath(prefix)
    if folder.name == "bin":
        return sentences.WRITE_FOLDER.format(folder=folder.parent)
    if folder.parent.name == "bin":
        return sentences.WRITE_FOLDER.format(folder=folder.parent.parent)
    return None
