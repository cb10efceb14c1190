"""A node on this machine for launches with Spark: Slurm and Spark are byte-level stand-ins, the shell is real."""

import os
import signal
import subprocess
from pathlib import Path

from kernels.fragment import Fragment
from kernels.hook import JobContext, JobLookup
from tests.support import builders

NOTEBOOK = "jupyter-hub-0123456789ab"
CLUSTER = "spark_cluster-0123456789ab"

_SBATCH = """#!/bin/bash
cd {folder}
printf '%s\\n' "$@" > sbatch.arguments; env -0 > sbatch.environ
[ ! -f refusal ] || {{ cat refusal >&2; exit 1; }}
echo 42
"""
_SQUEUE = """#!/bin/bash
cd {folder}
env -0 > squeue.environ
[ ! -f silent ] || {{ echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1; }}
case " $* " in
  *" -j "*) cat left 2>/dev/null ;;
  *) for name; do :; done; while [ "$1" != -n ]; do shift; done; cat "queue-$2" 2>/dev/null ;;
esac
exit 0
"""
_SCANCEL = """#!/bin/bash
cd {folder}
printf '%s\\n' "$*" >> cancelled
[ ! -f silent ] || exit 1
"""
_SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
# Answers as the web page of a master does: with as many workers as the file `alive` says.
_SPARK_CLASS = """#!/bin/bash
cd {folder}
env -0 > "${{1##*.}}.environ"
printf '%s ' "$@" >> daemons; echo >> daemons
case $1 in
  *.Master)
    [ ! -f "taken-$5" ] || exit 1
    exec python3 -c '
import http.server, pathlib, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        facts = (*sys.argv[1:3], pathlib.Path("alive").read_text().strip())
        body = "{{\\n  \\"url\\" : \\"spark://%s:%s\\",\\n  \\"aliveworkers\\" : %s,\\n}}" % facts
        self.send_response(200); self.end_headers(); self.wfile.write(body.encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Page).serve_forever()
' "$3" "$5" "$7" ;;
  *.Worker) exec sleep 300 ;;
esac
"""
_JOB = """
stage() {{ printf '%s: %s\\n' "$1" "$2"; }}
notice() {{ printf 'notice: %s\\n' "$1"; }}
give_up() {{ printf 'gave up: %s\\n' "$1"; exit 1; }}
load_modules() {{ printf 'load_modules %s\\n' "$*"; }}
module() {{ :; }}
end() {{
{after}
}}
trap end EXIT
{before}
{server}
"""


class Node:
    """A home, a launch folder, Slurm's commands in `slurm` and a Spark in `spark`, all below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.launch_folder = root / "launch's folder"
        self.folder = self.launch_folder / "spark"
        self.slurm = root / "slurm"
        for folder in (self.home, self.launch_folder, self.slurm, root / "spark/bin", root / "bin", root / "tmp"):
            folder.mkdir(parents=True)
        stubs = {"slurm/sbatch": _SBATCH, "slurm/squeue": _SQUEUE, "slurm/scancel": _SCANCEL, "bin/srun": _SRUN}
        for name, text in {**stubs, "spark/bin/spark-class": _SPARK_CLASS}.items():
            (root / name).write_text(text.format(folder=self.slurm) if name != "bin/srun" else text)
            (root / name).chmod(0o755)
        (self.slurm / "alive").write_text("0")
        self.queue(NOTEBOOK, "RUNNING|None")

    def context(self, **changed: object) -> JobContext:
        """Return what a hook is told of the job."""
        facts = {
            "launch_id": str(builders.LAUNCH_ID),
            "mark": NOTEBOOK,
            "owner": "alice",
            "profile_key": "pyspark",
            "site_key": "geneva",
            "launch_folder": str(self.launch_folder),
            "slurm_path": str(self.slurm),
            "module_init": None,
            "kernel_store": None,
            "partition": "normal",
            "project": "physics",
            "cores": 1,
            "memory_mib": 4096,
            "nodes": 1,
            "slurm_environment": {"SLURM_CLUSTERS": "a b"},
            "lookup": JobLookup("SLURM_JOB_ID", (f"{self.slurm}/squeue",), (), silence_is_over=False),
        }
        return JobContext(**{**facts, **changed})  # type: ignore[arg-type]

    @property
    def environ(self) -> dict[str, str]:
        """What a job has around it."""
        return {
            "PATH": f"{self.root}/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "USER": "alice",
            "TMPDIR": str(self.root / "tmp"),
            "SPARK_HOME": str(self.root / "spark"),
            "SLURM_JOB_ID": "41",
            "SLURMD_NODENAME": "n1",
        }

    def queue(self, name: str, row: str) -> None:
        """Let squeue answer `state|reason`, or nothing, for the job of this name."""
        (self.slurm / f"queue-{name}").write_text(row)

    def tell(self, name: str, text: str) -> None:
        """Make the stubs behave: `refusal`, `silent`, `left`, `alive`, `taken-7077`."""
        (self.slurm / name).write_text(text)

    def told(self, name: str) -> str:
        """Return what a stub was told, or ""."""
        path = self.slurm / name
        return path.read_text() if path.exists() else ""

    def environ_of(self, name: str) -> dict[str, str]:
        """Return the environment that a stub had."""
        return dict(each.split("=", 1) for each in self.told(f"{name}.environ").split("\0") if each)

    def start(self, fragment: Fragment, server: str = "sleep 300", **environ: str) -> "subprocess.Popen[str]":
        """Start a job with one fragment; `server` is the shell that stands for its server."""
        script = self.root / "job.sh"
        script.write_text(_JOB.format(before=fragment.before, after=fragment.after, server=server))
        return self._start(["bash", str(script)], environ)

    def start_cluster(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the second job as sbatch was told to, or with other `arguments`."""
        submitted = [line for line in self.told("sbatch.arguments").splitlines() if not line.startswith("--")]
        return self._start(["bash", *(arguments or submitted)], {})

    def _start(self, command: list[str], environ: dict[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.root,
            umask=0o022,
            start_new_session=True,
        )

    def settings(self, of: str) -> dict[str, str]:
        """Return the Spark properties of the notebook (`conf`) or the cluster (`cluster`)."""
        lines = (self.folder / of / "spark-defaults.conf").read_text().splitlines()
        return dict(line.split(maxsplit=1) for line in lines if line)


def kill(job: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> str:
    """Signal all processes of a job, as Slurm does, and return what it has printed."""
    if job.poll() is None:
        os.killpg(job.pid, number)
    return job.communicate(timeout=60)[0]
