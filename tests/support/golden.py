"""Job scripts, and the programs that submit them, as they are sent; kept in tests/data/golden.

`python -m tests.support.golden` writes them anew: read the difference before committing it.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from job_service import script as batch_script
from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.offer.choices import Choices
from profiles.offer.launch import BatchLaunch, NotebookLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from slurm_ssh import delivery, schedulers
from slurm_ssh.delivery import Delivered
from slurm_ssh.job import mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import steps
from slurm_ssh.pbs import jobs as pbs_jobs
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.launch import script
from tests.support import builders
from tests.support.folders import DATA

FOLDER = DATA / "golden"
_MARK = mark("jupyter", "hub", builders.LAUNCH_ID)


def _plain() -> JobRequest:
    """Nothing chosen, nothing of the site's own."""
    site = builders.site(jupyter={}, partitions={}, projects="none", ticket={})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}))
    return script.build(launch, builders.LAUNCH_ID, _MARK, builders.process(), ())


def _with_ticket() -> JobRequest:
    """Modules, and a ticket that is removed at the end."""
    path = f"/scratch/alice/tickets/{builders.LAUNCH_ID}.ccache"
    ticket = Fragment(environ={"KRB5CCNAME": f"FILE:{path}"}, after=Shell(f"rm -f -- {path}"))
    return script.build(builders.launch(), builders.LAUNCH_ID, _MARK, builders.process(), (ticket,))


def _odd_values() -> JobRequest:
    """Every value that may hold any character holds some that mean something to a shell (no $: shellcheck)."""
    site = builders.site(
        job_folder="/scratch/a 'b' #(id)\\/{owner}",
        directives={"exclusive": True, "constraint": "ib"},
        prologue="source '/etc/it''s site.sh'\nexport SITE=\"geneva\"; fi\n",
        jupyter={"prefix": "/opt/a b & c", "variables": {"TEXT": "a'b\"c; id #\nsecond line"}},
    )
    profile = builders.profile(modules=["it's", "gcc/12"], command=["run;me", "--x=&y"])
    launch = builders.launch(
        builders.catalogue(sites={"geneva": site}, profiles={"odd": profile}),
        {"gpus": "1", "qos": "high", "reservation": "school", "memory": "4G", "time": "8h"},
    )
    fragments = (
        Fragment(before=Shell("echo first"), after=Shell("echo last")),
        Fragment(after=Shell("echo early")),
    )
    process = builders.process(arguments=("--a=b c", "*", ""), environ={"EMPTY": "", "NAME": "Ä\t!"})
    return script.build(launch, builders.LAUNCH_ID, _MARK, process, fragments)


def _kernels() -> JobRequest:
    """Kernels of both kinds, on several nodes, and a page of its own."""
    kernels = [
        {"script": "source /opt/rh/python27/enable && /gpfs/project/proj2/bluepy/install.sh", "required": False},
        {"name": "Thalamus 3.4", "modules": ["nix/python/3.4-light"], "requirements": ["six==1.16.0"]},
    ]
    profile = builders.profile(kernels=kernels, default_url="/tree", resources={"nodes": 2})
    site = builders.site(kernel_store="/gpfs/kernels", environment={"SLURM_CONF": "/etc/slurm/it's.conf"})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles={"thalamus": profile}))
    return script.build(launch, builders.LAUNCH_ID, _MARK, builders.process(), ())


def _container() -> JobRequest:
    """The server in an image."""
    site = builders.site(container=["apptainer", "exec", "--bind", "/scratch", "{image}"])
    profile = builders.profile(container="/gpfs/images/my lab.sif")
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles={"lab": profile}))
    return script.build(launch, builders.LAUNCH_ID, _MARK, builders.process(), ())


