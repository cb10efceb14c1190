"""Reads and writes launch records.

One small write at a time in SQLite; JupyterHub does the same on its event loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa

from kernels.shell import Shell
from profiles.offer.launch import Launch
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.launch.records import scripts
from slurm_ssh_spawner.launch.records.database import open_engine
from slurm_ssh_spawner.launch.records.schema import ACCEPTED, LAUNCHES, RELEASES, RUNS, SCRIPTS


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
    """One launch.

    `port` is the job's, `local_port` the hub's end of its tunnel, 0 for none.  `stop_wanted`: the job is to be
    cancelled as soon as its owner has a ticket.  `started_with` is None in records of version 0.1.0,
    `ticket_ends` the end of the ticket that the job was last given, None if that is not known.  Times are UTC.
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

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Self:
        """Return the record in a row of the table."""
        values = row._asdict()
        return cls(**{**values, "started_with": StartedWith.from_json(values["started_with"])})


class LaunchRecords:
    """The records at a SQLAlchemy URL, made if they are not there.  Raises what `open_engine` raises."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def begin(self, launch_id: LaunchId, launch: Launch, releases: Sequence[Shell] = ()) -> None:
        """Add a launch that was accepted and is about to be submitted.

        `releases` are the commands that end what it may leave at the site.
        """
        row = {name: getattr(launch, name) for name in ("user", "owner", "site_key", "profile_key")}
        row |= {"choices": dict(launch.choices.values), "started_with": StartedWith.at(launch.site).to_json()}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(LAUNCHES).values(launch_id=launch_id, begun=datetime.now(UTC), **row))
            if releases:
                connection.execute(sa.insert(RELEASES).values(launch_id=launch_id, commands=list(releases)))

    def releases(self, launch_id: LaunchId) -> tuple[Shell, ...]:
        """Return the commands that end what a launch may leave at its site."""
        with self._engine.connect() as connection:
            query = sa.select(RELEASES.c.commands).where(RELEASES.c.launch_id == launch_id)
            return tuple(Shell(command) for command in connection.execute(query).scalar() or ())

    def submitted(self, launch_id: LaunchId, job_id: str) -> None:
        """Note Slurm's number of the job."""
        self._update(launch_id, job_id=job_id)

    def reached(self, launch_id: LaunchId, node: str, port: int, local_port: int) -> None:
        """Note where the server is, and the hub's end of its tunnel."""
        self._update(launch_id, node=node, port=port, local_port=local_port)

    def ticket_given(self, launch_id: LaunchId, ends: datetime) -> None:
        """Note the end of the ticket that the job has been given, in any time zone."""
        self._update(launch_id, ticket_ends=ends)

    async def ticket_ends(self, launch_id: LaunchId) -> datetime | None:
        """Return the end of the ticket that the job was last given, None if that is not known."""
        record = self.get(launch_id)
        return record.ticket_ends if record else None

    def want_stop(self, launch_id: LaunchId) -> None:
        """Note that the job is to be cancelled when that is possible again."""
        self._update(launch_id, stop_wanted=True)

    def to_stop(self, user: str) -> tuple[LaunchRecord, ...]:
        """Return the user's launches that are to be cancelled and not known to be over."""
        row = LAUNCHES.c
        query = sa.select(LAUNCHES).where(row.user == user, row.stop_wanted, row.ended.is_(None))
        with self._engine.connect() as connection:
            return tuple(LaunchRecord.of(found) for found in connection.execute(query))

    def end(self, launch_id: LaunchId, reason: str) -> None:
        """Note that a launch is over, and why; the first reason stays, and a stop that was wanted is one."""
        row = LAUNCHES.c
        self._run(
            sa.update(LAUNCHES)
            .where(row.launch_id == launch_id, row.ended.is_(None))
            .values(ended=datetime.now(UTC), end_reason=sa.case((row.stop_wanted, "stopped"), else_=reason))
        )

    def stopped(self, job: Job) -> None:
        """Note that a job was cancelled and has ended."""
        self.end(job.launch_id, "stopped")

    def get(self, launch_id: LaunchId) -> LaunchRecord | None:
        """Return the record of a launch, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(LAUNCHES).where(LAUNCHES.c.launch_id == launch_id)).first()
        return LaunchRecord.of(found) if found else None

    def accept(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        """Note the choices that a person's server was last allowed to start with ("" is the default server)."""
        row = ACCEPTED.c
        with self._engine.begin() as connection:
            connection.execute(sa.delete(ACCEPTED).where(row.user == user, row.server == server))
            values = {"user": user, "server": server, "choices": dict(choices)}
            connection.execute(sa.insert(ACCEPTED).values(**values))

    def accepted(self, user: str, server: str) -> dict[str, str]:
        """Return the choices that a person's server was last allowed to start with, `{}` if there are none."""
        row = ACCEPTED.c
        with self._engine.connect() as connection:
            query = sa.select(row.choices).where(row.user == user, row.server == server)
            return dict(connection.execute(query).scalar() or {})

    def note_script(self, launch_id: LaunchId, text: str) -> None:
        """Keep the text that was sent."""
        pattern = scripts.pattern(text, launch_id)
        digest = scripts.digest(pattern)
        with self._engine.begin() as connection:
            if connection.execute(sa.select(SCRIPTS.c.digest).where(SCRIPTS.c.digest == digest)).first() is None:
                connection.execute(sa.insert(SCRIPTS).values(digest=digest, text=pattern))
            self._note(connection, launch_id, digest=digest)

    def note_stages(self, launch_id: LaunchId, stages: list[dict[str, Any]]) -> None:
        """Keep how far a job is, as JSON values."""
        with self._engine.begin() as connection:
            self._note(connection, launch_id, stages=stages)

    def run(self, launch_id: LaunchId) -> RunRecord | None:
        """Return what ran in a launch, or None."""
        query = sa.select(RUNS.c.stages, SCRIPTS.c.text).outerjoin(SCRIPTS, RUNS.c.digest == SCRIPTS.c.digest)
        with self._engine.connect() as connection:
            found = connection.execute(query.where(RUNS.c.launch_id == launch_id)).first()
        return RunRecord(launch_id, scripts.filled(found.text or "", launch_id), found.stages) if found else None

    @staticmethod
    def _note(connection: sa.Connection, launch_id: LaunchId, **values: Any) -> None:
        changed = connection.execute(sa.update(RUNS).where(RUNS.c.launch_id == launch_id).values(**values))
        if not changed.rowcount:
            connection.execute(sa.insert(RUNS).values(launch_id=launch_id, **values))

    def _update(self, launch_id: LaunchId, **values: Any) -> None:
        self._run(sa.update(LAUNCHES).where(LAUNCHES.c.launch_id == launch_id).values(**values))

    def _run(self, statement: sa.Executable) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement)
