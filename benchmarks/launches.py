"""One launch, with the seconds from its beginning to each mark: through the hub, or typed at a front end.

Marks: `accepted` (Slurm has a job id), `starting` (the job's program says its first word), `up` (its port is
known; through the hub also its node), `ready`.  Through the hub there is also `connecting`: the spawner's turn.

Slurm starts jobs on a tick of its own, once a second, so a launch waits longer or shorter for it by chance.
`phase` is the part of a wall clock second at which a launch begins: two launches of one phase wait alike.
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from lab import Lab, LabError
from lab.person import NotStarted, Person

Marks = Mapping[str, float]

FRONT_END = "geneva-login1"
CONTROLLER = "geneva-ctl"

# How the progress page words what happened: the tail of each step.
_SENTENCES = {
    "connecting": re.compile(r"Connecting to "),
    "accepted": re.compile(r"has accepted job (\d+)"),
    "starting": re.compile(r"The notebook server is starting"),
    "up": re.compile(r"The server is up on "),
}
_TYPED = Path(__file__).parent / "inside" / "typed.py"
_GONE_SECONDS = 60
_HEARD_SECONDS = 10


def outside(marks: Marks) -> float:
    """Return the seconds of a launch without what Slurm and the job's shell take to start the program."""
    return marks["accepted"] + marks["ready"] - marks["starting"]


def through_hub(person: Person, profile: str, phase: float) -> tuple[Marks, str]:
    """Start the person's server by the REST API and listen to its progress; return the marks and the job id."""
    time.sleep((phase - time.time()) % 1)
    began = time.monotonic()
    asking = threading.Thread(target=_ask, args=(person, profile), daemon=True)
    asking.start()
    heard = _listen(person, began)
    asking.join()
    marks = {"ready": heard[-1][1]}
    job = ""
    for name, sentence in _SENTENCES.items():
        found = [(match, at) for said, at in heard if (match := sentence.search(said))]
        if not found:
            raise LabError(f"The progress page did not tell {name!r}: {[said for said, _ in heard]}")
        marks[name] = found[0][1]
        job = found[0][0][1] if name == "accepted" else job
    return marks, job


def stop(person: Person) -> None:
    """Stop the person's server and return when it is gone."""
    until = time.monotonic() + _GONE_SECONDS
    person.stop()
    while person.model()["servers"]:
        if time.monotonic() > until:
            raise LabError(f"The server of {person.name} does not end.")
        time.sleep(0.1)


def script_of(lab: Lab, job: str, controller: str = CONTROLLER) -> str:
    """Return the script of a job as Slurm has it."""
    return lab.run(controller, ["scontrol", "write", "batch_script", job, "-"]).stdout


def typed(lab: Lab, person: Person, script: str, phase: float) -> Marks:
    """Submit the script by sbatch on the front end, with a token of the person's; return the marks."""
    token = person.api("POST", f"/hub/api/users/{person.name}/tokens", json={"expires_in": 600}).json()["token"]
    task = {"script": script, "phase": phase, "path": f"/user/{person.name}/api", "token": token}
    program = ["/usr/bin/python3", "-c", _TYPED.read_text()]
    done = lab.run(FRONT_END, program, user=person.name, input=json.dumps(task))
    marks: dict[str, float] = json.loads(done.stdout)
    return marks


def cut_connections(lab: Lab, person: Person) -> None:
    """End the person's connections to the front end and give them a fresh ticket, as at their first launch."""
    listed = lab.run(FRONT_END, ["pgrep", "-u", person.name, "-x", "sshd"], check=False).stdout.split()
    if listed:
        lab.run(FRONT_END, ["kill", *listed])
    person.log_in()


def _ask(person: Person, profile: str) -> None:
    person.api("POST", f"/hub/api/users/{person.name}/server", json={"profile": profile})


def _listen(person: Person, began: float) -> list[tuple[str, float]]:
    """Return each sentence of the progress page with its seconds since `began`; the last one says ready."""
    heard: list[tuple[str, float]] = []
    # The stream is refused until the hub has taken up the request.
    while not heard and time.monotonic() < began + _HEARD_SECONDS:
        for event in person.progress():
            heard.append((event.message, time.monotonic() - began))
            if event.failed:
                raise NotStarted(event.message)
            if event.ready:
                return heard
    raise LabError(f"The progress page ended without a server: {heard}")
