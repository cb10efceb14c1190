"""How a file is called that comes with a request, as its header `Content-Disposition` says.  Pure."""

import re
from urllib.parse import unquote

from job_service.http.old.wrong import malformed
from job_service.http.problems import Problem
from job_service.layout import OURS
from job_service.sentences import old_paths as sentences
from profiles.sentences import shown

HEADER = "Content-Disposition"

# A name, then a text in quotes or one that ends with the parameter; blanks in it are people's own.
_PARAMETER = re.compile(r';\s*([A-Za-z0-9*_-]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";]*))\s*', re.DOTALL)
_REST = re.compile(r"[;\s]*\Z")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[A-Za-z0-9-]*'(.*)", re.IGNORECASE | re.DOTALL)
_LONGEST = 255


def decoded(header: bytes) -> str:
    """Return a header's value as text: UTF-8 where it is that, else Latin-1, which anything is."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def filename(header: str | None) -> str | None:
    """Return the name that the header gives, None if it gives none.

    Raises a Problem for a header that cannot be read, and for a name that no file of a job may have.
    """
    try:
        given = _parameters(header) if header else {}
        extended = given.get("filename*")
        name = given.get("filename") if extended is None else _unquoted(extended)
    except ValueError as error:
        raise wrong(sentences.NAME_UNREADABLE) from error
    return None if name is None else _checked(name)


def parameter(header: str, name: str) -> str | None:
    """Return one parameter of a header that is written as this one is, None if it has none.

    Raises ValueError if it cannot be read.
    """
    return _parameters(header).get(name)


def _parameters(header: str) -> dict[str, str]:
    """Return the parameters behind the kind, which is not looked at; the names in lower case."""
    kind, semicolon, rest = header.partition(";")
    # Some send the parameter alone.
    text = f";{header}" if "=" in kind else semicolon + rest
    found: dict[str, str] = {}
    place = 0
    while not _REST.match(text, place):
        if not (given := _PARAMETER.match(text, place)):
            raise ValueError(text)
        name, quoted, plain = given.groups()
        found[name.lower()] = plain.strip() if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        place = given.end()
    return found


def _unquoted(value: str) -> str:
    """Return a value in the form of RFC 8187, such as `UTF-8''na%C3%AFve.zip`."""
    if not (parts := _EXTENDED.fullmatch(value)):
        raise ValueError(value)
    return unquote(parts[2], encoding=parts[1], errors="strict")


def _checked(name: str) -> str:
    if not name or name in (".", "..", OURS) or "/" in name or "\\" in name or not name.isprintable():
        raise wrong(sentences.NAME_NOT_ONE.format(name=shown(name)))
    if len(name.encode(errors="replace")) > _LONGEST:
        raise wrong(sentences.NAME_TOO_LONG.format(most=_LONGEST))
    return name


def wrong(sentence: str) -> Problem:
    """Return the problem of a name that cannot be taken."""
    return malformed(HEADER, sentence)
