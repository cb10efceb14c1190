"""What travels with a job for JupyterLab: our extension, and what it shows."""

import json
from functools import cache
from importlib.resources import files

from kernels.fragment import Fragment
from kernels.hook import JobContext
from kernels.shell import Shell, quote, templates
from profiles.offer.launch import NotebookLaunch
from slurm_ssh_spawner import sentences

_TEMPLATES = templates("slurm_ssh_spawner.launch")


def fragment(launch: NotebookLaunch, job: JobContext, server: str) -> Fragment:
    """Return what puts the extension into the job's folder, where the configuration of the server looks for it.

    `server` is its name on the hub.  What only the job knows, such as its node, is added there.
    """
    facts = {
        "launch": job.launch_id,
        "server": server,
        "site": launch.site.title,
        "minutes": launch.time_minutes,
        "words": _words(),
    }
    text = _TEMPLATES.get_template("lab_page.sh.jinja").render(
        folder=quote(job.launch_folder), facts=quote(json.dumps(facts)), program=quote(_program())
    )
    return Fragment(before=Shell(text.rstrip("\n")))


def _words() -> dict[str, str]:
    """Return the sentences of the extension, which fills in what stands in braces."""
    return {
        "place": sentences.LAB_PLACE,
        "minutes_left": sentences.LAB_MINUTES_LEFT,
        "hours_left": sentences.LAB_HOURS_LEFT,
        "job": sentences.LAB_JOB,
        "soon": sentences.LAB_SOON,
        "was_up": sentences.LAB_WAS_UP,
        "away": sentences.LAB_AWAY,
        "over": sentences.LAB_OVER,
        "save_all": sentences.LAB_SAVE_ALL,
        "start_again": sentences.LAB_START_AGAIN,
        "dismiss": sentences.LAB_DISMISS,
    }


@cache
def _program() -> str:
    text = files("slurm_ssh_spawner.launch.jobside").joinpath("lab_page.js").read_text(encoding="utf-8")
    return text.rstrip("\n")
