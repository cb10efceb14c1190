"""What sbatch says besides the number of a job: why it refused one, or what it advises.  Pure."""

import re

from slurm_ssh import sentences
from slurm_ssh.text import one_line

# Slurm's words, and the sentences about a partition or project that was asked for and about the default one.
_REFUSALS = (
    ("Invalid account or account/partition", sentences.PROJECT_REFUSED, sentences.NO_DEFAULT_PROJECT),
    ("invalid partition", sentences.NO_SUCH_PARTITION, sentences.NO_DEFAULT_PARTITION),
    ("Requested time limit is invalid", sentences.TIME_TOO_LONG, sentences.TIME_TOO_LONG_FOR_DEFAULT),
    ("User's group not permitted", sentences.PARTITION_FORBIDDEN, sentences.DEFAULT_PARTITION_FORBIDDEN),
    ("Requested node configuration is not available", sentences.NO_SUCH_NODE, None),
    ("AssocMaxSubmitJobLimit", sentences.TOO_MANY_JOBS, None),
    ("QOSMaxSubmitJobPerUserLimit", sentences.TOO_MANY_JOBS, None),
    ("Job violates accounting/QOS policy", sentences.LIMIT_REACHED, None),
    ("Invalid qos", sentences.QOS_REFUSED, None),
    ("Requested reservation is invalid", sentences.RESERVATION_REFUSED, None),
    ("unrecognized option '--auks", sentences.NO_AUKS_PLUGIN, None),
)
_CHOICES = {
    "Invalid account or account/partition": "project",
    "invalid partition": "partition",
    "Requested time limit is invalid": "time",
    "User's group not permitted": "partition",
    "Invalid qos": "qos",
    "Requested reservation is invalid": "reservation",
}
# What Slurm says above these.
_BESIDE = (
    "CPU count per node can not be satisfied",
    "Memory specification can not be satisfied",
    "invalid partition specified",
)
_CODE = re.compile(r"\s*sbatch: error: \w+\s*")
_GENERIC = "Batch job submission failed"
_ERROR = re.compile(r"sbatch: (?:fatal: )?error: |sbatch: fatal: ")
_LONGEST_REFUSAL = 500
# What Slurm's programs say when an answer was lost on its way, or there was none.
_UNREACHABLE = (
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "Transport endpoint is not connected",
    "Communication connection failure",
    "Communication shutdown failure",
    "Message send failure",
    "Message receive failure",
    "Zero Bytes were transmitted or received",
    "Unexpected message received",
    "Insane message length",
    "Header lengths are longer than data received",
)
# Of a program that asks slurmctld for slurm.conf before it can ask anything else, as where nothing keeps a copy.
_UNASKED = "fatal: Could not establish a configuration source"
_UNAUTHENTICATED = ("Protocol authentication error", "Invalid authentication credential", "Munge encode failed")
# Of the answer: the question was accepted.
_ANSWER_UNAUTHENTICATED = ("slurm_unpack_received_msg", "Munge decode failed")


def is_unreachable(stderr: str) -> bool:
    """Return whether a failed command could not talk to slurmctld, which may have heard it all the same."""
    lost = any(words in stderr for words in _ANSWER_UNAUTHENTICATED)
    return lost or is_unasked(stderr) or any(words in stderr for words in _UNREACHABLE)


def is_unasked(stderr: str) -> bool:
    """Return whether a failed command could not talk to slurmctld before it had anything to ask."""
    return _UNASKED in stderr


def is_unauthenticated(stderr: str) -> bool:
    """Return whether slurmctld did nothing because a command could not prove to it who has called it."""
    return not is_unreachable(stderr) and any(words in stderr for words in _UNAUTHENTICATED)


def advice(stderr: str) -> str:
    """Return what sbatch said although it accepted the job, on one line; "" if nothing."""
    lines = (line.strip().removeprefix("sbatch: ") for line in stderr.splitlines())
    return one_line(" ".join(line for line in lines if line), 500)


def refusal(title: str, stderr: str, project: str | None, partition: str | None) -> str:
    """Return why sbatch refused a job, as sentences for the person.

    What the site itself says, such as its job_submit plug-in, is among them; Slurm's own last line only if nothing
    else is known.  `title` is the site's; `project` and `partition` are those that were asked for.
    """
    known = _known_refusal(title, stderr, project, partition)
    errors, last = _errors(stderr)
    words = [line for line in errors if not _is_beside(line)] if known else errors
    said = one_line(" ".join(words), _LONGEST_REFUSAL).rstrip(".")
    if known:
        return f"{known} {sentences.SLURM_SAYS.format(site=title, reason=said)}." if said else known
    reason = said or one_line(last, _LONGEST_REFUSAL).rstrip(".")
    if not reason:
        return sentences.JOB_REFUSED_WITHOUT_REASON.format(site=title)
    return sentences.JOB_REFUSED.format(site=title, reason=reason)


def choice(stderr: str) -> str:
    """Return which choice sbatch refused a job for, as people make it; "" if it is none, or not known."""
    codes = _slurms_own(stderr).lower()
    return next((name for words, name in _CHOICES.items() if words.lower() in codes), "")


def _known_refusal(title: str, stderr: str, project: str | None, partition: str | None) -> str:
    codes = _slurms_own(stderr).lower()
    for words, sentence, of_default in _REFUSALS:
        if words.lower() in codes:
            asked_for = project if "{project}" in sentence else partition
            said = sentence if asked_for or of_default is None else of_default
            return said.format(site=title, project=project, partition=partition)
    return ""


def _slurms_own(stderr: str) -> str:
    """Return what Slurm itself says, without a site's words, which may be about anything; all if nobody knows."""
    lines = stderr.splitlines()
    if not any(_GENERIC in line for line in lines):
        return stderr
    return "\n".join(line for line in lines if _GENERIC in line or _CODE.fullmatch(line))


def _errors(stderr: str) -> tuple[list[str], str]:
    """Return sbatch's errors in their order without Slurm's generic one, and what is left to say without them."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if _ERROR.match(line)]
    last = errors[-1] if errors else " ".join(line.removeprefix("sbatch: ") for line in lines)
    return [line for line in errors if line and not line.startswith(_GENERIC)], last


def _is_beside(line: str) -> bool:
    """Return whether an error is Slurm's about what a known refusal says already: a code, or a text of its own."""
    return len(line.split()) == 1 or line.startswith(_BESIDE)
