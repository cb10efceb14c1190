"""Failures that have the same error, put together.  Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from slurm_ssh_spawner.launch.endings import why_ended
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import ADMIN

# What differs between two launches with the same error: launch ids, clocks, numbers of jobs.
_OF_ONE = re.compile(r"\b(?:[0-9a-f]{12}|\d\d:\d\d(?::\d\d)?|\d{3,20})\b")
_LEAST = 2
_MOST = 10
_SOUGHT = 100


@dataclass(frozen=True)
class Group:
    """So many launches of a profile at a site failed for the same reason, the first of them at `since`.

    `words` find them; they are a part of the reason.
    """

    profile: str
    site: str
    why: str
    count: int
    since: datetime
    words: str


def grouped(failures: Iterable[LaunchRecord]) -> tuple[Group, ...]:
    """Return the errors that more than one launch has failed with, the most frequent first."""
    found: dict[tuple[str, str, str], list[LaunchRecord]] = {}
    for record in failures:
        reason = _OF_ONE.sub("…", _reason(record))
        found.setdefault((record.profile_key, record.site_key, reason), []).append(record)
    groups = [_group(records) for records in found.values() if len(records) >= _LEAST]
    return tuple(sorted(groups, key=lambda group: -group.count)[:_MOST])


def _reason(record: LaunchRecord) -> str:
    return why_ended(record, record.site_key, ADMIN)


def _group(records: list[LaunchRecord]) -> Group:
    first = records[0]
    why = _reason(first)
    words = max(_OF_ONE.split(why), key=len).strip()[:_SOUGHT].strip()
    # Slurm's word is what is kept until the reason is known.
    words = words if words in first.end_reason else first.end_reason[:_SOUGHT]
    since = min(record.ended or datetime.now(UTC) for record in records)
    return Group(first.profile_key, first.site_key, why, len(records), since, words)
