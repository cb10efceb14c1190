"""Everything that is changed about JupyterHub's routes, and the moment at which a hub with our spawner starts."""

from collections.abc import Iterable
from functools import partial
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import batchspawner.api
from jupyterhub.apihandlers.shares import (
    GroupShareAPIHandler,
    ServerShareAPIHandler,
    ServerShareCodeAPIHandler,
    UserShareAPIHandler,
)
from jupyterhub.apihandlers.users import UserAPIHandler, UserServerAPIHandler
from jupyterhub.app import JupyterHub
from jupyterhub.handlers.base import BaseHandler, UserUrlHandler
from jupyterhub.handlers.metrics import MetricsHandler
from jupyterhub.handlers.pages import (
    AcceptShareHandler,
    HomeHandler,
    ProxyErrorHandler,
    SpawnHandler,
    SpawnPendingHandler,
)
from jupyterhub.handlers.static import CacheControlStaticFilesHandler
from jupyterhub.utils import url_path_join

from languages import requests
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import database_errors, form_scripts, moments, quiet
from slurm_ssh_spawner.hub.ask_again import AskAgain
from slurm_ssh_spawner.hub.changes import Changes
from slurm_ssh_spawner.hub.forecast_api import ForecastHandler
from slurm_ssh_spawner.hub.form_page import FormHandler
from slurm_ssh_spawner.hub.give_up import GiveUp, GiveUpByAdmin
from slurm_ssh_spawner.hub.home import ForgetServer, HomePage, NewServer, ServerPart, ServersPart, StopServer
from slurm_ssh_spawner.hub.job_reports import LaunchReportHandler
from slurm_ssh_spawner.hub.keep_waiting import KeepWaiting
from slurm_ssh_spawner.hub.launch_end_api import LaunchEndHandler
from slurm_ssh_spawner.hub.launches_api import LaunchesHandler
from slurm_ssh_spawner.hub.launches_page import (
    AnnouncementForm,
    LaunchesPage,
    LaunchesTable,
    LaunchPage,
    announcement,
)
from slurm_ssh_spawner.hub.metrics import SitesMetricsHandler
from slurm_ssh_spawner.hub.not_there import ProxyError, ServerAddress
from slurm_ssh_spawner.hub.offer_api import OfferHandler
from slurm_ssh_spawner.hub.open_page import OpenPage
from slurm_ssh_spawner.hub.passage import Passage
from slurm_ssh_spawner.hub.presets import ForgetPreset, SavePreset
from slurm_ssh_spawner.hub.removal import UserHandler
from slurm_ssh_spawner.hub.script_api import ScriptHandler
from slurm_ssh_spawner.hub.server_api import ServerHandler
from slurm_ssh_spawner.hub.share_api import GroupShares, ServerShareCodes, ServerShares, UserShares
from slurm_ssh_spawner.hub.share_pages import AcceptInvitation, Invite, Leave, SharePage, TakeBack
from slurm_ssh_spawner.hub.start_pages import CancelStart, StartAddress, StartPart
from slurm_ssh_spawner.hub.start_view import start_view, stopping
from slurm_ssh_spawner.launch.starting import ticking, took
from slurm_ssh_spawner.sentences import admin, copying, guest_labels, labels
from slurm_ssh_spawner.sentences import guests as guest_sentences

_original = JupyterHub.init_handlers

Route = tuple[Any, ...]
"""A pattern, a handler and what the handler is given, as tornado has it."""

