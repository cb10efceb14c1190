"""A site whose Slurm and folders are tables in memory; programs reach it as bytes, as many people's as there are.

Time goes on as a test's clock says.  What it loses, and when, a test decides.
"""

import asyncio
import base64
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from job_service.running.clock import Clock
from slurm_ssh.errors import FrontEndRefused, SiteUnreachable
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import Completed, ConnectionLost, Late, NotBegun, ProgramKilled

_MARK = re.compile(r"job-hub-([0-9a-f]{12})")
_NAMED = re.compile(r"^#SBATCH --job-name=(job-hub-[0-9a-f]{12})$", re.M)
_ARRAY = re.compile(r"^#SBATCH --array=0-([0-9]+)$", re.M)
_OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}


@dataclass(eq=False)
class SlurmJob:
    """A job of this Slurm's."""

    number: int
    job_id: str
    login: str
    submitted: datetime
    word: str = "PENDING"
    reason: str = "Priority"
    began: datetime | None = None
    ended: datetime | None = None
    wait_status: int = 0
    array: int | None = None
    task: int | None = None

    @property
    def place(self) -> str:
        """Where it leaves what it does."""
        return self.job_id if self.task is None else f"{self.job_id}.{self.task}"

    @property
    def native(self) -> str:
        """The number by which it is told."""
        return str(self.number) if self.task is None else f"{self.array}_{self.task}"

    @property
    def used(self) -> int:
        """For how many seconds it ran."""
        return int((self.ended - self.began).total_seconds()) if self.ended and self.began else 0


@dataclass(eq=False)
class Folder:
    """What lies in the folder of a job; `parts` are uploads that did not come whole, since then."""

    files: set[str] = field(default_factory=set)
    started: str | None = None
    began: datetime | None = None
    end: tuple[str, int, int] | None = None
    stderr: str = ""
    parts: dict[str, datetime] = field(default_factory=dict)


class FastClock(Clock):
    """Lets time go on so many times as fast."""

    def __init__(self, speed: float = 200.0) -> None:
        self.speed = speed
        self._began = time.monotonic()
        self._at = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self._at + timedelta(seconds=(time.monotonic() - self._began) * self.speed)

    async def wait(self, seconds: float, news: asyncio.Event | None = None) -> bool:
        """Wait, but not for so long."""
        return await super().wait(seconds / self.speed, news)


