"""A Slurm that does what a test says, the guard that each job has in its folder, and one who submits to it."""

from dataclasses import dataclass, field

from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store.store import Store
from job_service.store.values import Changes


class Lost(Exception):  # noqa: N818
    """The connection was lost: what sbatch said is not known."""


@dataclass
class Native:
    """A job at Slurm: whose mark it has, and what Slurm says of it."""

    mark: str
    word: str = "PENDING"
    elapsed: int = 0
    has_run: bool = False


@dataclass
class Slurm:
    """All native jobs by number; `started` is what the guard keeps in each job's folder."""

    jobs: dict[str, Native] = field(default_factory=dict)
    started: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)

    def sbatch(self, mark: str, answer: str) -> str:
        """Submit; `answer` is accepted, refused, lost before Slurm had it, after, or late: it hangs, and comes."""
        if answer in ("lost before", "late"):
            self.late += [mark] if answer == "late" else []
            raise Lost
        if answer == "refused":
            return ""
        number = str(len(self.jobs) + 1)
        self.jobs[number] = Native(mark)
        if answer == "lost after":
            raise Lost
        return number

    def arrive(self) -> None:
        """Have what hung come to Slurm after all."""
        for mark in self.late:
            self.jobs[str(len(self.jobs) + 1)] = Native(mark)
        self.late.clear()

    def start(self, number: str) -> None:
        """Begin a waiting job: the first of its mark runs, a later one ends by the guard."""
        native = self.jobs[number]
        first = self.started.setdefault(native.mark, number)
        native.word = "RUNNING" if first == number else "COMPLETED"
        native.has_run = first == number

    def of(self, mark: str) -> str | None:
        """Return the number of the job with this mark: the one that began, or the first that waits."""
        return self.started.get(mark) or next((key for key, job in self.jobs.items() if job.mark == mark), None)


_STAGES = {
    "PENDING": Stage.QUEUED,
    "HELD": Stage.HELD,
    "RUNNING": Stage.RUNNING,
    "COMPLETING": Stage.STAGINGOUT,
    "COMPLETED": Stage.SUCCESSFUL,
    "FAILED": Stage.FAILED,
    "CANCELLED": Stage.CANCELED,
}


@dataclass
class Submitter:
    """Does with each job what its record says, and keeps what becomes of that."""

    store: Store
    slurm: Slurm

    async def send(self, record: JobRecord, answer: str) -> JobRecord:
        """Send a job that was not sent; without an answer it is in doubt."""
        sending: Changes = {"submission": "sending", "attempts": record.attempts + 1}
        record = await self.store.jobs.change(record, sending)
        try:
            number = self.slurm.sbatch(record.job_id, answer)
        except Lost:
            return await self.store.jobs.change(record, {"submission": "in_doubt"})
        if number:
            return await self._adopt(record, number)
        refused: Changes = {"stage": Stage.FAILED, "submission": "none", "reason": "Slurm refused it."}
        return await self.store.jobs.change(record, refused, "Slurm refused it.")

    async def settle(self, record: JobRecord) -> JobRecord:
        """End a doubt: adopt what Slurm has, or let the job be sent again."""
        if number := self.slurm.of(record.job_id):
            return await self._adopt(record, number)
        if record.cancel_wanted:
            none: Changes = {"submission": "none", "stage": Stage.CANCELED}
            return await self.store.jobs.change(record, none, "It was cancelled.")
        return await self.store.jobs.change(record, {"submission": "none"})

    async def follow(self, records: list[JobRecord]) -> list[JobRecord | None]:
        """Keep what Slurm says of the jobs that it has."""
        wanted: list[tuple[JobRecord, Changes, str]] = []
        for record in records:
            number = self.slurm.of(record.job_id) or ""
            native = self.slurm.jobs[number]
            changes: Changes = {"native_state": native.word, "native_id": number}
            stage = _STAGES[native.word]
            if stage.is_over:
                changes["elapsed_s"] = native.elapsed
            if stage is record.stage:
                wanted.append((record, changes, ""))
            else:
                wanted.append((record, {**changes, "stage": stage}, f"Slurm says {native.word}."))
        return await self.store.jobs.change_all(wanted)

    async def _adopt(self, record: JobRecord, number: str) -> JobRecord:
        sent: Changes = {"submission": "sent", "native_id": number, "stage": Stage.QUEUED}
        return await self.store.jobs.change(record, sent, "Slurm has it.")
