"""Whose fault it is that a start came to nothing, as far as that is known.  Pure."""

from enum import StrEnum

from slurm_ssh.errors import Broken, JobEnded, KdcSilent, LaunchError, Refused, SubmitRefused, Unavailable
from slurm_ssh_spawner import sentences

# Slurm's words for ends that other choices, or another cluster, may avoid.
_OF_CHOICES = {"TIMEOUT", "OUT_OF_MEMORY"}
_OF_THE_CLUSTER = {"NODE_FAIL", "BOOT_FAIL", "PREEMPTED"}


class Fault(StrEnum):
    """What a start failed by.  OPEN: nobody knows, or the sentence says it itself."""

    CHOICE = "choice"
    PROFILE = "profile"
    CLUSTER = "cluster"
    HUB = "hub"
    OPEN = "open"


_SAID = {
    Fault.CHOICE: sentences.FAULT_OF_CHOICE,
    Fault.PROFILE: sentences.FAULT_OF_PROFILE,
    Fault.CLUSTER: sentences.FAULT_OF_CLUSTER,
    Fault.HUB: sentences.FAULT_OF_HUB,
    Fault.OPEN: "",
}


class WaitedTooLong(Refused):
    """A job waited in the queue for as long as it may."""


class HubDatabaseAway(Unavailable):
    """A database of the hub's, ours or JupyterHub's, cannot be used."""


class JobFailed(JobEnded):
    """A job ended before its server was up.

    `why` is the sentence that says why, `log_path` its log at the site.
    """

    def __init__(self, message: str, *, quoted: str, why: str, log_path: str, fault: Fault) -> None:
        super().__init__(message, quoted=quoted)
        self.why = why
        self.log_path = log_path
        self.fault = fault


def fault_of_job(word: str, *, gave_up: bool, unheard: bool) -> Fault:
    """Return by what a job failed that ended with Slurm's `word`.

    `gave_up`: it said itself why it cannot go on.  `unheard`: it could not reach the hub.
    """
    if gave_up:
        # Modules, kernels and hooks are what the profile says.
        return Fault.PROFILE
    if unheard:
        return Fault.HUB
    if word in _OF_CHOICES:
        return Fault.CHOICE
    return Fault.CLUSTER if word in _OF_THE_CLUSTER else Fault.OPEN


def fault_of(error: LaunchError) -> Fault:
    """Return by what a start failed."""
    if isinstance(error, JobFailed):
        return error.fault
    if isinstance(error, SubmitRefused):
        return Fault.CHOICE
    if isinstance(error, KdcSilent):
        # No other cluster will do.
        return Fault.OPEN
    if isinstance(error, HubDatabaseAway):
        return Fault.HUB
    if isinstance(error, Unavailable | WaitedTooLong):
        return Fault.CLUSTER
    return Fault.HUB if isinstance(error, Broken) else Fault.OPEN


def said_of(fault: Fault, site: str) -> str:
    """Return the sentence about whose fault it is, "" for none; `site` is the title of the site."""
    return _SAID[fault].format(site=site)