class Crowd:
    """Stands for a pool and its connections.

    `mishap` says what befalls a program, of a login, before it runs: "" for nothing; `before` and `after` lose the
    connection then, `late` does not answer though it does its work, `killed` ends it after that.  A job waits for
    `waits` and runs for `lasts` seconds, and ends with the wait status that `ends` gives.  `runs` counts, for each
    JobId, how often its work was done.  What ended `forgets` ago is listed no more; `accounting` remembers all.
    `hides`: people see their own jobs only.  `asked` counts the questions of each login.  `submits` is cleared to
    let submissions wait; `held` says for what the answer of a program waits that did its work.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[int, SlurmJob] = {}
        self.folders: dict[str, Folder] = {}
        self.tickets: set[str] = set()
        self.runs: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.programs: list[tuple[str, str]] = []
        self.sent: list[tuple[Login, bytes]] = []
        """What came with programs, and from whom."""
        self.submissions: list[int] = []
        """How many jobs each exchange was about that submitted some."""
        self.mishap: Callable[[Login, str], str] = lambda _login, _program: ""
        self.waits, self.lasts = 10.0, 20.0
        self.ends: Callable[[SlurmJob], int] = lambda _job: 0
        self.takes = 0.001
        self.submits = asyncio.Event()
        self.submits.set()
        self.held: Callable[[Login, str], asyncio.Event | None] = lambda _login, _program: None
        self.forgets: float | None = 300.0
        self.accounting = False
        self.accounting_is_away = False
        self.hides = False
        self.is_away = False
        self.not_at = ""
        self.is_frozen = False
        self.is_silent = False
        self.refuses = ""
        self.squeue_says: Completed | None = None
        self.refused: set[str] = set()
        """Jobs that Slurm refuses, whatever it `refuses` besides."""
        self.strange: set[str] = set()
        """Jobs whose folders cannot be made."""
        self.barred: set[str] = set()
        self.most_at_once: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self.renewed: list[str] = []
        self._number = 100

    # -- a pool -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def connection(self, login: Login, *_: Any) -> AsyncIterator["_Door"]:
        """Give somebody's connection."""
        if self.is_away or login.site_key == self.not_at:
            raise SiteUnreachable("Geneva cannot be reached.")
        if login.owner in self.barred:
            raise FrontEndRefused("Geneva did not let you in and says:", quoted="Your account\nhas expired.\n")
        yield _Door(self, login)

    def renew(self, user: str) -> None:
        """Note whose connections are made anew."""
        self.renewed.append(user)

    def logins(self) -> tuple[Login, ...]:
        """Return nobody."""
        return ()

    async def close(self) -> None:
        """There is nothing to close."""

    # -- Slurm ------------------------------------------------------------------------------------------

    def of(self, job_id: str) -> list[SlurmJob]:
        """Return Slurm's jobs for a JobId, the first first."""
        return [job for job in self.jobs.values() if job.job_id == job_id]

    def late(self, job_id: str, login: str) -> SlurmJob:
        """Take a job that was on its way, and return it."""
        self._number += 1
        job = self.jobs[self._number] = SlurmJob(self._number, job_id, login, self.clock.now())
        return job

    def goes_on(self) -> None:
        """Let begin and end what is to begin and to end by now."""
        now = self.clock.now()
        for job in list(self.jobs.values()):
            if job.word == "PENDING" and job.reason == "Priority":
                begins = job.submitted + timedelta(seconds=self.waits)
                if begins <= now:
                    self.begin(job, begins)
            if job.word == "RUNNING" and job.began:
                ends = job.began + timedelta(seconds=self.lasts)
                if ends <= now:
                    self.end(job, ends, self.ends(job))

    def begin(self, job: SlurmJob, at: datetime) -> None:
        """Let a job begin: a twin of one that has begun ends at once, as its script says."""
        folder = self.folders.setdefault(job.place, Folder())
        job.word, job.began, job.reason = "RUNNING", at, "None"
        if folder.started not in {None, job.native}:
            job.word, job.ended = "COMPLETED", at
            return
        if folder.started is None:
            self.runs[job.place] += 1
        folder.started, folder.began, folder.end = job.native, at, None

    def end(self, job: SlurmJob, at: datetime, wait_status: int = 0, word: str = "") -> None:
        """Let a job end, and write down how."""
        job.ended, job.wait_status = at, wait_status
        job.word = word or ("COMPLETED" if wait_status == 0 else "FAILED")
        if folder := self.folders.get(job.place):
            folder.end = (
                job.native,
                (wait_status >> 8) or (wait_status and 128 + wait_status),
                int(at.timestamp()),
            )
        if job.task is None:
            self.tickets.discard(job.job_id)

    def cancel(self, job: SlurmJob) -> None:
        """Cancel a job that is not over."""
        if job.word in _OVER:
            return
        if job.began:
            self.end(job, self.clock.now(), 143 << 8, "CANCELLED")
        else:
            job.word, job.ended = "CANCELLED", self.clock.now()

    def _listed(self) -> list[SlurmJob]:
        now = self.clock.now()

        def is_listed(job: SlurmJob) -> bool:
            gone = job.ended and self.forgets is not None and now - job.ended > timedelta(seconds=self.forgets)
            return not gone

        return [job for job in self.jobs.values() if is_listed(job)]

    # -- programs ---------------------------------------------------------------------------------------

    async def run(self, login: Login, program: str, data: bytes) -> Completed:
        """Do what a program does, or let a mishap befall it."""
        await asyncio.sleep(0)
        if self.is_away:
            raise ConnectionLost("the wire was cut")
        mishap = self.mishap(login, program)
        if mishap == "before":
            raise ConnectionLost("the wire was cut")
        if mishap == "stale":
            raise NotBegun("the wire had been cut")
        self.goes_on()
        self.programs.append((login.owner, program))
        self.sent.append((login, data))
        if "/sbatch" in program:
            self._under_way[login.owner] += 1
            self.most_at_once[login.owner] = max(self.most_at_once[login.owner], self._under_way[login.owner])
            await asyncio.sleep(self.takes)
            await self.submits.wait()
            self._under_way[login.owner] -= 1
        answer = self._done(login, program, data)
        if held := self.held(login, program):
            await held.wait()
        if mishap == "after":
            raise ConnectionLost("the wire was cut")
        if mishap == "late":
            raise Late("\n== sbatch\n")
        if mishap == "killed":
            raise ProgramKilled("the answer ended before its marker")
        return answer

    def _done(self, login: Login, program: str, data: bytes) -> Completed:
        for words, do in (
            ("/sbatch", self._sbatch),
            ("/scancel", self._scancel),
            ("/squeue", self._squeue),
            ("/sacct", self._sacct),
            ("/scontrol", self._scontrol),
            ("look() {\n  [ -d", self._left),
            ("chmod 700 . ||", self._make),
            ("take_away ", self._remove),
            ("-name 'put-*.part'", self._sweep),
            (".ccache", self._ticket),
        ):
            if words in program:
                return do(login, program, data)
        raise AssertionError(program)

    def _make(self, _login: Login, program: str, _data: bytes) -> Completed:
        found = re.findall(r"mkdir -- ([0-9a-f]{12})", program)
        if self.strange.intersection(found):
            return Completed(20, "", "")
        folder = [self.folders.setdefault(each, Folder()) for each in found][-1]
        lines = re.findall(r"\[ -e (\S+) \] \|\| echo (lacks [0-9]+)", program)
        return Completed(0, "".join(f"{said}\n" for name, said in lines if name[2:] not in folder.files), "")

    def _sbatch(self, login: Login, program: str, data: bytes) -> Completed:
        self.tickets.update(re.findall(r"> ([0-9a-f]{12})\.ccache\.new", program))
        scripts = scripts_of(data.decode(errors="replace"))
        marks = list(scripts)
        assert marks
        self.submissions.append(len(marks))
        steps = ["\n== sbatch\n", *(f"\n== job{at}\n" for at in range(len(marks)))]
        if len(marks) == 1:
            steps = ["", steps[0]]
        status, stdout, stderr = 0, steps[0], steps[0]
        for mark, says in zip(marks, steps[1:], strict=True):
            status, said, words = self._submitted(login, mark[-12:], scripts[mark])
            stdout, stderr = f"{stdout}{says}{said}", f"{stderr}{says}{words}"
            if status:
                break
        return Completed(status, stdout, stderr)

    def _submitted(self, login: Login, job_id: str, script: str) -> tuple[int, str, str]:
        """Take a job; return how sbatch ends, and what it says."""
        if self.is_silent or self.is_frozen:
            return 1, "", "sbatch: error: Unable to contact slurm controller"
        if self.refuses or job_id in self.refused:
            return 1, "", f"sbatch: error: {self.refuses or 'Requested node configuration is not available'}"
        self._number += 1
        number, now = self._number, self.clock.now()
        if array := _ARRAY.search(script):
            # The last of its tasks has the array's own number.
            last = int(array[1])
            for task in range(last + 1):
                own = number if task == last else number + 1 + task
                self.jobs[own] = SlurmJob(own, job_id, login.owner, now, array=number, task=task)
            self._number += last
        else:
            self.jobs[number] = SlurmJob(number, job_id, login.owner, now)
        return 0, f"{number}\n", ""

    def _squeue(self, login: Login, program: str, _data: bytes) -> Completed:
        self.asked[login.owner] += 1
        if self.squeue_says:
            return self.squeue_says
        if self.is_silent:
            return Completed(0, "END|1\n", "slurm_load_jobs error: Unable to contact slurm controller")
        owner = re.search(r" -u (\S+) ", program)
        listed = [
            job
            for job in self._listed()
            if (owner is None or job.login == owner[1]) and (not self.hides or job.login == login.owner)
        ]
        rows = [self._row(*each) for each in _told(listed)]
        return Completed(0, "".join(("JOBID|STATE|...\n", *rows, "END|0\n")), "")

    def _row(self, job: SlurmJob, number: int, tasks: str) -> str:
        return (
            f"{number}|{job.word}|{'n1' if job.began else 'n/a'}|{job.login}|{_time(job.submitted)}|"
            f"{_time(job.began)}|{_time(job.ended)}|{_used(job, self.clock.now())}|{job.wait_status}|"
            f"{job.array or job.number}|{tasks}|{'n1' if job.began else ''}|{job.reason}|job-hub-{job.job_id}\n"
        )

    def _scancel(self, login: Login, program: str, _data: bytes) -> Completed:
        if self.is_silent or self.is_frozen:
            return Completed(1, "", "scancel: error: Unable to contact slurm controller")
        for line in program.splitlines():
            if found := re.search(r"scancel -Q ([0-9_ ]+);", line):
                named = set(found[1].split())
                for job in self.jobs.values():
                    if job.native in named:
                        assert (job.login, f"--name=job-hub-{job.job_id} " in line) == (login.owner, True)
                        self.cancel(job)
            elif found := re.search(r"scancel .*--name=job-hub-([0-9a-f]{12})(?: ([0-9]+)| \|\||$)", line):
                for job in self.of(found[1]):
                    if found[2] is None or found[2] == str(job.array or job.number):
                        assert f"--user={login.owner}" in line
                        self.cancel(job)
            else:
                assert "scancel" not in line
        return Completed(0, "", "")

    def _scontrol(self, _login: Login, program: str, _data: bytes) -> Completed:
        found = re.search(r"scontrol (hold|release) ([0-9_]+)", program)
        assert found
        jobs = [job for job in self.jobs.values() if found[2] in {job.native, str(job.array)}]
        waiting = [job for job in jobs if job.word == "PENDING"]
        if not waiting:
            return Completed(1, "", "Job is no longer pending execution")
        for job in waiting:
            job.reason = "JobHeldUser" if found[1] == "hold" else "Priority"
        return Completed(0, "", "")

    def _sacct(self, _login: Login, program: str, _data: bytes) -> Completed:
        if self.accounting_is_away:
            return Completed(0, "sacct: error: Connection refused\n\nEND|1\n", "")
        if not self.accounting:
            return Completed(0, "Slurm accounting storage is disabled\n\nEND|1\n", "")
        numbers = re.search(r" -j ([0-9_,]+)", program)
        wanted = set(numbers[1].split(",")) if numbers else set()
        marks = set(_MARK.findall(program))
        rows = [
            f"{job.native}|job-hub-{job.job_id}|{job.login}|{job.word}|{job.wait_status >> 8}:"
            f"{job.wait_status & 127}|{_time(job.began)}|{_time(job.ended)}|{job.used}|n1\n"
            for job in self.jobs.values()
            if (job.native in wanted or job.job_id in marks) and (job.task is None or job.began or not job.ended)
        ]
        return Completed(0, "".join((*rows, "\nEND|0\n")), "")

    def _left(self, _login: Login, program: str, _data: bytes) -> Completed:
        lines = []
        for job_id, place, which in re.findall(r"^look ([0-9a-f]{12}) \S*/([0-9a-f]{12}) (\S+)", program, re.M):
            if place not in self.folders:
                lines.append(f"{job_id} gone\n")
                continue
            of_tasks = [name for name in self.folders if name.startswith(f"{place}.")]
            own = of_tasks[0] if which == "'.*'" and of_tasks else place + which.strip("'")
            folder = self.folders.get(own, Folder())
            end = " ".join(str(part) for part in folder.end) if folder.end else "-"
            log = base64.b64encode(folder.stderr.encode()).decode()
            began = int(folder.began.timestamp()) if folder.began else "-"
            lines.append(f"{job_id} {folder.started or '-'};{began};{end};{log}\n")
        return Completed(0, "".join(lines), "")

    def _remove(self, _login: Login, program: str, _data: bytes) -> Completed:
        found = re.search(r"take_away ([0-9a-f]{12})", program)
        assert found
        for place in [each for each in self.folders if each.partition(".")[0] == found[1]]:
            del self.folders[place]
        return Completed(0, "", "")

    def _sweep(self, login: Login, program: str, _data: bytes) -> Completed:
        found = re.search(r"find /scratch/(\S+)/jobs .*-mmin \+([0-9]+) ", program)
        assert found
        assert found[1] == login.owner
        before = self.clock.now() - timedelta(minutes=int(found[2]))
        for folder in (self.folders[job.job_id] for job in self.jobs.values() if job.login == login.owner):
            folder.parts = {name: at for name, at in folder.parts.items() if at >= before}
        return Completed(0, "", "")

    def _ticket(self, _login: Login, program: str, _data: bytes) -> Completed:
        found = re.search(r"([0-9a-f]{12})\.ccache", program)
        assert found
        if "rm -f" in program and ".new" not in program:
            self.tickets.discard(found[1])
        else:
            self.tickets.add(found[1])
        return Completed(0, "", "")


