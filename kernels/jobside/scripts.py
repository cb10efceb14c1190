"""Run a line of the admin's own that makes kernels, and keep in mind which kernelspecs it installed."""

import json
import os
import time
from typing import Any, Dict, Tuple

from kernels.jobside.locks import Jobs, held
from kernels.jobside.running import run
from kernels.jobside.telling import Failure, stage

Found = Dict[str, Tuple[int, int]]


def home_folder() -> str:
    """Return where the owner's locks, manifests and kernels lie; made if it is not there."""
    folder = os.path.join(os.path.expanduser("~"), ".local", "share", "jupyterhub-sites")
    os.makedirs(folder, exist_ok=True)
    return folder


def kernelspecs() -> Found:
    """Return the owner's own kernelspecs as Jupyter calls them, each with what changes when it is rewritten."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    folder = os.path.join(os.environ.get("JUPYTER_DATA_DIR") or os.path.join(data, "jupyter"), "kernels")
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            seen = os.stat(os.path.join(folder, name, "kernel.json"))
        except OSError:
            continue
        found[name.lower()] = (seen.st_mtime_ns, seen.st_ino)
    return found


def make(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> None:
    """Run the script of a kernel.  Raises Failure, with the end of a sentence."""
    stage("kernel", "script %s: %s" % (kernel["digest"], kernel["script"]))
    lock = os.path.join(home_folder(), "scripts.lock")
    # One script of a person at a time: two of them may build in the same folder.
    with held(lock, job["job_id"], jobs, time.monotonic() + kernel["seconds"], "kernels"):
        before = kernelspecs()
        end = time.monotonic() + kernel["seconds"]
        try:
            status = run(["bash", "-c", kernel["script"]], environ(job), end, kernel["limit"])
        finally:
            # Also of a script that fails: at its next run it may find that there is nothing to do.
            note(kernel, before)
    if status:
        raise Failure("it ended with status %d" % status)


def environ(job: Dict[str, Any]) -> Dict[str, str]:
    """Return the launch's environment, in which `module` works also in bash scripts that a script calls."""
    scratch = os.path.join(job["launch_folder"], "scratch")
    os.makedirs(scratch, exist_ok=True)
    settings = dict(os.environ, JUPYTERHUB_SITES_SCRATCH=scratch)
    if job["module_init"]:
        settings.setdefault("BASH_ENV", job["module_init"])
    return settings


def note(kernel: Dict[str, Any], before: Found) -> None:
    """Add to the manifest of a script what it was seen to make, and is said to; what is gone is omitted."""
    present = kernelspecs()
    made = {name for name in present if before.get(name) != present[name]}
    made.update(name.lower() for name in kernel["kernelspecs"])
    folder = os.path.join(home_folder(), "made")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, kernel["digest"] + ".json")
    try:
        with open(path) as file:
            known = set(json.load(file)["kernelspecs"])
    except (OSError, ValueError, KeyError, TypeError):
        known = set()
    names = sorted((known & set(present)) | made)
    with open(path + ".new", "w") as file:
        json.dump({"script": kernel["script"], "kernelspecs": names}, file)
    os.replace(path + ".new", path)
