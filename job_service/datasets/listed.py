"""A list of datasets in the catalogue."""

from collections.abc import Collection, Mapping

from job_service.datasets.source import Found, matching, page
from profiles.catalogue.dataset import Dataset, DatasetSource


class Listed:
    """The source for everybody: what is in a list is no secret, what is at its locations the sites protect."""

    def __init__(self, name: str, source: DatasetSource) -> None:
        self._datasets = {
            each.id: Dataset(f"{name}:{each.id}", each.name or each.id, each.type, each.location, each.parameters)
            for each in source.list or ()
        }

    async def search(self, text: str, type_: str | None, cursor: str | None) -> Found:
        """Return those of the list, in its order."""
        return page(matching(self._datasets.values(), text, type_), cursor)

    async def get(self, keys: Collection[str]) -> Mapping[str, Dataset]:
        """Return those of the list."""
        return {key: self._datasets[key] for key in keys if key in self._datasets}
