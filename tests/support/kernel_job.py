"""A job that only makes kernels ready, run by a real bash and Python; what lists jobs is a shell stub."""

import subprocess
import time
from pathlib import Path

from kernels import preparation
from kernels.hook import JobContext
from kernels.kernel import Kernel
from slurm_ssh import schedulers
from tests.support import builders

_SCRIPT = """
attend() {{ "$@"; }}
{text}
echo "server with $JUPYTER_PATH"
"""
_PLAIN = {
    "title": "Geneva",
    "front_ends": builders.site()["front_ends"],
    "job_folder": "/scratch/{owner}/jupyter",
    "jupyter": {},
}
_GOES_ON = {
    "slurm": "echo RUNNING",
    "pbs": "printf '%s\\n' 'Job id            Name             User              Time Use S Queue' "
    "'----------------  ---------------- ----------------  -------- - -----' "
    '"$1       jupyter-hub-01234 alice             00:00:00 R workq"',
}
WAIT_SECONDS = 60


class Job:
    """Runs the fragment of some kernels as job `number` of one person at one site, whose scheduler is of a `kind`.

    `queue` is what its program does that lists jobs, by default what it does if all go on.
    """

    def __init__(
        self, folder: Path, number: int, queue: str = "", store: Path | None = None, kind: str = "slurm"
    ) -> None:
        self.home = folder
        scheduler = {"kind": kind, **({"path": str(folder)} if kind == "pbs" else {})}
        site = builders.catalogue(sites={"geneva": {**_PLAIN, "scheduler": scheduler}}).sites["geneva"]
        site = site.model_copy(update={"slurm_path": str(folder)})
        self.lookup = schedulers.of(site).lookup(site)
        self.number = str(number) if kind == "slurm" else f"{number}.pbs.test"
        self.launch = folder / f"launch-{number}"
        self.launch.mkdir()
        self.log = folder / f"{number}.log"
        program = Path(self.lookup.command[0])
        program.write_text(f'#!/bin/sh\necho "$*" >>{folder}/asked\n{queue or _GOES_ON[kind]}\n')
        program.chmod(0o755)
        self.facts = JobContext(
            launch_id="0123456789ab",
            mark="jupyter-hub-0123456789ab",
            owner="alice",
            profile_key="thalamus",
            site_key="geneva",
            launch_folder=str(self.launch),
            slurm_path=str(folder),
            module_init=None,
            kernel_store=str(store) if store else None,
            partition=None,
            project=None,
            cores=1,
            memory_mib=1024,
            nodes=1,
            slurm_environment={},
            lookup=self.lookup,
        )

    def start(self, *kernels: Kernel, **environ: str) -> "subprocess.Popen[bytes]":
        fragment = preparation.fragment(kernels, self.facts)
        settings = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", self.lookup.own: self.number}
        settings |= {"JUPYTERHUB_SITES_STAGES": str(self.launch / "stages"), **fragment.environ, **environ}
        with self.log.open("wb") as log:
            return subprocess.Popen(
                ["bash", "-c", _SCRIPT.format(text=fragment.before)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=settings,
                cwd=self.home,
            )

    def run(self, *kernels: Kernel, **environ: str) -> int:
        return self.start(*kernels, **environ).wait(WAIT_SECONDS)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def says(self, words: str) -> None:
        """Wait until the log holds some words."""
        end = time.monotonic() + WAIT_SECONDS
        while words not in self.said:
            assert time.monotonic() < end, self.said
            time.sleep(0.02)
