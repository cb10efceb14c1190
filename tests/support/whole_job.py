"""A whole job, run on this machine: script in bash, starter in Python, a stub server, a hub on loopback."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernels.fragment import Fragment
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh_spawner.launch import script
from tests.support import builders, loopback, processes

STUB = Path(__file__).with_name("stub_server.py")
WAIT_SECONDS = 60


class WholeJob:
    """One job in `folder`, which holds the home and the job folder."""

    def __init__(self, folder: Path, hub: loopback.Hub) -> None:
        self.home, self.jobs = folder / "home", folder / "alice"
        for made in (self.home, self.jobs):
            made.mkdir(mode=0o700)
        self.launch = self.jobs / builders.LAUNCH_ID
        self.log = folder / "log"
        self._hub = hub

    def text(
        self,
        command: Sequence[str],
        site: dict[str, Any] | None = None,
        profile: dict[str, Any] | None = None,
        fragments: Sequence[Fragment] = (),
        **sections: Any,
    ) -> str:
        """Return the script of a launch whose server is `command`; `sections` are others of the catalogue."""
        plain = {
            "jupyter": {},
            "partitions": {},
            "projects": "none",
            "job_folder": f"{self.jobs.parent}/{{owner}}",
        }
        sites = {"geneva": builders.site(**{**plain, **(site or {})})}
        profiles = {"own": builders.profile(command=list(command), **(profile or {}))}
        process = builders.process(arguments=(), report_url=self._hub.url)
        launch = builders.launch(builders.catalogue(sites=sites, profiles=profiles, **sections))
        request = script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", process, fragments)
        return slurm_jobs.batch_script(request)

    def start(self, text: str, alone: bool = False, **environ: str) -> "subprocess.Popen[bytes]":
        """Begin the job as slurmd does, in the environment that sbatch had; `alone`: see `processes`."""
        settings = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "JUPYTERHUB_API_TOKEN": "5ec4e7",
            "SLURM_JOB_ID": "17",
            **environ,
        }
        path = self.jobs.parent / "job.sh"
        path.write_text(text)
        command = processes.alone(path) if alone else ["bash", str(path)]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=settings, cwd=self.home
            )

    def run(self, *words: str, **environ: str) -> int:
        """Run a job whose server is the stub, and return its status."""
        return self.start(self.text(stub(*words)), **environ).wait(WAIT_SECONDS)

    @property
    def said(self) -> str:
        """What stands in the log."""
        return self.log.read_text()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the stub, once it has served."""
        found: dict[str, str] = json.loads((self.home / "environ.json").read_text())
        return found


def stub(*words: str) -> list[str]:
    """Return the command that does what the words of `stub_server` say."""
    return ["python3", "-I", str(STUB), *words]
