"""The catalogue as its files are now: a right edit is taken up at once, a wrong one told to admins."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from languages import for_log
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.site import Site
from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from profiles.sentences import loading

LOOK_SECONDS = 5
PATIENCE_SECONDS = 1
"""How long a form waits for the files at most: they may be large, or on a file system that hangs."""

HANG_SECONDS = 30
"""How long the files may take before admins are told that they cannot be read."""

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class LiveCatalogue:
    """Owner of the catalogue; what it gives out is always one that was read without a problem.

    Raises CatalogueInvalid if the file is wrong at the start.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = asyncio.Lock()
        self._since = datetime.now().astimezone()
        found = load.loaded(path)
        self._sources = found.sources
        self.current = found.catalogue
        self._sites = dict(self.current.sites)
        self._gateways = dict(self.current.gateways)
        self._wrong: str | None = None
        self._off = self._told(found)
        self._hangs: str | None = None
        self._is_read = True
        self._looks: set[asyncio.Task[None]] = set()
        self._next: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str | None:
        """A sentence for admins while the files cannot be used."""
        return self._hangs or self._wrong or self._off

    @property
    def sites(self) -> Mapping[str, Site]:
        """Every site known since the start, as last read, by its key; the same mapping for good.

        A site that was taken out stays: servers may still run there.
        """
        return self._sites

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """Every gateway known since the start, likewise."""
        return self._gateways

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was read from."""
        return tuple(self._sources.files)

    def follow(self) -> None:
        """Look at the files every LOOK_SECONDS: admins hear of a bad edit before anybody asks for a form."""
        self._following = self._following or asyncio.create_task(self._follow())

    async def close(self) -> None:
        """End the looking; a thread that hangs is left behind."""
        tasks = [*self._looks, *filter(None, (self._following,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def refreshed(self) -> Catalogue:
        """Return the catalogue, having read its files again if they changed; never raises for what is in them.

        The last one is returned while the files cannot be used, or take longer than PATIENCE_SECONDS.
        """
        await asyncio.wait((self._look(),), timeout=PATIENCE_SECONDS)
        return self.current

    def _look(self) -> asyncio.Task[None]:
        """Return a look at the files that has not begun yet, so that it sees every edit made before."""
        if self._next is None:
            self._next = asyncio.create_task(self._take_up())
            self._looks.add(self._next)
            self._next.add_done_callback(self._looks.discard)
        return self._next

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            look = self._look()
            await asyncio.wait((look,), timeout=HANG_SECONDS)
            if not look.done():
                self._hangs = loading.FILES_HANG.format(path=self._path, time=self._time)
                _log.error("%s", for_log(self._hangs))
                await asyncio.wait((look,))
                self._hangs = None

    async def _take_up(self) -> None:
        """Read the files if they changed; one at a time, and outliving whatever one look brings."""
        async with self._lock:
            self._next = None
            try:
                if not self._is_read or await _in_thread(self._sources.changed):
                    await self._read()
                    self._is_read = True
            except Exception as error:  # noqa: BLE001 - forms go on with the last one
                self._is_read = False
                sentence = loading.NOT_READ.format(reason=type(error).__name__, time=self._time, path=self._path)
                if self._wrong != sentence:
                    self._wrong = sentence
                    _log.exception("%s", for_log(sentence))

    async def _read(self) -> None:
        try:
            found = await _in_thread(partial(load.loaded, self._path))
        except CatalogueInvalid as error:
            self._sources = error.sources
            self._refuse(error)
            return
        self._sources, self.current = found.sources, found.catalogue
        self._sites.update(self.current.sites)
        self._gateways.update(self.current.gateways)
        self._since = datetime.now().astimezone()
        self._wrong, self._off = None, self._told(found)
        _log.info("The catalogue %s was read again.", self._path)

    def _told(self, found: load.Loaded) -> str | None:
        """Return the sentence about job types in XML that are off, having written it into the log."""
        for notice in found.notices:
            _log.info("%s", for_log(str(notice)))
        if not found.off:
            return None
        count = len({each.file for each in found.off})
        said = loading.types_off(count, problem=found.off[0], path=self._path)
        _log.error("%s", for_log(said))
        return said

    def _refuse(self, error: CatalogueInvalid) -> None:
        count, first = len(error.problems), error.problems[0]
        sentence = loading.CHANGED_MORE if count > 1 else loading.CHANGED
        self._wrong = sentence.format(problem=first, count=count, time=self._time, path=self._path)
        _log.error("%s", for_log(self._wrong))

    @property
    def _time(self) -> str:
        return f"{self._since:%Y-%m-%d %H:%M}"


async def _in_thread(function: Callable[[], Result]) -> Result:
    """Return what a function returns that may hang for good: its thread is a daemon, so the hub can end."""
    answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def hand_over(deliver: Callable[[], None]) -> None:
        if not answer.done():
            deliver()

    def work() -> None:
        deliver: Callable[[], None]
        try:
            deliver = partial(answer.set_result, function())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits
            deliver = partial(answer.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop ended before this did
            answer.get_loop().call_soon_threadsafe(hand_over, deliver)

    threading.Thread(target=work, daemon=True, name="catalogue").start()
    return await answer
