"""The options form: an offer as HTML, and what the browser sends back as Choices.  Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from profiles.errors import ChoiceRefused
from profiles.facts import Pause
from profiles.form import markdown
from profiles.form.fields import Field
from profiles.form.table import Pairs
from profiles.offer.choices import FIELDS, Choices
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals, shown

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("profiles.form"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

# So many profiles can be named beside a field that only they have.
_FEW = 3
# JupyterHub's own fields in the same HTML form.
_NOT_OURS = frozenset({"_xsrf"})


@dataclass(frozen=True)
class _Shown:
    """One field as the page begins with it: for the picked pair, or for all pairs that have it."""

    name: str
    label: str
    is_list: bool
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    least: int | None
    most: int | None
    default: str
    hint: str


@dataclass(frozen=True)
class Addresses:
    """Where the browser finds the form's script, static/options_form.js, and what that asks for: `data`."""

    script: str
    offer: str


def render(
    offer: Offer,
    typed: Mapping[str, str],
    refused: ChoiceRefused | None = None,
    addresses: Addresses | None = None,
) -> str:
    """Return the fields of the form as HTML, filled with `typed`, the refused one marked with its sentence.

    With `addresses` it brings the data of the profile that is shown first.  Without JavaScript the form has every
    field that any profile has at any site, and the server decides.  The surrounding form element and its button
    are JupyterHub's.
    """
    pairs = Pairs.of(offer)
    if not pairs.sites:
        return _TEMPLATES.get_template("nothing.html.jinja").render(labels=labels)
    profile = typed["profile"] if typed.get("profile") in pairs.sites else next(iter(pairs.sites))
    site = typed["site"] if typed.get("site") in pairs.sites[profile] else _first_open(offer, pairs, profile)
    shown = [_shown(offer, name, pairs, profile, site) for name in _order(pairs)]
    return _TEMPLATES.get_template("options_form.html.jinja").render(
        labels=labels,
        profiles={key: offer.catalogue.profiles[key].name for key in pairs.sites},
        sites={key: (pairs.site_label(profile, key), offer.closed(key) is not None) for key in pairs.all_sites},
        description=_description(offer, profile),
        notices=list(_notices(offer, pairs)),
        picked={"profile": profile, "site": site},
        fields=shown,
        typed=typed,
        refused=refused,
        known={"profile", "site", *(field.name for field in shown)},
        data=_in_a_script(_data(offer, pairs, (profile,))) if addresses else "",
        addresses=addresses,
    )


def data(offer: Offer) -> dict[str, Any]:
    """Return what the form's script needs to know of all profiles that a person sees, as JSON values.

    `fields` and `labels` hold each distinct one once; `profiles` has for each profile its description, and for
    each of its sites the index of the site's label and those of its fields.
    """
    pairs = Pairs.of(offer)
    return _data(offer, pairs, pairs.sites)


def parse(sent: Mapping[str, Sequence[str]]) -> Choices:
    """Return the choices in a posted form (field name to its values, as tornado gives them).

    Raises ChoiceRefused for a field sent twice, an unknown field or a file.
    """
    given: dict[str, str] = {}
    for name, values in sent.items():
        if name in _NOT_OURS:
            continue
        if len(values) != 1:
            raise ChoiceRefused(name, refusals.SENT_TWICE.format(name=shown(name)))
        given[name] = values[0]
    return Choices.of(given)


def _first_open(offer: Offer, pairs: Pairs, profile: str) -> str:
    return next((site for site in pairs.sites[profile] if offer.closed(site) is None), pairs.sites[profile][0])


def _order(pairs: Pairs) -> list[str]:
    names = dict.fromkeys(field.name for field in pairs.fields)
    return [name for name in FIELDS if name in names] + [name for name in names if name not in FIELDS]


def _shown(offer: Offer, name: str, pairs: Pairs, profile: str, site: str) -> _Shown:
    """Return a field that takes what any pair takes, said as the picked pair says it."""
    everywhere = [field for field in pairs.fields if field.name == name]
    here = next((field for field in pairs.of_pair(profile, site) if field.name == name), None)
    said = here or everywhere[0]
    is_list = all(field.options is not None for field in everywhere)
    least = min((field.least for field in everywhere if field.least is not None), default=None)
    most = max((field.most for field in everywhere if field.most is not None), default=None)
    is_number = all(field.least is not None for field in everywhere)
    return _Shown(
        name,
        said.label,
        is_list,
        _groups(name, pairs, everywhere) if is_list else (),
        least if is_number else None,
        most if is_number else None,
        here.default if here else "",
        _hint(offer, pairs, said, is_list),
    )


