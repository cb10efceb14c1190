"""The part of the demo about batch jobs: a zip by curl to each site, `hubjobs`, a quota before and after."""

import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab.folders import HUB_PYTHON

_SECONDS = 300
SUBMIT = ("custom:jobs:submit", "access:services!service=jobs")
_ADMINISTER = ("custom:jobs:admin", *SUBMIT)
_SCRIPT = """\
echo "$JOB_TITLE on $(uname -n) as $(id -un)"
klist | sed -n 2p
sleep 5
sort -n numbers.txt | tail -1 >largest.txt
"""
_PAYLOAD = {"command": "unzip -q job.zip; sh run.sh", "node_number": "1", "core_number": "2", "runtime": "0.1"}
_PROJECT = {
    "system": "lugano",
    "name": "proj3",
    "is_open": False,
    "title": "Thalamus",
    "account": "proj3",
    "init_time": 36000,
    "user_time": 18000,
}


class NotDone(Exception):  # noqa: N818
    """A program of the demo ended badly; the text is what it said."""


class Sender:
    """Somebody at a shell with curl and hubjobs, and a token for their password."""

    def __init__(self, url: str, name: str, scopes: Sequence[str], home: Path) -> None:
        self.jobs = f"{url}/services/jobs/api"
        self.home = home
        asked = {"auth": {"username": name, "password": f"{name}-pw"}, "scopes": scopes}
        answer = self._run("curl", "-s", f"{url}/hub/api/users/{name}/tokens", "-d", json.dumps(asked))
        self.token = json.loads(answer)["token"]

    def curl(self, path: str, *more: str) -> Any:
        """Return what the service answers, by curl."""
        authorization = f"Authorization: Bearer {self.token}"
        return json.loads(
            self._run("curl", "-sS", "--fail-with-body", f"{self.jobs}{path}", "-H", authorization, *more)
        )

    def hubjobs(self, *arguments: str, given: str = "") -> str:
        """Return what `hubjobs` prints; `given` is what is typed."""
        return self._run(str(HUB_PYTHON.with_name("hubjobs")), *arguments, given=given)

    def ijp(self, *arguments: str, given: str = "") -> str:
        """Return what `ijp` prints; `given` is what is typed."""
        return self._run(str(HUB_PYTHON.with_name("ijp")), *arguments, given=given)

    def send(self, place: str, zipped: Path) -> dict[str, Any]:
        """Send a zip by the old path of a system, or of a project there; return the job."""
        payload = f"Payload: {json.dumps(_PAYLOAD)}"
        name = f"Content-Disposition: attachment; filename={zipped.name}"
        return dict(self.curl(f"/jobs/{place}", "-H", name, "-H", payload, "--data-binary", f"@{zipped}"))

    def log_in(self, url: str, name: str) -> None:
        """Have hubjobs get a token of its own, which may start servers, too."""
        self.hubjobs("login", url, "--user", name, "--servers", given=f"{name}-pw\n")

    def result(self, name: str) -> str:
        """Return a file that hubjobs has fetched, in one line."""
        return " ".join((self.home / name).read_text().split())

    def _run(self, *command: str, given: str = "") -> str:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"},
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise NotDone(f"{Path(command[0]).name} {command[1]}: {done.stdout}{done.stderr}")
        return done.stdout


def show_jobs(url: str) -> Iterator[str]:
    """Send a zip to each site, wait for the results, and see what they cost; yield what there is to show.

    alice and ruth have logged in before.  Raises NotDone.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        alice, ruth = Sender(url, "alice", SUBMIT, home), Sender(url, "ruth", _ADMINISTER, home)
        _open_project(ruth)
        alice.log_in(url, "alice")
        (home / "job.zip").write_bytes(zipped())
        yield from sent(alice, "geneva/", home / "job.zip")
        yield f"alice's quota of proj3 at lugano before: {_left(alice)} s"
        yield from sent(alice, "lugano/proj3/", home / "job.zip")
        yield f"and after: {_left(alice)} s"


def _open_project(ruth: Sender) -> None:
    """Give alice five hours of a project of ten, which is charged to the project of that name in Slurm."""
    asked = json.dumps(_PROJECT)
    ruth.curl("/v1/admin/projects", "-H", "Content-Type: application/json", "-d", asked)
    ruth.curl("/v1/admin/members/lugano/proj3/user/alice", "-X", "PUT")


def sent(sender: Sender, place: str, file: Path) -> Iterator[str]:
    """Send a zip by the old path of a system, wait for its result; yield what is to be shown.  Raises NotDone."""
    job = sender.send(place, file)
    yield f"$ curl {sender.jobs}/jobs/{place} ... --data-binary @{file.name}"
    yield f"{job['job_id']} {job['stage']} at {job['project_hpc']}"
    sender.hubjobs("wait", job["job_id"])
    yield f"$ hubjobs wait {job['job_id']}"
    yield from sender.hubjobs("log", job["job_id"]).splitlines()
    sender.hubjobs("get", job["job_id"], "largest.txt")
    yield f"the largest of its numbers: {sender.result('largest.txt')}"


def _left(alice: Sender) -> int:
    """Return the seconds that alice has left of proj3."""
    return int(alice.curl("/quotas/lugano/proj3/")["time_left"])


def zipped() -> bytes:
    """Return a zip with some numbers, and a script that finds the largest."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("run.sh", _SCRIPT)
        archive.writestr("numbers.txt", "".join(f"{number * 7919 % 10007}\n" for number in range(1, 1001)))
    return buffer.getvalue()
