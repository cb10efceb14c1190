"""Sites whose jobs Slurm or PBS runs, told alike what becomes of jobs, so that one test can ask for both."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal

from tests.support import builders, small_pbs
from tests.support.program_site import ProgramSite
from tests.support.small_pbs import PbsSite

End = Literal["done", "failed", "time", "memory", "cancelled"]
"""How a job may end: by itself, with status 3, for its time or its memory, or because somebody cancelled it."""


class Cluster(ABC):
    """One site; its jobs wait until a test says what becomes of them."""

    pool: ProgramSite
    name: str
    """What people call its scheduler."""

    @property
    @abstractmethod
    def site(self) -> dict[str, Any]:
        """The site as the catalogue's YAML has it."""

    @property
    @abstractmethod
    def live(self) -> dict[str, tuple[str, str]]:
        """Owner and mark of each job that waits or runs, by its number."""

    @abstractmethod
    def add(self, number: int, owner: str, mark: str) -> str:
        """Have one more job that runs, and return its number."""

    @abstractmethod
    def run(self, number: str) -> None:
        """Begin a job on the node n1."""

    @abstractmethod
    def end(self, number: str, how: End) -> None:
        """End a job."""

    @abstractmethod
    def refuse(self, why: Literal["partition", "silence"]) -> None:
        """Refuse what is submitted, or let it have no answer."""

    def forget(self) -> None:
        """Remember no job that is over."""
        self.pool.tell("forgetful")

    def fall_silent(self) -> None:
        """Answer nobody."""
        self.pool.tell("silent")

    def speak(self) -> None:
        """Answer again."""
        self.pool.untell("silent")


class SlurmCluster(Cluster):
    """A site with Slurm."""

    name = "Slurm"

    def __init__(self, home: Path) -> None:
        program = Path(__file__).with_name("slurm.py")
        self.pool = ProgramSite(home, "slurm", program, ("sbatch", "squeue", "scancel", "scontrol", "sacct"))

    @property
    def site(self) -> dict[str, Any]:
        """The site as the catalogue's YAML has it."""
        ticket = {"delivery": "copy"}
        folders = {name: f"{self.pool.home}/{{owner}}/{name}s" for name in ("job", "ticket")}
        return builders.site(
            slurm_path=str(self.pool.folder),
            job_folder=folders["job"],
            ticket_folder=folders["ticket"],
            ticket=ticket,
            jupyter={},
        )

    @property
    def live(self) -> dict[str, tuple[str, str]]:
        """Owner and mark of each job that waits or runs, by its number."""
        going_on = {"PENDING", "RUNNING", "COMPLETING"}
        jobs = self.pool.jobs.items()
        return {number: (job["owner"], job["name"]) for number, job in jobs if job["state"] in going_on}

    def add(self, number: int, owner: str, mark: str) -> str:
        """Have one more job that runs, and return its number."""
        said = {"state": "RUNNING", "node": "n1", "minutes": "60"}
        self.pool.change(str(number), owner=owner, name=mark, **said)
        return str(number)

    def run(self, number: str) -> None:
        """Begin a job on the node n1."""
        self.pool.change(number, state="RUNNING", node="n1", reason="None")

    def end(self, number: str, how: End) -> None:
        """End a job."""
        words = {"done": "COMPLETED", "failed": "FAILED", "time": "TIMEOUT", "memory": "OUT_OF_MEMORY"}
        word = words.get(how, "CANCELLED")
        self.pool.change(number, state=word, node="n1", reason="None", status=3 if how == "failed" else 0)

    def refuse(self, why: Literal["partition", "silence"]) -> None:
        """Refuse what is submitted, or let it have no answer."""
        said = {
            "partition": "sbatch: error: invalid partition specified: normal",
            "silence": "sbatch: error: Batch job submission failed: Unable to contact slurm controller",
        }
        self.pool.tell("refusal", said[why])


class PbsCluster(Cluster):
    """A site with PBS."""

    name = "PBS"

    def __init__(self, home: Path) -> None:
        self.pool = PbsSite(home)
        self.pool.tell("full")

    @property
    def site(self) -> dict[str, Any]:
        """The site as the catalogue's YAML has it."""
        tickets = {"ticket_folder": f"{self.pool.home}/{{owner}}/tickets", "ticket": {"delivery": "copy"}}
        return {**small_pbs.site(self.pool), **tickets}  # type: ignore[arg-type]

    @property
    def live(self) -> dict[str, tuple[str, str]]:
        """Owner and mark of each job that waits or runs, by its number."""
        jobs = self.pool.jobs.items()
        return {
            number: (job["Job_Owner"].partition("@")[0], job["Job_Name"])
            for number, job in jobs
            if job["job_state"] != "F"
        }

    def add(self, number: int, owner: str, mark: str) -> str:
        """Have one more job that runs, and return its number."""
        own = f"{number}.pbs.test"
        limits = {"walltime": "01:00:00", "mem": "1024mb"}
        self.pool.change(own, Job_Owner=f"{owner}@login1.pbs.test", Job_Name=mark, Resource_List=limits)
        self.run(own)
        return own

    def run(self, number: str) -> None:
        """Begin a job on the node n1."""
        begun = {"exec_host": "n1/0*2", "stime": "Fri Nov 27 18:24:49 2026"}
        self.pool.change(number, job_state="R", substate=42, comment="Job run at Fri Nov 27 at 18:24", **begun)

    def end(self, number: str, how: End) -> None:
        """End a job."""
        status = {"done": 0, "failed": 3, "time": -29, "memory": -27, "cancelled": 271}[how]
        substate = {"done": 92, "cancelled": 91}.get(how, 93)
        self.pool.change(number, job_state="F", Exit_status=status, substate=substate, exec_host="n1/0*2")

    def refuse(self, why: Literal["partition", "silence"]) -> None:
        """Refuse what is submitted, or let it have no answer."""
        said = {
            "partition": "qsub: Unknown queue",
            "silence": "qsub: cannot connect to server pbs.test (errno=15010)",
        }
        self.pool.tell("refusal", said[why])
