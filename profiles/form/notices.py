"""Notices: which maintenance is announced, as sentences above the form.  Pure."""

from collections.abc import Iterator

from profiles.facts import Pause
from profiles.form.table import Pairs
from profiles.offer.offer import Offer
from profiles.sentences import labels


def notices(offer: Offer, pairs: Pairs) -> Iterator[str]:
    """Yield what is announced for the sites of some pairs, and why those in maintenance now are."""
    for key in pairs.all_sites:
        title, announced = offer.catalogue.sites[key].title, offer.announced(key)
        if closed := offer.closed(key):
            yield closed
        if announced:
            begins, ends = offer.clock(announced.begins), offer.clock(announced.ends)
            sentence = labels.MAINTENANCE.format(site=title, begins=begins, ends=ends)
            yield f"{sentence} {announced.text}".strip()
        for pause, partitions in _pauses(offer, key):
            if announced is None or pause.ends <= announced.begins or announced.ends <= pause.begins:
                begins, ends = offer.clock(pause.begins), offer.clock(pause.ends)
                sentence = labels.MAINTENANCE_OF_PARTITIONS if partitions else labels.MAINTENANCE
                yield sentence.format(site=title, partitions=", ".join(partitions), begins=begins, ends=ends)


def _pauses(offer: Offer, site: str) -> Iterator[tuple[Pause, tuple[str, ...]]]:
    """Yield what Slurm has announced, each with the titles of its partitions; none if it takes all."""
    offered = offer.catalogue.sites[site].partitions
    found: dict[Pause, list[str]] = {}
    for name in (*offered,) or (None,):
        title = (offered[name].title or name) if name else ""
        for pause in offer.pauses(site, name):
            if pause.begins > offer.now:
                found.setdefault(pause, []).append(title)
    for pause, titles in found.items():
        yield pause, () if len(titles) >= len(offered) else tuple(titles)
