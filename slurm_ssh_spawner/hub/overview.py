"""All that a page shows of one person's servers and clusters, read once: two queries, and nobody is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kernels.units import say_minutes
from slurm_ssh_spawner.hub.guests import SharedServer, guests, is_shareable, shared_with
from slurm_ssh_spawner.hub.moments import utc
from slurm_ssh_spawner.hub.shared import Hub, StartRequest
from slurm_ssh_spawner.launch.asked import Asked, asked
from slurm_ssh_spawner.launch.clock import lasting
from slurm_ssh_spawner.launch.clusters import ClusterView, clusters
from slurm_ssh_spawner.launch.endings import why_ended
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.records.last_read import LastRead
from slurm_ssh_spawner.launch.records.stops import OWNER, Reader
from slurm_ssh_spawner.launch.servers import Facts, Known, Phase, ServerView, State, is_worth_a_card, servers
from slurm_ssh_spawner.sentences import labels

_MOST_LAUNCHES = 60
_SHOWN_LAUNCHES = 10
_LONGER = 2


@dataclass(frozen=True)
class Past:
    """A launch that is over, as it is listed."""

    record: LaunchRecord
    title: str
    asked: Asked
    lasted: str
    why: str


@dataclass(frozen=True)
class Overview:
    """A person's servers, the most urgent first, their last launches, and the clusters that they are offered.

    `longer` has the times with which servers may be started again whose time was up, by launch.  `problem` is the
    sentence that says why something is missing, "" if nothing is.  `guests` has who may enter, by the name of a
    server that may be shared; `shared` are the servers of others that the person may enter.
    """

    servers: tuple[ServerView, ...]
    clusters: tuple[ClusterView, ...]
    past: tuple[Past, ...]
    longer: Mapping[str, str]
    problem: str = ""
    guests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: tuple[SharedServer, ...] = ()

    def of(self, server: str) -> ServerView | None:
        """Return what is known of a server by its name."""
        return next((view for view in self.servers if view.name == server), None)


async def overview(hub: Hub, user: Any, reader: Reader = OWNER, kept: LastRead | None = None) -> Overview:
    """Return what is known of a user's servers, as `reader` may know it; `user` is JupyterHub's.

    Who looks again and again brings what is `kept` of the records.
    """
    read = kept or hub.launcher.records
    records, problem = await _records(read, user.name)
    known, facts = known_to_jupyterhub(user), hub.availability.facts(user.name)
    goes_on = [record.job(hub.launcher.hub_name) for record in records if record.ended is None]
    catalogue = hub.catalogue.current
    views = servers(
        known,
        records,
        Facts(
            catalogue=catalogue,
            reports=hub.seen.of(user.name, goes_on, hub.watch.latest),
            unreachable={
                **{key: each.unreachable_since for key, each in facts.items() if each.unreachable_since},
                # Who has a server there hears of it without having looked at what is free.
                **{job.site_key: since for job in goes_on if (since := hub.watch.away_since(job))},
            },
            reader=reader,
        ),
    )
    titles = {each.name: each.title for each in known}
    return Overview(
        servers=await _with_logs(read, tuple(view for view in views if is_worth_a_card(view))),
        clusters=clusters(hub.offer(StartRequest.of(user, ""))),
        past=tuple(_past(hub, record, titles, reader) for record in records if record.ended)[:_SHOWN_LAUNCHES],
        longer={view.record.launch_id: _longer(view) for view in views if view.record},
        problem=problem,
        guests=_guests(hub, user, views),
        shared=shared_with(user),
    )


def _guests(hub: Hub, user: Any, views: tuple[ServerView, ...]) -> dict[str, tuple[str, ...]]:
    running = [user.spawners[view.name] for view in views if view.state is State.RUNNING]
    return {
        each.name: tuple(guest.name for guest in guests(each.orm_spawner))
        for each in running
        if each.ready and is_shareable(hub.catalogue.current, each.profile_key)
    }


async def _records(read: LaunchRecords | LastRead, user: str) -> tuple[tuple[LaunchRecord, ...], str]:
    try:
        return await read.recent(user, _MOST_LAUNCHES), ""
    except DatabaseAway as error:
        return (), error.message


async def _with_logs(read: LaunchRecords | LastRead, views: tuple[ServerView, ...]) -> tuple[ServerView, ...]:
    """Return them with the ends of the logs that their cards show."""
    over = {view.record.launch_id: view.record for view in views if view.record and view.record.ended}
    try:
        logs = await read.logs(list(over))
    except DatabaseAway:
        return views
    found = {launch_id: replace(over[launch_id], end_log=log) for launch_id, log in logs.items()}
    return tuple(
        replace(view, record=found.get(view.record.launch_id, view.record)) if view.record else view
        for view in views
    )


def known_to_jupyterhub(user: Any) -> tuple[Known, ...]:
    """Return a user's servers as JupyterHub has them, the default one first."""
    return tuple(
        Known(
            each.name,
            _title(each),
            _phase(each),
            utc(each.last_activity) if each.last_activity else None,
            getattr(each, "last_launch_id", None),
        )
        for each in user.all_spawners(include_default=True)
    )


def _title(spawner: Any) -> str:
    return str(spawner.display_name or spawner.name) or labels.DEFAULT_SERVER


def _phase(spawner: Any) -> Phase:
    # What JupyterHub does nothing with is a row of its database, which has no such attributes.
    pending = getattr(spawner, "pending", None)
    if pending == "spawn":
        return Phase.STARTING
    if pending == "stop":
        return Phase.STOPPING
    return Phase.UP if getattr(spawner, "ready", False) else Phase.OFF


def _past(hub: Hub, record: LaunchRecord, titles: Mapping[str, str], reader: Reader) -> Past:
    what = asked(hub.catalogue.current, record)
    ended = record.ended or record.begun
    lasted = lasting(int((ended - record.begun).total_seconds()) // 60)
    title = titles.get(record.server) or record.server or labels.DEFAULT_SERVER
    return Past(record, title, what, lasted, why_ended(record, what.site, reader))


def _longer(view: ServerView) -> str:
    """Return the time, as the form takes it, with which a server may run longer than it did; "" for none."""
    minutes = min(_LONGER * view.asked.minutes, view.asked.most_minutes)
    return say_minutes(minutes) if view.time_was_up and minutes > view.asked.minutes else ""
