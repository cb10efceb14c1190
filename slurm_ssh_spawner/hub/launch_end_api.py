"""Why a server has ended, for the page of JupyterLab that was open in it."""

from typing import cast

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import isoformat
from tornado import web

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.records.stops import Reader

# The page says it once.  Slurm's accounting may hear of an end some seconds later than the hub.
_WHY_SECONDS = 15


class LaunchEndHandler(APIHandler):  # type: ignore[misc]
    """`GET /hub/api/launches/<LaunchId>/end`, for who may open that server.

    The answer is `{"ended": ISO 8601, "sentence": TEXT, "template": TEXT}`, null and "" while the launch is not
    known to be over.  While why it ended is being found out, the answer waits for that a while.  The template is
    the sentence with `{ended}` in the place of that moment, which the sentence says by the hub's clock.
    """

    # A page of a server cannot read the hub's token against forged requests, and this one changes nothing.
    _xsrf_safe_methods = frozenset({"GET", "HEAD", "OPTIONS"})

    async def get(self, launch_id: str) -> None:
        """Answer.  404 for a launch that is not there or not theirs, 503 without the database."""
        endings = self.settings[SETTING].launcher.endings
        record = await self._record(launch_id)
        if await endings.explained(LaunchId(launch_id), _WHY_SECONDS):
            record = await self._record(launch_id)
        asker = self.current_user
        is_owner = asker is not None and (asker.kind, asker.name) == ("user", record.user)
        reader = Reader(is_owner=is_owner, sees_names=self.has_scope("admin:servers"))
        notice = endings.notice(record, reader) if record.ended else None
        sentence, template = (notice.sentence, notice.template) if notice else ("", "")
        self.write({"ended": isoformat(record.ended), "sentence": sentence, "template": template})

    async def _record(self, launch_id: str) -> LaunchRecord:
        """Return the launch.  404 for one that is not there or not theirs, 503 without the database."""
        try:
            record = await self.settings[SETTING].launcher.records.get(LaunchId(launch_id))
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        if record is None or not self.has_scope(f"access:servers!server={record.user}/{record.server}"):
            raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH)
        return cast(LaunchRecord, record)
