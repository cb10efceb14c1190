"""Job scripts as they are kept: once for each content, whichever launch sent it.  Pure."""

import hashlib

from slurm_ssh.job import LaunchId

_LAUNCH_ID = "%(launch_id)s"


def pattern(text: str, launch_id: LaunchId) -> str:
    """Return a script with `%(launch_id)s` for its launch's id, in which alone most differ, and `%%` for `%`."""
    return text.replace("%", "%%").replace(launch_id, _LAUNCH_ID)


def filled(pattern: str, launch_id: LaunchId) -> str:
    """Return the script of a launch as it was sent."""
    return pattern % {"launch_id": launch_id}


def digest(pattern: str) -> str:
    """Return what the pattern is found by: its SHA-256, in hex."""
    return hashlib.sha256(pattern.encode()).hexdigest()
