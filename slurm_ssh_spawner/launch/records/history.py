"""Launches of all times, as they are looked at: a statement that finds them."""

from typing import Any

import sqlalchemy as sa

from slurm_ssh_spawner.launch.records.schema import LAUNCHES, RUNS


def recent(user: str | None, limit: int, offset: int) -> sa.Select[Any]:
    """Return what finds a person's launches, or everybody's, newest first."""
    row = LAUNCHES.c
    query = sa.select(LAUNCHES).order_by(row.begun.desc(), row.launch_id).limit(limit).offset(offset)
    return query if user is None else query.where(row.user == user)


def stages_before(user: str, profile_key: str, site_key: str) -> sa.Select[Any]:
    """Return what finds the stages of a person's last launch of a profile at a site whose server was up."""
    row = LAUNCHES.c
    theirs = sa.and_(row.user == user, row.profile_key == profile_key, row.site_key == site_key, row.node != "")
    query = sa.select(RUNS.c.stages).join(LAUNCHES, row.launch_id == RUNS.c.launch_id)
    return query.where(theirs).order_by(row.begun.desc()).limit(1)
