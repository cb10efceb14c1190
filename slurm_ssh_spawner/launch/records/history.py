"""Launches of all times, as they are looked at: statements that find them, and who runs them for admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from slurm_ssh_spawner.launch.records.schema import LAUNCHES, RUNS
from slurm_ssh_spawner.launch.records.stand import IN_TABLE, Stand
from slurm_ssh_spawner.launch.records.values import LISTED, LaunchRecord
from slurm_ssh_spawner.launch.records.worker import Worker

_ROW = LAUNCHES.c
_GOES_ON = _ROW.ended.is_(None)
# Words are looked for in so many of the newest launches that are sought besides.
_MOST_SEARCHED = 20_000
_SEARCHED = (_ROW.user, _ROW.owner, _ROW.server, _ROW.profile_key, _ROW.node, _ROW.end_reason)


@dataclass(frozen=True)
class Sought:
    """What launches an admin looks for: "" and None mean any.  Lists are without logs.

    They went on at some moment from `since` to `until`.
    `words` stand in a name of theirs, their node or the reason of their end, or are the number of their job or
    launch.
    """

    words: str = ""
    stand: Stand = Stand.ANY
    site: str = ""
    profile: str = ""
    since: datetime | None = None
    user: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Ended:
    """How many launches of a site ended, and how many of them never came up."""

    all: int = 0
    failed: int = 0


def recent(user: str, limit: int, offset: int) -> sa.Select[Any]:
    """Return what finds a person's launches, newest first."""
    return _newest(limit, offset).where(_ROW.user == user)


def _newest(limit: int, offset: int = 0) -> sa.Select[Any]:
    return sa.select(*LISTED).order_by(_ROW.begun.desc(), _ROW.launch_id).limit(limit).offset(offset)


def stages_before(user: str, profile_key: str, site_key: str) -> sa.Select[Any]:
    """Return what finds the stages of a person's last launch of a profile at a site whose server was up."""
    theirs = sa.and_(
        _ROW.user == user, _ROW.profile_key == profile_key, _ROW.site_key == site_key, _ROW.node != ""
    )
    query = sa.select(RUNS.c.stages).join(LAUNCHES, _ROW.launch_id == RUNS.c.launch_id)
    return query.where(theirs).order_by(_ROW.begun.desc()).limit(1)


def statement(sought: Sought, limit: int, offset: int) -> sa.Select[Any]:
    """Return what finds the launches that an admin looks for, newest first."""
    query = _newest(limit, offset)
    if not sought.words:
        return query.where(_sought(sought))
    within = sa.select(_ROW.launch_id).where(_sought(sought)).order_by(_ROW.begun.desc()).limit(_MOST_SEARCHED)
    return query.where(_ROW.launch_id.in_(within.scalar_subquery()), _says(sought.words))


def _sought(sought: Sought) -> sa.ColumnElement[bool]:
    """Return what holds of launches that are sought, whatever words stand in them."""
    found = [IN_TABLE[sought.stand]]
    if sought.site:
        found.append(_ROW.site_key == sought.site)
    if sought.profile:
        found.append(_ROW.profile_key == sought.profile)
    if sought.since:
        # What ended before has begun before.
        found.append(sa.or_(_GOES_ON, _ROW.ended >= sought.since))
    if sought.until:
        found.append(_ROW.begun < sought.until)
    if sought.user:
        found.append(_ROW.user == sought.user)
    return sa.and_(*found)


def _says(words: str) -> sa.ColumnElement[bool]:
    anywhere = [column.icontains(words, autoescape=True) for column in _SEARCHED]
    return sa.or_(*anywhere, _ROW.job_id == words, _ROW.launch_id == words)


class History:
    """Looks at everybody's launches.  All raise DatabaseAway."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def found(self, sought: Sought, limit: int, offset: int = 0) -> tuple[LaunchRecord, ...]:
        """Return launches, the newest first."""
        return await self._searched(statement(sought, limit, offset))

    async def going_on(self) -> tuple[LaunchRecord, ...]:
        """Return all launches that are not over."""
        query = sa.select(*LISTED).where(_GOES_ON)
        found = await self._worker.read(lambda connection: connection.execute(query).all())
        return tuple(LaunchRecord.of(each) for each in found)

    async def ended(self, since: datetime) -> dict[str, Ended]:
        """Return how many launches ended since then, by site."""
        failed = sa.func.sum(sa.case((IN_TABLE[Stand.FAILED], 1), else_=0))
        query = sa.select(_ROW.site_key, sa.func.count(), failed).where(_ROW.ended >= since)
        found = await self._worker.read(lambda each: each.execute(query.group_by(_ROW.site_key)).all())
        return {site: Ended(count, int(failures)) for site, count, failures in found}

    async def failures(self, since: datetime, limit: int) -> tuple[LaunchRecord, ...]:
        """Return the launches that failed since then, the newest first."""
        failed = sa.select(*LISTED).where(IN_TABLE[Stand.FAILED], _ROW.ended >= since)
        return await self._searched(failed.order_by(_ROW.ended.desc()).limit(limit))

    async def _searched(self, query: sa.Select[Any]) -> tuple[LaunchRecord, ...]:
        found = await self._worker.search(lambda connection: connection.execute(query).all())
        return tuple(LaunchRecord.of(each) for each in found)
