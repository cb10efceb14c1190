"""What tests of batch jobs do to services and sites, and what is to be seen of each job afterwards."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from lab import Lab
from tests.lab.jobs.sender import Sender
from tests.lab.look import FRONT_END

UNTIL_GO = "until [ -e go ]; do sleep 0.1; done"
"""A line that ends once there is a file `go` in the folder of its job."""


def command(line: str, system: str = "geneva") -> dict[str, str]:
    """Return a job that runs a line of its owner's."""
    return {"type": "command", "system": system, "command": line}


def counted(seconds: float = 0, then: str = "true", at: str = "geneva") -> tuple[dict[str, str], str]:
    """Return a job of alice's that writes down each of its runs, and the file where."""
    runs = f"/home/alice/runs-{uuid.uuid4().hex}"
    return {"type": "command", "system": at, "command": f"echo x >>{runs}; sleep {seconds}; {then}"}, runs


def ran(lab: Lab, runs: str, at: str = "geneva") -> int:
    """Return how often a job has begun to do its work."""
    return len(lab.run(FRONT_END[at], ["cat", runs], user="alice").stdout.split())


def in_slurm(lab: Lab, job_id: str, at: str = "geneva") -> list[str]:
    """Return the states of all jobs that a site's Slurm has, or had lately, for one of the service's."""
    listed = lab.run(f"{at}-ctl", ["squeue", "-h", "-t", "all", "-o", "%j %T"]).stdout.splitlines()
    return [row.split()[1] for row in listed if row.split()[0].endswith(f"-{job_id}")]


def go(lab: Lab, job: dict[str, Any]) -> None:
    """Let a job end that waits for that, also while nothing reaches its site."""
    lab.run(f"{job['system']}-ctl", ["touch", f"{job['folder']}/go"], user="alice")


def again(lab: Lab, alice: Sender) -> None:
    """Start the service that was killed."""
    lab.fault("start", "hub", "jobs")
    lab.wait("the service answers", lambda: _answers(alice))


def _answers(alice: Sender) -> bool:
    # The proxy closes a connection over which it could not pass on all of a request.
    with suppress(httpx.TransportError):
        return alice.http.get("/v1/").status_code == 200
    return False


def was_in_doubt(alice: Sender, job_id: str) -> bool:
    """Return whether nobody knew, at some time, whether Slurm had a job."""
    events = alice.http.get(f"/v1/jobs/{job_id}/events").raise_for_status().json()["items"]
    return any("not known yet" in event["text"] for event in events)


def parts(lab: Lab, job: dict[str, Any]) -> list[int]:
    """Return the sizes of the files of a job that have not come whole, as they lie at its site."""
    find = ["find", job["folder"], "-name", "*.part", "-printf", r"%s\n"]
    found = lab.run(FRONT_END[job["system"]], find, check=False)
    return [int(size) for size in found.stdout.split()]


class Upload:
    """A file on its way to a job, of which one half has been sent, and the other one is not until `go_on`."""

    def __init__(self, answer: "Future[int]", rest: threading.Event) -> None:
        self._answer, self._rest = answer, rest

    def go_on(self) -> int:
        """Send the other half, and return the status of the answer; 0 if the connection was lost."""
        self._rest.set()
        return self._answer.result()


@contextmanager
def half_sent(lab: Lab, alice: Sender, job: dict[str, Any], path: str, content: bytes) -> Iterator[Upload]:
    """Give an upload of which half has come to its site; it is over at the end of the block."""
    rest, middle = threading.Event(), len(content) // 2

    def chunks() -> Iterator[bytes]:
        yield content[:middle]
        rest.wait()
        yield content[middle:]

    def put() -> int:
        url, length = f"/v1/jobs/{job['job_id']}/files/{path}", str(len(content))
        try:
            return alice.http.put(url, content=chunks(), headers={"Content-Length": length}).status_code
        except httpx.TransportError:
            return 0

    with ThreadPoolExecutor(1) as pool:
        try:
            answer = pool.submit(put)
            lab.wait("half of the file has come", lambda: any(parts(lab, job)))
            yield Upload(answer, rest)
        finally:
            rest.set()
