"""`jupyterhub-sites launches`: who started what, where and when, and why it ended."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer

from kernels import units
from slurm_ssh_spawner.cli import output
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.endings import why_ended
from slurm_ssh_spawner.launch.records import LaunchRecord, urls
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.looking import OtherVersion, Unreadable, look
from slurm_ssh_spawner.launch.records.stand import Stand, stand
from slurm_ssh_spawner.launch.records.stops import ADMIN
from slurm_ssh_spawner.launch.records.told import shown, table
from slurm_ssh_spawner.sentences import admin
from slurm_ssh_spawner.sentences import command_line as sentences


@dataclass(frozen=True)
class Asked:
    """What is looked for, as a command line says it; "" is for any."""

    words: str
    user: str
    site: str
    profile: str
    state: str
    since: str
    until: str


def sought(asked: Asked) -> Sought:
    """Return what is looked for.  Raises BadParameter for what is no state and no time."""
    return Sought(
        words=asked.words,
        stand=_state(asked.state) if asked.state else Stand.ANY,
        site=asked.site,
        profile=asked.profile,
        since=_moment(asked.since) if asked.since else None,
        user=asked.user,
        until=_moment(asked.until) if asked.until else None,
    )


def launches(url: str, sought: Sought, limit: int, *, as_json: bool, as_csv: bool) -> None:
    """Print the newest launches that are sought, as a table for people or for programs."""
    found = _found(url, sought, limit + 1)
    rows = [_told(record) for record in found[:limit]]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif as_csv:
        print(table([{**row, "choices": json.dumps(row["choices"])} for row in rows]), end="")
    elif rows:
        _print(found[:limit])
    else:
        print(sentences.NO_LAUNCHES)
    if len(found) > limit:
        print(sentences.MORE_LAUNCHES, file=sys.stderr)


def _state(text: str) -> Stand:
    known = [each.value for each in Stand if each]
    if text not in known:
        raise typer.BadParameter(sentences.NO_STATE.format(text=repr(text), states=", ".join(known)))
    return Stand(text)


def _moment(text: str) -> datetime:
    """Return a moment: a date, or a time before now."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.now(UTC) - timedelta(minutes=units.minutes(text))
    except (units.Unreadable, OverflowError) as error:
        raise typer.BadParameter(sentences.NO_MOMENT.format(text=repr(text))) from error


def _found(url: str, sought: Sought, limit: int) -> tuple[LaunchRecord, ...]:
    try:
        return look(url, sought, limit)
    except OtherVersion as error:
        raise Failed(sentences.RECORDS_OF_ANOTHER_VERSION.format(url=urls.shown(url, "--records"))) from error
    except Unreadable as error:
        raise Failed(
            sentences.RECORDS_UNREADABLE.format(url=urls.shown(url, "--records"), reason=error)
        ) from error


def _told(record: LaunchRecord) -> dict[str, object]:
    more = {"owner": record.owner, "choices": dict(record.choices), "state": stand(record).value}
    return {**shown(record, ADMIN), **more}


def _print(found: Sequence[LaunchRecord]) -> None:
    columns = (
        *(sentences.BEGAN, sentences.LASTED, sentences.PERSON, sentences.CLUSTER, sentences.PROFILE),
        *(sentences.JOB, sentences.NODE, sentences.STATE, sentences.WHY),
    )
    output.table(columns, [_cells(record) for record in found])


def _cells(record: LaunchRecord) -> tuple[str, ...]:
    minutes = ((record.ended or datetime.now(UTC)) - record.begun) // timedelta(minutes=1)
    named = f"{record.user}/{record.server}" if record.server else record.user
    where = (record.site_key, record.profile_key, record.job_id, record.node)
    why = why_ended(record, record.site_key, ADMIN) if record.ended else ""
    begun = f"{record.begun.astimezone():%Y-%m-%d %H:%M}"
    return (begun, lasting(minutes), named, *where, admin.STANDS[stand(record).value], why)
