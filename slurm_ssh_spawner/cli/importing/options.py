"""What options of sbatch are in a catalogue, whichever way a configuration says them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from profiles.catalogue.values import Directives
from slurm_ssh_spawner.cli.importing import words
from slurm_ssh_spawner.cli.importing.draft import Draft
from slurm_ssh_spawner.cli.importing.script import Parts, apart, options
from slurm_ssh_spawner.cli.yaml_text import Place
from slurm_ssh_spawner.sentences import command_line as sentences

_DIRECTIVES: TypeAdapter[Any] = TypeAdapter(Directives)
# A job has them by itself, or is better without.
_OWN = frozenset({"job-name", "output", "error", "chdir", "export", "get-user-env", "parsable", "open-mode"})


@dataclass
class Entry:
    """A part of a profile that is being translated; what is said of it stands at `at`."""

    draft: Draft
    at: Place
    work: dict[str, Any]
    line: int

    def note(self, setting: str, said: str) -> None:
        """Say something about a setting."""
        self.draft.note(self.at, self.line, setting, said)

    def resource(self, name: str, value: Any) -> None:
        """Give the job so much of something."""
        self.work.setdefault("resources", {})[name] = value

    def option(self, name: str, value: str | bool, setting: str = "") -> None:
        """Take an option of sbatch over; say so if it has no counterpart."""
        shown = setting or (f"--{name}" if value is True else f"--{name}={value}")
        text = "" if value is True else str(value)
        if name in _OWN:
            self.note(shown, sentences.DONE_BY_THE_HUB)
        elif (taken := _TAKEN.get(name)) is not None:
            if not taken(self, text):
                self.note(shown, sentences.NO_COUNTERPART)
        else:
            self._directive(name, value, shown)

    def _directive(self, name: str, value: str | bool, shown: str) -> None:
        try:
            _DIRECTIVES.validate_python({name: value})
        except ValidationError as error:
            self.note(shown, error.errors()[0]["msg"].removeprefix("Value error, "))
        else:
            self.work.setdefault("directives", {})[name] = value

    def options(self, text: str) -> None:
        """Take over what is written behind sbatch."""
        for name, value in options(text):
            self.option(name, value)

    def script(self, text: str, setting: str) -> None:
        """Take over a batch script, or lines of shell that every job runs."""
        parts = apart(text)
        for name, value in parts.options:
            self.option(name, value)
        self._environment(parts)
        if parts.rest:
            self.note(setting, sentences.LINES_OF_SHELL)
            for line in parts.rest:
                self.draft.notes[self.at].append(f"    {line}")

    def _environment(self, parts: Parts) -> None:
        for name in ("module_paths", "modules"):
            if found := getattr(parts, name):
                self.work[name] = [*self.work.get(name, ()), *found]
        if parts.prefix:
            self.work["prefix"] = parts.prefix
        if parts.variables:
            self.work.setdefault("environment", {}).update(parts.variables)


def _partition(entry: Entry, value: str) -> bool:
    names = [name for name in value.split(",") if name]
    entry.work["partitions"] = names
    entry.draft.offer_partitions(names)
    return bool(names)


def _account(entry: Entry, value: str) -> bool:
    projects = entry.draft.site.setdefault("projects", [])
    if value and isinstance(projects, list) and value not in projects:
        projects.append(value)
    return bool(value)


def _bare_gpus(entry: Entry, value: str) -> bool:
    """Take `a100:2` or `2`, which leave out the word."""
    return _gpus(entry, value) or _gpus(entry, f"gpu:{value}")


def _gpus(entry: Entry, value: str) -> bool:
    found = words.gpus(value)
    if found is None:
        return False
    count, kind = found
    entry.resource("gpus", count or 1)
    if kind:
        entry.resource("gpu_types", [kind])
    return True


def _read(name: str, read: Callable[[object], Any]) -> Callable[[Entry, str], bool]:
    def take(entry: Entry, value: str) -> bool:
        found = read(value)
        if found:
            entry.resource(name, found)
        return bool(found)

    return take


def _cluster(entry: Entry, value: str) -> bool:
    entry.draft.site["slurm_cluster"] = value
    return bool(value)


_TAKEN: dict[str, Callable[[Entry, str], bool]] = {
    "partition": _partition,
    "account": _account,
    "gres": _gpus,
    "gpus": _bare_gpus,
    "gpus-per-node": _bare_gpus,
    "nodes": _read("nodes", words.whole),
    "time": _read("time", words.time),
    "mem": _read("memory", words.size),
    "cpus-per-task": _read("cores", words.whole),
    "ntasks": lambda _, value: value == "1",
    "ntasks-per-node": lambda _, value: value == "1",
    "clusters": _cluster,
}
