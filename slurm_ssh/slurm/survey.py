"""All jobs of a hub at a site, asked for by one program: what is sent, how its answer is read.  Pure."""

from dataclasses import replace
from datetime import UTC, datetime

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from slurm_ssh.slurm import jobs
from slurm_ssh.slurm.jobs import Row, UnreadableAnswer

# Of a name no more than a mark has: with a line break in it, it could hold a row about somebody else's job.
_FORMAT = "%i|%T|%B|%u|%V|%S|%e|%r|%{width}j"
_HEADER = "JOBID|STATE|"
_ID_LENGTH = 12


def beginning(mark: str) -> str:
    """Return what the marks of all jobs of a hub begin with."""
    return mark[: mark.rindex("-") + 1]


def listing(site: Site, marks: str, owner: str | None = None) -> Shell:
    """Return the program that lists jobs whose mark begins with `marks`, everybody's or one owner's.

    In every state that Slurm remembers; it ends as squeue does.  Slurm itself cannot choose by a part of a name,
    and of everybody's jobs only ours are sent.
    """
    whose = ("-u", owner) if owner else ()
    columns = _FORMAT.replace("{width}", str(len(marks) + _ID_LENGTH))
    asked = jobs.command(site, "squeue", "-t", "all", *whose, "-o", columns)
    ours = f"grep -e {quote('^' + _HEADER)} -e {quote('|' + marks)}"
    return Shell(f"{{ s=$({{ {{ {asked}; printf %s $? >&3; }} | {ours} >&4; }} 3>&1); }} 4>&1; exit $s")


def parse(stdout: str) -> tuple[Row, ...]:
    """Return the rows in the answer of `listing`; of another shape are only jobs that are not ours.

    Raises UnreadableAnswer if squeue's own header is missing.
    """
    lines = stdout.splitlines()
    if not any(line.startswith(_HEADER) for line in lines):
        raise UnreadableAnswer(f"squeue answered {stdout[:200]!r}")
    rows = (_row(line.strip().split("|", maxsplit=8)) for line in lines)
    return tuple(row for row in rows if row)


def _row(fields: list[str]) -> Row | None:
    if len(fields) != 9 or not jobs.is_job_id(fields[0]):
        return None
    job_id, word, node, owner, submitted, begins, ends, reason, name = fields
    seen = jobs.report(word, node, reason)
    seen = replace(seen, submitted=_time(submitted), begins=_time(begins), ends=_time(ends))
    return Row(job_id, owner, name.rstrip(), seen)


def _time(text: str) -> datetime | None:
    """Return a time as Slurm writes it where TZ is UTC, None for a word such as N/A."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
