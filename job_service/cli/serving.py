"""The process of the service: a socket, an event loop, and what ends it."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import uvicorn

from job_service.cli.conditions import CannotStart
from job_service.http.app import make_app
from job_service.http.auth import HubLogins, HubTokens
from job_service.http.hub_servers import HubServers
from job_service.sentences import serving as sentences
from job_service.service import Service, Settings, needs_tickets, opened
from languages import use_by_default
from languages.catalogues import SOURCE
from profiles.catalogue.site import Site
from profiles.loading import load

# asyncssh talks to the KDC in the loop's default executor; see the hub's composition.
_THREADS = 64
_THREADS_PER_FRONT_END = 16
_BACKLOG = 2048
_CLOSING_SECONDS = 20
"""How long requests that are under way may go on after SIGTERM, uploads above all."""

# Longer than the proxy keeps a connection that nobody uses: it must not send into one that is being closed.
_IDLE_SECONDS = 120
_TICKET_FOLDER_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_PARENT_SECONDS = 1.0

# Python's default is 10.  With 200 open pages a full collection takes a tenth of a second, in which nobody is
# answered, and finds some hundred values.
_COLLECTIONS_TO_A_FULL_ONE = 1000

# What a hub says only to a service that it starts, as it is in the reference deployment.
_API_URL = "http://127.0.0.1:8081/hub/api"
_PREFIX = "/services/jobs/"

_log = logging.getLogger(__name__)


async def serve(settings: Settings, listen: str, token: str) -> None:
    """Serve at an address until SIGTERM or SIGINT comes.

    Raises CannotStart, and what `service.opened` raises.
    """
    # What is kept of jobs is told by the API, whose language that is; pages say it in their reader's.
    use_by_default(SOURCE)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn has handlers of its own while it serves, and raises the signal again at its end: without these
        # the process would be gone before anything is closed.
        loop.add_signal_handler(number, ended.set)
    _raise_file_limit()
    with _listening(listen) as sock:
        await _tickets_are_there(settings, ended)
        if ended.is_set():
            return
        async with opened(settings) as service:
            _make_threads(service)
            await _answer(service, token, sock, ended)
    _log.info("The service has ended.")


async def _answer(service: Service, token: str, sock: socket.socket, ended: asyncio.Event) -> None:
    app = make_app(
        service,
        *_auth(os.environ, token),
        root_path=_place(os.environ),
        jobs_a_minute=service.settings.jobs_a_minute,
    )
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        # It would write queries, in which people put tokens.
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_CLOSING_SECONDS,
        backlog=_BACKLOG,
    )
    # All that is made by now stays: a collection that looks at it anew holds the loop up for a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _COLLECTIONS_TO_A_FULL_ONE)
    server = uvicorn.Server(config)
    _log.info("The service answers on %s:%d.", *sock.getsockname()[:2])
    ending = asyncio.create_task(_end(service, server, ended))
    try:
        await server.serve([sock])
    finally:
        ending.cancel()
        await asyncio.wait((ending,))


async def _end(service: Service, server: uvicorn.Server, ended: asyncio.Event) -> None:
    """Tell long answers, then the server, that it is over: at a signal, or when the hub that began it is gone."""
    watch = asyncio.create_task(_watch_parent(ended)) if "JUPYTERHUB_SERVICE_NAME" in os.environ else None
    try:
        await ended.wait()
    finally:
        if watch:
            watch.cancel()
    _log.info("The service ends; requests under way have %d s.", _CLOSING_SECONDS)
    service.closing.set()
    server.should_exit = True


async def _watch_parent(ended: asyncio.Event) -> None:
    """End with the process that started this one: the next hub starts a service of its own."""
    parent = os.getppid()
    while not ended.is_set():
        await asyncio.sleep(_PARENT_SECONDS)
        if os.getppid() != parent:
            ended.set()


def _auth(environ: Mapping[str, str], token: str) -> tuple[HubTokens, HubLogins, HubServers]:
    name, url = environ.get("JUPYTERHUB_SERVICE_NAME", "jobs"), environ.get("JUPYTERHUB_API_URL", _API_URL)
    logins = HubLogins(name, url, token, _place(environ))
    return HubTokens(name, url, token), logins, HubServers(url, logins.hub)


def _place(environ: Mapping[str, str]) -> str:
    """Return where the service lies on the hub."""
    return environ.get("JUPYTERHUB_SERVICE_PREFIX", _PREFIX).rstrip("/")


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    """Give a socket that has this address, and listens as soon as it is served."""
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None:
        raise CannotStart(sentences.NO_ADDRESS.format(text=repr(address)))
    try:
        sock = _bound(host, port)
    except OSError as error:
        raise CannotStart(sentences.CANNOT_LISTEN.format(address=address, reason=error.strerror)) from error
    with sock:
        yield sock


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio lets connections send at once only if it is told that they are TCP's: else the body of each answer
    # would wait for the acknowledgement of its head, some 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # The port of one that ended a moment ago is free.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


async def _tickets_are_there(settings: Settings, ended: asyncio.Event) -> None:
    """Return when the hub, which may just be starting, has made the folder of people's tickets, if any."""
    if settings.ticket_folder.exists() or not needs_tickets(await asyncio.to_thread(_sites, settings)):
        return
    end = time.monotonic() + _TICKET_FOLDER_SECONDS
    while True:
        if ended.is_set() or settings.ticket_folder.exists():
            return
        if time.monotonic() > end:
            raise CannotStart(sentences.NO_TICKETS.format(path=settings.ticket_folder))
        await asyncio.sleep(_LOOK_SECONDS)


def _sites(settings: Settings) -> Mapping[str, Site]:
    return load.read(settings.catalogue).sites


def _raise_file_limit() -> None:
    """Let this process open as many files as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _make_threads(service: Service) -> None:
    front_ends = sum(len(site.front_ends) for site in service.catalogue.sites.values())
    threads = max(_THREADS, _THREADS_PER_FRONT_END * front_ends)
    executor = ThreadPoolExecutor(threads, thread_name_prefix="jobs")
    asyncio.get_running_loop().set_default_executor(executor)
