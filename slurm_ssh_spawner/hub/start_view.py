"""What the pages of a start show, read once: two queries, and nobody is asked."""

from datetime import datetime
from typing import Any

from profiles.facts import UNKNOWN
from slurm_ssh.job import JobState
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.failures import LaunchFailed
from slurm_ssh_spawner.hub.overview import known_to_jupyterhub
from slurm_ssh_spawner.hub.shared import SETTING, Hub, StartRequest
from slurm_ssh_spawner.launch import forecast
from slurm_ssh_spawner.launch.elsewhere import elsewhere
from slurm_ssh_spawner.launch.faults import Fault, JobFailed, fault_of, said_of
from slurm_ssh_spawner.launch.patience import longer
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.servers import Facts, ServerView, State, servers
from slurm_ssh_spawner.launch.starting import Failure, StartView
from slurm_ssh_spawner.launch.steps import is_offered, steps


async def start_view(user: Any, server: str) -> StartView | None:
    """Return the start of a user's server that is under way or has failed last; `user` is JupyterHub's.

    None where there is none, and at a hub whose spawner is another one.
    """
    hub = getattr(user, "settings", {}).get(SETTING)
    if not isinstance(hub, Hub) or (server and server not in user.orm_spawners):
        return None
    spawner = user.spawners[server]
    is_under_way = spawner.pending == "spawn"
    if not is_under_way and (spawner.active or not spawner._failed):
        return None
    record = await _record(hub, spawner)
    view = _server(hub, user, spawner, record)
    if not is_under_way:
        return StartView(user.name, view, failure=_failure(spawner._spawn_future.exception(), view))
    return await _under_way(hub, user, spawner, view)


async def stopping(user: Any, server: str) -> ServerView | None:
    """Return a user's server that is being stopped; None at a hub whose spawner is another one."""
    hub = getattr(user, "settings", {}).get(SETTING)
    if not isinstance(hub, Hub):
        return None
    spawner = user.spawners[server]
    return _server(hub, user, spawner, await _record(hub, spawner))


async def _record(hub: Hub, spawner: Any) -> LaunchRecord | None:
    try:
        # One that ran before the hub started knows its job alone.
        launch_id = spawner.last_launch_id or spawner.launch_id
        return await hub.launcher.records.get(launch_id) if launch_id else None
    except DatabaseAway:
        return None


def _server(hub: Hub, user: Any, spawner: Any, record: LaunchRecord | None) -> ServerView:
    known = next(each for each in known_to_jupyterhub(user) if each.name == spawner.name)
    reports = {record.launch_id: spawner.how_far.report} if record and spawner.how_far else {}
    facts = Facts(hub.catalogue.current, reports, _unreachable(hub, user.name))
    return servers((known,), (record,) if record else (), facts)[0]


def _unreachable(hub: Hub, user: str) -> dict[str, Any]:
    facts = hub.availability.facts(user)
    return {key: each.unreachable_since for key, each in facts.items() if each.unreachable_since}


async def _under_way(hub: Hub, user: Any, spawner: Any, view: ServerView) -> StartView:
    progress, record, started = spawner.how_far, view.record, str(spawner.orm_spawner.started or "")
    if progress is None or record is None:
        return StartView(user.name, view, told=_told(progress) if progress else (), started=started)
    is_queued = view.state is State.WAITING and progress.report.state is JobState.PENDING
    return StartView(
        user.name,
        view,
        steps=steps(hub.catalogue.current, record, progress, await _last(hub, record)),
        told=_told(progress),
        output=progress.output,
        elsewhere=elsewhere(hub.offer(StartRequest.of(user, view.name)), record) if is_queued else None,
        may_wait_until=_longer(hub, record) if is_queued else None,
        started=started,
        lines=_lines(progress),
        before=_before(hub, record, progress) if is_queued else None,
    )


def _longer(hub: Hub, record: LaunchRecord) -> datetime | None:
    """Return until when its owner may have a launch waited for, None if no longer than it is."""
    catalogue = hub.catalogue.current
    if not is_offered(catalogue, record):
        return None
    what = catalogue.notebooks.offering(record.profile_key, record.site_key)
    return longer(record, what.queue_wait, what.queue_wait_max)


def _before(hub: Hub, record: LaunchRecord, progress: Progress) -> int | None:
    facts = hub.availability.facts(record.user).get(record.site_key, UNKNOWN)
    return forecast.place(facts, record.job_id or "", progress.report.reason)


async def _last(hub: Hub, record: LaunchRecord) -> Any:
    try:
        return await hub.launcher.records.stages_before(record.user, record.profile_key, record.site_key)
    except DatabaseAway:
        return ()


def _told(progress: Progress) -> tuple[str, ...]:
    """Return what was told besides the stages, which are steps."""
    of_stages = {f"{stage.name}: {stage.text}" for stage in progress.stages}
    return tuple(sentence for sentence in progress.sentences if sentence not in of_stages)


def _lines(progress: Progress) -> tuple[str, ...]:
    return tuple(str(stage) for stage in progress.stages)


def _failure(error: BaseException | None, view: ServerView) -> Failure:
    if not isinstance(error, LaunchFailed):
        # JupyterHub's own refusals say what to do; of other errors the log has more.
        said = getattr(error, "jupyterhub_message", "")
        return Failure(said or sentences.FAILED_UNSAID, said_of(Fault.OPEN, view.asked.site))
    cause = error.error
    fault = fault_of(cause)
    if fault is Fault.CLUSTER and not view.asked.site:
        # There is no record yet, and nobody knows which one.
        fault = Fault.OPEN
    if isinstance(cause, JobFailed):
        return Failure(cause.why, said_of(fault, view.asked.site), cause.quoted, cause.log_path)
    return Failure(error.sentence, said_of(fault, view.asked.site), cause.quoted)
