"""A PBS on this machine: `python3 pbs.py FOLDER PROGRAM ARGUMENT...`, where it keeps its jobs and runs them.

After OpenPBS's manual pages and its source.  Files in FOLDER change what it does: `silent` lets nobody come to the
server, `refusal` is what qsub says instead of a number, with `full` no job begins, with `forgetful` no history is
kept, with `old` JSON is printed as before 22.05, `strays` are numbers that qselect says and qstat does not know,
`nodes` is what pbsnodes says, in its default format.
"""

import contextlib
import fcntl
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
_UNKNOWN, _FINISHED, _NO_SERVER = 153, 35, 111
_KILL_SECONDS = 10
_OPTIONS = "NjokrmSWlqAPfv"
_WITHOUT_VALUE = "f"


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


def fail(said: str, status: int) -> None:
    """End with what a program says."""
    print(said, file=sys.stderr)
    sys.exit(status)


def options(words: list[str]) -> list[tuple[str, str]]:
    """Return the options in words of qsub, each with its value."""
    found = []
    while words:
        word = words.pop(0)
        if len(word) != 2 or word[0] != "-" or word[1] not in _OPTIONS:
            fail(f"qsub: invalid option -- '{word}'", 2)
        found.append((word[1], "" if word[1] in _WITHOUT_VALUE else words.pop(0)))
    return found


def qsub(words: list[str]) -> None:
    given = options(words)
    script = sys.stdin.read()
    for line in script.splitlines():
        if line.startswith("#PBS "):
            given += options(shlex.split(line.removeprefix("#PBS ")))
        elif line and not line.startswith("#"):
            break
    if (FOLDER / "refusal").exists():
        fail((FOLDER / "refusal").read_text().strip(), 1)
    with state() as jobs:
        number = f"{1000 + len(jobs)}.pbs.test"
        one = {name: value for name, value in given if name not in "lv"}
        resources = dict(value.split("=", 1) for name, value in given if name == "l")
        names = [name for option, value in given if option == "v" for name in value.split(",")]
        variables = {name: os.environ[name] for name in names if name in os.environ}
        jobs[number] = {
            "Job_Name": one["N"],
            "Job_Owner": f"{os.environ['USER']}@login1.pbs.test",
            "job_state": "Q",
            "queue": one.get("q", "workq"),
            "project": one.get("P", "_pbs_project_default"),
            **({"Account_Name": one["A"]} if "A" in one else {}),
            "Output_Path": f"login1.pbs.test:{one['o']}",
            "qtime": time.ctime(),
            "comment": "Not Running: Insufficient amount of resource: ncpus",
            "Resource_List": {"walltime": resources["walltime"], "select": resources["select"], "mem": "1024mb"},
            "substate": 10,
            "Variable_List": {"PBS_O_HOME": os.environ["HOME"], **variables},
        }
        (FOLDER / f"{number}.SC").write_text(script)
        (FOLDER / f"{number}.SC").chmod(0o700)
    if not (FOLDER / "full").exists():
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        mom = [sys.executable, "-I", __file__, str(FOLDER), "mom", number]
        subprocess.Popen(mom, start_new_session=True, cwd="/", **quiet)  # type: ignore[call-overload]
    print(number)


def mom(words: list[str]) -> None:
    """Run a job to its end: the login shell is told the name of the script on its stdin."""
    number = words[0]
    with state() as jobs:
        job = jobs[number]
    home, log = job["Variable_List"]["PBS_O_HOME"], job["Output_Path"].partition(":")[2]
    os.umask(0o077)
    environ = {"HOME": home, "USER": job["Job_Owner"].partition("@")[0], "PATH": "/usr/bin:/bin"}
    environ |= {"SHELL": "/bin/sh", "PBS_JOBID": number, "PBS_ENVIRONMENT": "PBS_BATCH", **job["Variable_List"]}
    with Path(log).open("wb") as out:
        shell = subprocess.Popen(
            ["-bash"],
            executable="/bin/bash",
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=environ,
            cwd=home,
            start_new_session=True,
        )
    with state() as jobs:
        begun = {"job_state": "R", "substate": 42, "exec_host": "localhost/0*2", "stime": time.ctime()}
        used = {"resources_used": {"walltime": "00:00:01"}, "comment": ""}
        jobs[number] |= begun | used | {"session_id": shell.pid}
    shell.communicate(f"{FOLDER}/{number}.SC\n".encode())
    status = shell.returncode if shell.returncode >= 0 else 256 - shell.returncode
    end = time.monotonic() + _KILL_SECONDS
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(shell.pid, 0 if time.monotonic() < end else signal.SIGKILL)
            time.sleep(0.02)
    with state() as jobs:
        substate = 91 if jobs[number]["substate"] == 91 else 93 if status else 92
        jobs[number] |= {"job_state": "F", "Exit_status": status, "substate": substate}


