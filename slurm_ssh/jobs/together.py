"""Several jobs of one owner, sent in one exchange: each once, in turn, and what its answer means.

It goes no further than to one that is not accepted, so those behind it were not sent; that one, and what is lost
with the connection, is as of a job that is sent alone.
"""

from collections.abc import Sequence

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, InDoubt, LaunchError
from slurm_ssh.job import Job
from slurm_ssh.jobs import attempt, steps
from slurm_ssh.jobs.attempt import Accepted, Prepared
from slurm_ssh.jobs.steps import Step
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed

Outcome = Accepted | LaunchError | None
"""What became of one of the jobs: an error is one that `attempt.sbatch` raises; None if it was surely not sent."""


async def sbatch(remote: Remote, jobs: Sequence[tuple[Job, Prepared]]) -> list[Outcome]:
    """Send prepared jobs of one owner, none of which has secrets, to Slurm; return what became of each.

    The ticket of a job that was not sent may be in its place still; it is prepared anew.  Raises what
    `attempt.sbatch` does if that is so of each of them: InDoubt if any may have been sent.
    """
    owner, title = jobs[0][0].owner, remote.site.title
    answer = await attempt.answered(remote, *program(remote.site, owner, [each for _, each in jobs]))
    step, said = steps.parse(answer)
    if answer.status and step is not Step.SBATCH:
        error = steps.error(remote.site, owner, jobs[0][1].delivered, step, said)
        if step is Step.TICKET:
            error.is_ticket_removed = all([await attempt.clean_up(remote, job) for job, _ in jobs])
        raise error
    answers = _each(said, len(jobs))
    if not answers:
        strange = sentences.SUBMIT_NOT_UNDERSTOOD.format(program="sbatch", site=title)
        raise InDoubt(Broken(strange, said.stderr))
    outcomes: list[Outcome] = [None] * len(jobs)
    for at, each in enumerate(answers):
        outcomes[at] = await _outcome(remote, *jobs[at], each)
    return outcomes


def program(site: Site, owner: str, jobs: Sequence[Prepared]) -> tuple[Shell, bytes]:
    """Return the program that submits, and its data: the tickets, then the scripts."""
    parts, data = steps.beginning(site, owner), b""
    placings = [each.delivered.placing for each in jobs if each.delivered.placing]
    if placings:
        # One place for all: it is looked at once.
        placed = "".join(f"(\n{each.step}\n) || exit\n" for each in placings)
        parts += [steps.says(Step.TICKET), steps.alone(f"{placings[0].enter}{placed}")]
        data = b"".join(each.data for each in placings)
    for at, each in enumerate(jobs):
        script = each.script.encode()
        data += script
        # The dot keeps line ends that a shell would cut off.  If one has not come whole, nothing is submitted.
        parts.append(f"s{at}=$(head -c {len(script)}; echo .) && [ ${{#s{at}}} -eq {len(script) + 1} ] || exit\n")
    parts += [steps.settings(jobs[0].delivered), steps.says(Step.SBATCH)]
    submit = slurm_jobs.submit(site, jobs[0].delivered.sbatch_options)
    parts += [f'say {_name(at)} || exit\nprintf %s "${{s{at}%.}}" | {submit} || exit\n' for at in range(len(jobs))]
    return Shell("".join(parts)), data


def _name(at: int) -> str:
    return f"job{at}"


def _each(said: Completed, count: int) -> list[Completed]:
    """Return how sbatch ended for each job that was begun with; the status is that of the last one."""
    found: list[Completed] = []
    rest = said
    for at in range(count):
        says = f"\n== {_name(at)}\n"
        before, came, stdout = rest.stdout.partition(says)
        if not came:
            break
        words, has_words, stderr = rest.stderr.partition(says)
        if found:
            found[-1] = Completed(0, before, words)
        rest = Completed(said.status, stdout, stderr if has_words else rest.stderr)
        found.append(rest)
    return found


async def _outcome(remote: Remote, job: Job, prepared: Prepared, said: Completed) -> Outcome:
    try:
        return await attempt.outcome(remote, job, prepared, said)
    except LaunchError as error:
        return error
