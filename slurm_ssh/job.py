"""Values about a submitted job: its handle, its state, one observation of it."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType, Self

from slurm_ssh.started import StartedWith

_HUB_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

LaunchId = NewType("LaunchId", str)
"""12 hex digits, made before submit."""

Kind = Literal["jupyter", "job", "doctor"]
"""What a job is: a notebook of the hub, a batch job, or a look at a site; who cares for one touches no other."""


def new_launch_id() -> LaunchId:
    """Return a launch id that no other launch has."""
    return LaunchId(secrets.token_hex(6))


def is_hub_name(text: str) -> bool:
    """Return whether a text can stand in marks: Slurm's commands take a comma for the end of a name."""
    return _HUB_NAME.fullmatch(text) is not None


def mark(kind: Kind, hub_name: str, launch_id: LaunchId) -> str:
    """Return the job name by which a job is found when the answer to its submission was lost."""
    return f"{marks(kind, hub_name)}{launch_id}"


def marks(kind: Kind, hub_name: str) -> str:
    """Return what the marks of all jobs of this kind and hub begin with, as do those of hubs with longer names."""
    return f"{kind}-{hub_name}-"


def marked_launch(kind: Kind, hub_name: str, text: str) -> LaunchId | None:
    """Return the launch that a mark of this kind and hub names, None if `text` is none."""
    found = re.fullmatch(rf"{re.escape(marks(kind, hub_name))}([0-9a-f]{{12}})", text)
    return LaunchId(found[1]) if found else None


class JobState(StrEnum):
    """What is known of a job.  GONE: Slurm says it has no such job.  UNKNOWN: nobody could ask."""

    PENDING = "pending"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    GONE = "gone"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Whether the job will never run again, by positive evidence."""
        return self in (JobState.ENDED, JobState.GONE)


@dataclass(frozen=True)
class Job:
    """Handle of a submitted job: all that is needed to ask about it, stop it and clean up after it.

    `job_id` is Slurm's number as text; `user` is the hub's name, `owner` the login at the site.  `started_with` is
    None for a job of a version that did not keep it: then what the site has now counts.
    """

    launch_id: LaunchId
    job_id: str
    mark: str
    user: str
    owner: str
    site_key: str
    started_with: StartedWith | None = field(default=None, compare=False)

    def to_state(self) -> dict[str, Any]:
        """Return the handle as JSON values, for a database."""
        state = {name: getattr(self, name) for name in _TEXTS}
        return {**state, "started_with": self.started_with.to_json()} if self.started_with else state

    @classmethod
    def from_state(cls, state: Any) -> Self | None:
        """Return the handle stored by `to_state`, of this version or another, or None if that is not whole.

        What a later version has added is passed over, as is anything of `started_with` that cannot be read.
        """
        if not isinstance(state, dict):
            return None
        texts = {name: state.get(name) for name in _TEXTS}
        if not all(text and isinstance(text, str) for text in texts.values()):
            return None
        return cls(**texts, started_with=StartedWith.from_json(state.get("started_with")))  # type: ignore[arg-type]


_TEXTS = ("launch_id", "job_id", "mark", "user", "owner", "site_key")


@dataclass(frozen=True)
class JobReport:
    """One observation of a job.

    `word` is Slurm's own word for the state (for people: "TIMEOUT"), `reason` why it waits,
    `node` Slurm's name of the first node once it runs, `nodes` its list of all ("n1", "n[1-2]"); each "" if there
    is none.  It was `submitted` then, `begins` then as far as Slurm expects, or did, and `ends` then at the
    latest, or did; it has run for `used_seconds`, and ended with `wait_status` (7 * 256 for an exit with 7, 9 for
    that signal).  Each is None if that was not asked or not said.
    """

    state: JobState
    word: str = ""
    reason: str = ""
    node: str = ""
    submitted: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    # It grows with each observation, which is no news.
    used_seconds: int | None = field(default=None, compare=False)
    wait_status: int | None = None
    nodes: str = ""
