"""Reads and writes launch records."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kernels.shell import Shell
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.started import StartedWith
from slurm_ssh_spawner.launch.records import ends, history, scripts, stops
from slurm_ssh_spawner.launch.records.announcements import Announcements
from slurm_ssh_spawner.launch.records.database import open_engine
from slurm_ssh_spawner.launch.records.former import Former
from slurm_ssh_spawner.launch.records.presets import Presets
from slurm_ssh_spawner.launch.records.schema import ACCEPTED, LAUNCHES, RELEASES, RUNS, SCRIPTS
from slurm_ssh_spawner.launch.records.values import LISTED, LaunchRecord, RunRecord
from slurm_ssh_spawner.launch.records.worker import DatabaseAway, Work, Worker

_log = logging.getLogger(__name__)


class LaunchRecords:
    """The records at a SQLAlchemy URL, made if they are not there.  Raises what `open_engine` raises.

    Nothing here holds up the event loop.  What is awaited raises DatabaseAway; the rest is written soon, in order,
    as often as it takes, and whatever changes nothing is not written.
    """

    def __init__(self, url: str) -> None:
        self._worker = Worker(open_engine(url))
        self.history = history.History(self._worker)
        self.announcements = Announcements(self._worker)
        self.presets = Presets(self._worker)
        self.former = Former(self._worker)
        self._subscribers: list[Callable[[Job], None]] = []

    @property
    def revision(self) -> int:
        """Another number after each write: what was read at this one need not be read again."""
        return self._worker.revision

    async def close(self) -> None:
        """Write what waits, and close the database."""
        await self._worker.close()

    async def settled(self) -> None:
        """Return when everything is written."""
        await self._worker.settled()

    async def begin(
        self,
        launch_id: LaunchId,
        launch: NotebookLaunch,
        releases: Sequence[Shell] = (),
        *,
        server: str = "",
        mark: str = "",
        token_hash: str = "",
        wait_until: datetime | None = None,
    ) -> None:
        """Add a launch that was accepted and is about to be submitted; see LaunchRecord for the rest.

        `releases` are the commands that end what it may leave at the site.
        """
        row = {name: getattr(launch, name) for name in ("user", "owner", "site_key", "profile_key")}
        row |= {"choices": dict(launch.choices.values), "started_with": StartedWith.at(launch.site).to_json()}
        row |= {"launch_id": launch_id, "begun": datetime.now(UTC)}
        row |= {"server": server, "mark": mark, "token_hash": token_hash, "wait_until": wait_until}

        def add(connection: sa.Connection) -> None:
            connection.execute(sa.insert(LAUNCHES).values(**row))
            if releases:
                connection.execute(sa.insert(RELEASES).values(launch_id=launch_id, commands=list(releases)))

        await self._worker.write(add)

    def restore(self, job: Job, server: str, profile_key: str, token_hash: str) -> None:
        """Add a launch that a new database does not know; what was chosen for it stays unknown."""
        row = {name: getattr(job, name) for name in ("launch_id", "job_id", "mark", "user", "owner", "site_key")}
        row |= {"server": server, "profile_key": profile_key, "token_hash": token_hash, "choices": {}}
        row |= {"started_with": job.started_with.to_json() if job.started_with else {}, "begun": datetime.now(UTC)}
        known = sa.select(LAUNCHES.c.launch_id).where(LAUNCHES.c.launch_id == job.launch_id)

        def add(connection: sa.Connection) -> None:
            if connection.scalar(known) is None:
                connection.execute(sa.insert(LAUNCHES).values(**row))

        self._worker.soon(f"the launch {job.launch_id}", add)

    async def releases(self, launch_id: LaunchId) -> tuple[Shell, ...]:
        """Return the commands that end what a launch may leave at its site."""
        query = sa.select(RELEASES.c.commands).where(RELEASES.c.launch_id == launch_id)
        found = await self._worker.read(lambda connection: connection.scalar(query))
        return tuple(Shell(command) for command in found or ())

    def submitted(self, launch_id: LaunchId, job_id: str) -> None:
        """Note Slurm's number of the job."""
        self._soon(launch_id, job_id=job_id)

    def reached(self, launch_id: LaunchId, node: str, port: int, local_port: int) -> None:
        """Note where the server is, and the hub's end of its tunnel."""
        self._soon(launch_id, node=node, port=port, local_port=local_port)

    async def port_reported(self, launch_id: LaunchId, port: int) -> None:
        """Note the port that a job has reported, before it is told that it was heard."""
        await self._worker.write(_changed(launch_id, port=port))

    async def waits(self, launch_id: LaunchId, until: datetime) -> None:
        """Note until when the hub waits for a launch."""
        await self._worker.write(_changed(launch_id, wait_until=until))

    def ticket_given(self, launch_id: LaunchId, ends: datetime) -> None:
        """Note the end of the ticket that the job has been given, in any time zone."""
        self._soon(launch_id, ticket_ends=ends)

    async def ticket_ends(self, launch_id: LaunchId) -> datetime | None:
        """Return the end of the ticket that the job was last given, None if that is not known."""
        record = await self.get(launch_id)
        return record.ticket_ends if record else None

    async def want_stop(self, launch_id: LaunchId) -> None:
        """Note that the job is to be cancelled when that is possible again; later if it cannot be noted now."""
        change = _changed(launch_id, stop_wanted=True)
        try:
            await self._worker.write(change)
        except DatabaseAway as error:
            _log.warning("the stop of %s is noted later: %s", launch_id, error)
            self._worker.soon(f"the stop of {launch_id}", change)

    async def to_stop(self, user: str) -> tuple[LaunchRecord, ...]:
        """Return the user's launches that are to be cancelled and not known to be over."""
        row = LAUNCHES.c
        query = sa.select(*LISTED).where(row.user == user, row.stop_wanted, row.ended.is_(None))
        return await self._records(query)

    async def open_of(self, user: str, server: str) -> tuple[LaunchRecord, ...]:
        """Return the launches of a person's server that are neither over nor to be stopped, newest first."""
        row = LAUNCHES.c
        is_open = sa.and_(row.user == user, row.server == server, row.ended.is_(None), sa.not_(row.stop_wanted))
        return await self._records(sa.select(*LISTED).where(is_open).order_by(row.begun.desc()))

    async def going_on(self, user: str) -> dict[str, str]:
        """Return the profiles of a person's launches that are neither over nor to be stopped, by server."""
        row = LAUNCHES.c
        is_open = sa.and_(row.user == user, row.ended.is_(None), sa.not_(row.stop_wanted))
        query = sa.select(row.server, row.profile_key).where(is_open)
        found = await self._worker.read(lambda connection: connection.execute(query).all())
        return {each.server: each.profile_key for each in found}

    async def unsettled(self, user: str) -> tuple[LaunchRecord, ...]:
        """Return the user's launches that are not over, or may have left something at their site, newest first."""
        row = LAUNCHES.c
        query = sa.select(*LISTED).where(row.user == user, row.released.is_(None)).order_by(row.begun.desc())
        return await self._records(query)

    async def people(self, since: datetime) -> tuple[str, ...]:
        """Return whose launches are not settled, or began after that."""
        row = LAUNCHES.c
        query = sa.select(row.user).where(sa.or_(row.released.is_(None), row.begun > since)).distinct()
        return tuple(await self._worker.read(lambda connection: connection.scalars(query).all()))

    async def sites(self, user: str, since: datetime) -> tuple[LaunchRecord, ...]:
        """Return the user's last launch at each site where they began one after that."""
        row = LAUNCHES.c
        query = sa.select(*LISTED).where(row.user == user, row.begun > since).order_by(row.begun)
        return tuple({record.site_key: record for record in await self._records(query)}.values())

    async def _records(self, query: sa.Select[Any]) -> tuple[LaunchRecord, ...]:
        found = await self._worker.read(lambda connection: connection.execute(query).all())
        return tuple(LaunchRecord.of(each) for each in found)

    def released(self, launch_id: LaunchId) -> None:
        """Note that nothing of a launch that is over is left at its site."""
        self._soon(launch_id, released=datetime.now(UTC))

    def end(self, launch_id: LaunchId, reason: str) -> None:
        """Note that a launch is over, and why; see ends.ended."""
        end = ends.ended(launch_id, reason)
        self._worker.soon(f"the end of {launch_id}", lambda connection: connection.execute(end))

    def will_end(self, launch_id: LaunchId, reason: str) -> None:
        """Note why a launch is about to end; see ends.announced."""
        change = ends.announced(launch_id, reason)
        self._worker.soon(f"why {launch_id} will end", lambda connection: connection.execute(change))

    def explain(self, launch_id: LaunchId, word: str, sentence: str, log: str) -> None:
        """Note why a launch ended of which Slurm's word was noted before, and the end of its log."""
        change = ends.explained(launch_id, word, sentence, log)
        self._worker.soon(f"why {launch_id} ended", lambda connection: connection.execute(change))

    async def last_ended(self, since: datetime) -> tuple[LaunchRecord, ...]:
        """Return the launches that ended since then, of servers that were not started again."""
        return await self._records(ends.last_since(since))

    async def recent(self, user: str, limit: int, offset: int = 0) -> tuple[LaunchRecord, ...]:
        """Return a person's launches, the newest first, without their logs."""
        return await self._records(history.recent(user, limit, offset))

    async def logs(self, launch_ids: Sequence[LaunchId]) -> dict[LaunchId, str]:
        """Return the ends of the logs of some launches, of those that have one."""
        row = LAUNCHES.c
        query = sa.select(row.launch_id, row.end_log).where(row.launch_id.in_(launch_ids), row.end_log != "")
        found = await self._worker.read(lambda connection: connection.execute(query).all()) if launch_ids else ()
        return {LaunchId(launch_id): log for launch_id, log in found}

    async def stages_before(self, user: str, profile_key: str, site_key: str) -> Sequence[Mapping[str, Any]]:
        """Return the stages of a person's last launch of a profile at a site whose server was up."""
        query = history.stages_before(user, profile_key, site_key)
        return tuple(await self._worker.read(lambda connection: connection.scalar(query)) or ())

    def stopped(self, job: Job) -> None:
        """Note that a job was cancelled and has ended, and tell who has asked to know."""
        self.end(job.launch_id, stops.STOPPED)
        for callback in self._subscribers:
            callback(job)

    def subscribe(self, callback: Callable[[Job], None]) -> None:
        """Have jobs told that were cancelled and have ended."""
        self._subscribers.append(callback)

    async def get(self, launch_id: LaunchId) -> LaunchRecord | None:
        """Return the record of a launch, or None."""
        query = sa.select(LAUNCHES).where(LAUNCHES.c.launch_id == launch_id)
        found = await self._worker.read(lambda connection: connection.execute(query).first())
        return LaunchRecord.of(found) if found else None

    async def accept(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        """Note the choices that a person's server was last allowed to start with ("" is the default server)."""
        key, kept = {"user": user, "server": server}, dict(choices)
        await self._worker.write(lambda connection: _put(connection, ACCEPTED, key, {"choices": kept}))

    async def accepted(self, user: str, server: str) -> dict[str, str]:
        """Return the choices that a person's server was last allowed to start with, `{}` if there are none."""
        row = ACCEPTED.c
        query = sa.select(row.choices).where(row.user == user, row.server == server)
        return dict(await self._worker.read(lambda connection: connection.scalar(query)) or {})

    def note_script(self, launch_id: LaunchId, text: str) -> None:
        """Keep the text that was sent."""
        pattern = scripts.pattern(text, launch_id)
        digest = scripts.digest(pattern)

        def keep(connection: sa.Connection) -> None:
            _put(connection, SCRIPTS, {"digest": digest}, {"text": pattern})
            _put(connection, RUNS, {"launch_id": launch_id}, {"digest": digest})

        self._worker.soon(f"the script of {launch_id}", keep)

    def note_stages(self, launch_id: LaunchId, stages: list[dict[str, Any]]) -> None:
        """Keep how far a job is, as JSON values."""
        key, values = {"launch_id": launch_id}, {"stages": stages}
        self._worker.soon(f"the stages of {launch_id}", lambda connection: _put(connection, RUNS, key, values))

    async def run(self, launch_id: LaunchId) -> RunRecord | None:
        """Return what ran in a launch, or None."""
        query = sa.select(RUNS.c.stages, SCRIPTS.c.text).outerjoin(SCRIPTS, RUNS.c.digest == SCRIPTS.c.digest)
        query = query.where(RUNS.c.launch_id == launch_id)
        found = await self._worker.read(lambda connection: connection.execute(query).first())
        return RunRecord(launch_id, scripts.filled(found.text or "", launch_id), found.stages) if found else None

    async def forget_before(self, moment: datetime) -> None:
        """Remove scripts, stages, clean-up commands and ends of logs of launches that ended before `moment`."""
        await self._worker.write(lambda connection: connection.execute(ends.forgotten(moment)))
        while await self._worker.write(lambda connection: ends.removed(connection, moment)):
            pass

    def _soon(self, launch_id: LaunchId, **values: Any) -> None:
        self._worker.soon(f"{', '.join(values)} of {launch_id}", _changed(launch_id, **values))


def _changed(launch_id: LaunchId, **values: Any) -> Work[object]:
    """Return what changes the launch's row, if that changes anything."""
    row = LAUNCHES.c
    differs = sa.or_(*(row[name].is_distinct_from(value) for name, value in values.items()))
    change = sa.update(LAUNCHES).where(row.launch_id == launch_id, differs).values(**values)
    return lambda connection: connection.execute(change)


def _put(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Add the row with this key, or change these values of it, if that changes anything."""
    row = sa.and_(*(table.c[name] == value for name, value in key.items()))
    found = connection.execute(sa.select(*(table.c[name] for name in values)).where(row)).first()
    if found is None:
        connection.execute(sa.insert(table).values(**key, **values))
    elif found._asdict() != values:
        connection.execute(sa.update(table).where(row).values(**values))
