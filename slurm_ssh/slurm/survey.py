"""All jobs of a hub at a site, asked for by one program: what is sent, how its answer is read.  Pure."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from slurm_ssh.slurm import jobs
from slurm_ssh.slurm.jobs import Row, UnreadableAnswer

# Of the last two no more than they need: with a line break in it, a longer one could hold a row about a job of
# somebody else.
_FORMAT = "%i|%T|%B|%u|%V|%S|%e|%60r|%{width}j"
_HEADER = "JOBID|STATE|"
_END = "END|"
_STATUS = re.compile(r"[0-9]{1,3}")
_ID_LENGTH = 12


@dataclass(frozen=True)
class Listing:
    """The rows of a hub's jobs; `odd` are marks about which a row could not be read."""

    rows: tuple[Row, ...]
    odd: frozenset[str] = frozenset()


def beginning(mark: str) -> str:
    """Return what the marks of all jobs of a hub begin with."""
    return mark[: mark.rindex("-") + 1]


def listing(site: Site, marks: str, owner: str | None = None) -> Shell:
    """Return the program that lists jobs whose mark begins with `marks`, everybody's or one owner's.

    In every state that Slurm remembers, and then squeue's exit status.  Slurm itself cannot choose by a part of a
    name, and of everybody's jobs only ours are sent.
    """
    whose = ("-u", owner) if owner else ()
    columns = _FORMAT.replace("{width}", str(len(marks) + _ID_LENGTH))
    asked = jobs.command(site, "squeue", "-t", "all", *whose, "-o", columns)
    patterns = " ".join(f"-e {quote(each)}" for each in (f"^{_HEADER}", f"|{marks}", f"^{_END}"))
    # Bytes, whatever the site's locale: what is no letter in it would end the list.
    return Shell(f"{{ {asked}; printf '{_END}%s\\n' $?; }} | LC_ALL=C grep -a {patterns}")


def parse(stdout: str, marks: str) -> tuple[int, Listing]:
    """Return squeue's exit status, and the rows in the answer of `listing`.

    Rows of another shape that end with one of the `marks` are odd; all others are of jobs that are not ours.

    Raises UnreadableAnswer if the end is missing, or squeue's own header where it has succeeded.
    """
    lines = stdout.splitlines()
    status = lines.pop().removeprefix(_END) if lines and lines[-1].startswith(_END) else ""
    if not _STATUS.fullmatch(status) or (status == "0" and not any(line.startswith(_HEADER) for line in lines)):
        raise UnreadableAnswer(f"squeue answered {stdout[:200]!r}")
    rows, odd = [], set()
    for line in lines:
        fields, bar, name = line.rpartition("|")
        mark = name.rstrip()
        if not bar or not mark.startswith(marks):
            continue
        row = _row(fields.split("|", maxsplit=7), mark)
        if row:
            rows.append(row)
        else:
            odd.add(mark)
    return int(status), Listing(tuple(rows), frozenset(odd))


def _row(fields: list[str], mark: str) -> Row | None:
    if len(fields) != 8 or not jobs.is_job_id(fields[0]):
        return None
    job_id, word, node, owner, submitted, begins, ends, reason = fields
    seen = jobs.report(word, node, reason.strip())
    seen = replace(seen, submitted=_time(submitted), begins=_time(begins), ends=_time(ends))
    return Row(job_id, owner, mark, seen)


def _time(text: str) -> datetime | None:
    """Return a time as Slurm writes it where TZ is UTC, None for a word such as N/A."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
