"""Launches as programs and spreadsheets are told of them.  Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from slurm_ssh_spawner.launch.records.stops import Reader, told
from slurm_ssh_spawner.launch.records.values import LaunchRecord

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def moment(at: datetime | None) -> str | None:
    """Return a moment as JupyterHub's API has it: 2026-11-26T10:05:12.402713Z."""
    return None if at is None else f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def shown(record: LaunchRecord, reader: Reader) -> dict[str, str | None]:
    """Return what a reader's programs are told of a launch, as JSON values."""
    return {
        "launch_id": record.launch_id,
        "user": record.user,
        "server": record.server,
        "site": record.site_key,
        "profile": record.profile_key,
        "job_id": record.job_id,
        "node": record.node,
        "begun": moment(record.begun),
        "wait_until": moment(record.wait_until),
        "ended": moment(record.ended),
        # Before the end it is what a start has failed for, whose job is being stopped.
        "end_reason": told(record.end_reason, reader) if record.ended else "",
    }


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows that have the same columns as CSV, with a line of their names; "" for none."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = list(rows[0]) if rows else []
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    cell = "" if value is None else str(value)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
