"""The job that looks around on a node, made as that of a notebook is.  Pure."""

from dataclasses import replace
from functools import cache
from importlib.resources import files

from kernels.fragment import Fragment
from kernels.shell import Shell, quote, templates
from profiles.catalogue.site import Site
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.job import Job
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import folders, frame

SECONDS = 100
"""For how long it lets itself be looked at, unless it is cancelled."""

PROGRAM = "jupyterhub-singleuser"
_MINUTES = 2
_MEMORY_MIB = 100
_TEMPLATES = templates("slurm_ssh_spawner.doctor.site", frame.PACKAGE)


def small(launch: NotebookLaunch) -> NotebookLaunch:
    """Return the same launch with as little as a look needs."""
    return replace(
        launch,
        cores=1,
        memory_mib=_MEMORY_MIB,
        time_minutes=_MINUTES,
        nodes=1,
        gpus=0,
        gpu_type=None,
        environments=(launch.site.jupyter,),
        kernels=(),
        hooks={},
    )


def build(launch: NotebookLaunch, job: Job, word: str, api_url: str, fragment: Fragment) -> JobRequest:
    """Return the job, each line of whose answers begins with a word; `fragment` is what brings it its ticket.

    Raises ValueError for what no job script can hold.
    """
    site, launch_id = launch.site, job.launch_id
    folder = folders.launch_folder(site, job.owner, launch_id)
    parts = [frame.prologue(site), site.jupyter.fragment(site.module_init), fragment]
    environ = {"JUPYTERHUB_SITES_LAUNCH_FOLDER": folder}
    for part in parts:
        environ.update(part.environ)
    body = _TEMPLATES.get_template("probe.sh.jinja").render(
        **frame.values(site.slurm_path, environ, parts),
        before=[part.before for part in parts[:2] if part.before],
        word=quote(word),
        hub=quote(api_url),
        launch_id=quote(launch_id),
        launch_folder=quote(folder),
        program=quote(PROGRAM),
        seconds=Shell(str(SECONDS)),
        probe=_probe(),
    )
    return frame.request(small(launch), job.mark, folders.log_path(site, job.owner, launch_id), body)


def leftovers(site: Site, job: Job) -> tuple[str, ...]:
    """Return the paths at the site that are gone once the job is over and has cleaned up."""
    found = [folders.launch_folder(site, job.owner, job.launch_id)]
    if site.ticket.delivery == "copy" and site.ticket_folder:
        folder = site.ticket_folder.replace("{owner}", job.owner).rstrip("/")
        found.append(f"{folder}/{job.launch_id}.ccache")
    return tuple(found)


@cache
def _probe() -> Shell:
    text = files("slurm_ssh_spawner.doctor.site.jobside").joinpath("probe.py").read_text(encoding="utf-8")
    return Shell(text.rstrip("\n"))
