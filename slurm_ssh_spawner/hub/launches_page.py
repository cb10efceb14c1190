"""Everybody's launches and how the sites stand, for admins: without scripts, by GET parameters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from slurm_ssh.job import JobReport, LaunchId
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import moments
from slurm_ssh_spawner.hub.kept_current import KeptCurrent
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.hub.standing import DAY, YOUNG_SECONDS, standing
from slurm_ssh_spawner.launch.asked import Asked, asked
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.endings import why_ended
from slurm_ssh_spawner.launch.grouped import grouped
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.records.announcements import LONGEST, Announcement
from slurm_ssh_spawner.launch.records.history import Sought
from slurm_ssh_spawner.launch.records.stand import Stand, stand
from slurm_ssh_spawner.launch.records.stops import ADMIN
from slurm_ssh_spawner.launch.records.told import shown, table
from slurm_ssh_spawner.sentences import admin

_A_PAGE = 50
_OF_A_TABLE = 5000
_GROUPED = 2000
_LONGEST_WORDS = 100
_LAST_PAGE = 399
# Hours for which something may be announced.
_TIMES = (1, 4, 12, 24, 72, 168)


@dataclass(frozen=True)
class Row:
    """One launch as the page lists it; `time` says how long it lasts, lasted or has left."""

    record: LaunchRecord
    stand: Stand
    asked: Asked
    time: str
    why: str


class AdminPage(KeptCurrent, BaseHandler):  # type: ignore[misc]
    """What the pages for admins share: who may see them, and announce.

    That is who may see everybody's launches by the API too.  `admin-ui` alone opens JupyterHub's own page, on
    which a group's admin sees no more than that group.
    """

    async def prepare(self) -> None:
        """Refuse others: 403; who is not logged in is led there."""
        await super().prepare()
        if self.current_user and not (self.has_scope("admin-ui") and self.has_scope("admin:servers")):
            raise web.HTTPError(403, sentences.NOT_THEIR_LAUNCHES)

    @property
    def shared(self) -> Hub:
        """What all spawners share."""
        found: Hub = self.settings[SETTING]
        return found

    def show(self, template: str, **values: Any) -> None:
        """Answer with a page."""
        self.set_header("Cache-Control", "no-store")
        self.finish(self.render_template(template, sync=True, **moments.functions(), **values))

    def sought(self) -> Sought:
        """Return what is looked for; what there is none of is left out."""
        asked_for = self._text("state")
        return Sought(
            words=self._text("words"),
            stand=Stand(asked_for) if asked_for in list(Stand) else Stand.ANY,
            site=self._text("site"),
            profile=self._text("profile"),
        )

    def _text(self, name: str) -> str:
        return str(self.get_query_argument(name, ""))[:_LONGEST_WORDS].strip()

    def page_number(self) -> int:
        """Return which page of the list is asked for, from 0 on."""
        text = self._text("page")
        return min(int(text), _LAST_PAGE) if text.isascii() and text.isdigit() else 0


class LaunchesPage(AdminPage):
    """`/hub/launches?words=&state=&site=&profile=&page=`."""

    @web.authenticated
    async def get(self) -> None:
        """Show it; 503 without the database."""
        hub, history = self.shared, self.shared.launcher.records.history
        sought, page = self.sought(), self.page_number()
        await hub.catalogue.refreshed()
        try:
            sites = await standing(hub)
            # One more says whether there are more.
            found = await history.found(sought, _A_PAGE + 1, page * _A_PAGE)
            groups = grouped(await history.failures(datetime.now(UTC) - DAY, _GROUPED))
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        self.show(
            "launches.html",
            sites=sites,
            catalogue=hub.catalogue,
            groups=groups,
            rows=[_row(hub, record) for record in found[:_A_PAGE]],
            sought=sought,
            stands=list(Stand),
            page=page,
            has_more=len(found) > _A_PAGE,
            minutes_since=moments.minutes_since,
            announced=hub.launcher.records.announcements.current,
            times=_TIMES,
        )


class LaunchesTable(AdminPage):
    """`/hub/launches.csv`, with the parameters of the page: the newest 5000, as the API has them."""

    @web.authenticated
    async def get(self) -> None:
        """Answer; 503 without the database."""
        try:
            found = await self.shared.launcher.records.history.found(self.sought(), _OF_A_TABLE)
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="launches.csv"')
        self.set_header("Cache-Control", "no-store")
        self.finish(table([shown(record, ADMIN) for record in found]))


class AnnouncementForm(AdminPage):
    """`/hub/launches/announcement`: what all pages say until a moment."""

    async def get(self) -> None:
        """Lead to the launches: a login may end here."""
        self._to_launches()

    @web.authenticated
    async def post(self) -> None:
        """Announce it, or take back what is announced; lead to the launches.  503 without the database."""
        hours = self.get_body_argument("hours", "")
        until = datetime.now(UTC) + timedelta(hours=int(hours) if hours in map(str, _TIMES) else _TIMES[0])
        text = "" if self.get_body_argument("take_back", "") else self.get_body_argument("text", "")[:LONGEST]
        try:
            await self.shared.launcher.records.announcements.announce(text, until, self.current_user.name)
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        self.log.info("%s announces: %s", self.current_user.name, text or "nothing")
        self._to_launches()

    def _to_launches(self) -> None:
        self.redirect(url_path_join(self.hub.base_url, "launches"))


class LaunchPage(AdminPage):
    """`/hub/launches/<LaunchId>`: all that is kept of a launch."""

    @web.authenticated
    async def get(self, launch_id: str) -> None:
        """Show it; 404 if there is none, 503 without the database."""
        records = self.shared.launcher.records
        try:
            record, run = await records.get(LaunchId(launch_id)), await records.run(LaunchId(launch_id))
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        if record is None:
            raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH)
        self.show("launch.html", row=_row(self.shared, record), run=run)


def announcement(app: Any, _user: Any) -> Announcement | None:
    """Return what the pages of a JupyterHub application announce now, to whomever."""
    hub = app.tornado_settings.get(SETTING)
    return hub.launcher.records.announcements.current if isinstance(hub, Hub) else None


def _row(hub: Hub, record: LaunchRecord) -> Row:
    what, time = asked(hub.catalogue.current, record), ""
    if record.ended:
        time = admin.LASTED.format(time=lasting((record.ended - record.begun) // timedelta(minutes=1)))
    elif (report := _report(hub, record)).ends:
        time = admin.LEFT.format(time=lasting(-moments.minutes_since(report.ends)))
    return Row(record, stand(record), what, time, why_ended(record, what.site, ADMIN) if record.ended else "")


def _report(hub: Hub, record: LaunchRecord) -> JobReport:
    return hub.watch.latest(record.job(hub.launcher.hub_name), YOUNG_SECONDS)
