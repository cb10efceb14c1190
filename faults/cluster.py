"""Steps that do something to jobs and nodes, as their owners, admins and broken machines do."""

from collections.abc import Iterator

from faults.moments import jobs
from faults.row import Step
from faults.scene import Scene
from faults.seen import LiveJob
from lab.plan import SITES, Role

_DOWN_SECONDS = 300
_OF_ONE_JOB = "for p in $(grep -lsz '^SLURM_JOB_ID={job_id}$' /proc/[0-9]*/environ | cut -d/ -f3)"


def cancelled(scene: Scene) -> None:
    """Let everybody cancel their job on the cluster."""
    for job in jobs(scene):
        _slurm(scene, job, "scancel", job.job_id, user=job.owner)


def time_is_up(scene: Scene) -> None:
    """Give jobs a time limit of a minute, the least there is."""
    for job in jobs(scene):
        _slurm(scene, job, "scontrol", "update", f"jobid={job.job_id}", "timelimit=1")


def job_killed(scene: Scene) -> None:
    """Send every process of each job SIGKILL."""
    for job in jobs(scene):
        _slurm(scene, job, "scancel", "--signal=KILL", "--full", job.job_id)


def server_killed(scene: Scene) -> None:
    """Send SIGKILL to each notebook server alone."""
    for job, node in _with_nodes(scene):
        only = f"{_OF_ONE_JOB.format(job_id=job.job_id)}; do grep -qs stub-server /proc/$p/cmdline || continue"
        # The starter has the name of the server among its arguments too.
        scene.lab.run(
            node, ["bash", "-c", f"{only}; grep -qsz '^-$' /proc/$p/cmdline || kill -KILL $p; done; true"]
        )


def requeued(scene: Scene) -> None:
    """Let everybody, and root, ask Slurm to put their job back into the queue, which it refuses."""
    for job in jobs(scene):
        for user in (job.owner, None):
            _slurm(scene, job, "scontrol", "requeue", job.job_id, user=user, check=False)


def suspended(scene: Scene) -> None:
    """Suspend jobs."""
    for job in jobs(scene):
        _slurm(scene, job, "scontrol", "suspend", job.job_id)


def resumed(scene: Scene) -> None:
    """Let suspended jobs go on."""
    for job in jobs(scene):
        _slurm(scene, job, "scontrol", "resume", job.job_id)


def drained(scene: Scene) -> None:
    """Drain all nodes, until the row is over."""
    for site in scene.sites:
        _update_nodes(scene, site, "state=drain", "reason=fault")
        scene.at_the_end(lambda site=site: _update_nodes(scene, site, "state=resume"))  # type: ignore[misc]


def files_removed(scene: Scene) -> None:
    """Remove tickets and logs of jobs that run."""
    for job in jobs(scene):
        files = (
            f"/scratch/{job.owner}/tickets/{job.launch_id}.ccache /scratch/{job.owner}/jupyter/{job.launch_id}.log"
        )
        scene.lab.run(f"{job.site}-ctl", ["sh", "-c", f"rm -f {files}"])


def saved(scene: Scene) -> None:
    """Wait until Slurm has written down every job: a controller that is killed before has never known it."""
    scene.wait("Slurm has saved all jobs", lambda: all(_is_saved(scene, job) for job in jobs(scene)))


def _is_saved(scene: Scene, job: LiveJob) -> bool:
    argv = ["grep", "-qFe", job.launch_id, "/var/lib/slurm/slurmctld/job_state"]
    return scene.lab.run(f"{job.site}-ctl", argv, check=False).returncode == 0


def forget_state(scene: Scene) -> None:
    """Remove what a dead slurmctld knows."""
    for site in scene.sites:
        scene.lab.run(f"{site}-ctl", ["sh", "-c", "rm -rf /var/lib/slurm/slurmctld/*"])


def nodes_are_down(scene: Scene) -> None:
    """Wait until Slurm has given up all nodes."""
    for site in scene.sites:
        scene.wait(f"the nodes of {site} are down", lambda site=site: _down(scene, site), _DOWN_SECONDS)  # type: ignore[misc]


def nodes_lose_everything(scene: Scene) -> None:
    """Send every process of each job SIGKILL, where slurmd does not see it."""
    for job, node in _with_nodes(scene):
        step = f"$(grep -ls '^slurmstepd: .{job.job_id}[.]' /proc/[0-9]*/cmdline | cut -d/ -f3)"
        everything = f"{_OF_ONE_JOB.format(job_id=job.job_id)} {step}; do kill -KILL $p; done; true"
        scene.lab.run(node, ["bash", "-c", everything])


def jobs_answer(word: str) -> Step:
    """Wait until Slurm says that of all jobs."""

    def step(scene: Scene) -> None:
        scene.wait(f"all jobs are {word}", lambda: {job.state for job in jobs(scene)} == {word})

    return step


def _slurm(scene: Scene, job: LiveJob, *argv: str, user: str | None = None, check: bool = True) -> None:
    scene.lab.run(f"{job.site}-ctl", argv, user=user, check=check)


def _with_nodes(scene: Scene) -> Iterator[tuple[LiveJob, str]]:
    for job in jobs(scene):
        squeue = ["squeue", "-h", "-j", job.job_id, "-o", "%B"]
        yield job, scene.lab.run(f"{job.site}-ctl", squeue).stdout.strip()


def _update_nodes(scene: Scene, site: str, *values: str) -> None:
    nodes = ",".join(_nodes(site))
    scene.lab.run(f"{site}-ctl", ["scontrol", "update", f"nodename={nodes}", *values])


def _down(scene: Scene, site: str) -> bool:
    sinfo = ["sinfo", "-h", "-N", "-p", "normal", "-o", "%t"]
    states = scene.lab.run(f"{site}-ctl", sinfo).stdout.split()
    return all(state.startswith("down") for state in states)


def _nodes(site: str) -> list[str]:
    return [node.name for each in SITES if each.name == site for node in each.having(Role.NODE)]
