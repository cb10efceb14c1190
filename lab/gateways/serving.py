"""A stand-in behind TLS, whose certificate may change while it runs."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from lab.gateways import faults
from lab.gateways.faults import Breaking, Connections
from lab.gateways.settings import Settings

_PARTING_SECONDS = 2
"""So long may answers that are on their way when it ends take."""


def _protocol(connections: Connections) -> type[H11Protocol]:
    """Return uvicorn's HTTP, which tells what connections there are: an ASGI application cannot end one."""

    class Known(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client:
                connections[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client:
                connections.pop(self.client, None)

    return Known


def _show(context: ssl.SSLContext, settings: Settings) -> None:
    """Have each new connection see the certificate that is to be shown then."""

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        other = faults.read(settings.folder).certificate
        if other:
            connection.context = _context_of(Path(other))

    context.sni_callback = choose


def _context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            print(f"https://{host}:{port}", flush=True)


def serve(app: ASGIApp, settings: Settings, is_submission: Callable[[Scope], bool]) -> None:
    """Answer until a signal comes; print the address first."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    connections: Connections = {}
    config = uvicorn.Config(
        Breaking(app, settings.folder, connections, is_submission),
        host=settings.host,
        port=settings.port,
        http=_protocol(connections),
        ws="none",
        lifespan="on",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        ssl_certfile=settings.certificate,
        timeout_graceful_shutdown=_PARTING_SECONDS,
    )
    config.load()
    if config.ssl is not None:
        _show(config.ssl, settings)
    _Server(config).run()