def _hint(offer: Offer, pairs: Pairs, said: Field, is_list: bool) -> str:
    """Return what is under a field, with who has it if not all have."""
    having = pairs.profiles_with(said.name)
    few = len(having) < len(pairs.sites) and len(having) <= _FEW
    names = [offer.catalogue.profiles[key].name for key in having] if few else []
    titles = list(dict.fromkeys(title for title, _ in pairs.with_titles(said.name)))
    titles = titles if len(titles) < len(pairs.all_sites) else []
    values = ", ".join(text for _, text in said.options) if said.options and not is_list else ""
    options = labels.ONE_OF.format(options=values) if values else ""
    return " ".join(each for each in (_only(names, titles), options, said.hint) if each)


def _only(profiles: list[str], sites: list[str]) -> str:
    """Return who has a field, "" for everybody."""
    texts = {
        (True, True): labels.ONLY_FOR_PROFILES_AT_SITES,
        (True, False): labels.ONLY_FOR_PROFILES,
        (False, True): labels.ONLY_AT_SITES,
        (False, False): "",
    }
    return texts[bool(profiles), bool(sites)].format(profiles=", ".join(profiles), sites=", ".join(sites))


def _groups(
    name: str, pairs: Pairs, everywhere: list[Field]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the options of a list, those of partitions under the titles of their sites."""
    if name != "partition":
        return (("", tuple(dict(pair for field in everywhere for pair in field.options or ()).items())),)
    found: dict[str, dict[str, str]] = {}
    for title, field in pairs.with_titles(name):
        found.setdefault(title, {}).update(field.options or ())
    if len(found) == 1:
        return tuple(("", tuple(options.items())) for options in found.values())
    return tuple((title, tuple(options.items())) for title, options in found.items())


def _description(offer: Offer, profile: str) -> Markup:
    entry = offer.catalogue.profiles[profile]
    icon = (
        Markup('<i class="fa fa-{} fa-2x me-3" aria-hidden="true"></i>').format(entry.icon) if entry.icon else ""
    )
    text = Markup("<div>{}</div>").format(markdown.to_html(entry.description)) if entry.description else ""
    return Markup("{}{}").format(icon, text)


def _notices(offer: Offer, pairs: Pairs) -> Iterator[str]:
    for key in pairs.all_sites:
        title, announced = offer.catalogue.sites[key].title, offer.announced(key)
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


def _data(offer: Offer, pairs: Pairs, profiles: Iterable[str]) -> dict[str, Any]:
    """Return what the script needs to know of these profiles."""
    fields: dict[int, int] = {}
    labels: dict[int, int] = {}
    told = {}
    for key in profiles:
        sites = {}
        for site in pairs.sites[key]:
            label, indexes = pairs.at(key, site)
            sites[site] = (_renumbered(labels, label), [_renumbered(fields, index) for index in indexes])
        told[key] = {"description": _description(offer, key), "sites": sites}
    return {
        "fields": [_told(pairs.fields[index]) for index in fields],
        "labels": [pairs.labels[index] for index in labels],
        "elsewhere": {key: pairs.elsewhere(key) for key in pairs.all_sites},
        "closed": [key for key in pairs.all_sites if offer.closed(key) is not None],
        "profiles": told,
    }


def _renumbered(numbers: dict[int, int], index: int) -> int:
    """Return the number of an index among those that are told, in the order in which they were met."""
    return numbers.setdefault(index, len(numbers))


def _told(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "options": field.options,
        "least": field.least,
        "most": field.most,
        "default": field.default,
        "hint": field.hint,
    }


def _in_a_script(values: dict[str, Any]) -> Markup:
    """Return JSON that can stand in a script element."""
    return Markup(json.dumps(values, separators=(",", ":")).replace("<", "\\u003c"))  # noqa: S704 - no < is left
