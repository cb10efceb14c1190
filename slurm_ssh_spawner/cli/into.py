"""Puts the entry of a cluster below `sites` of a catalogue; all else in the file stays as it is."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import yaml

from profiles.loading.files import Look, contents, look
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.sentences import command_line as sentences

_PRIVATE = 0o600
_INDENT = 2
"""That of an entry as `yaml_text` writes it."""


def add(file: Path, key: str, entry: str) -> None:
    """Add an entry, `sites:` with one key and its value, to a catalogue.  Raises Failed, with nothing changed.

    The file is replaced at once; its mode and owner stay.  It is read while nobody else can do the same.
    """
    real = Path(os.path.realpath(file))
    with _new(real) as (made, opened):
        before = look(real)
        opened.write(added(_text(real, file), key, entry, str(file)))
        opened.flush()
        _replace(real, before, made)


def _text(real: Path, file: Path) -> str:
    """Return what is in a catalogue, with the ends of its lines.  Raises Failed."""
    try:
        return contents(real, only_regular=True).decode("utf-8")
    except OSError as error:
        raise Failed(sentences.NO_FILE.format(file=file, reason=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise Failed(sentences.NO_FILE.format(file=file, reason=error)) from error


def added(text: str, key: str, entry: str, name: str) -> str:
    """Return the text of a catalogue with an entry behind its last site.  Raises Failed if that cannot be."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
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
    line_end = "\r\n" if "\r\n" in text else "\n"
    new = [f"{' ' * column}{line[_INDENT:]}{line_end}" for line in entry.splitlines()[1:]]
    found = "".join([*lines[: end - 1], lines[end - 1].rstrip("\r\n"), line_end, *new, *lines[end:]])
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
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return bool(new == {**old, "sites": {**old["sites"], **yaml.safe_load(entry)["sites"]}})


@contextmanager
def _new(file: Path) -> Iterator[tuple[Path, IO[str]]]:
    """Give a new file beside a file, whose name nobody else can have meanwhile; it is gone at the end."""
    made = Path(file.parent, f".{file.name}.new")
    try:
        to = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise Failed(_not_made(file, made, error)) from error
    try:
        with os.fdopen(to, "w", encoding="utf-8", newline="") as opened:
            yield made, opened
    except OSError as error:
        raise Failed(sentences.NOT_WRITTEN.format(file=file, reason=error.strerror)) from error
    finally:
        made.unlink(missing_ok=True)


def _not_made(file: Path, made: Path, error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return sentences.IS_WRITTEN.format(file=file, new=made)
    return sentences.NOT_WRITTEN.format(file=made, reason=error.strerror)


def _replace(file: Path, before: Look, made: Path) -> None:
    """Put a file in the place of one that is as it was `before`.  Raises OSError, Failed."""
    found = file.stat()
    if os.geteuid() == 0:
        os.chown(made, found.st_uid, found.st_gid)
    shutil.copymode(file, made)
    if look(file) != before:
        raise Failed(sentences.WAS_CHANGED.format(file=file))
    made.replace(file)
