"""The catalogue as its files are now: a right edit is taken up at once, a wrong one told to admins."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TypeVar

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.site import Site
from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from profiles.sentences import mistakes

LOOK_SECONDS = 5

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class LiveCatalogue:
    """Owner of the catalogue; what it gives out is always one that was read without a problem.

    `problem` is a sentence for admins while the files cannot be used, else None.
    Raises CatalogueInvalid if the file is wrong at the start.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # One of its own: the loop's threads may all be waiting for a KDC.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalogue")
        self._lock = asyncio.Lock()
        self._since = datetime.now().astimezone()
        found = load.loaded(path)
        self._sources = found.sources
        self.current = found.catalogue
        self._sites = dict(self.current.sites)
        self.problem: str | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def sites(self) -> Mapping[str, Site]:
        """Every site known since the start, as last read, by its key; the same mapping for good.

        A site that was taken out stays: servers may still run there.
        """
        return self._sites

    def follow(self) -> None:
        """Look at the files every LOOK_SECONDS: admins hear of a bad edit before anybody asks for a form."""
        self._following = self._following or asyncio.create_task(self._follow())

    async def close(self) -> None:
        """End the looking."""
        if self._following:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        self._thread.shutdown(wait=False)

    async def refreshed(self) -> Catalogue:
        """Return the catalogue, having read its files again if they changed."""
        async with self._lock:
            if await self._in_thread(self._sources.changed):
                await self._read()
        return self.current

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.refreshed()

    async def _read(self) -> None:
        try:
            found = await self._in_thread(partial(load.loaded, self._path))
        except CatalogueInvalid as error:
            self._sources = error.sources
            self._refuse(error)
            return
        self._sources, self.current = found.sources, found.catalogue
        self._sites.update(self.current.sites)
        self._since = datetime.now().astimezone()
        self.problem = None
        _log.info("The catalogue %s was read again.", self._path)

    def _refuse(self, error: CatalogueInvalid) -> None:
        count, first = len(error.problems), error.problems[0]
        sentence = mistakes.CHANGED_MORE if count > 1 else mistakes.CHANGED
        time = f"{self._since:%Y-%m-%d %H:%M}"
        self.problem = sentence.format(problem=first, count=count, time=time, path=self._path)
        _log.error("%s", self.problem)

    async def _in_thread(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
