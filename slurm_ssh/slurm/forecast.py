"""When a job would start: what `sbatch --test-only` is told, which submits none; how its answer is read.  Pure."""

import re
from datetime import UTC, datetime

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import Forecast, UnreadableAnswer
from slurm_ssh.slurm import jobs, refusals
from slurm_ssh.ssh.transport import Completed

# Slurm 22.05 to 25.11; those of a federation name the cluster, and old controllers no partition.
_EXPECTED = re.compile(
    r"(?:sbatch: )?Job [0-9]{1,10} to start at ([0-9]{4}-[0-9:T-]{14}) "
    r"(?:on cluster \S{1,64} )?using [0-9]{1,10} processors on "
)
# What a refusal begins with here, and in the answer to a real submission.
_REFUSED = re.compile(r"(?:sbatch: )?(?:error: )?allocation failure: ")
_REFUSED_THERE = "sbatch: error: Batch job submission failed: "
_NO_NODE = "Requested node configuration is not available"
# So much of an answer is looked at; more is nobody's but a start-up file's or a wrapper's.
_LONGEST = 64 * 1024


def question(site: Site, options: tuple[str, ...] = (), unset: tuple[str, ...] = ()) -> Shell:
    """Return the program that has Slurm say what would become of the script on its stdin; it submits nothing.

    `options` and `unset` are the command line's and the environment's, as of a submission.  Times are UTC, also
    where a site's own environment for Slurm says another zone.
    """
    clean = " ".join(("unset KRB5CCNAME", *unset))
    fixed = "TZ=UTC SLURM_TIME_FORMAT=standard LC_ALL=C; export TZ SLURM_TIME_FORMAT LC_ALL"
    return Shell(f"{clean}; {fixed}\n{jobs.submit(site, (*options, '--test-only'))}")


def parse(site: Site, request: JobRequest, answer: Completed) -> Forecast:
    """Return what the answer to `question` says.  Raises UnreadableAnswer for one of another shape.

    Slurm refuses here also what it would let wait: what only fits nodes that are drained, down or reserved now.
    """
    if answer.status:
        said = _as_of_a_submission(answer.stderr[:_LONGEST])
        if _NO_NODE in said:
            return Forecast(refused=sentences.NO_NODE_NOW.format(site=site.title))
        return Forecast(refused=refusals.refusal(site.title, said, request.project, request.partition))
    lines = f"{answer.stdout[:_LONGEST]}\n{answer.stderr[:_LONGEST]}".splitlines()
    found = {match[1] for line in lines if (match := _EXPECTED.match(line.strip()))}
    if len(found) != 1:
        raise UnreadableAnswer(f"sbatch --test-only answered {answer.stderr.strip()[-200:]!r}")
    try:
        return Forecast(datetime.fromisoformat(found.pop()).replace(tzinfo=UTC))
    except ValueError as error:
        raise UnreadableAnswer(f"sbatch --test-only answered {error}") from error


def _as_of_a_submission(stderr: str) -> str:
    return "\n".join(_REFUSED.sub(_REFUSED_THERE, line, count=1) for line in stderr.splitlines())
