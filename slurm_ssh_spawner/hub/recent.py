"""Which profiles somebody has started last, for the options form."""

import logging

from slurm_ssh_spawner.launch.records import DatabaseAway
from slurm_ssh_spawner.launch.records.last_read import LastRead

# Of so many launches the profiles are recent.
_LAUNCHES = 20

_log = logging.getLogger(__name__)


async def recent(read: LastRead, user: str) -> list[dict[str, str]]:
    """Return what somebody has started last, each profile once: its key, the site's, and when."""
    try:
        records = await read.recent(user, _LAUNCHES)
    except DatabaseAway as error:
        _log.warning("the form shows nothing recent: %s", error)
        return []
    last = {record.profile_key: record for record in reversed(records)}
    newest = sorted(last.values(), key=lambda record: record.begun, reverse=True)
    return [
        {"profile": each.profile_key, "site": each.site_key, "begun": each.begun.isoformat()} for each in newest
    ]
