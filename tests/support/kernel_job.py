"""A job that only makes kernels ready, run by a real bash and Python; Slurm is a shell stub."""

import subprocess
import time
from pathlib import Path

from kernels import preparation
from kernels.hook import JobContext
from kernels.kernel import Kernel

_SCRIPT = """
attend() {{ "$@"; }}
{text}
echo "server with $JUPYTER_PATH"
"""
WAIT_SECONDS = 30


class Job:
    """Runs the fragment of some kernels as job `number` of one person at one site."""

    def __init__(self, folder: Path, number: int, queue: str = "", store: Path | None = None) -> None:
        self.home = folder
        self.number = number
        self.launch = folder / f"launch-{number}"
        self.launch.mkdir()
        self.log = folder / f"{number}.log"
        squeue = folder / "squeue"
        squeue.write_text(f'#!/bin/sh\necho "$*" >>{folder}/asked\n{queue or "echo RUNNING"}\n')
        squeue.chmod(0o755)
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
        )

    def start(self, *kernels: Kernel, **environ: str) -> "subprocess.Popen[bytes]":
        fragment = preparation.fragment(kernels, self.facts)
        settings = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "SLURM_JOB_ID": str(self.number)}
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
