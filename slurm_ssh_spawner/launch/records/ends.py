"""The ends of launches: statements that note them, and that find those of which a person is told."""

from datetime import UTC, datetime

import sqlalchemy as sa

from languages import for_keeping
from slurm_ssh.job import LaunchId
from slurm_ssh.text import lines, one_line
from slurm_ssh_spawner.launch.records.schema import LAUNCHES, RELEASES, RUNS, SCRIPTS
from slurm_ssh_spawner.launch.records.stops import STOPPED

_LONGEST_REASON = 500
_REMOVED_AT_ONCE = 500
_LONGEST_LOG = 4000
_ROW = LAUNCHES.c


def announced(launch_id: LaunchId, reason: str) -> sa.Update:
    """Return what notes why a launch is about to end: it counts, whatever Slurm will call that.

    The first reason stays: a start that somebody stops fails then, and the hub stops one that has failed.
    """
    change = sa.update(LAUNCHES).where(_ROW.launch_id == launch_id, _ROW.ended.is_(None), _ROW.end_reason == "")
    return change.values(end_reason=_kept(reason))


def ended(launch_id: LaunchId, reason: str) -> sa.Update:
    """Return what notes that a launch is over now, and why.

    The first end stays; a reason that was announced counts, and so does a stop that was wanted.
    """
    why = sa.case(
        (_ROW.end_reason != "", _ROW.end_reason),
        (_ROW.stop_wanted, STOPPED),
        else_=_kept(reason),
    )
    change = sa.update(LAUNCHES).where(_ROW.launch_id == launch_id, _ROW.ended.is_(None))
    return change.values(ended=datetime.now(UTC), end_reason=why)


def explained(launch_id: LaunchId, word: str, sentence: str, log: str) -> sa.Update:
    """Return what puts a sentence in the place of Slurm's word, if that is the reason, and keeps the log's end."""
    is_the_word = _ROW.end_reason == _kept(word)
    why = sa.case((is_the_word, _kept(sentence)), else_=_ROW.end_reason)
    change = sa.update(LAUNCHES).where(_ROW.launch_id == launch_id)
    return change.values(end_reason=why, end_log=lines(log, _LONGEST_LOG))


def _kept(reason: str) -> str:
    return one_line(for_keeping(reason), _LONGEST_REASON)


def forgotten(moment: datetime) -> sa.Update:
    """Return what removes the ends of logs of launches that ended before then."""
    return sa.update(LAUNCHES).where(_ROW.ended < moment, _ROW.end_log != "").values(end_log="")


def last_since(moment: datetime) -> sa.Select[tuple[object, ...]]:
    """Return what finds the launches that ended since then, of servers that were not started again."""
    later = LAUNCHES.alias()
    again = sa.exists().where(later.c.user == _ROW.user, later.c.server == _ROW.server, later.c.begun > _ROW.begun)
    return sa.select(LAUNCHES).where(_ROW.ended >= moment, ~again)


def removed(connection: sa.Connection, moment: datetime) -> bool:
    """Remove what some launches left in the tables; return whether there may be more of them."""
    left = [sa.exists().where(table.c.launch_id == _ROW.launch_id) for table in (RUNS, RELEASES)]
    over = sa.select(_ROW.launch_id).where(_ROW.ended < moment, sa.or_(*left)).limit(_REMOVED_AT_ONCE)
    ids = connection.scalars(over).all()
    for table in (RUNS, RELEASES):
        connection.execute(sa.delete(table).where(table.c.launch_id.in_(ids)))
    if len(ids) == _REMOVED_AT_ONCE:
        return True
    used = sa.select(RUNS.c.digest).where(RUNS.c.digest == SCRIPTS.c.digest)
    connection.execute(sa.delete(SCRIPTS).where(~used.exists()))
    return False
