"""What must hold between sources of datasets, the sites, and the job types that take datasets.  Pure."""

from collections.abc import Collection, Iterator

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.dataset import IDS_PLACE, PLACE
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.spelling import meant
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import checks, mistakes

Path = tuple[str, ...]


def misfits(catalogue: Catalogue, known_sites: Collection[str] | None, *, all_sources: bool) -> Iterator[WrongAt]:
    """Yield sites that sources name in vain, types that no source has, and `{dataset}` where it means nothing.

    `known_sites` are as for `names.misfits`; `all_sources`: whether all sources could be read.
    """
    for key, source in catalogue.datasets.items():
        for index, name in enumerate(source.sites):
            path = ("datasets", key, "sites", str(index))
            if known_sites is not None and name not in known_sites:
                yield WrongAt(path, checks.NO_SITE.format(name=name, hint=meant(name, known_sites)))
            elif name in catalogue.sites and catalogue.sites[name].jobs is None:
                yield WrongAt(path, checks.TAKES_NO_JOBS.format(site=name))
    types = {each: None for source in catalogue.datasets.values() for each in sorted(source.types)}
    for key, entry in catalogue.job_types.items():
        own = ("job_types", key)
        yield from _of_offering(own, entry, entry, types if all_sources else None)
        for site, there in entry.sites.items():
            whole = entry.overridden(there)
            written = there.model_fields_set & {"run", "datasets"}
            if written:
                yield from _of_offering((*own, "sites", site), there, whole, types if all_sources else None)


def _of_offering(
    path: Path, written: JobOffering, whole: JobOffering, types: Collection[str] | None
) -> Iterator[WrongAt]:
    """Yield what is wrong with what is written at a path, and of which the whole is what holds there."""
    wanted = whole.datasets
    if written.datasets is not None and types is not None:
        for index, name in enumerate(written.datasets.types):
            if name not in types:
                text = mistakes.NO_DATASET_TYPE.format(name=name, hint=meant(name, types))
                yield WrongAt((*path, "datasets", "types", str(index)), text)
    for index, word in enumerate(whole.run or ()):
        if PLACE not in word and IDS_PLACE not in word:
            continue
        at = (*path, "run", str(index)) if written.run is not None else (*path, "datasets")
        if wanted is None:
            place = PLACE if PLACE in word else IDS_PLACE
            yield WrongAt(at, mistakes.DATASET_WITHOUT_ONE.format(place=place))
        elif PLACE in word and ("single" in wanted.modes or wanted.min == 0):
            yield WrongAt(at, mistakes.DATASET_OF_SEVERAL.format())
