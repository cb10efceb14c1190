"""A Slurm on this machine: `python3 slurm.py FOLDER PROGRAM ARGUMENT...`, where it keeps its jobs, and runs none.

After Slurm's manual pages.  Files in FOLDER change what it does: `silent` lets nobody come to the controller, nor
to the accounting, `refusal` is what sbatch says instead of a number, with `forgetful` what is over is not known.
"""

import contextlib
import fcntl
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
_LIVE = frozenset({"PENDING", "RUNNING", "COMPLETING"})
_SILENT = {
    "sbatch": "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "squeue": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "scancel": "scancel: error: Unable to contact slurm controller (connect failure)",
    "scontrol": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "sacct": "sacct: error: Problem talking to the database: Connection refused",
}
_HEADERS = {"BatchHost": "EXEC_HOST", "UserName": "USER", "SubmitTime": "SUBMIT_TIME", "StartTime": "START_TIME"}


@contextlib.contextmanager
def state() -> Iterator[dict[str, Any]]:
    """Give the jobs, by number, to nobody else at the same time."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = FOLDER / "jobs.json"
        jobs = json.loads(path.read_text()) if path.exists() else {}
        yield jobs
        (FOLDER / "jobs.new").write_text(json.dumps(jobs))
        (FOLDER / "jobs.new").replace(path)


def fail(said: str) -> None:
    """End with what a program says."""
    print(said, file=sys.stderr)
    sys.exit(1)


def known(jobs: dict[str, Any]) -> dict[str, Any]:
    """Return the jobs that are remembered."""
    is_forgetful = (FOLDER / "forgetful").exists()
    return {number: job for number, job in jobs.items() if job["state"] in _LIVE or not is_forgetful}


def option(words: list[str], *names: str) -> str:
    """Return the value of an option, in one word with its name or in the next, "" if it is not there."""
    for at, word in enumerate(words):
        for name in names:
            if word == name:
                return words[at + 1]
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
    return ""


def sbatch(_words: list[str]) -> None:
    lines = [
        line.removeprefix("#SBATCH ") for line in sys.stdin.read().splitlines() if line.startswith("#SBATCH ")
    ]
    given = [word for line in lines for word in shlex.split(line)]
    if (FOLDER / "refusal").exists():
        fail((FOLDER / "refusal").read_text().strip())
    with state() as jobs:
        number = str(40 + len(jobs))
        jobs[number] = {
            "name": option(given, "--job-name"),
            "owner": os.environ["USER"],
            "state": "PENDING",
            "reason": "Priority",
            "minutes": option(given, "--time"),
        }
    print(number)


def squeue(words: list[str]) -> None:
    owner, names = option(words, "-u", "--user"), option(words, "--name")
    with state() as jobs:
        shown = {
            number: job
            for number, job in known(jobs).items()
            if (owner in ("", job["owner"]))
            and (not names or job["name"] in names.split(","))
            and (option(words, "-t") == "all" or job["state"] in _LIVE)
        }
    wanted = option(words, "-o")
    columns = [column.partition(":") for column in option(words, "-O").split(",") if column]
    if columns and "-h" not in words:
        print("".join(_cell(_HEADERS.get(name, name.upper()), width) for name, _, width in columns))
    for number, job in shown.items():
        if wanted:
            told = {"%i": number, "%T": job["state"], "%u": job["owner"], "%j": job["name"]}
            told |= {"%B": job.get("node", "n/a"), "%r": job.get("reason", "None")}
            print("|".join(told[field] for field in wanted.split("|")))
        else:
            print("".join(_cell(_field(name, number, job), width) for name, _, width in columns))


def _cell(text: str, width: str) -> str:
    """Return a column as wide as is written behind its name, 0 for as wide as need be, maybe with a suffix."""
    digits = width.rstrip("|")
    return (text if digits == "0" else text[: int(digits)].ljust(int(digits))) + width[len(digits) :]


def _field(name: str, number: str, job: dict[str, Any]) -> str:
    told = {"JobID": number, "ArrayJobID": number, "State": job["state"], "UserName": job["owner"]}
    told |= {"Name": job["name"], "Reason": job.get("reason", "None"), "TimeUsed": "0:07"}
    told |= {"BatchHost": job.get("node", "n/a"), "NodeList": job.get("node", "")}
    told |= {"exit_code": str(job.get("status", 0) * 256)}
    return str(told.get(name, "N/A"))


def scancel(words: list[str]) -> None:
    owner, name = option(words, "-u", "--user"), option(words, "--name")
    with state() as jobs:
        for job in jobs.values():
            if (job["owner"], job["name"]) == (owner, name) and job["state"] in _LIVE:
                job |= {"state": "CANCELLED", "reason": "None"}


def scontrol(words: list[str]) -> None:
    number = words[-1]
    with state() as jobs:
        job = known(jobs).get(number)
    if job is None:
        fail("slurm_load_jobs error: Invalid job id specified")
    else:
        said = {"JobId": number, "JobName": job["name"], "JobState": job["state"]}
        said |= {"ExitCode": f"{job.get('status', 0)}:0", "TimeLimit": "01:00:00", "NodeList": job.get("node", "")}
        print(" ".join(f"{name}={value}" for name, value in said.items()))


def sacct(words: list[str]) -> None:
    number = option(words, "-j")
    with state() as jobs:
        job = known(jobs).get(number)
    if job:
        word = f"CANCELLED by {os.getuid()}" if job["state"] == "CANCELLED" else job["state"]
        code = f"{job.get('status', 0)}:0"
        print("|".join((number, job["name"], word, code, job["minutes"], job.get("node", ""))))


if __name__ == "__main__":
    PROGRAM = sys.argv[2]
    if (FOLDER / "silent").exists():
        fail(_SILENT[PROGRAM])
    PROGRAMS = {"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "scontrol": scontrol, "sacct": sacct}
    PROGRAMS[PROGRAM](sys.argv[3:])
