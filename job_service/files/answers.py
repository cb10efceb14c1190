"""What the programs of `programs` answer: files, pieces of a log, and what has gone wrong.  Pure."""

import base64
import binascii
import re
from collections.abc import AsyncGenerator, AsyncIterator

from job_service import errors
from job_service.files import programs
from job_service.files.info import FileInfo, Kind, Listing, shown
from job_service.sentences import files as sentences
from slurm_ssh import sentences as of_sites
from slurm_ssh.errors import Broken, Refused, Unavailable
from slurm_ssh.ssh.transport import Completed
from slurm_ssh.text import one_line, tells_of_no_space

OK = re.compile(rb"ok( [0-9.-]{1,60})?( [0-9.-]{1,60})?")
_SIZE = re.compile(r"([0-9]{1,19}) (-?[0-9]{1,20})\.([0-9]{9})[0-9]*")
_OFFSET = re.compile(r" [0-9]{1,19}")
_STATUS = re.compile(rb"[0-9]{1,3}")
_ENTRY = re.compile(rb"(.) ([0-9]{1,19}) (-?[0-9]{1,20})\.([0-9]{9})[0-9]* (.+)", re.DOTALL)
_KINDS: dict[bytes, Kind] = {b"f": "file", b"d": "folder", b"l": "link"}
_LONGEST_REASON = 300
_LONGEST_COUNT = 20


def info(path: str, said: str, title: str) -> FileInfo:
    """Return the file of which a program says `SIZE SECONDS`.  Raises Broken for anything else."""
    found = _SIZE.fullmatch(said.strip())
    if not found:
        raise not_understood(title, said)
    return FileInfo(path, int(found[1]), _nanoseconds(found[2], found[3]))


def offset(said: str, title: str) -> int:
    """Return with which byte begins what a program prints of a log.  Raises Broken for anything else."""
    if not _OFFSET.fullmatch(said):
        raise not_understood(title, said)
    return int(said)


def listing(folder: str, said: str, title: str) -> tuple[Listing, int]:
    """Return what `programs.listing` has printed of a folder, and the status of what has looked there.

    What could not be looked at, such as a folder that its owner may not read, is missing: the listing is cut.
    Raises Broken if that cannot be what was printed.
    """
    try:
        rows = base64.b64decode(said.encode(), validate=False)
    except (ValueError, binascii.Error) as error:
        raise not_understood(title, said) from error
    *whole, last = rows.split(b"\0")
    is_full = len(rows) >= programs.LONGEST_LISTING
    if not is_full and not _STATUS.fullmatch(last):
        raise not_understood(title, last.decode(errors="replace"))
    status = 0 if is_full else int(last)
    before = f"{folder}/" if folder else ""
    items = [_entry(before, row, title) for row in whole]
    return Listing(tuple(sorted(items, key=lambda each: each.path)), is_cut=is_full or status != 0), status


def _entry(before: str, row: bytes, title: str) -> FileInfo:
    found = _ENTRY.fullmatch(row)
    if not found:
        raise not_understood(title, row.decode(errors="replace"))
    path = before + found[5].decode(errors="surrogateescape")
    return FileInfo(path, int(found[2]), _nanoseconds(found[3], found[4]), _KINDS.get(found[1], "other"))


def _nanoseconds(seconds: str | bytes, fraction: str | bytes) -> int:
    return int(seconds) * 1_000_000_000 + int(fraction)


async def pieces(said: AsyncIterator[bytes], path: str, title: str) -> AsyncGenerator[bytes, None]:
    """Yield what is in a log of which `COUNT;BYTES.` come again and again.

    Raises Broken for anything else, and Unavailable for a log that became shorter meanwhile.
    """
    count, left = b"", 0
    async for piece in said:
        at = 0
        while at < len(piece):
            if left > 1:
                taken = piece[at : at + left - 1]
                yield taken
                at, left = at + len(taken), left - len(taken)
            elif left:
                at, left = at + 1, 0
            else:
                end = piece.find(b";", at, at + _LONGEST_COUNT)
                count += piece[at : end if end >= 0 else at + _LONGEST_COUNT]
                if len(count) > _LONGEST_COUNT or (end >= 0 and not count.isdigit()):
                    raise not_understood(title, count.decode(errors="replace"))
                at = end + 1 if end >= 0 else at + _LONGEST_COUNT
                # With the dot behind them.
                left, count = (int(count) + 1, b"") if end >= 0 else (0, count)
    if left or count:
        raise Unavailable(sentences.CHANGED_MEANWHILE.format(path=path))


def error(path: str, title: str, answer: Completed, sentence: str, *, is_made: bool) -> Exception:
    """Return what to tell of a program that has failed: `sentence`, with the reason, if it does not say how.

    Where the job's folder has not to be there (it is not made), that is no failure of the site.
    """
    if not is_made and answer.status in (programs.GONE, programs.NOT_MADE):
        return errors.NotMade(sentences.FOLDER_NOT_MADE)
    named = {"path": shown(path), "site": title}
    if known := _known(answer.status, named):
        return known
    reason = one_line((answer.stderr.strip().splitlines() or [""])[-1], _LONGEST_REASON).rstrip(".")
    reason = reason or of_sites.EXIT_STATUS.format(status=answer.status)
    if tells_of_no_space(reason):
        return errors.NoSpace(
            sentences.NO_SPACE.format(**named, reason=reason), sentences.DELETE_OR_ASK.format(**named)
        )
    return Refused(sentence.format(**named, reason=reason))


def _known(status: int, named: dict[str, str]) -> Exception | None:
    """Return what an exit status of our own means, None for another one."""
    if status in (programs.OUTSIDE, programs.NO_FOLDER):
        wrong = sentences.LEADS_OUT if status == programs.OUTSIDE else sentences.IS_NO_FOLDER
        return errors.Invalid(wrong.format(**named), {"path": wrong.format(**named)})
    if status == programs.NO_FILE:
        wrong = sentences.IS_NO_FILE.format(**named)
        return errors.NotAFile(wrong, {"path": wrong})
    return {
        programs.GONE: errors.NotFound(sentences.FOLDER_GONE),
        programs.ABSENT: errors.NotFound(sentences.NO_SUCH_FILE.format(**named)),
        programs.FOREIGN: Refused(sentences.FOLDER_FOREIGN.format(**named)),
        programs.SHORT: Unavailable(sentences.NOT_WHOLE.format(**named)),
    }.get(status)


def not_understood(title: str, said: str) -> Broken:
    """Return what to tell of an answer that means nothing."""
    return Broken(sentences.NOT_UNDERSTOOD.format(site=title), said)
