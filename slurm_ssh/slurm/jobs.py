"""Slurm's spellings: command lines to send, answers to parse.  Pure; nothing is run here."""

import re
from collections.abc import Iterable

from kernels.hook import JobLookup
from kernels.shell import Shell, join, quote
from profiles.catalogue.site import Site
from slurm_ssh.job import JobReport, JobState
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import Row, UnreadableAnswer
from slurm_ssh.text import one_line

_QUEUE_FORMAT = "%i|%T|%B|%u|%r|%j"

_STATES = {
    "PENDING": JobState.PENDING,
    "REQUEUED": JobState.PENDING,
    "REQUEUE_HOLD": JobState.PENDING,
    "REQUEUE_FED": JobState.PENDING,
    "SPECIAL_EXIT": JobState.PENDING,
    "RESV_DEL_HOLD": JobState.PENDING,
    "CONFIGURING": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "SUSPENDED": JobState.RUNNING,
    "STOPPED": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "STAGE_OUT": JobState.ENDING,
    "COMPLETING": JobState.ENDING,
    "COMPLETED": JobState.ENDED,
    "FAILED": JobState.ENDED,
    "CANCELLED": JobState.ENDED,
    "TIMEOUT": JobState.ENDED,
    "DEADLINE": JobState.ENDED,
    "OUT_OF_MEMORY": JobState.ENDED,
    "NODE_FAIL": JobState.ENDED,
    "BOOT_FAIL": JobState.ENDED,
    "PREEMPTED": JobState.ENDED,
    "REVOKED": JobState.ENDED,
}

_JOB_ID = re.compile(r"[0-9]{1,10}")
# The second is sbatch's own without --parsable; a site's wrapper may drop that, and say more above and below.
_SUBMITTED = re.compile(
    r"([0-9]{1,10})(?:;[^\s;]{0,64})?|.{0,200}\bbatch job ([0-9]{1,10})(?: on cluster \S{1,64})?\.?"
)
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,99}")
_LONGEST_WORDS = 200
_OWN_CLUSTER = "ClusterName"


def directives(request: JobRequest) -> tuple[tuple[str, str | None], ...]:
    """Return the sbatch options of a request as (name, value) pairs, None for a bare option.

    Memory is MiB per node, time minutes: Slurm's own units for plain numbers.
    """
    tasks, cores = (request.cores, 1) if request.has_task_per_core else (1, request.cores)
    pairs: list[tuple[str, str | None]] = [
        ("job-name", request.name),
        ("output", request.log_path),
        ("requeue" if request.may_begin_again else "no-requeue", None),
        ("nodes", str(request.nodes)),
        ("ntasks-per-node", str(tasks)),
        ("cpus-per-task", str(cores)),
        ("mem", f"{request.memory_mib}M"),
        ("time", str(request.time_minutes)),
        # Limits of a login host are for logins; an admin's own word comes later and counts.
        ("propagate", "NONE"),
    ]
    optional = (
        ("partition", request.partition),
        ("account", request.project),
        ("reservation", request.reservation),
        ("qos", request.qos),
        ("gres", gres(request.gpus, request.gpu_type)),
    )
    pairs += [(name, value) for name, value in optional if value]
    pairs += [(name, None if value is True else str(value)) for name, value in request.directives.items()]
    return tuple(pairs)


def batch_script(request: JobRequest) -> str:
    """Return what sbatch reads on its stdin.  Raises ValueError for a value that no #SBATCH line can hold."""
    lines = [_directive(*pair) for pair in directives(request)]
    return "\n".join(("#!/bin/bash", *lines, "", request.script))


def _directive(name: str, value: str | None) -> str:
    """Return one #SBATCH line; the value stands quoted, because sbatch splits the line as a shell does."""
    if value is None:
        return f"#SBATCH --{name}"
    if not value.isprintable():
        raise ValueError(f"the sbatch option {name} cannot hold control characters")
    # Unlike a shell, sbatch takes a backslash for an escape even between single quotes.
    escaped = value.replace("\\", "\\\\")
    return f"#SBATCH --{name}={quote(escaped)}"


def gres(gpus: int, gpu_type: str | None) -> str | None:
    """Return how Slurm writes GPUs for each node, None for none."""
    if not gpus:
        return None
    return f"gpu:{gpu_type}:{gpus}" if gpu_type else f"gpu:{gpus}"


def submit(site: Site, options: tuple[str, ...] = ()) -> Shell:
    """Return the command that submits the script on its stdin, with the command's whole environment.

    `options` are further ones that only the command line may hold.

    With a list of names instead, slurmd runs the person's login shell on the node and adds what its rc files set.
    """
    return command(site, "sbatch", "--parsable", "--export=ALL", *options)


def parse_submit(stdout: str) -> str:
    """Return the job id in the answer of `submit`: `123` or, with -M, `123;cluster`; or as wrappers say it.

    Raises UnreadableAnswer if no line has one, or several have different ones.
    """
    found = {match[1] or match[2] for line in stdout.splitlines() if (match := _SUBMITTED.fullmatch(line.strip()))}
    if len(found) != 1:
        raise UnreadableAnswer(f"sbatch answered {stdout.strip()[-200:]!r} instead of a job id")
    return found.pop()


def queue(site: Site, owner: str, marks: Iterable[str]) -> Shell:
    """Return the command that lists the owner's jobs with these marks, in every state Slurm remembers."""
    names = f"--name={','.join(sorted(marks))}"
    return command(site, "squeue", "-h", "-t", "all", "-u", owner, names, "-o", _QUEUE_FORMAT)


