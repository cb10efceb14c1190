"""Datasets that are files and folders at sites, listed there as the person who looks."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence

from job_service.datasets.source import Found, matching, page
from job_service.sentences import datasets as say
from kernels.shell import Shell, quote
from profiles.catalogue.dataset import Dataset, DatasetSource
from slurm_ssh.errors import Broken, LaunchError
from slurm_ssh.ssh.remote import Remote

MOST = 2000
"""How many names of a folder are listed."""

KEPT_SECONDS = 60.0
"""For how long a listing is good."""

Reach = Callable[[str, str], Remote]
"""Returns a person's access to a site.  Raises Broken if there is none of that name."""

_LISTINGS = 200
_NOT_THERE = 20
_BYTES = (MOST + 1) * 256 * 2


def listing(folder: str, pattern: str | None) -> Shell:
    """Return the program that prints the names in a folder, one more than MOST at most; no hidden ones.

    Names with control characters are left out: nobody could tell where they end.
    """
    named = f" -name {quote(pattern)}" if pattern else ""
    return Shell(
        f"[ -d {quote(folder)} ] || exit {_NOT_THERE}\n"
        f"cd -- {quote(folder)} && [ -r . ] || exit 1\n"
        f"LC_ALL=C find . -mindepth 1 -maxdepth 1{named} ! -name '.*' ! -name '*[[:cntrl:]]*' -printf '%f\\n'"
        f" | head -n {MOST + 1}\n"
    )


class Listings:
    """Owner of what was listed lately: of each person, source and site, the names in the folder."""

    def __init__(self, reach: Reach, clock: Callable[[], float] = time.monotonic) -> None:
        self._reach = reach
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str, str, str], tuple[float, tuple[str, ...]]] = OrderedDict()

    async def names(self, user: str, system: str, folder: str, pattern: str | None) -> tuple[str, ...]:
        """Return the names in a person's folder, by name; {owner} in it is their login there.

        Raises LaunchError.
        """
        key = (user, system, folder, pattern or "")
        kept = self._kept.get(key)
        if kept and self._clock() - kept[0] < KEPT_SECONDS:
            return kept[1]
        remote = self._reach(user, system)
        place = folder.replace("{owner}", remote.login.owner).rstrip("/")
        answer = await remote.run(listing(place, pattern), limit_bytes=_BYTES)
        if answer.status not in {0, _NOT_THERE}:
            raise Broken(say.NOT_LISTED.format(folder=place, site=remote.site.title), answer.stderr.strip())
        names = tuple(
            sorted(name for name in answer.stdout.splitlines() if name.isprintable() and "�" not in name)
        )
        self._kept[key] = (self._clock(), names if answer.status == 0 else ())
        self._kept.move_to_end(key)
        while len(self._kept) > _LISTINGS:
            self._kept.popitem(last=False)
        return self._kept[key][1]

    def owner(self, user: str, system: str) -> str:
        """Return a person's login at a site.  Raises Broken."""
        return self._reach(user, system).login.owner


class Folder:
    """The source as one person sees it; a key is `<site>/<name>`."""

    def __init__(
        self, name: str, source: DatasetSource, sites: Sequence[str], user: str, listings: Listings
    ) -> None:
        """`sites` are those that have the folder."""
        self._name = name
        self._source = source
        self._sites = sites
        self._user = user
        self._listings = listings

    async def search(self, text: str, type_: str | None, cursor: str | None) -> Found:
        """Return those of all its sites that answer, site by site."""
        if type_ not in {None, self._source.type}:
            return Found(())
        answers = await asyncio.gather(*(self._at(site) for site in self._sites), return_exceptions=True)
        found: list[Dataset] = []
        problems = []
        for answer in answers:
            if isinstance(answer, LaunchError):
                problems.append(answer.message)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += answer[:MOST]
                if len(answer) > MOST:
                    problems.append(say.TOO_MANY.format(most=MOST, source=self._name))
        some = page(matching(found, text, type_), cursor)
        return Found(some.items, some.next_cursor, tuple(problems))

    async def get(self, keys: Collection[str]) -> Mapping[str, Dataset]:
        """Return those that are there."""
        wanted = {key.partition("/")[0] for key in keys} & set(self._sites)
        found = {}
        for site in sorted(wanted):
            known = {each.id.partition(":")[2]: each for each in await self._at(site)}
            found.update({key: known[key] for key in keys if key in known})
        return found

    async def _at(self, site: str) -> list[Dataset]:
        source = self._source
        folder = source.folder or ""
        names = await self._listings.names(self._user, site, folder, source.pattern)
        place = folder.replace("{owner}", self._listings.owner(self._user, site)).rstrip("/")
        return [
            Dataset(f"{self._name}:{site}/{name}", name, source.type or "", f"{place}/{name}", {}, site)
            for name in names
        ]
