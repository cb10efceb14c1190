"""The hook of docs/hooks.md in a job of the lab."""

from dataclasses import replace
from pathlib import Path

from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from kernels.shell import Shell
from lab import Lab
from profiles.loading import load
from slurm_ssh.slurm.jobs import batch_script
from slurm_ssh_spawner.launch import script
from tests.support import builders
from tests.support.hooks_page import installed, written

# Takes all that the job reports, as a hub does, until the job is over.
_SUBMIT = """
import http.server, subprocess, sys, threading

class Hub(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass

hub = http.server.ThreadingHTTPServer(("", 0), Hub)
threading.Thread(target=hub.serve_forever, daemon=True).start()
script = sys.stdin.read().replace(":8081/", f":{hub.server_port}/")
subprocess.run(["sbatch", "--parsable", "--wait"], input=script, text=True)
"""


class Look(Hook):
    """Shows what the hook before it has made."""

    def fragment(self, job: JobContext) -> Fragment:  # noqa: ARG002 - the same for every job
        return Fragment(before=Shell('stat -c "%a %U %n" "$SCRATCH"'))


def _script(tmp_path: Path) -> str:
    """Return a script for geneva whose server ends at once."""
    site = builders.site(jupyter={}, ticket={}, partitions={}, projects="none", qos=[], reservations=[])
    with installed(tmp_path):
        launch = builders.launch(load.parse(written(site, root="/tmp"), "catalogue.yaml"))
    launch = replace(launch, hooks={**launch.hooks, "look": Look()}, command=("true",))
    url = f"http://geneva-login1.lab.test:8081/hub/api/launches/{builders.LAUNCH_ID}"
    process = builders.process(report_url=url)
    return batch_script(script.build(launch, builders.LAUNCH_ID, "jupyter-test", process, ()))


def test_the_example_makes_its_folder_on_the_node_and_removes_it(lab: Lab, tmp_path: Path) -> None:
    folder = "/scratch/alice/jupyter"
    lab.run("geneva-login1", ["mkdir", "-p", "-m", "700", folder], user="alice")
    submit = ["env", "JUPYTERHUB_API_TOKEN=none", "python3", "-c", _SUBMIT]
    lab.run("geneva-login1", submit, user="alice", input=_script(tmp_path))
    log = lab.run("geneva-login1", ["cat", f"{folder}/{builders.LAUNCH_ID}.log"]).stdout
    assert "scratch: Making a scratch folder" in log
    assert f"700 alice /tmp/scratch-{builders.LAUNCH_ID}\n" in log
    for node in ("geneva-n1", "geneva-n2"):
        assert lab.run(node, ["find", "/tmp", "-name", "scratch-*"]).stdout == ""
