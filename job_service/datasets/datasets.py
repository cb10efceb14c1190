"""All datasets that somebody can choose, whichever source has them."""

from collections.abc import Mapping, Sequence

from job_service.datasets import chosen
from job_service.datasets.folders import Folder, Listings, Reach
from job_service.datasets.listed import Listed
from job_service.datasets.source import AT_ONCE, Found, Source, no_cursor
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.dataset import Dataset, DatasetSource
from profiles.loading.live import LiveCatalogue
from profiles.offer.offer import Person


class Datasets:
    """Finds datasets in the sources of the catalogue as it is now, one person at a time."""

    def __init__(self, catalogue: LiveCatalogue, reach: Reach) -> None:
        self._catalogue = catalogue
        self._reach = reach
        self._listings = Listings(reach)
        self._lists: dict[str, tuple[DatasetSource, Listed]] = {}

    async def search(
        self, person: Person, text: str = "", type_: str | None = None, cursor: str | None = None
    ) -> Found:
        """Return datasets whose name or id has `text` in it, source by source; see Source.search.

        What the next source has comes with what those before have, if it fits into one answer.
        A site that does not answer is told in `problems`, with what others have.  Raises Invalid.
        """
        sources = self._sources(await self._catalogue.refreshed(), person)
        names = list(sources)
        first, _, within = (cursor or "").partition(":")
        if cursor is not None and (first not in sources or not within):
            raise no_cursor()
        begin = names.index(first) if cursor is not None else 0
        items: tuple[Dataset, ...] = ()
        problems: tuple[str, ...] = ()
        for name in names[begin:]:
            found = await sources[name].search(text, type_, within or None)
            within = ""
            if items and len(items) + len(found.items) > AT_ONCE:
                return Found(items, f"{name}:0", problems)
            items += found.items
            problems += found.problems
            if found.next_cursor is not None:
                return Found(items, f"{name}:{found.next_cursor}", problems)
        return Found(items, None, problems)

    async def get(self, person: Person, ids: Sequence[str]) -> Mapping[str, Dataset]:
        """Return those of these datasets that there are, by id.  Raises LaunchError."""
        if not ids:
            return {}
        sources = self._sources(await self._catalogue.refreshed(), person)
        keys: dict[str, list[str]] = {}
        for each in ids:
            name, _, key = each.partition(":")
            keys.setdefault(name, []).append(key)
        found: dict[str, Dataset] = {}
        for name in keys.keys() & sources.keys():
            known = await sources[name].get(keys[name])
            found.update({each.id: each for each in known.values()})
        return found

    async def write(self, user: str, system: str, path: str, datasets: Sequence[Dataset]) -> None:
        """Write which datasets were chosen into a file at a site, as its owner; see `chosen.place`.

        Raises LaunchError.
        """
        remote = self._reach(user, system)
        data, jobs = chosen.text(datasets), remote.site.jobs
        keep = jobs.keep if jobs else 0
        answer = await remote.run(chosen.writing(path, len(data), keep), data)
        if answer.status:
            folder = path.rpartition("/")[0].rpartition("/")[0]
            raise chosen.not_written(folder, remote.site.title, answer)

    def _sources(self, catalogue: Catalogue, person: Person) -> dict[str, Source]:
        taking = catalogue.jobs.taking_sites
        return {
            name: self._listed(name, source)
            if source.folder is None
            else Folder(name, source, source.sites or taking, person.name, self._listings)
            for name, source in catalogue.datasets.items()
        }

    def _listed(self, name: str, source: DatasetSource) -> Listed:
        """Return what is in a list, made once for as long as the catalogue stays the same."""
        known = self._lists.get(name)
        if known is None or known[0] is not source:
            known = self._lists[name] = (source, Listed(name, source))
        return known[1]