def marked(site: Site, owner: str, beginning: str) -> Shell:
    """Return the program that lists the owner's jobs that go on and whose mark begins so, as `queue` does."""
    listed = command(site, "squeue", "-h", "-u", owner, "-o", _QUEUE_FORMAT)
    return Shell(f"rows=$({listed}) && {{ printf '%s\\n' \"$rows\" | grep -F {quote('|' + beginning)}; true; }}")


def is_job_id(text: str) -> bool:
    """Return whether a text is Slurm's number of a job, and not of a part of one."""
    return _JOB_ID.fullmatch(text) is not None


def parse_queue(stdout: str) -> tuple[Row, ...]:
    """Return the rows in the answer of `queue`.  Raises UnreadableAnswer for a line of another shape."""
    rows = []
    for line in stdout.splitlines():
        fields = line.strip().split("|", maxsplit=5)
        if len(fields) == 1 and (not fields[0] or fields[0].startswith("CLUSTER:")):
            continue
        if len(fields) != 6 or not is_job_id(fields[0]):
            raise UnreadableAnswer(f"squeue answered {line[:200]!r}")
        job_id, word, node, owner, reason, name = fields
        rows.append(Row(job_id, owner, name, report(word, node, reason)))
    return tuple(rows)


def state_of(word: str) -> JobState:
    """Return what Slurm's word for a state means, UNKNOWN for one that we do not know."""
    return _STATES.get(word, JobState.UNKNOWN)


def report(word: str, node: str, reason: str) -> JobReport:
    """Return the observation in these fields of a row."""
    state = state_of(word)
    why = "" if reason == "None" else one_line(reason, _LONGEST_WORDS)
    # An address is made of it, so whatever else it is, it is no name of a node.
    return JobReport(state, one_line(word, _LONGEST_WORDS), why, node if _NODE.fullmatch(node) else "")


def projects(site: Site, owner: str) -> Shell:
    """Return the program that lists the owner's associations, a line each: `cluster|account`.

    One accounting may serve many clusters.  Which one this is, Slurm says below where the site does not.
    """
    associations = join(
        (f"{site.slurm_path}/sacctmgr", "-nP", "show", "assoc", f"user={owner}", "format=cluster,account")
    )
    if site.slurm_cluster:
        return associations
    config = join((f"{site.slurm_path}/scontrol", "show", "config"))
    return Shell(f"{associations} && config=$({config}) && printf '%s\\n' \"$config\" | grep '^{_OWN_CLUSTER} *='")


def parse_projects(site: Site, stdout: str) -> tuple[str, ...]:
    """Return the accounts in the answer of `projects` that are of the site's own cluster.

    The person's own shell may have said it, so what cannot be an account's name is left out.  Raises
    UnreadableAnswer for anything else.
    """
    lines = [line.strip() for line in stdout.splitlines() if line.strip()]
    own = site.slurm_cluster
    if own is None and lines:
        name, _, value = lines.pop().partition("=")
        own = value.strip() if name.strip() == _OWN_CLUSTER else None
    pairs = [line.split("|") for line in lines]
    if own is None or any(len(pair) != 2 for pair in pairs):
        raise UnreadableAnswer(f"sacctmgr answered {stdout.strip()[:200]!r}")
    # The accounting keeps names of clusters in lower case.
    theirs = (account for cluster, account in pairs if cluster.lower() == own.lower())
    return tuple(account for account in dict.fromkeys(theirs) if _ACCOUNT.fullmatch(account))


def cancel(site: Site, owner: str, mark: str) -> Shell:
    """Return the command that cancels the owner's job with this mark; succeeds if there is none."""
    return command(site, "scancel", f"--user={owner}", f"--name={mark}")


def cancel_one(site: Site, owner: str, mark: str, job_id: str) -> Shell:
    """Return the command that cancels the one of the owner's jobs with this mark that has this number."""
    return command(site, "scancel", f"--user={owner}", f"--name={mark}", job_id)


def cancel_tasks(site: Site, owner: str, mark: str, array: str, tasks: Iterable[int]) -> Shell:
    """Return the command that cancels tasks of the owner's array with this mark and number; of others none.

    With a name scancel would cancel all that have not begun, whichever of them was named.
    """
    listed = command(site, "squeue", "-h", f"--user={owner}", f"--name={mark}", "-o", "%F")
    cancelled = command(site, "scancel", "-Q", *(f"{array}_{task}" for task in tasks))
    is_there = f"printf '%s\\n' \"$arrays\" | grep -qx {quote(array)}"
    return Shell(f"{{ arrays=$({listed}) && if {is_there}; then {cancelled}; fi; }}")


def lookup(site: Site) -> JobLookup:
    """Return how a program in a job asks squeue whether another one is over; a node belongs to one cluster."""
    command = (f"{site.slurm_path}/squeue", "-h", "-j", "{job_id}", "-o", "%T")
    return JobLookup("SLURM_JOB_ID", command, gone=("Invalid job id",), silence_is_over=True)


def keep_back(site: Site, job_id: str) -> Shell:
    """Return the command that has a job wait until it is let go."""
    return command(site, "scontrol", "hold", job_id)


def let_go(site: Site, job_id: str) -> Shell:
    """Return the command that lets a job begin again that is held."""
    return command(site, "scontrol", "release", job_id)


def one_after_the_other(commands: Iterable[Shell]) -> Shell:
    """Return the program that runs all of them, and fails if one did."""
    return Shell("s=0\n" + "".join(f"{each} || s=$?\n" for each in commands) + "exit $s")


def command(site: Site, program: str, *arguments: str) -> Shell:
    """Return the command line of one of Slurm's programs for the site's cluster."""
    cluster = (f"--clusters={site.slurm_cluster}",) if site.slurm_cluster else ()
    return join((f"{site.slurm_path}/{program}", *cluster, *arguments))
