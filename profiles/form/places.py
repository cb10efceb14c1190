"""Places: what people read of each cluster before they choose it for what they ask for.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from profiles.catalogue.work import Work
from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, PartitionFacts, SiteFacts, could_hold, free_nodes
from profiles.offer import limits
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer
from profiles.sentences import labels

State = Literal["free", "busy", "away", "refused", "closed", "unknown"]
_NEWS = timedelta(minutes=1)
_ANYTHING = Choices()


@dataclass(frozen=True)
class Place:
    """A cluster beside a profile; `news` and `age` (how old the news are) may be "".

    `state` says what would become of a start: `free` at once, `busy` perhaps later, `away` the cluster does not
    answer, `refused` it did not let the person in lately, and may be tried anew, `closed` nothing can be started,
    which `news` says why, `unknown` nobody has been asked yet.
    """

    title: str
    state: State = "unknown"
    news: str = ""
    age: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can be chosen at all."""
        return self.state != "closed"

    @property
    def label(self) -> str:
        """All of it on one line."""
        return with_news(self.title, [each for each in (self.news, self.age) if each not in ("", labels.NOW)])


def with_news(title: str, news: Sequence[str]) -> str:
    """Return a title with what is to be known of it."""
    return labels.WITH_NEWS.format(title=title, news=", ".join(news)) if news else title


def place(offer: Offer, site: str, what: Work, asked: Choices = _ANYTHING) -> Place:
    """Return what people read of a site that is to start what is asked of this; its defaults for what is not."""
    offer = offer.as_run(site, what)
    entry, facts = offer.menu.sites[site], offer.facts_of(site)
    title, support = entry.title, entry.support
    if pause := offer.maintenance(site):
        return Place(title, "closed", labels.IN_MAINTENANCE.format(time=offer.clock(pause.ends)))
    if facts.refused:
        said = labels.REFUSED_ASK.format(said=facts.refused, support=support) if support else facts.refused
        return Place(title, "refused", said)
    if facts.unreachable_since is not None:
        return Place(title, "away", labels.UNREACHABLE.format(time=offer.clock(facts.unreachable_since)))
    if entry.projects == "accounting" and facts.projects == ():
        news = labels.NO_PROJECT_ASK.format(support=support) if support else labels.NO_PROJECT_CLOSES
        return Place(title, "closed", news)
    state, news = _known(offer, site, what, asked)
    return Place(title, state, news, _age(offer, facts) if news else "")


def _known(offer: Offer, site: str, what: Work, asked: Choices) -> tuple[State, str]:
    """Return what Slurm has said of the partitions that would be asked."""
    names = limits.partitions(offer, site, what) or (None,)
    real = {name: each for name in names if (each := offer.real_partition(site, name)) is not None}
    if not real:
        return "unknown", ""
    if ends := paused_until(offer, site, names):
        return "busy", labels.IN_MAINTENANCE.format(time=offer.clock(ends))
    if not _ever(what, real):
        return "closed", labels.TOO_SMALL
    return _now(_Job.of(offer, site, what, asked, _picked(names, real, asked)), what)


def paused_until(offer: Offer, site: str, partitions: Sequence[str | None]) -> datetime | None:
    """Return when the first of some partitions, all of which are in maintenance, is so no more; else None."""
    under_way = [
        [each.ends for each in offer.pauses(site, partition) if each.begins <= offer.now]
        for partition in partitions
    ]
    return min(map(max, under_way)) if all(under_way) else None


@dataclass(frozen=True)
class _Job:
    """What one start asks of a partition, for each of its nodes."""

    partition: PartitionFacts
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    gpu_type: str | None

    @classmethod
    def of(
        cls, offer: Offer, site: str, what: Work, asked: Choices, where: tuple[str | None, PartitionFacts]
    ) -> "_Job":
        name, partition = where
        numbers = {}
        for each, limit in limits.limits(offer, site, what, name).items():
            try:
                numbers[each] = limit.chosen(asked.get(each))
            except ChoiceRefused:
                numbers[each] = limit.bounds.default
        kinds = what.resources.gpu_types
        kind = asked.get("gpu_type") if asked.get("gpu_type") in kinds else next(iter(kinds), None)
        gpus = numbers["gpus"]
        return cls(partition, numbers["nodes"], numbers["cores"], numbers["memory"], gpus, kind if gpus else None)


def _picked(
    names: Sequence[str | None], real: Mapping[str | None, PartitionFacts], asked: Choices
) -> tuple[str | None, PartitionFacts]:
    """Return the partition that the start would go to, the default one if none of these is asked for."""
    name = asked.get("partition") if asked.get("partition") in real else names[0]
    return (name, real[name]) if name in real else next(iter(real.items()))


def _ever(what: Work, real: Mapping[str | None, PartitionFacts]) -> bool:
    """Return whether any partition has a node for the least of this, as far as their nodes are known."""
    asked = what.resources
    smallest = (asked.cores.least, asked.memory.least, asked.gpus.least, None)
    known = [each for each in real.values() if each.nodes]
    return not known or any(could_hold(each, *smallest) for each in known)


def _now(job: _Job, what: Work) -> tuple[State, str]:
    able = free_nodes(job.partition, job.cores, job.memory_mib, job.gpus, job.gpu_type)
    starts = able >= job.nodes
    text = labels.STARTS_AT_ONCE if starts else labels.LIKELY_TO_WAIT
    free = ", ".join(_free(job, with_gpus=bool(what.resources.gpus.most)))
    return ("free" if starts else "busy"), text.format(free=free)


def _free(job: _Job, *, with_gpus: bool) -> Iterator[str]:
    yield cores_of(job.partition)
    if with_gpus:
        kind, nodes = job.gpu_type, job.partition.nodes
        gpus = sum(n * free.gpus_of(kind) for n, free in _usable(job.partition))
        every = sum(each.count * each.whole.gpus_of(kind) for each in nodes)
        if every:
            yield labels.GPUS_OF.format(free=gpus, all=every, kind=kind or labels.LABELS["gpus"])


def cores_of(partition: PartitionFacts) -> str:
    """Return how many of a partition's cores are free, as `14 of 16 cores`."""
    cores = sum(count * free.cores for count, free in _usable(partition))
    return labels.CORES_OF.format(free=cores, all=sum(each.count * each.whole.cores for each in partition.nodes))


def _usable(partition: PartitionFacts) -> list[tuple[int, Capacity]]:
    return [(each.count, each.free) for each in partition.nodes if each.free and partition.is_up]


def _age(offer: Offer, facts: SiteFacts) -> str:
    if facts.asked_at is None:
        return ""
    age = offer.now - facts.asked_at
    if facts.is_stale:
        return labels.NO_NEWS_SINCE.format(time=offer.clock(facts.asked_at))
    return labels.MINUTES_AGO.format(minutes=age // timedelta(minutes=1)) if age >= _NEWS else labels.NOW
