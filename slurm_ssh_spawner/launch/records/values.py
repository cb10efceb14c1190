"""What is kept of a launch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa

from slurm_ssh.job import Job, LaunchId, mark
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.launch.records.schema import LAUNCHES

LISTED = tuple(column for column in LAUNCHES.c if column.name != "end_log")
"""What lists have of a launch: logs are long."""


@dataclass(frozen=True)
class RunRecord:
    """What ran: the text that was sent, and the stages that its job reported.

    Each stage is `progress.Stage.to_json`.  The stage `loaded` has LOADEDMODULES as it was, `starting` the
    interpreter, and each `kernel` the hash of its script or lock.
    """

    launch_id: LaunchId
    script: str
    stages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LaunchRecord:
    """One launch of the server `server` ("" is the default one) of `user`.

    `port` is the job's, `local_port` the hub's end of its tunnel, 0 for none.  `stop_wanted`: the job is to be
    cancelled as soon as its owner has a ticket.  `started_with` is None in records of version 0.1.0,
    `ticket_ends` the end of the ticket that the job was last given, None if that is not known.  `mark` and
    `token_hash`, the SHA-256 of the job's API token, are "" in older records.  Until `wait_until` its owner waits
    for it; at `released` nothing of it was left at the site any more.  `end_reason` is a sentence or Slurm's word,
    `end_log` the last lines of the job's log, "" in lists (see LISTED).  Times are UTC.
    """

    launch_id: LaunchId
    user: str
    owner: str
    site_key: str
    profile_key: str
    choices: Mapping[str, str]
    job_id: str
    node: str
    port: int
    local_port: int
    stop_wanted: bool
    begun: datetime
    ended: datetime | None
    end_reason: str
    started_with: StartedWith | None
    ticket_ends: datetime | None
    server: str
    mark: str
    token_hash: str
    wait_until: datetime | None
    released: datetime | None
    end_log: str

    @property
    def again(self) -> Mapping[str, str]:
        """The choices that start its like, as the form sends them."""
        return {"profile": self.profile_key, "site": self.site_key, **self.choices}

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Self:
        """Return the record in a row of the table, with or without its log."""
        values = {"end_log": "", **row._asdict()}
        return cls(**{**values, "started_with": StartedWith.from_json(values["started_with"])})

    @property
    def is_open(self) -> bool:
        """Whether the launch is not known to be over, and nobody has asked for its end."""
        return self.ended is None and not self.stop_wanted

    def job(self, hub_name: str) -> Job:
        """Return the handle of its job, which has no number if that is not known; `hub_name` is in older marks."""
        name = self.mark or mark("jupyter", hub_name, self.launch_id)
        return Job(self.launch_id, self.job_id, name, self.user, self.owner, self.site_key, self.started_with)
