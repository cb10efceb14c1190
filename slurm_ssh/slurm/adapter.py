"""Slurm, as `scheduler` has it."""

from collections.abc import Iterable
from datetime import datetime

from kernels.hook import JobLookup
from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import SiteFacts
from slurm_ssh.job import Job
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import Ending, Listing, Names, Row
from slurm_ssh.slurm import ending, jobs, nodes, refusals, survey


class Slurm:
    """The spellings of the modules beside this one."""

    names = Names(submits="sbatch", lists="squeue", informs="sinfo or scontrol")
    foresees = True

    def script(self, site: Site, request: JobRequest) -> str:  # noqa: ARG002 - sbatch is the same everywhere
        """Return what sbatch reads on its stdin."""
        return jobs.batch_script(request)

    def submit(self, site: Site, options: tuple[str, ...], secrets: Iterable[str]) -> Shell:  # noqa: ARG002 - sbatch hands on its whole environment
        """Return the command that submits, with its whole environment."""
        return jobs.submit(site, options)

    def parse_submit(self, stdout: str) -> str:
        """Return the job id in the answer of sbatch."""
        return jobs.parse_submit(stdout)

    def is_unreachable(self, stderr: str) -> bool:
        """Return whether a failed command could not talk to slurmctld."""
        return refusals.is_unreachable(stderr)

    def is_unasked(self, stderr: str) -> bool:
        """Return whether a failed command did not even get slurm.conf from slurmctld."""
        return refusals.is_unasked(stderr)

    def is_unauthenticated(self, stderr: str) -> bool:
        """Return whether slurmctld did nothing because it could not tell who has called it."""
        return refusals.is_unauthenticated(stderr)

    def advice(self, stderr: str) -> str:
        """Return what sbatch said although it accepted the job."""
        return refusals.advice(stderr)

    def refusal(self, title: str, stderr: str, project: str | None, partition: str | None) -> str:
        """Return why sbatch refused a job."""
        return refusals.refusal(title, stderr, project, partition)

    def choice(self, stderr: str) -> str:
        """Return which choice sbatch refused a job for."""
        return refusals.choice(stderr)

    def queue(self, site: Site, owner: str, marks: Iterable[str]) -> Shell:
        """Return the command that lists the owner's jobs with these marks."""
        return jobs.queue(site, owner, marks)

    def marked(self, site: Site, owner: str, beginning: str) -> Shell:
        """Return the program that lists the owner's jobs that go on and whose mark begins so."""
        return jobs.marked(site, owner, beginning)

    def parse_queue(self, stdout: str) -> tuple[Row, ...]:
        """Return the rows of squeue."""
        return jobs.parse_queue(stdout)

    def listing(self, site: Site, marks: str, owner: str | None) -> Shell:
        """Return the program that lists jobs whose mark begins so."""
        return survey.listing(site, marks, owner)

    def parse_listing(self, stdout: str, marks: str) -> tuple[int, Listing]:
        """Return squeue's exit status, and the rows."""
        return survey.parse(stdout, marks)

    def cancel(self, site: Site, owner: str, mark: str) -> Shell:
        """Return the command that cancels the owner's job with this mark."""
        return jobs.cancel(site, owner, mark)

    def ending(self, site: Site, job: Job) -> Shell:
        """Return the program that asks controller and accounting how a job ended."""
        return ending.question(site, job)

    def parse_ending(self, stdout: str, job: Job) -> Ending:
        """Return what they say."""
        return ending.parse(stdout, job)

    def is_over(self, word: str) -> bool:
        """Return whether Slurm's word for a state is that of a job which is over."""
        return ending.is_over(word)

    def lookup(self, site: Site) -> JobLookup:
        """Return how a program in a job asks squeue."""
        return jobs.lookup(site)

    def snapshot(self, site: Site, *, with_waiting: bool) -> Shell:
        """Return the program that asks for partitions, nodes and reservations."""
        return nodes.snapshot(site, with_waiting=with_waiting)

    def parse_snapshot(self, stdout: str, asked_at: datetime) -> SiteFacts:
        """Return what it says."""
        return nodes.parse_snapshot(stdout, asked_at)