_STATIC = str(files(__package__) / "static")
_OURS: tuple[Route, ...] = (
    (r"/api/launches", LaunchesHandler),
    (r"/api/launches/([0-9a-f]{12})", LaunchReportHandler),
    (r"/api/launches/([0-9a-f]{12})/end", LaunchEndHandler),
    (r"/api/offer", OfferHandler),
    (r"/api/offer/ask-again", AskAgain),
    (r"/api/forecast", ForecastHandler),
    (r"/api/job-script", ScriptHandler),
    (r"/api/passage", Passage),
    (r"/launches", LaunchesPage),
    (r"/launches\.csv", LaunchesTable),
    (r"/launches/announcement", AnnouncementForm),
    (r"/launches/([0-9a-f]{12})", LaunchPage),
    (r"/launches/([0-9a-f]{12})/stop", GiveUpByAdmin),
    (r"/home/servers", ServersPart),
    (r"/home/changes", Changes),
    (r"/home/server", ServerPart),
    (r"/home/new", NewServer),
    (r"/home/stop", StopServer),
    (r"/home/forget", ForgetServer),
    (r"/home/give-up", GiveUp),
    (r"/home/keep-waiting", KeepWaiting),
    (r"/home/start", StartPart),
    (r"/home/cancel", CancelStart),
    (r"/open", OpenPage),
    (r"/presets", SavePreset),
    (r"/presets/forget", ForgetPreset),
    form_scripts.ROUTE,
    (r"/share", SharePage),
    (r"/share/invite", Invite),
    (r"/share/take-back", TakeBack),
    (r"/share/leave", Leave),
    (r"/launch-pages/([a-z_]+\.(?:js|css))", CacheControlStaticFilesHandler, {"path": _STATIC}),
)
_REPLACED = {
    UserServerAPIHandler: ServerHandler,
    UserAPIHandler: UserHandler,
    HomeHandler: HomePage,
    SpawnHandler: FormHandler,
    MetricsHandler: SitesMetricsHandler,
    UserUrlHandler: ServerAddress,
    ProxyErrorHandler: ProxyError,
    SpawnPendingHandler: StartAddress,
    AcceptShareHandler: AcceptInvitation,
    ServerShareAPIHandler: ServerShares,
    ServerShareCodeAPIHandler: ServerShareCodes,
    UserShareAPIHandler: UserShares,
    GroupShareAPIHandler: GroupShares,
}
# Through this one a job's token may set any attribute of its spawner.
_REMOVED = (batchspawner.api.BatchSpawnerAPIHandler,)


def arranged(routes: Iterable[Route], prefix: str) -> list[Route]:
    """Return a hub's routes as they are with our spawner: ours first, some replaced, one removed."""
    ours = [(url_path_join(prefix, pattern), *rest) for pattern, *rest in _OURS]
    kept = (route for route in routes if route[1] not in _REMOVED)
    return [*ours, *((pattern, _REPLACED.get(handler, handler), *rest) for pattern, handler, *rest in kept)]


def install() -> None:
    """Arrange the routes of every JupyterHub of this process whose spawner is ours; a second call changes nothing.

    Such a spawner has a method `hub_starts`, which is told of the application then.  JupyterHub has no hook for
    either, and it makes its routes before it looks at the servers that run.  It imports every spawner that is
    installed, so a hub with another one is left as it is.
    """
    JupyterHub.init_handlers = _init_handlers


def _init_handlers(app: Any) -> None:
    _original(app)
    if begin := getattr(app.spawner_class, "hub_starts", None):
        database_errors.install()
        quiet.install(app.log)
        requests.install(BaseHandler, app.tornado_settings)
        app.handlers = arranged(app.handlers, app.hub_prefix)
        # What our templates say; an admin's own variables stay.
        variables = app.tornado_settings.get("template_vars", {})
        app.tornado_settings["template_vars"] = {
            "launch_sentences": sentences,
            "launch_copying": copying,
            "launch_labels": labels,
            # JupyterHub calls what can be called of these itself, with the user.
            "launch_pages": SimpleNamespace(
                start=start_view, stopping=stopping, moments=moments.functions, took=took, ticking=ticking
            ),
            "launch_admin": admin,
            "launch_guests": SimpleNamespace(say=guest_sentences, label=guest_labels),
            "launch_announcement": partial(announcement, app),
            **variables,
        }
        begin(app)