def _spark() -> JobRequest:
    """A Spark cluster by its hook, where Slurm's commands need variables."""
    site = builders.site(
        jupyter={}, partitions={}, projects="none", ticket={}, environment={"SLURM_CONF": "/etc/it's slurm.conf"}
    )
    hook = {"workers": 2, "partition": "cloud", "project": "proj3", "module": "spark"}
    profile = builders.profile(hooks={"spark": hook})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles={"pyspark": profile}))
    return script.build(launch, builders.LAUNCH_ID, _MARK, builders.process(), ())


SCRIPTS: dict[str, Callable[[], JobRequest]] = {
    "plain": _plain,
    "with-ticket": _with_ticket,
    "odd-values": _odd_values,
    "spark": _spark,
    "kernels": _kernels,
    "container": _container,
}


def batch_launch(site: Mapping[str, Any] | None = None, **job_type: Any) -> BatchLaunch:
    """Return the job of alice's at geneva that a job type is there; without more it runs a line of her own."""
    sites = {"geneva": builders.site(**{"jobs": {"folder": "/scratch/{owner}/jobs"}, **(site or {})})}
    own = {"name": "Command", "command": "any"} if "run" not in job_type else {"name": "Reconstruction"}
    found = builders.catalogue(sites=sites, job_types={"recon": {**own, **job_type}})
    return resolve_job(Offer(found.jobs, {}, Person("alice"), builders.NOW), Choices.of({}))


def _batch(launch: BatchLaunch, *fragments: Fragment, title: str = "a job title") -> JobRequest:
    return batch_script.build(launch, builders.LAUNCH_ID, mark("job", "hub", builders.LAUNCH_ID), title, fragments)


def _command() -> JobRequest:
    """A line of its owner's, and nothing of the site's own."""
    return _batch(batch_launch({"partitions": {}, "projects": "none"}))


def _run() -> JobRequest:
    """A program with arguments, modules, a ticket, a task a core; it may begin again."""
    path = f"/scratch/alice/tickets/{builders.LAUNCH_ID}.ccache"
    ticket = Fragment(environ={"KRB5CCNAME": f"FILE:{path}"}, after=Shell(f"rm -f -- {path}"))
    job_type = {
        "run": ["/gpfs/apps/recon/bin/recon", "--out", "results", "--quality", "5"],
        "modules": ["nix/hpc/recon/2.1"],
        "resources": {"cores": {"default": 8, "max": 8}},
        "tasks": "core",
        "requeue": True,
    }
    return _batch(batch_launch(**job_type), ticket)


def _odd_command() -> JobRequest:
    """Every value that may hold any character holds some that mean something to a shell (no $: shellcheck)."""
    site = {
        "jobs": {"folder": "/scratch/a 'b' #(id)\\/{owner}"},
        "directives": {"exclusive": True, "constraint": "ib"},
        "slurm_path": "/opt/slurm it's/bin",
        "prologue": "source '/etc/it''s site.sh'\nexport SITE=\"geneva\"; fi\n",
        "container": ["apptainer", "exec", "{image}"],
    }
    own = {"prefix": "/opt/a b & c", "environment": {"TEXT": "a'b\"c; id #\nsecond line"}}
    program = {"run": ["run; me", "--x=&y", "*", "it's"], "container": "/gpfs/images/my lab.sif"}
    return _batch(batch_launch(site, **program, **own), title="it's `id` \n; exit")


BATCH: dict[str, Callable[[], JobRequest]] = {
    "batch/command": _command,
    "batch/run": _run,
    "batch/odd-values": _odd_command,
}


def pbs_site(**changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue's YAML has it, whose jobs PBS runs."""
    of_slurm = ("reservations", "qos")
    plain = {name: value for name, value in builders.site().items() if name not in of_slurm}
    queues = {"workq": {"time_max": "8h"}, "short": {"time_max": "10m"}}
    return {**plain, "scheduler": {"kind": "pbs"}, "partitions": queues, **changed}


def _by_pbs(launch: NotebookLaunch) -> str:
    request = script.build(launch, builders.LAUNCH_ID, _MARK, builders.process(), ())
    return pbs_jobs.script(launch.site, request)


def _pbs_plain() -> str:
    """Nothing chosen, nothing of the site's own."""
    site = pbs_site(jupyter={}, partitions={}, projects="none", ticket={})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}))
    return _by_pbs(launch)