@dataclass(frozen=True)
class _Door:
    """Somebody's connection."""

    site: Crowd
    login: Login

    async def run(self, program: str, data: bytes = b"", **_: Any) -> Completed:
        """Run a program."""
        return await self.site.run(self.login, program, data)


def scripts_of(data: str) -> dict[str, str]:
    """Return the scripts that were sent, by the names of their jobs."""
    found = list(_NAMED.finditer(data))
    ends = [*(each.start() for each in found[1:]), len(data)]
    return {each[1]: data[each.start() : end] for each, end in zip(found, ends, strict=True)}


def _told(jobs: list[SlurmJob]) -> Iterator[tuple[SlurmJob, int, str]]:
    """Yield what has a row, with its number and its task.

    A task that has not begun has that of its array, and no row once it is cancelled; only if none is left of the
    array that may begin, there is one for all of these.
    """
    left = {job.array for job in jobs if job.word == "PENDING"}
    lost: dict[int, SlurmJob] = {}
    for job in jobs:
        if job.array is None or job.task is None:
            yield job, job.number, "N/A"
        elif job.began or job.word == "PENDING":
            yield job, job.number if job.began else job.array, str(job.task)
        elif job.array not in left:
            lost[job.array] = job
    for number, job in lost.items():
        yield job, number, "N/A"


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else "N/A"


def _used(job: SlurmJob, now: datetime) -> str:
    seconds = int(((job.ended or now) - job.began).total_seconds()) if job.began else 0
    return (
        f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if seconds >= 3600
        else (f"{seconds // 60}:{seconds % 60:02}")
    )
