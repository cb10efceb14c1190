"""Notices: which maintenance is announced, as sentences above the form.  Pure."""

from collections.abc import Iterator
from datetime import datetime

from markupsafe import Markup, escape

from profiles.catalogue.maintenance import Maintenance
from profiles.facts import Pause
from profiles.form.table import Pairs
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals


def notices(offer: Offer, pairs: Pairs) -> Iterator[Markup]:
    """Yield what is announced for the sites of some pairs, and why those in maintenance now are, as HTML."""
    for key in pairs.all_sites:
        title, announced = offer.menu.sites[key].title, offer.announced(key)
        if now := offer.maintenance(key):
            sentence = refusals.IN_MAINTENANCE_FOR if now.text else refusals.IN_MAINTENANCE
            yield _said(sentence, site=title, time=_time(offer, now.ends), reason=now.text.rstrip("."))
        if announced:
            said = _said(labels.MAINTENANCE, site=title, **_times(offer, announced))
            yield Markup("{} {}").format(said, announced.text).strip()
        for pause, partitions in _pauses(offer, key):
            if announced is None or pause.ends <= announced.begins or announced.ends <= pause.begins:
                sentence = labels.MAINTENANCE_OF_PARTITIONS if partitions else labels.MAINTENANCE
                yield _said(sentence, site=title, partitions=", ".join(partitions), **_times(offer, pause))


def _said(sentence: str, **values: str) -> Markup:
    """Return a sentence with these values in it; what is not HTML yet is text."""
    return escape(sentence).format(**values)


def _times(offer: Offer, pause: Maintenance | Pause) -> dict[str, Markup]:
    return {"begins": _time(offer, pause.begins), "ends": _time(offer, pause.ends)}


def _time(offer: Offer, moment: datetime) -> Markup:
    return escape(offer.moment(moment))


def _pauses(offer: Offer, site: str) -> Iterator[tuple[Pause, tuple[str, ...]]]:
    """Yield what Slurm has announced, each with the titles of its partitions; none if it takes all."""
    offered = offer.menu.sites[site].partitions
    found: dict[Pause, list[str]] = {}
    for name in (*offered,) or (None,):
        title = (offered[name].title or name) if name else ""
        for pause in offer.pauses(site, name):
            if pause.begins > offer.now:
                found.setdefault(pause, []).append(title)
    for pause, titles in found.items():
        yield pause, () if len(titles) >= len(offered) else tuple(titles)