def _pbs_odd_values() -> str:
    """What can be chosen; values that may hold any character hold some that mean something to a shell."""
    site = pbs_site(
        job_folder="/scratch/a 'b' #(id)/{owner}",
        scheduler={"kind": "pbs", "path": "/opt/pbs it's/bin"},
        prologue="source '/etc/it''s site.sh'\nexport SITE=\"geneva\"; fi\n",
        jupyter={"prefix": "/opt/a b & c", "variables": {"TEXT": "a'b\"c; id #\nsecond line"}},
    )
    profile = builders.profile(command=["run;me", "--x=&y"], resources={"nodes": 2, "gpus": 1, "memory": "4G"})
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles={"odd": profile}), {"time": "8h"})
    return _by_pbs(launch)


def _pbs_project() -> str:
    """A kernel of its own, and a project that qsub takes as such."""
    site = pbs_site(scheduler={"kind": "pbs", "project_option": "-P"}, jupyter={}, ticket={"delivery": "none"})
    profile = builders.profile(kernels=[{"script": "/gpfs/install.sh"}])
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles={"own": profile}))
    return _by_pbs(launch)


PBS: dict[str, Callable[[], str]] = {
    "pbs/plain": _pbs_plain,
    "pbs/odd-values": _pbs_odd_values,
    "pbs/project": _pbs_project,
}


def text(name: str) -> str:
    """Return the script of this name as it is now."""
    if name in PBS:
        return PBS[name]()
    return slurm_jobs.batch_script((SCRIPTS | BATCH)[name]())


def path(name: str) -> Path:
    """Return where the script of this name is kept."""
    return FOLDER / f"{name}.sh"


TICKET = b"\x05\x04ticket"

AFTER_AUKS = Delivered(sbatch_options=("--auks=done",), unset=("SLURM_SPANK_AUKS",))

PROGRAMS: dict[str, dict[str, Any]] = {
    "pbs": {"scheduler": {"kind": "pbs"}, "ticket": {"delivery": "none"}, "reservations": [], "qos": []},
    "none": {"ticket": {"delivery": "none"}},
    "copy": {"job_folder": "/scratch/it's #(id)/{owner}"},
    "auks": {"ticket": {"delivery": "auks"}, "slurm_cluster": "lugano"},
    "command": {
        "ticket": {"delivery": "command", "command": {"push": ["/opt/push it", "{owner}", "{launch_id}"]}}
    },
}
"""What a site has to itself, by the name of the program that submits there."""


def submission(name: str) -> tuple[Shell, bytes]:
    """Return the program of this name as it is now, and its data."""
    launch = builders.launch(builders.catalogue(sites={"geneva": builders.site(**PROGRAMS[name])}))
    request = builders.request(script="exit\n", secrets={"TOKEN": "5ec4e7", "SECOND": ""})
    delivered = AFTER_AUKS if name == "auks" else _delivered(launch.site)
    written = schedulers.of(launch.site).script(launch.site, request)
    return steps.program(launch.site, "alice", request, written, delivered)


def _delivered(site: Site) -> Delivered:
    return asyncio.run(delivery.of(site).place(_nobody, "alice", builders.LAUNCH_ID, TICKET))


async def _nobody(_program: Shell, _data: bytes) -> Completed:
    raise AssertionError("these deliveries need no exchange of their own")


def program_path(name: str) -> Path:
    """Return where the program of this name is kept."""
    return FOLDER / "submission" / f"{name}.sh"


if __name__ == "__main__":
    for name in PROGRAMS:
        program_path(name).write_text(submission(name)[0], encoding="utf-8")
    for name in SCRIPTS | BATCH | PBS:
        path(name).write_text(text(name), encoding="utf-8")
