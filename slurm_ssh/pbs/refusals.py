"""What PBS's programs say besides an answer: why a job was refused, or that nobody was there.  Pure."""

from slurm_ssh import sentences
from slurm_ssh.text import one_line

# PBS's words, the sentences about a queue or project that was asked for and about the default one, and the choice.
_REFUSALS = (
    ("Unknown queue", sentences.NO_SUCH_PARTITION, sentences.NO_DEFAULT_PARTITION, "partition"),
    ("No default queue specified", sentences.NO_DEFAULT_PARTITION, sentences.NO_DEFAULT_PARTITION, "partition"),
    (
        "Access to queue is denied",
        sentences.PARTITION_FORBIDDEN,
        sentences.DEFAULT_PARTITION_FORBIDDEN,
        "partition",
    ),
    ("Invalid Account", sentences.PROJECT_REFUSED, sentences.NO_DEFAULT_PROJECT, "project"),
    *(
        (words, sentences.TOO_MANY_JOBS, sentences.TOO_MANY_JOBS, "")
        # Their own; the same is said of what a group, a project or everybody may have.
        for words in ("jobs for user ", "jobs in 'Q' state for user ", "'s per-user limit")
    ),
)
_UNREACHABLE = (
    "cannot connect to server",
    "Connection refused",
    "Connection timed out",
    "Connection reset by peer",
    "Communication failure",
    "Premature end of message",
    "End of File",
    "Server is shutting down",
    "Protocol (ASN.1) error",
)
_UNAUTHENTICATED = ("Invalid credential", "Unable to authenticate", "munge: ")
_LONGEST_REFUSAL = 500


def is_unreachable(stderr: str) -> bool:
    """Return whether a failed command could not talk to pbs_server, which may have heard it all the same."""
    return any(words in stderr for words in _UNREACHABLE)


def is_unauthenticated(stderr: str) -> bool:
    """Return whether pbs_server did nothing because a command could not prove to it who has called it."""
    return not is_unreachable(stderr) and any(words in stderr for words in _UNAUTHENTICATED)


def said(stderr: str) -> str:
    """Return what qsub said, on one line; "" if nothing."""
    lines = (line.strip().removeprefix("qsub: ") for line in stderr.splitlines())
    return one_line(" ".join(line for line in lines if line), _LONGEST_REFUSAL).rstrip(".")


def refusal(title: str, stderr: str, project: str | None, partition: str | None) -> str:
    """Return why qsub refused a job, as sentences for the person.

    Where they say it in other words, PBS's own stand in them.  `title` is the site's.
    """
    for words, sentence, of_default, _ in _REFUSALS:
        if words in stderr:
            asked_for = project if "{project}" in sentence else partition
            known = sentence if asked_for else of_default
            return known.format(site=title, project=project, partition=partition)
    reason = said(stderr)
    if not reason:
        return sentences.JOB_REFUSED_WITHOUT_REASON.format(site=title)
    return sentences.JOB_REFUSED.format(site=title, reason=reason)


def choice(stderr: str) -> str:
    """Return which choice qsub refused a job for, as people make it; "" if it is none, or not known."""
    return next((name for words, _, _, name in _REFUSALS if words in stderr), "")
