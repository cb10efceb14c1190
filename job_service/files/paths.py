"""The path of a job's file, in parts and as a word for a shell; which there may be, `layout` knows.  Pure."""

from job_service import layout
from job_service.errors import Invalid
from job_service.sentences import files as sentences
from kernels.shell import Shell, join, quote

_SENTENCES: dict[layout.Flaw, str] = {
    "missing": sentences.PATH_MISSING,
    "absolute": sentences.PATH_ABSOLUTE,
    "character": sentences.PATH_CHARACTER,
    "leaves": sentences.PATH_LEAVES,
    "long": sentences.PATH_TOO_LONG,
    "ours": sentences.PATH_OURS,
}


def parts(path: str) -> tuple[str, ...]:
    """Return the names in the path of a file.  Raises Invalid for a path that no file of a job has."""
    if flaw := layout.flaw(path):
        wrong = _SENTENCES[flaw].format(
            most=layout.LONGEST_PATH, part_most=layout.LONGEST_PART, folder=layout.OURS
        )
        raise Invalid(wrong, {"path": wrong})
    return tuple(path.split("/"))


def folder_parts(path: str) -> tuple[str, ...]:
    """Return the names in the path of a folder, none for "", the job's own."""
    return parts(path.removesuffix("/")) if path else ()


def words(names: tuple[str, ...]) -> Shell:
    """Return names as words for sh, whatever their bytes are; there are no control characters in them."""
    return Shell(" ".join(_word(name) for name in names))


def _word(name: str) -> Shell:
    if name.isascii():
        return quote(name)
    octal = "".join(f"\\0{byte:03o}" for byte in layout.encoded(name))
    return Shell(f'"$(printf %b {join([octal])})"')
