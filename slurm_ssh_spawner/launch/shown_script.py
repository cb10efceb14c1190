"""The job script of a launch as people see it before it is sent: made as the real one, without secrets.  Pure."""

import re
from collections.abc import Iterator

from kernels.fragment import Fragment
from profiles.offer.launch import NotebookLaunch
from slurm_ssh import delivery
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import attempt
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.script import ServerProcess
from slurm_ssh_spawner.sentences import labels

LAUNCH_ID = LaunchId("0" * 12)
"""Stands for the one that a launch gets when it begins."""

# A name that says what is in it, and the one word that `quote` makes of the value.
_SECRET = re.compile(
    r"^([ \t]*export \w*(?:TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY)\w*=)"
    r"(?:'[^']*'(?:\"'\"'[^']*')*|[^\s']+)$",
    re.MULTILINE | re.IGNORECASE,
)


def shown(launch: NotebookLaunch, hub_name: str, process: ServerProcess) -> str:
    """Return the script that would be sent for `launch`, with a placeholder in the place of each secret.

    Raises Broken for what no script can be made of.
    """
    owner, name = launch.owner, mark("jupyter", hub_name, LAUNCH_ID)

    def build(fragment: Fragment) -> JobRequest:
        return script.build(launch, LAUNCH_ID, name, process, (fragment,))

    _, text = attempt.built(launch.site, build, delivery.of(launch.site).fragment(owner, LAUNCH_ID))
    for secret in _secrets(process):
        text = text.replace(secret, labels.NOT_SHOWN)
    return _SECRET.sub(rf"\1'{labels.NOT_SHOWN}'", text)


def _secrets(process: ServerProcess) -> Iterator[str]:
    """Yield what an admin's variables may repeat of what the job gets in another way."""
    yield from (each for each in process.secrets.values() if each)
