import os
import struct
import subprocess
import sys
from pathlib import Path

from kerberos_auth import sentences


def catalogue(texts: dict[str, str]) -> bytes:
    """Return a compiled message catalogue: a header, two tables of lengths and offsets, the texts."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    keys, values = ([text.encode() for text in column] for column in zip(*pairs, strict=True))
    start = 28 + 16 * len(pairs)
    tables, body = b"", b""
    for texts_of_one_kind in (keys, values):
        for text in texts_of_one_kind:
            tables += struct.pack("<II", len(text), start + len(body))
            body += text + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + tables + body


def said(name: str, folder: Path, language: str) -> str:
    """Return a sentence as a hub with this language and folder of catalogues says it."""
    program = f"import gettext; gettext._default_localedir = {str(folder)!r}; from kerberos_auth import sentences"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print(sentences.{name})"],
        env={**os.environ, "LANGUAGE": language, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "de/LC_MESSAGES"
    folder.mkdir(parents=True)
    german = "Ihr Kerberos-Ticket ist abgelaufen. Melden Sie sich neu an."
    (folder / f"{sentences.DOMAIN}.mo").write_bytes(catalogue({sentences.TICKET_EXPIRED: german}))
    assert said("TICKET_EXPIRED", tmp_path, "de") == german
    assert said("TICKET_MISSING", tmp_path, "de") == sentences.TICKET_MISSING
    assert said("TICKET_EXPIRED", tmp_path, "fr") == sentences.TICKET_EXPIRED


def test_every_sentence_ends_as_one_or_is_jupyterhubs_own() -> None:
    worded = {name: text for name, text in vars(sentences).items() if name.isupper() and name != "DOMAIN"}
    assert len(worded) > 20
    for name, text in worded.items():
        assert text.endswith(".") or name == "LOGIN_REFUSED", name
