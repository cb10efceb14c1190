"""Which paths a job's file may have, and how one is written for a shell.  Pure."""

import unicodedata

from job_service import layout
from job_service.errors import Invalid
from job_service.sentences import files as sentences
from kernels.shell import Shell, join, quote

LONGEST_BYTES = 1000
LONGEST_PART_BYTES = 255


def parts(path: str) -> tuple[str, ...]:
    """Return the names in the path of a file.  Raises Invalid for a path that no file of a job has."""
    if wrong := _wrong(path):
        raise Invalid(wrong, {"path": wrong})
    return tuple(path.split("/"))


def folder_parts(path: str) -> tuple[str, ...]:
    """Return the names in the path of a folder, none for "", the job's own."""
    return parts(path.removesuffix("/")) if path else ()


def _wrong(path: str) -> str:
    """Return what is wrong with a path, "" for nothing."""
    if not path:
        return sentences.PATH_MISSING
    if path.startswith("/"):
        return sentences.PATH_ABSOLUTE
    if any(map(_is_forbidden, path)):
        return sentences.PATH_CHARACTER
    return _wrong_names(path.split("/"), len(_bytes(path)))


def _wrong_names(names: list[str], length: int) -> str:
    if any(name in ("", ".", "..") for name in names):
        return sentences.PATH_LEAVES
    if length > LONGEST_BYTES or any(len(_bytes(name)) > LONGEST_PART_BYTES for name in names):
        return sentences.PATH_TOO_LONG.format(most=LONGEST_BYTES, part_most=LONGEST_PART_BYTES)
    return sentences.PATH_OURS.format(folder=layout.OURS) if names[0] == layout.OURS else ""


def _is_forbidden(character: str) -> bool:
    """Return whether a character is a control character, a backslash, or a surrogate that stands for no byte."""
    is_byte = "\udc80" <= character <= "\udcff"
    return character == "\\" or (unicodedata.category(character) in ("Cc", "Cs") and not is_byte)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def words(names: tuple[str, ...]) -> Shell:
    """Return names as words for sh, whatever their bytes are; there are no control characters in them."""
    return Shell(" ".join(_word(name) for name in names))


def _word(name: str) -> Shell:
    if name.isascii():
        return quote(name)
    octal = "".join(f"\\0{byte:03o}" for byte in _bytes(name))
    return Shell(f'"$(printf %b {join([octal])})"')
