"""Launch records: our own rows about launches, kept over restarts and after their end.

One small write at a time in SQLite; JupyterHub does the same on its event loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kernels.shell import Shell
from profiles.offer.launch import Launch
from slurm_ssh.job import Job, LaunchId

_META = sa.MetaData()
_LAUNCHES = sa.Table(
    "launches",
    _META,
    sa.Column("launch_id", sa.String(12), primary_key=True),
    sa.Column("user", sa.String, nullable=False, index=True),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("site_key", sa.String, nullable=False),
    sa.Column("profile_key", sa.String, nullable=False),
    sa.Column("choices", sa.JSON, nullable=False),
    sa.Column("job_id", sa.String, nullable=False, default=""),
    sa.Column("node", sa.String, nullable=False, default=""),
    sa.Column("port", sa.Integer, nullable=False, default=0),
    sa.Column("local_port", sa.Integer, nullable=False, default=0),
    sa.Column("stop_wanted", sa.Boolean, nullable=False, default=False),
    sa.Column("begun", sa.DateTime, nullable=False),
    sa.Column("ended", sa.DateTime),
    sa.Column("end_reason", sa.String, nullable=False, default=""),
)
_ACCEPTED = sa.Table(
    "accepted",
    _META,
    sa.Column("user", sa.String, primary_key=True),
    sa.Column("server", sa.String, primary_key=True),
    sa.Column("choices", sa.JSON, nullable=False),
)

_RUNS = sa.Table(
    "runs",
    _META,
    sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
    sa.Column("script", sa.Text, nullable=False, default=""),
    sa.Column("stages", sa.JSON, nullable=False, default=list),
)
_RELEASES = sa.Table(
    "releases",
    _META,
    sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
    sa.Column("commands", sa.JSON, nullable=False),
)


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
    cancelled as soon as its owner has a ticket.  Times are UTC.
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


class LaunchRecords:
    """The table of launches at a SQLAlchemy URL, made if it is not there."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)
        _META.create_all(self._engine)

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def begin(self, launch_id: LaunchId, launch: Launch, releases: Sequence[Shell] = ()) -> None:
        """Add a launch that was accepted and is about to be submitted.

        `releases` are the commands that end what it may leave at the site.
        """
        row = {name: getattr(launch, name) for name in ("user", "owner", "site_key", "profile_key")}
        choices = dict(launch.choices.values)
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(_LAUNCHES).values(launch_id=launch_id, choices=choices, begun=datetime.now(UTC), **row)
            )
            if releases:
                connection.execute(sa.insert(_RELEASES).values(launch_id=launch_id, commands=list(releases)))

    def releases(self, launch_id: LaunchId) -> tuple[Shell, ...]:
        """Return the commands that end what a launch may leave at its site."""
        with self._engine.connect() as connection:
            query = sa.select(_RELEASES.c.commands).where(_RELEASES.c.launch_id == launch_id)
            return tuple(Shell(command) for command in connection.execute(query).scalar() or ())

    def submitted(self, launch_id: LaunchId, job_id: str) -> None:
        """Note Slurm's number of the job."""
        self._update(launch_id, job_id=job_id)

    def reached(self, launch_id: LaunchId, node: str, port: int, local_port: int) -> None:
        """Note where the server is, and the hub's end of its tunnel."""
        self._update(launch_id, node=node, port=port, local_port=local_port)

    def want_stop(self, launch_id: LaunchId) -> None:
        """Note that the job is to be cancelled when that is possible again."""
        self._update(launch_id, stop_wanted=True)

    def to_stop(self, user: str) -> tuple[LaunchRecord, ...]:
        """Return the user's launches that are to be cancelled and not known to be over."""
        row = _LAUNCHES.c
        query = sa.select(_LAUNCHES).where(row.user == user, row.stop_wanted, row.ended.is_(None))
        with self._engine.connect() as connection:
            return tuple(LaunchRecord(**found._asdict()) for found in connection.execute(query))

    def end(self, launch_id: LaunchId, reason: str) -> None:
        """Note that a launch is over, and why; the first reason stays, and a stop that was wanted is one."""
        row = _LAUNCHES.c
        self._run(
            sa.update(_LAUNCHES)
            .where(row.launch_id == launch_id, row.ended.is_(None))
            .values(ended=datetime.now(UTC), end_reason=sa.case((row.stop_wanted, "stopped"), else_=reason))
        )

    def stopped(self, job: Job) -> None:
        """Note that a job was cancelled and has ended."""
        self.end(job.launch_id, "stopped")

    def get(self, launch_id: LaunchId) -> LaunchRecord | None:
        """Return the record of a launch, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_LAUNCHES).where(_LAUNCHES.c.launch_id == launch_id)).first()
        return LaunchRecord(**found._asdict()) if found else None

    def accept(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        """Note the choices that a person's server was last allowed to start with ("" is the default server)."""
        row = _ACCEPTED.c
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_ACCEPTED).where(row.user == user, row.server == server))
            values = {"user": user, "server": server, "choices": dict(choices)}
            connection.execute(sa.insert(_ACCEPTED).values(**values))

    def accepted(self, user: str, server: str) -> dict[str, str]:
        """Return the choices that a person's server was last allowed to start with, `{}` if there are none."""
        row = _ACCEPTED.c
        with self._engine.connect() as connection:
            query = sa.select(row.choices).where(row.user == user, row.server == server)
            return dict(connection.execute(query).scalar() or {})

    def note_script(self, launch_id: LaunchId, text: str) -> None:
        """Keep the text that was sent."""
        self._note(launch_id, script=text)

    def note_stages(self, launch_id: LaunchId, stages: list[dict[str, Any]]) -> None:
        """Keep how far a job is, as JSON values."""
        self._note(launch_id, stages=stages)

    def run(self, launch_id: LaunchId) -> RunRecord | None:
        """Return what ran in a launch, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_RUNS).where(_RUNS.c.launch_id == launch_id)).first()
        return RunRecord(**found._asdict()) if found else None

    def _note(self, launch_id: LaunchId, **values: Any) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(sa.update(_RUNS).where(_RUNS.c.launch_id == launch_id).values(**values))
            if not changed.rowcount:
                connection.execute(sa.insert(_RUNS).values(launch_id=launch_id, **values))

    def _update(self, launch_id: LaunchId, **values: Any) -> None:
        self._run(sa.update(_LAUNCHES).where(_LAUNCHES.c.launch_id == launch_id).values(**values))

    def _run(self, statement: sa.Executable) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement)
