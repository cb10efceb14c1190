"""Build a declared kernel once for all with the same contents, and give it to the server of this launch.

A virtual environment has its own path in it, so it is built where it stays, by who holds its lock; the file
`complete` is written last.  What has none is a half build, and removed by who builds next.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from typing import Any, Dict, List

from kernels.jobside.locks import Jobs, held
from kernels.jobside.running import run
from kernels.jobside.scripts import home_folder
from kernels.jobside.store import OTHERS, is_own, is_trusted, wrong_with
from kernels.jobside.telling import Failure, stage

COMPLETE = "complete"
PIP = ["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
WHICH = "import os, sys; print(os.path.realpath(sys.executable), sys.version.split()[0])"
ANSWER_SECONDS = 120


class Build:
    """One kernel at one place of a store."""

    def __init__(self, kernel: Dict[str, Any], job: Dict[str, Any], store: str, digest: str) -> None:
        self.kernel = kernel
        self.job = job
        self.digest = digest
        self.folder = os.path.join(store, digest)
        self.python = os.path.join(self.folder, "venv", "bin", "python")
        self.wrapper = os.path.join(self.folder, "with-modules")

    def is_complete(self) -> bool:
        """Return whether it is there to be used, made by somebody whose programs its user may run."""
        store = os.path.dirname(self.folder)
        return os.path.isdir(store) and is_trusted(self.folder, os.lstat(store).st_uid)

    def build(self, end: float) -> None:
        """Make it.  Raises Failure."""
        shutil.rmtree(self.folder, ignore_errors=True)
        # Others use it too: it must be readable whatever the job's umask, and writable by nobody else.
        os.umask(OTHERS)
        os.mkdir(self.folder)
        with open(self.wrapper, "w", encoding="utf-8") as file:
            file.write(self.kernel["wrapper"])
        try:
            for command in self.commands():
                self._run(command, end)
            with open(os.path.join(self.folder, COMPLETE), "w") as file:
                json.dump(
                    {name: self.kernel[name] for name in ("name", "python", "requirements", "modules")}, file
                )
        except Failure:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def commands(self) -> List[List[str]]:
        """Return what builds it: uv if there is one, else the interpreter's venv and pip."""
        venv, lock = os.path.dirname(os.path.dirname(self.python)), self.kernel["lock"]
        what = ["-r", lock] if lock else self.kernel["requirements"] + ["ipykernel"]
        uv = shutil.which("uv")
        if uv:
            make = [uv, "venv", "--python", self.kernel["python"], venv]
            install = [uv, "pip", "install", "--python", self.python]
        else:
            make = [self.kernel["python"], "-I", "-m", "venv", venv]
            install = [self.python, *PIP]
        further = [[*install, "-c", lock, "ipykernel"]] if lock else []
        check = [self.python, "-I", "-c", "import ipykernel"]
        return [make, install + what, *further, check]

    def _run(self, command: List[str], end: float) -> None:
        status = run(["bash", self.wrapper, *command], dict(os.environ), end, self.kernel["limit"])
        if status:
            raise Failure("%s ended with status %d" % (" ".join(command[:4]), status))


def make(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> None:
    """Have the kernel ready, and show it to the server.  Raises Failure, with the end of a sentence."""
    digest = digest_of(kernel)
    builds = [Build(kernel, job, store, digest) for store in stores(job)]
    for build in builds:
        if build.is_complete():
            stage("kernel", "%s: %s is ready in %s" % (kernel["name"], digest, build.folder))
            return show(build)
    # Who may write to it is the store's owner: so is the lock theirs alone.
    build = next((each for each in builds[:-1] if is_own(os.path.dirname(each.folder))), builds[-1])
    os.makedirs(os.path.dirname(build.folder), exist_ok=True)
    until = time.monotonic() + kernel["seconds"]
    with held(build.folder + ".lock", job["job_id"], jobs, until, kernel["name"]):
        if not build.is_complete():
            tool = "uv" if shutil.which("uv") else "pip"
            stage("kernel", "%s: building %s in %s with %s" % (kernel["name"], digest, build.folder, tool))
            build.build(time.monotonic() + kernel["seconds"])
    return show(build)


def stores(job: Dict[str, Any]) -> List[str]:
    """Return the folders in which a kernel may be: the site's, if it is to be trusted, and the person's own."""
    own, shared = os.path.join(home_folder(), "kernels"), job["kernel_store"]
    if not shared:
        return [own]
    reason = wrong_with(shared)
    if reason:
        stage("kernel", "The kernel store %s is not used: %s" % (shared, reason))
    return [own] if reason else [shared, own]


def digest_of(kernel: Dict[str, Any]) -> str:
    """Return the name of what is to be built: the same for the same contents."""
    lock = ""
    if kernel["lock"]:
        try:
            with open(kernel["lock"], encoding="utf-8") as file:
                lock = file.read()
        except (OSError, ValueError) as error:
            raise Failure("its lock file cannot be read: %s" % error) from None
    parts = [which(kernel), kernel["requirements"], lock, kernel["wrapper"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def which(kernel: Dict[str, Any]) -> str:
    """Return path and version of the interpreter, as it is found with the kernel's modules."""
    command = ["bash", "-c", kernel["wrapper"], "with-modules", kernel["python"], "-I", "-c", WHICH]
    # Files, not pipes: modules may leave something running that keeps those open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                timeout=ANSWER_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failure("its Python interpreter did not answer") from None
        said = err if status else out
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    if status:
        raise Failure("%s does not run: %s" % (kernel["python"], text))
    return text


def show(build: Build) -> None:
    """Write the kernelspec where only this launch's server looks."""
    name = re.sub(r"[^a-z0-9._-]", "_", build.kernel["name"].lower())
    folder = os.path.join(build.job["launch_folder"], "jupyter", "kernels", name)
    os.makedirs(folder, exist_ok=True)
    argv = ["bash", build.wrapper, build.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {
        "argv": argv,
        "display_name": build.kernel["name"],
        "language": "python",
        "env": {"PATH": os.path.dirname(build.python) + ":${PATH}"},
        "metadata": {"debugger": True},
    }
    with open(os.path.join(folder, "kernel.json"), "w") as file:
        json.dump(spec, file)
