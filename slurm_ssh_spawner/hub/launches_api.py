"""What became of launches, for programs: a person's own, or everybody's for who may start and stop all servers."""

from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from slurm_ssh.job import JobReport, JobState
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.launch.asked import asked
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.stops import ADMIN, OWNER
from slurm_ssh_spawner.launch.records.told import moment, shown

MOST = 200
_USUAL = 50
_DEEPEST = 10**6
# Servers that run are looked at twice a minute, those that wait at least as often.
_OBSERVED_SECONDS = 120.0


class LaunchesHandler(APIHandler):  # type: ignore[misc]
    """`GET /hub/api/launches?limit=N&offset=N&user=NAME`, newest first.

    The answer is `{"launches": [...], "next_offset": N or null}`.  With the scope `read:servers` for everybody it
    holds everybody's launches, without what their jobs wrote; with `admin:servers` that too.  With neither it
    holds a user's own launches alone, for which `read:servers` of that user is needed.
    """

    async def get(self) -> None:
        """Answer.  400 for other values, 403 for launches that are not theirs, 503 without the database."""
        user = self._whose()
        limit, offset = self._number("limit", _USUAL, 1, MOST), self._number("offset", 0, 0, _DEEPEST)
        hub, is_admin, reads_all = self.settings[SETTING], self.has_scope("admin:servers"), self._reads_all()
        try:
            # One more says whether there are more.
            found = await _found(hub, user, limit + 1, offset, by_all=reads_all)
            is_told = is_admin or not reads_all
            logs = await hub.launcher.records.logs([each.launch_id for each in found[:limit] if is_told])
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        more = offset + limit if len(found) > limit else None
        reader = ADMIN if is_admin else OWNER
        launches = [
            shown(record, reader) | {"end_log": logs.get(record.launch_id, "")} | _observed(hub, record)
            for record in found[:limit]
        ]
        self.write({"launches": launches, "next_offset": more})

    def _whose(self) -> str | None:
        """Return whose launches are asked for, None for everybody's."""
        asked: str | None = self.get_query_argument("user", None)
        if self._reads_all():
            return asked
        # A service has no launches of its own.
        asker = self.current_user
        own: str | None = asker.name if asker and asker.kind == "user" else None
        if own is None or not self.has_scope(f"read:servers!user={own}") or asked not in {None, own}:
            raise web.HTTPError(403, sentences.NOT_THEIR_LAUNCHES)
        return own

    def _reads_all(self) -> bool:
        return bool(self.has_scope("admin:servers") or self.has_scope("read:servers"))

    def _number(self, name: str, usual: int, least: int, most: int) -> int:
        text = self.get_query_argument(name, str(usual))
        number = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_DEEPEST)) else -1
        if not least <= number <= most:
            raise web.HTTPError(400, sentences.NOT_A_NUMBER.format(name=name, least=least, most=most))
        return number


async def _found(hub: Hub, user: str | None, limit: int, offset: int, *, by_all: bool) -> tuple[LaunchRecord, ...]:
    """Return launches, those of everybody for None; who may see everybody's holds up no page of a person's."""
    records = hub.launcher.records
    if user is None or by_all:
        return await records.history.found(Sought(user=user or ""), limit, offset)
    return await records.recent(user, limit, offset)


def _observed(hub: Hub, record: LaunchRecord) -> dict[str, Any]:
    """Return what Slurm said last of a launch that is not over, and the titles of what it is; asks nobody."""
    what, report = asked(hub.catalogue.current, record), JobReport(JobState.UNKNOWN)
    if record.ended is None:
        report = hub.watch.latest(record.job(hub.launcher.hub_name), _OBSERVED_SECONDS)
    return {
        "site_title": what.site,
        "profile_title": what.profile,
        "state": JobState.ENDED if record.ended else report.state,
        "reason": report.reason,
        "submitted": moment(report.submitted),
        "expected_start": moment(report.begins) if report.state is JobState.PENDING else None,
        "ends": moment(report.ends),
        "stop_wanted": record.stop_wanted and record.ended is None,
    }
