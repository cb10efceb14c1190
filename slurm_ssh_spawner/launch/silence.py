"""What is wrong with a job that runs and is not heard of: read in its log."""

import logging
import re

from slurm_ssh.job import Job
from slurm_ssh.text import one_line
from slurm_ssh_spawner import sentences

# What the starter writes, see jobside/starter.py.
_WAITS = re.compile(
    r"(?:waiting for the hub: |This job ends, because the hub could not be reached for \d{1,5} [sh]: )(.{1,300})"
)
_STAGE = re.compile(r"^\[\d\d:\d\d:\d\d\] ", re.MULTILINE)
# What Python puts around the words of the system.
_WRAPPED = re.compile(r"^(?:<urlopen error )?(?:\[Errno -?\d{1,5}\] )?(.{1,300}?)>?$")
_LONGEST_REASON = 200

_log = logging.getLogger(__name__)


def is_unheard(log: str) -> bool:
    """Return whether the log says that the job could not reach the hub."""
    return _reason(log) is not None


def tell_admins(job: Job, log: str, node: str, url: str) -> None:
    """Say in the hub's log what is wrong, and which key of the catalogue decides about it."""
    _log.error(
        "%s runs on %s but is not heard of (%s). See hub_url of %s in the catalogue%s, and the firewall between "
        "its nodes and the hub.",
        job.mark,
        node,
        _reason(log) or "its log does not say why",
        job.site_key,
        f" (jobs report to {url})" if url else "",
    )


def why(log: str, node: str, url: str, path: str) -> str:
    """Return the sentence for a person whose job, which runs on `node`, has not been heard of.

    `url` is the hub's address for the job, "" if it is not known; `log` the end of the log at `path`.
    """
    hub = sentences.HUB_AT.format(url=url) if url else sentences.HUB
    reason = _reason(log)
    if reason:
        return sentences.HUB_UNREACHABLE_BECAUSE.format(node=node, hub=hub, reason=reason)
    if _STAGE.search(log):
        return sentences.HUB_UNREACHABLE.format(node=node, hub=hub)
    if log:
        return sentences.NOT_HEARD_OF.format(node=node)
    return sentences.NOT_HEARD_OF_AND_LOG_EMPTY.format(node=node, path=path)


def _reason(log: str) -> str | None:
    for line in reversed(log.splitlines()):
        if found := _WAITS.match(line):
            said = found[1].strip()
            bare = _WRAPPED.match(said)
            return one_line(bare[1] if bare else said, _LONGEST_REASON)
    return None