def qselect(words: list[str]) -> None:
    asked = dict(itertools.pairwise(words))
    if "-x" in words and (FOLDER / "forgetful").exists():
        fail("qselect: PBS is not configured to maintain job history", 0)
    with state() as jobs:
        for number, job in jobs.items():
            is_theirs = asked.get("-u", "") in ("", job["Job_Owner"].partition("@")[0])
            is_there = "-x" in words or job["job_state"] != "F"
            if is_theirs and is_there and asked.get("-N", job["Job_Name"]) == job["Job_Name"]:
                print(number)
    if (FOLDER / "strays").exists():
        print((FOLDER / "strays").read_text().strip())


def qstat(words: list[str]) -> None:
    numbers = [word for word in words if word[0].isdigit()]
    head = {"timestamp": int(time.time()), "pbs_version": "23.06.06", "pbs_server": "pbs"}
    status = 0
    if "-Q" in words:
        shown = {"Queue": json.loads((FOLDER / "queues.json").read_text())}
    elif "-B" in words:
        shown = {"Server": {"pbs": {"server_state": "Active", "default_queue": "workq"}}}
    else:
        shown = {"Jobs": {}}
        with state() as jobs:
            for number in numbers:
                if number not in jobs:
                    status = _UNKNOWN
                    print(f"qstat: Unknown Job Id {number}", file=sys.stderr)
                elif jobs[number]["job_state"] == "F" and ("-x" not in words or (FOLDER / "forgetful").exists()):
                    status = _FINISHED
                    print(f"qstat: {number} Job has finished, use -x or -H to obtain it", file=sys.stderr)
                else:
                    shown["Jobs"][number] = dict(jobs[number])
    print(as_before(head, shown) if (FOLDER / "old").exists() else json.dumps({**head, **shown}, indent="\t"))
    sys.exit(status)


def pbsnodes(words: list[str]) -> None:
    if words[:4] != ["-a", "-F", "dsv", "-D"]:
        fail("usage: pbsnodes ...", 1)
    path = FOLDER / "nodes"
    for host in path.read_text().strip().split("\n\n") if path.exists() else ():
        name, *lines = host.splitlines()
        pairs = (line.strip().replace(" = ", "=", 1) for line in lines)
        print(words[4].join((f"Name={name}", *pairs)))


def as_before(head: dict[str, Any], shown: dict[str, Any]) -> str:
    """Return what an old qstat prints: no JSON, because of one of the variables that people may have set."""
    lines = ["{", *(f'    "{name}":"{value}",' for name, value in head.items())]
    for section, things in shown.items():
        for name, said in things.items():
            lines += [f'    "{section}":{{', f'        "{name}":{{']
            for key, value in said.items():
                if isinstance(value, dict):
                    odd = ['                "ODD":"it\\\'s {\\, "job_state":"F"",', '                "N":005,']
                    lines += [f'            "{key}":{{', *(odd if key == "Variable_List" else ())]
                    lines += [f'                "{each}":"{text}",' for each, text in value.items()]
                    lines[-1] = lines[-1].rstrip(",")
                    lines.append("            },")
                else:
                    lines.append(f'            "{key}":{value if isinstance(value, int) else json.dumps(value)},')
            lines[-1] = lines[-1].rstrip(",")
            lines += ["        },"]
    return "\n".join((*lines, "    }", "}"))


def qdel(words: list[str]) -> None:
    status = 0
    for number in words:
        with state() as jobs:
            job = jobs.get(number)
            if job is None or job["job_state"] == "F":
                said = "Job has finished" if job else "Unknown Job Id"
                status = _FINISHED if job else _UNKNOWN
                print(f"qdel: {said} {number}", file=sys.stderr)
            elif job["job_state"] == "E":
                status = 23
                print(f"qdel: Request invalid for state of job {number}", file=sys.stderr)
            elif job["job_state"] == "Q" or "session_id" not in job:
                # None of its programs is on this machine.
                job |= {"job_state": "F", "substate": 91}
            else:
                job |= {"job_state": "E", "substate": 91}
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(job["session_id"], signal.SIGTERM)
    sys.exit(status)


if __name__ == "__main__":
    PROGRAM = sys.argv[2]
    if sys.argv[3:] == ["--version"]:
        print("pbs_version = 23.06.06")
        sys.exit()
    if (FOLDER / "silent").exists():
        fail(f"{PROGRAM}: cannot connect to server pbs.test (errno=111)", _NO_SERVER)
    PROGRAMS = {"qsub": qsub, "qselect": qselect, "qstat": qstat, "qdel": qdel, "pbsnodes": pbsnodes, "mom": mom}
    PROGRAMS[PROGRAM](sys.argv[3:])
