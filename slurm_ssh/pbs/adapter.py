"""OpenPBS, as `scheduler` has it."""

from collections.abc import Iterable
from datetime import datetime

from kernels.hook import JobLookup
from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import SiteFacts
from slurm_ssh.job import Job
from slurm_ssh.job_request import JobRequest
from slurm_ssh.pbs import jobs, queues, refusals, rows
from slurm_ssh.scheduler import Ending, Listing, Names, Row


class Pbs:
    """The spellings of the modules beside this one."""

    names = Names(submits="qsub", lists="qstat", informs="qstat")
    foresees = False

    def script(self, site: Site, request: JobRequest) -> str:
        """Return what qsub reads on its stdin."""
        return jobs.script(site, request)

    def submit(self, site: Site, options: tuple[str, ...], secrets: Iterable[str]) -> Shell:
        """Return the program that submits, with the secrets in the script."""
        return jobs.submit(site, options, secrets)

    def parse_submit(self, stdout: str) -> str:
        """Return the job id in the answer of qsub."""
        return jobs.parse_submit(stdout)

    def is_unreachable(self, stderr: str) -> bool:
        """Return whether a failed command could not talk to pbs_server."""
        return refusals.is_unreachable(stderr)

    def is_unasked(self, stderr: str) -> bool:  # noqa: ARG002 - PBS asks at once for what is wanted
        """Return False: of what a command says nothing is sure."""
        return False

    def is_unauthenticated(self, stderr: str) -> bool:
        """Return whether pbs_server did nothing because it could not tell who has called it."""
        return refusals.is_unauthenticated(stderr)

    def advice(self, stderr: str) -> str:
        """Return what qsub said although it accepted the job."""
        return refusals.said(stderr)

    def refusal(self, title: str, stderr: str, project: str | None, partition: str | None) -> str:
        """Return why qsub refused a job."""
        return refusals.refusal(title, stderr, project, partition)

    def choice(self, stderr: str) -> str:
        """Return which choice qsub refused a job for."""
        return refusals.choice(stderr)

    def queue(self, site: Site, owner: str, marks: Iterable[str]) -> Shell:
        """Return the program that lists the owner's jobs with these marks."""
        return jobs.queue(site, owner, marks)

    def marked(self, site: Site, owner: str, beginning: str) -> Shell:  # noqa: ARG002 - PBS chooses by whole names
        """Return the program that lists all of the owner's jobs that go on."""
        return jobs.listing(site, owner)

    def parse_queue(self, stdout: str) -> tuple[Row, ...]:
        """Return the rows of qstat."""
        return rows.parse_queue(stdout)

    def listing(self, site: Site, marks: str, owner: str | None) -> Shell:  # noqa: ARG002 - PBS chooses by whole names
        """Return the program that lists jobs that go on."""
        return jobs.listing(site, owner)

    def parse_listing(self, stdout: str, marks: str) -> tuple[int, Listing]:
        """Return the exit status, and the rows of jobs whose marks begin so."""
        return rows.parse_listing(stdout, marks)

    def cancel(self, site: Site, owner: str, mark: str) -> Shell:
        """Return the program that cancels the owner's job with this mark."""
        return jobs.cancel(site, owner, mark)

    def ending(self, site: Site, job: Job) -> Shell:
        """Return the program that asks the history how a job ended."""
        return jobs.ending(site, job.job_id)

    def parse_ending(self, stdout: str, job: Job) -> Ending:
        """Return what it says."""
        return rows.parse_ending(stdout, job)

    def is_over(self, word: str) -> bool:
        """Return whether there is a word: of a job that goes on an Ending has none."""
        return bool(word)

    def lookup(self, site: Site) -> JobLookup:
        """Return how a program in a job asks qstat."""
        return jobs.lookup(site)

    def snapshot(self, site: Site, *, with_waiting: bool) -> Shell:  # noqa: ARG002 - only a monitor asks for it
        """Return the program that asks for queues."""
        return queues.snapshot(site)

    def parse_snapshot(self, stdout: str, asked_at: datetime) -> SiteFacts:
        """Return what it says."""
        return queues.parse_snapshot(stdout, asked_at)
