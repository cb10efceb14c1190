"""Launches of all times, as they are looked at: a statement that finds them."""

from typing import Any

import sqlalchemy as sa

from slurm_ssh_spawner.launch.records.schema import LAUNCHES


def recent(user: str | None, limit: int, offset: int) -> sa.Select[Any]:
    """Return what finds a person's launches, or everybody's, newest first."""
    row = LAUNCHES.c
    query = sa.select(LAUNCHES).order_by(row.begun.desc(), row.launch_id).limit(limit).offset(offset)
    return query if user is None else query.where(row.user == user)
