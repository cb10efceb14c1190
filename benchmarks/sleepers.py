"""More servers than the lab could carry: jobs that sleep, with one program on a node that answers for all."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import hubs
from benchmarks.inside import fill_hub, responder
from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.plan import HUB, HUB_USER
from slurm_ssh.job import mark, new_launch_id

SITE, NODE, FRONT_END, PORT = "geneva", "geneva-n1", "geneva-login1", 18000
_READY_SECONDS = 120
_SUBMIT = """\
while read -r person server launch mark; do
  cd "/home/$person" || exit
  set -- setpriv --reuid="$person" --regid="$person" --init-groups --reset-env sbatch --parsable
  set -- "$@" --nodelist={node} --mem=10M --output=/dev/null --job-name="$mark" --wrap 'exec sleep 1d'
  job=$("$@" </dev/null) || exit
  printf '%s %s %s %s %s\\n' "$person" "$server" "$launch" "$mark" "$job"
done
"""
_WORDS = ("person", "server", "launch_id", "mark", "job_id")


@contextmanager
def running(lab: Lab, people: Sequence[str], each: int) -> Iterator[None]:
    """Have so many servers of each person run at geneva for a block, for our hub, which knows the people.

    The hub is started again for it, and knows them all.  Their jobs stay.
    """
    argv = ["/usr/bin/python3", "-c", Path(responder.__file__).read_text(), str(PORT)]
    with subprocess.Popen(lab.command(NODE, argv)) as answering:
        try:
            jobs = _submitted(lab, people, each)
            lab.fault("kill", HUB.name, hubs.DAEMON)
            _fill(lab, jobs)
            hubs.start(lab)
            lab.wait("the hub knows all servers", lambda: _ready(lab) == len(jobs), _READY_SECONDS)
            yield
        finally:
            answering.kill()


def _submitted(lab: Lab, people: Sequence[str], each: int) -> list[dict[str, str]]:
    """Submit the jobs, and return what the hub's database needs of each."""
    launches = [(name, f"s{number}", new_launch_id()) for number in range(each) for name in people]
    lines = (f"{name} {server} {launch} {mark('jupyter', 'hub', launch)}\n" for name, server, launch in launches)
    said = lab.run(FRONT_END, ["bash", "-c", _SUBMIT.format(node=NODE)], input="".join(lines)).stdout
    return [dict(zip(_WORDS, line.split(), strict=True)) for line in said.splitlines()]


def _fill(lab: Lab, jobs: Sequence[dict[str, str]]) -> None:
    url = f"sqlite:///{hubs.STATE}/jupyterhub.sqlite"
    what = [fill_hub.__name__, url, SITE, NODE, str(PORT)]
    argv = ["/usr/bin/env", f"--chdir={TREE}", str(HUB_PYTHON), "-m", *what]
    lab.run(HUB.name, argv, user=HUB_USER, input=json.dumps(jobs))


def _ready(lab: Lab) -> int:
    return sum(server["ready"] for server in hubs.servers(lab).values())
