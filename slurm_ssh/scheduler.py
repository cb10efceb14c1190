"""What runs a site's jobs, as everybody else needs it: one adapter for each kind, and what they all give back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kernels.hook import JobLookup
from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import SiteFacts
from slurm_ssh.job import Job, JobReport
from slurm_ssh.job_request import JobRequest


class UnreadableAnswer(ValueError):  # noqa: N818
    """A scheduler's command answered in a way we do not know; the text says what came."""


@dataclass(frozen=True)
class Task:
    """A task of an array: the number of that, and its own in it."""

    array: str
    index: int


@dataclass(frozen=True)
class Row:
    """One line about a job; `task` is None if it is none of an array, or if that was not asked.

    The `job_id` of a task that has not begun is that of its array, and so is that of the one that began last.
    """

    job_id: str
    owner: str
    mark: str
    report: JobReport
    task: Task | None = None

    @property
    def number(self) -> str:
        """The number by which Slurm's commands know it: `7_3` for a task."""
        return f"{self.task.array}_{self.task.index}" if self.task else self.job_id


@dataclass(frozen=True)
class Listing:
    """The rows of a hub's jobs; `odd` are marks about which a row could not be read."""

    rows: tuple[Row, ...]
    odd: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ending:
    """How a job ended, as far as its scheduler says so.

    `word` is the state ("TIMEOUT"), `status` and `signal` are those of the job's script, `cancelled_by` is the uid
    of who cancelled it, as text, `nodes` is the scheduler's list ("n1", "n[1-2]"), `minutes` the time limit,
    `memory` what it got on all nodes ("200M").  Each is "", 0 or None where nothing was said.  `is_late`: the
    accounting has not heard of the end yet.
    """

    word: str = ""
    status: int = 0
    signal: int = 0
    cancelled_by: str = ""
    nodes: str = ""
    minutes: int | None = None
    memory: str = ""
    is_late: bool = False


@dataclass(frozen=True)
class Forecast:
    """What Slurm says of a start: when it expects that (UTC), or the sentence why it would refuse it, else ""."""

    begins: datetime | None = None
    refused: str = ""


@dataclass(frozen=True)
class Names:
    """What people and admins read: the programs that submit, that list jobs and that say what there is."""

    submits: str
    lists: str
    informs: str


class Scheduler(Protocol):
    """Spells what is asked of one kind of scheduler, and reads its answers.  Pure; nothing is run here.

    Each `parse_...` reads the answer of the question that is named like it, and raises UnreadableAnswer for one of
    another shape.  `foresees`: it can be asked when a job would start that is not submitted.
    """

    names: Names
    foresees: bool

    def script(self, site: Site, request: JobRequest) -> str:
        """Return what `submit` reads at a site.  Raises ValueError for what no job can hold."""

    def submit(self, site: Site, options: tuple[str, ...], secrets: Iterable[str]) -> Shell:
        """Return what submits the script on its stdin, and hands on the secrets, which it finds as variables.

        `options` are of the command line alone.
        """

    def parse_submit(self, stdout: str) -> str:
        """Return the number of the job."""

    def is_unreachable(self, stderr: str) -> bool:
        """Return whether a failed command could not talk to its server, which may have heard it all the same."""

    def is_unasked(self, stderr: str) -> bool:
        """Return whether a failed command could not talk to its server, which surely has not heard it."""

    def is_unauthenticated(self, stderr: str) -> bool:
        """Return whether the server did nothing because a command could not prove to it who has called it."""

    def advice(self, stderr: str) -> str:
        """Return what was said although the job was accepted, on one line; "" if nothing."""

    def refusal(self, title: str, stderr: str, project: str | None, partition: str | None) -> str:
        """Return why a job was refused, as sentences for the person; `title` is the site's."""

    def choice(self, stderr: str) -> str:
        """Return which choice a job was refused for, as people make it; "" if it is none, or not known."""

    def queue(self, site: Site, owner: str, marks: Iterable[str]) -> Shell:
        """Return what lists the owner's jobs with these marks, in every state that is remembered."""

    def marked(self, site: Site, owner: str, beginning: str) -> Shell:
        """Return what lists the owner's jobs that go on and whose mark begins so."""

    def parse_queue(self, stdout: str) -> tuple[Row, ...]:
        """Return the rows in the answer of `queue` and of `marked`; others than were asked for may be there."""

    def listing(self, site: Site, marks: str, owner: str | None) -> Shell:
        """Return what lists jobs whose marks begin so, everybody's or one owner's."""

    def parse_listing(self, stdout: str, marks: str) -> tuple[int, Listing]:
        """Return the exit status of the program that lists, and the rows."""

    def cancel(self, site: Site, owner: str, mark: str) -> Shell:
        """Return what cancels the owner's job with this mark; succeeds if there is none."""

    def ending(self, site: Site, job: Job) -> Shell:
        """Return what prints all that is known of a job that is over."""

    def parse_ending(self, stdout: str, job: Job) -> Ending:
        """Return what that says of the job; whatever is of another shape is passed over."""

    def is_over(self, word: str) -> bool:
        """Return whether a word of an Ending is that of a job which is over."""

    def lookup(self, site: Site) -> JobLookup:
        """Return how a program in a job learns whether another one is over."""

    def snapshot(self, site: Site, *, with_waiting: bool) -> Shell:
        """Return what tells of partitions and what they have free, and of what waits if that is wanted."""

    def parse_snapshot(self, stdout: str, asked_at: datetime) -> SiteFacts:
        """Return the facts of that moment; `projects` is None."""


def beginning(mark: str) -> str:
    """Return what the marks of all jobs of a hub begin with."""
    return mark[: mark.rindex("-") + 1]


def observe(job: Job, rows: Sequence[Row]) -> JobReport | None:
    """Return what `rows` say of `job`, or None if it is not among them.

    A row counts only if number, mark and owner are all ours: numbers start again when a site is rebuilt.
    """
    for row in rows:
        if (row.job_id, row.mark, row.owner) == (job.job_id, job.mark, job.owner):
            return row.report
    return None
