"""How the jobs at a system are followed.  Frozen values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stand:
    """How the jobs at a system are followed.

    `observer` is who was asked last ("" before anybody was), `asked` when they answered.  While it does not answer
    it is `away_since` then, for the `reason` in a sentence.  `live` jobs are not over, of `doubts` nobody knows
    whether Slurm has them; `owed` cancellations and removals could not be carried out yet.
    Since the process began it has `answered` so often, and left so many `unanswered`; all took `asking_s` seconds.
    """

    system: str
    observer: str
    asked: datetime | None
    away_since: datetime | None
    reason: str
    live: int
    doubts: int
    owed: int
    answered: int = 0
    unanswered: int = 0
    asking_s: float = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether what is known of its jobs may be old."""
        return self.away_since is not None
