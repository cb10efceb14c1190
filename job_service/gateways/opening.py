"""The gateways of the catalogue, each opened as a Backend when it is first wanted."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from job_service.gateways.backend import Backend
from job_service.sentences import gateways as say
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Broken

Open = Callable[[Gateway], Backend]
"""Makes the Backend of a gateway of its kind; asks nobody yet."""


class Backends:
    """Owner of all Backends: `kinds` makes them; `gateways`, by their keys, may change at any time."""

    def __init__(self, gateways: Mapping[str, Gateway], kinds: Mapping[str, Open]) -> None:
        self.gateways = gateways
        self._kinds = kinds
        self.away: dict[str, datetime] = {}
        """The gateways that do not answer, as whoever asks them writes down, and since when."""
        self._opened: dict[str, tuple[Gateway, Backend]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __contains__(self, system: object) -> bool:
        """Whether a system is a gateway, or was one since the service began."""
        return system in self.gateways

    def title(self, system: str) -> str:
        """Return the name of a gateway for people."""
        return self.gateways[system].title if system in self.gateways else system

    def of(self, system: str) -> Backend:
        """Return the Backend of a gateway as the catalogue has it now.  Raises Broken if it has none."""
        gateway = self.gateways.get(system)
        if gateway is None or gateway.kind not in self._kinds:
            raise Broken(say.NOT_THERE.format(site=self.title(system)), system)
        known = self._opened.get(system)
        if known is None or known[0] != gateway:
            if known:
                self._let_go(known[1])
            known = self._opened[system] = (gateway, self._kinds[gateway.kind](gateway))
        return known[1]

    def _let_go(self, backend: Backend) -> None:
        closing = asyncio.create_task(backend.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Let go of all."""
        for _, backend in self._opened.values():
            self._let_go(backend)
        self._opened.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)
