"""What the form's script is told: the page begins with what it shows first, the rest follows as JSON.  Pure."""

import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from profiles.catalogue.work import Listed, Work
from profiles.form import markdown
from profiles.form.fields import Field
from profiles.form.places import Place
from profiles.form.preview import preview
from profiles.form.table import Pairs
from profiles.offer import limits
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals

_LONGEST_SHORT = 120
_LONGEST_SEARCHED = 2000
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Marked(Offer):
    """An offer whose texts hold moments that are not said yet, in braces: a reader's clock says them."""

    def clock(self, moment: datetime) -> str:
        """Return a moment as `{2026-03-02T19:00:00+00:00}`."""
        return f"{{{moment.astimezone(UTC).isoformat(timespec='seconds')}}}"

    def moment(self, moment: datetime) -> str:
        """Return the same."""
        return self.clock(moment)


def _marked(offer: Offer) -> Offer:
    return _Marked(offer.menu, offer.facts, offer.person, offer.now, offer.datasets)


def data(offer: Offer) -> dict[str, Any]:
    """Return what the form's script needs to know of all profiles that a person sees, as JSON values.

    A moment in a text stands in braces, as `{2026-03-02T19:00:00+00:00}`.

    `fields` and `places` hold each distinct one once; `profiles` has for each profile what people read of it, and
    for each of its sites the index of the site's place and those of its fields.  `search` is all text by which a
    profile may be found, in small letters.
    """
    marked = _marked(offer)
    pairs = Pairs.of(marked)
    return _of_pairs(marked, pairs)


def brought(offer: Offer, pairs: Pairs, profile: str) -> dict[str, Any]:
    """Return the same of the profile that is shown first; `pairs` are all of the offer."""
    marked = _marked(offer)
    elsewhere = {"elsewhere": _elsewhere(pairs)}
    return _of_pairs(marked, Pairs.of(marked, (profile,))) | elsewhere


def looked_at(offer: Offer, choices: Choices) -> dict[str, Any]:
    """Return the same of one profile alone, the one chosen, with what would come of these choices (`preview`).

    What is free is then meant for them.
    """
    picked = choices.get(offer.menu.field) or next(iter(offer.entries()), "")
    marked = _marked(offer)
    pairs = Pairs.of(marked, (picked,) if picked in offer.menu.entries else (), choices)
    return {**_of_pairs(marked, pairs), "preview": preview(marked, choices)}


def _of_pairs(offer: Offer, pairs: Pairs) -> dict[str, Any]:
    fields: dict[int, int] = {}
    places: dict[int, int] = {}
    told = {}
    for key in pairs.sites:
        sites = {}
        for site in pairs.sites[key]:
            at, indexes = pairs.at(key, site)
            sites[site] = (_renumbered(places, at), [_renumbered(fields, index) for index in indexes])
        told[key] = {**_told_of(offer, key), "sites": sites}
    return {
        "fields": [_told_field(pairs.fields[index]) for index in fields],
        "places": [_told_place(pairs.places[index]) for index in places],
        "elsewhere": _elsewhere(pairs),
        "profiles": told,
    }


def _elsewhere(pairs: Pairs) -> dict[str, Any]:
    """Return what is read of each site where the profile picked is not offered."""
    return {key: _told_place(pairs.elsewhere(key)) for key in pairs.all_sites}


def of_entry(pairs: Pairs, entry: str, without: Collection[str]) -> dict[str, Any]:
    """Return which fields one entry has at each site, as JSON values; moments in their texts are said.

    `fields` are those that any site has, but for those `without` which the form is; `sites` has for each site the
    indexes of its own.
    """
    numbers = {at: number for number, at in enumerate(_seen(pairs, entry, without))}
    return {
        "fields": [_told_field(pairs.fields[at]) for at in numbers],
        "sites": {
            site: [numbers[at] for at in pairs.at(entry, site)[1] if at in numbers] for site in pairs.sites[entry]
        },
    }


def _seen(pairs: Pairs, entry: str, without: Collection[str]) -> dict[int, None]:
    indexes = (at for site in pairs.sites[entry] for at in pairs.at(entry, site)[1])
    return {at: None for at in indexes if pairs.fields[at].name not in without}


def description(offer: Offer, profile: str) -> Markup:
    """Return what a profile is for as HTML, with its icon."""
    entry = offer.menu.entries[profile]
    icon = (
        Markup('<i class="fa fa-{} fa-2x me-3" aria-hidden="true"></i>').format(entry.icon) if entry.icon else ""
    )
    text = Markup("<div>{}</div>").format(markdown.to_html(entry.description)) if entry.description else ""
    return Markup("{}{}").format(icon, text)


def in_a_script(values: dict[str, Any]) -> Markup:
    """Return JSON that can stand in a script element."""
    return Markup(json.dumps(values, separators=(",", ":")).replace("<", "\\u003c"))  # noqa: S704 - no < is left


def _told_of(offer: Offer, key: str) -> dict[str, Any]:
    entry, running = offer.menu.entries[key], offer.person.running.get(key, 0)
    is_full = entry.most is not None and running >= entry.most
    plain = markdown.to_html(entry.description).striptags()
    return {
        "name": entry.name,
        "category": entry.heading,
        "description": description(offer, key),
        "short": plain if len(plain) <= _LONGEST_SHORT else f"{plain[:_LONGEST_SHORT]}…",
        "gets": _gets(offer, key, offer.sites(key)[0]),
        "search": _searched(entry, plain),
        "full": refusals.servers_max(running, entry.name) if is_full else "",
    }


def _gets(offer: Offer, key: str, site: str) -> str:
    """Return what a launch gets if nothing is chosen, whatever the partitions have at present."""
    what = offer.offering(key, site)
    partition = next(iter(what.partitions or offer.menu.sites[site].partitions), None)
    entry = offer.menu.sites[site].partitions.get(partition) if partition else None
    asked = {name: limits.bounds_in(what, entry, name).default for name in limits.NUMBERS}
    parts = [refusals.cores(asked["cores"]), labels.memory(asked["memory"])]
    parts += [refusals.gpus(asked["gpus"], None)] if asked["gpus"] else []
    parts += [labels.nodes(asked["nodes"])] if asked["nodes"] > 1 else []
    return ", ".join([*parts, labels.duration(asked["time"])])


def _searched(entry: Listed, plain: str) -> str:
    words = [entry.name, entry.heading, plain]
    for what in (entry, *entry.at_sites.values()):
        words += _words(what)
    return " ".join(dict.fromkeys(word for word in words if word)).lower()[:_LONGEST_SEARCHED]


def _words(what: Work) -> Iterable[str]:
    yield from what.modules
    yield from (each.title for each in what.parameters.values())
    for kernel in getattr(what, "kernels", ()):
        yield getattr(kernel, "name", "")
        yield from (found[0] for each in getattr(kernel, "requirements", ()) if (found := _PACKAGE.match(each)))
        yield from getattr(kernel, "kernelspecs", ())
        yield from getattr(kernel, "modules", ())


def _renumbered(numbers: dict[int, int], index: int) -> int:
    """Return the number of an index among those that are told, in the order in which they were met."""
    return numbers.setdefault(index, len(numbers))


def _told_place(place: Place) -> dict[str, str | bool]:
    return {
        "title": place.title,
        "state": place.state,
        "news": place.news,
        "age": place.age,
        "label": place.label,
    }


def _told_field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "options": field.options,
        "least": field.least,
        "most": field.most,
        "default": field.default,
        "usual": field.usual,
        "hint": field.hint,
    }
