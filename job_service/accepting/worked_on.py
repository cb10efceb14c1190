"""Which datasets somebody has chosen, and whether a job type takes them.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from job_service.accepting.wrong import Wrong
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.menu import Jobs
from profiles.conditions import Values
from profiles.offer.offer import Offer
from profiles.sentences import shown


@dataclass(frozen=True)
class Chosen:
    """The datasets that a description names and that there are, by id.

    `count` is how many were chosen with these, in the whole request.
    """

    known: Mapping[str, Dataset] = field(default_factory=dict)
    count: int = 0

    def placed(self, spec: JobSpec) -> JobSpec:
        """Return a description that names no system with that where its datasets are, if it is one."""
        systems = {self.known[each].system for each in spec.datasets if each in self.known} - {None}
        return replace(spec, system=systems.pop()) if spec.system is None and len(systems) == 1 else spec

    def of(self, spec: JobSpec) -> tuple[Dataset, ...]:
        """Return the datasets of a description, in its order; all of them are known."""
        return tuple(self.known[each] for each in spec.datasets)

    def parameters(self, spec: JobSpec) -> tuple[Values, ...]:
        """Return what is known of each dataset of a description, by name: of one that there is not, nothing."""
        return tuple(self.known[each].parameters if each in self.known else {} for each in spec.datasets)


def check(offer: Offer, key: str, site: str, spec: JobSpec, chosen: Chosen, wrong: Wrong) -> None:
    """See that a job type takes the datasets of a description at a site, as many as they are, in this way."""
    entry = cast(Jobs, offer.menu).entries[key]
    wanted = cast(Jobs, offer.menu).offering(key, site).datasets
    if wanted is None:
        if spec.datasets:
            wrong.add("datasets", sentences.NO_DATASETS.format(type=entry.name))
        return
    count = max(chosen.count, len(spec.datasets))
    if count < wanted.min:
        wrong.add("datasets", sentences.TOO_FEW_DATASETS.format(type=entry.name, least=wanted.min))
    if count > wanted.max:
        wrong.add("datasets", sentences.TOO_MANY_DATASETS.format(type=entry.name, most=wanted.max))
    if spec.datasets and spec.mode not in wanted.modes:
        modes = ", ".join(wanted.modes)
        wrong.add("mode", sentences.MODE.format(mode=spec.mode, type=entry.name, modes=modes))
    for each in spec.datasets:
        if why := _misfit(offer, entry.name, wanted.types, site, chosen.known.get(each), each):
            wrong.add("datasets", why)


def _misfit(offer: Offer, name: str, types: tuple[str, ...], site: str, dataset: Dataset | None, id_: str) -> str:
    if dataset is None:
        return sentences.NO_DATASET.format(dataset=shown(id_))
    if dataset.type not in types:
        return sentences.DATASET_TYPE.format(
            dataset=shown(id_), found=dataset.type, type=name, types=", ".join(types)
        )
    if dataset.system not in {None, site}:
        there = offer.menu.sites[dataset.system].title if dataset.system in offer.menu.sites else dataset.system
        return sentences.DATASET_ELSEWHERE.format(
            dataset=shown(id_), there=there, system=offer.menu.sites[site].title
        )
    return ""
