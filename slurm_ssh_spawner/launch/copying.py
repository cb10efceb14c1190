"""What travels with a job whose server can be asked to copy notebooks: an extension of jupyter_server."""

from functools import cache
from importlib.resources import files

from kernels.fragment import Fragment
from kernels.hook import JobContext
from kernels.shell import Shell, quote, templates

_TEMPLATES = templates("slurm_ssh_spawner.launch")


def fragment(job: JobContext) -> Fragment:
    """Return what puts the extension into the job's folder, and lets the server find and load it."""
    text = _TEMPLATES.get_template("copying.sh.jinja").render(
        folder=quote(job.launch_folder), program=_source("copying.py"), config=_source("copying_config.py")
    )
    return Fragment(before=Shell(text.rstrip("\n")))


@cache
def _source(name: str) -> Shell:
    text = files("slurm_ssh_spawner.launch.jobside").joinpath(name).read_text(encoding="utf-8")
    return quote(text.rstrip("\n"))
