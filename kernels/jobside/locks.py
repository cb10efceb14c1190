"""One builder at a time, on file systems where flock cannot be trusted: a folder that names the job that holds it.

The folder holds one entry, `<site>@<job id>`.  It comes into being with that entry in it, and who takes it over
from a dead job renames the entry: of several that try, one succeeds.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import time
from typing import Any, Dict, Iterator, List, Optional

from kernels.jobside.telling import Failure, stage

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
ASK_SECONDS = 60


class Jobs:
    """Asks the site's scheduler whether a job is over; `lookup` is a kernels.hook.JobLookup."""

    def __init__(self, site: str, lookup: Dict[str, Any], environ: Dict[str, str]) -> None:
        self.site = site
        self._lookup = lookup
        self._environ = dict(environ, PATH=os.defpath, LC_ALL="C")

    def is_over(self, holder: str) -> bool:
        """Return whether it is certain that the job in `<site>@<job id>` is over: could not ask is not over."""
        site, _, job_id = holder.partition("@")
        if site != self.site:
            return False
        try:
            answer = subprocess.run(
                [job_id if word == "{job_id}" else word for word in self._lookup["command"]],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=ASK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if answer.returncode:
            return any(words.encode() in answer.stderr for words in self._lookup["gone"])
        return bool(self._lookup["silence_is_over"]) and not answer.stdout.strip()


@contextlib.contextmanager
def held(path: str, job_id: str, jobs: Jobs, end: float, what: str) -> Iterator[None]:
    """Hold the lock `path` for a block; `end` is a time.monotonic().

    Raises Failure if another job holds it at the end, OSError where there can be no lock.
    """
    entry = "%s@%s" % (jobs.site, job_id)
    told, pause = "", FIRST_PAUSE_SECONDS
    while not take(path, entry):
        holder = holder_of(path)
        if holder and (holder == entry or jobs.is_over(holder)) and take_over(path, holder, entry):
            break
        if holder and holder != told:
            told = holder
            stage("waiting", "Job %s is already building %s; waiting for it" % (holder.partition("@")[2], what))
        if time.monotonic() > end:
            raise Failure("job %s is already building it and did not finish in time" % told.partition("@")[2])
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    try:
        yield
    finally:
        give_back(path, entry)


def take(path: str, entry: str) -> bool:
    """Return whether the lock is ours now, because nobody held it."""
    new = "%s.%s" % (path, entry)
    # Of a run of this very job that was ended at this moment.
    shutil.rmtree(new, ignore_errors=True)
    os.mkdir(new, 0o700)
    os.close(os.open(os.path.join(new, entry), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        # Over an empty folder too, but never over one that somebody holds.
        os.rename(new, path)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        # Who held it may have given it back by now.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not os.path.isdir(path):
            raise
        return False
    return True


def holder_of(path: str) -> Optional[str]:
    """Return who holds the lock, None if nobody does any more."""
    try:
        return next(iter(entries(path)), None)
    except OSError:
        return None


def entries(path: str) -> List[str]:
    """Return the entries of a lock."""
    return [name for name in os.listdir(path) if "@" in name]


def take_over(path: str, holder: str, entry: str) -> bool:
    """Return whether the lock of a dead job is ours now."""
    try:
        os.rename(os.path.join(path, holder), os.path.join(path, entry))
    except OSError:
        return False
    stage("waiting", "Job %s ended before it finished; building again" % holder.partition("@")[2])
    return True


def give_back(path: str, entry: str) -> None:
    """Let the next one have it."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(path, entry))
        os.rmdir(path)
