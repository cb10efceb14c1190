"""Whose kernels may be run: those that nobody but root and the owner of their store can have put there."""

import os
import stat
from typing import Callable

OTHERS = 0o022
_Kind = Callable[[int], bool]


def wrong_with(store: str) -> str:
    """Return why a store that several people share is not used, a sentence without its end; "" if it may be.

    Nobody but its owner and root may write to it, or put another in its place.  No link is followed: it, or what
    it leads to, might be anybody's.
    """
    place, above = os.sep, os.lstat(os.sep)
    for name in filter(None, store.split(os.sep)):
        place = os.path.join(place, name)
        try:
            found = os.lstat(place)
        except OSError as error:
            return "%s: %s" % (place, error.strerror)
        if not stat.S_ISDIR(found.st_mode):
            return "%s is a link or no folder" % place
        # Whoever comes first makes what is missing in a folder like /tmp.
        if above.st_mode & OTHERS and found.st_uid not in (0, os.getuid()):
            return "anybody could have made %s" % place
        if found.st_mode & OTHERS and not (found.st_mode & stat.S_ISVTX and place != store.rstrip(os.sep)):
            return "others may write to %s" % place
        above = found
    return ""


def is_own(path: str) -> bool:
    """Return whether a folder belongs to the person of this job."""
    return os.lstat(path).st_uid == os.getuid()


def is_trusted(build: str, owner: int) -> bool:
    """Return whether the kernel in a folder is whole, and made by root or the user `owner` alone."""
    folders = ("", "venv", "venv/bin")
    files = ("with-modules", "complete")
    return all(_is(os.path.join(build, name), owner, stat.S_ISDIR) for name in folders) and all(
        _is(os.path.join(build, name), owner, stat.S_ISREG) for name in files
    )


def _is(path: str, owner: int, kind: _Kind) -> bool:
    try:
        found = os.lstat(path.rstrip(os.sep))
    except OSError:
        return False
    return kind(found.st_mode) and found.st_uid in (0, owner) and not found.st_mode & OTHERS
