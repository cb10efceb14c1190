"""Puts the entry of a cluster below `sites` of a catalogue; all else in the file stays as it is."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.sentences import command_line as sentences

_PRIVATE = 0o600
_INDENT = 2
"""That of an entry as `yaml_text` writes it."""


def add(file: Path, key: str, entry: str) -> None:
    """Add an entry, `sites:` with one key and its value, to a catalogue.  Raises Failed, with nothing changed.

    The file is replaced at once; its mode and owner stay.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(sentences.NO_FILE.format(file=file, reason=error)) from error
    _replace(file.resolve(), added(text, key, entry, str(file)))


def added(text: str, key: str, entry: str, name: str) -> str:
    """Return the text of a catalogue with an entry behind its last site.  Raises Failed if that cannot be."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise Failed(sentences.NO_CATALOGUE.format(file=name)) from error
    sections = root.value if isinstance(root, yaml.MappingNode) else []
    at = next((index for index, (section, _) in enumerate(sections) if section.value == "sites"), None)
    sites = None if at is None else sections[at][1]
    if not isinstance(sites, yaml.MappingNode) or sites.flow_style or not sites.value:
        raise Failed(sentences.NOT_PUT_INTO.format(file=name))
    if key in [site.value for site, _ in sites.value]:
        raise Failed(sentences.KEY_IS_TAKEN.format(key=key, file=name))
    lines, column = text.splitlines(keepends=True), sites.value[0][0].start_mark.column
    behind = [section.start_mark.line for section, _ in sections[(at or 0) + 1 :]]
    end = _end(lines[: min(behind, default=len(lines))], column)
    new = [f"{' ' * column}{line[_INDENT:]}" for line in entry.splitlines(keepends=True)[1:]]
    found = "".join([*lines[: end - 1], lines[end - 1].removesuffix("\n"), "\n", *new, *lines[end:]])
    if not _is_added(text, found, entry):
        raise Failed(sentences.NOT_PUT_INTO.format(file=name))
    return found


def _end(lines: Sequence[str], column: int) -> int:
    """Return how many lines there are without comments behind the last site; what stands deeper belongs to it."""
    end = len(lines)
    while not (line := lines[end - 1].strip()) or (
        line.startswith("#") and len(lines[end - 1]) - len(lines[end - 1].lstrip()) <= column
    ):
        end -= 1
    return end


def _is_added(before: str, after: str, entry: str) -> bool:
    """Return whether the new text says what the old one did, and the entry."""
    try:
        old, new = yaml.safe_load(before), yaml.safe_load(after)
    except yaml.YAMLError:
        return False
    return bool(new == {**old, "sites": {**old["sites"], **yaml.safe_load(entry)["sites"]}})


def _replace(file: Path, text: str) -> None:
    made = Path(file.parent, f".{file.name}.new")
    try:
        to = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise Failed(sentences.NOT_WRITTEN.format(file=made, reason=error.strerror)) from error
    try:
        with os.fdopen(to, "w", encoding="utf-8") as opened:
            opened.write(text)
        found = file.stat()
        if os.geteuid() == 0:
            os.chown(made, found.st_uid, found.st_gid)
        shutil.copymode(file, made)
        made.replace(file)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise Failed(sentences.NOT_WRITTEN.format(file=file, reason=error.strerror)) from error
