"""Sentences of a package, and how a hub in another language says one."""

import os
import string
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from languages.catalogues import DOMAIN

_GERMAN = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"


def texts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the sentences of a module, each with its name, or that of the tuple or dictionary it is in."""
    for name, value in vars(module).items():
        if name.isupper() and name != "DOMAIN":
            for text in _texts(value):
                yield name, text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)


def placeholders(text: str) -> list[str]:
    """Return the names in braces, "" for one without a name."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def said(module: str, expression: str, translated: dict[str, str], folder: Path, language: str) -> str:
    """Return what an expression of a module's sentences is where a German catalogue lies in `folder`."""
    place = folder / "de/LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{DOMAIN}.mo").write_bytes(compiled(translated, _GERMAN))
    program = f"import gettext; gettext._default_localedir = {str(folder)!r}; import {module} as sentences"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print({expression})"],
        env={**os.environ, "LANGUAGE": language, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def compiled(texts: dict[str, str], head: str) -> bytes:
    """Return a compiled message catalogue: a header, two tables of lengths and offsets, the texts."""
    pairs = sorted({"": head, **texts}.items())
    keys, values = ([text.encode() for text in column] for column in zip(*pairs, strict=True))
    start = 28 + 16 * len(pairs)
    tables, body = b"", b""
    for texts_of_one_kind in (keys, values):
        for text in texts_of_one_kind:
            tables += struct.pack("<II", len(text), start + len(body))
            body += text + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + tables + body
