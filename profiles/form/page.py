"""The options form: an offer as HTML, and what the browser sends back as Choices.  Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from profiles.errors import ChoiceRefused
from profiles.form import told
from profiles.form.fields import Field
from profiles.form.notices import notices
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

_SCRIPTS = Markup(
    '<script type="application/json" id="launch-offer" data-url="{}">{}</script>\n'
    '<script type="module" src="{}"></script>\n'
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
    """Where the browser finds the form's script, static/form/main.js, and what that asks for: `told.data`."""

    script: str
    offer: str


@dataclass(frozen=True)
class Entry:
    """The form of one entry that is picked elsewhere.

    `closed` says of each site where it cannot be had now why not.  `data` is what a script needs to have only the
    fields of the picked site seen: JSON, as `told.of_entry` says.
    """

    fields: Markup
    closed: tuple[str, ...]
    data: Markup


@dataclass(frozen=True)
class Form:
    """A form that is for no address yet: its fields, and the data for its script, "" for no fields."""

    fields: Markup
    data: Markup


def render(
    offer: Offer,
    typed: Mapping[str, str],
    refused: ChoiceRefused | None = None,
    addresses: Addresses | None = None,
    note: str = "",
) -> str:
    """Return the fields of the form as HTML, filled with `typed`, the refused ones marked with their sentences.

    `note` says above them where the values come from.  With `addresses` it brings the data of the profile that is
    shown first.  Without JavaScript the form has every
    field that any profile has at any site, and the server decides.  The surrounding form element and its button
    are JupyterHub's.
    """
    return placed(filled(offer, Pairs.of(offer), typed, refused, note), addresses)


def placed(form: Form, addresses: Addresses | None) -> str:
    """Return a form as HTML; with `addresses` for where its script is, and what that asks for."""
    if not form.data or addresses is None:
        return str(form.fields)
    return str(form.fields + _SCRIPTS.format(addresses.offer, form.data, addresses.script))


def filled(
    offer: Offer, pairs: Pairs, typed: Mapping[str, str], refused: ChoiceRefused | None = None, note: str = ""
) -> Form:
    """Return the form of an offer; `pairs` are all of it."""
    if not pairs.sites:
        return Form(_rendered("nothing.html.jinja", labels=labels), Markup())
    profile = typed["profile"] if typed.get("profile") in pairs.sites else next(iter(pairs.sites))
    fields = _fields(offer, pairs, profile, typed, refused, note, _categories(offer, pairs))
    return Form(fields, told.in_a_script(_brought(offer, pairs, profile)))


def of_entry(
    offer: Offer,
    entry: str,
    typed: Mapping[str, str],
    refused: ChoiceRefused | None = None,
    without: Collection[str] = (),
) -> Entry:
    """Return the form of one entry of an offer, which is picked elsewhere, with all that it has at any site.

    Fields `without` which it is, the page around it has itself.
    """
    pairs = Pairs.of(offer, (entry,))
    fields = _fields(offer, pairs, entry, typed, refused, "", {}, without)
    closed = tuple(pairs.place_at(entry, key).label for key in pairs.all_sites if pairs.is_closed(key))
    return Entry(fields, closed, told.in_a_script(told.of_entry(pairs, entry, without)))


def _fields(
    offer: Offer,
    pairs: Pairs,
    profile: str,
    typed: Mapping[str, str],
    refused: ChoiceRefused | None,
    note: str,
    categories: Mapping[str, Mapping[str, str]],
    without: Collection[str] = (),
) -> Markup:
    site = _picked_site(pairs, profile, typed.get("site"), is_sent=refused is not None)
    names = [name for name in _order(pairs) if name not in without]
    shown = [_shown(offer, name, pairs, profile, site) for name in names]
    # Where the entry is picked elsewhere, nothing else of the page can say what is wrong with it.
    picked = {"profile"} if categories else set()
    known = {"site", *picked, *without, *(field.name for field in shown)}
    return _rendered(
        "options_form.html.jinja",
        labels=labels,
        note=note,
        categories=categories,
        sites={key: (pairs.place_at(profile, key).label, pairs.is_closed(key)) for key in pairs.all_sites},
        description=told.description(offer, profile),
        notices=list(notices(offer, pairs)),
        picked={"profile": profile, "site": site},
        fields=shown,
        typed=typed,
        problems={each.field: each.said for each in reversed(refused.all)} if refused else {},
        elsewhere=[each.said for each in refused.all if each.field not in known] if refused else [],
        first=refused.field if refused else "",
    )


def _rendered(template: str, **values: Any) -> Markup:
    return Markup(_TEMPLATES.get_template(template).render(**values))  # noqa: S704 - it escapes


def _picked_site(pairs: Pairs, profile: str, typed: str | None, *, is_sent: bool) -> str:
    """Return the site that the form begins with: not one of last time at which nothing can be started now."""
    if typed in pairs.sites[profile] and (is_sent or pairs.place_at(profile, typed).is_open):
        return typed
    return pairs.first_open(profile)


def _categories(offer: Offer, pairs: Pairs) -> dict[str, dict[str, str]]:
    """Return the names of the profiles by their keys, under their categories; "" is that of those without one."""
    found: dict[str, dict[str, str]] = {}
    for key in pairs.sites:
        entry = offer.menu.entries[key]
        found.setdefault(entry.heading, {})[key] = entry.name
    return found


def _brought(offer: Offer, pairs: Pairs, profile: str) -> dict[str, Any]:
    """Return what the page brings for its script."""
    return {**told.brought(offer, pairs, profile), "say": labels.SCRIPT}


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


def _order(pairs: Pairs) -> list[str]:
    names = dict.fromkeys(field.name for field in pairs.fields)
    return [name for name in FIELDS if name in names] + [name for name in names if name not in FIELDS]


def _shown(offer: Offer, name: str, pairs: Pairs, profile: str, site: str) -> _Shown:
    """Return a field that takes what any pair takes, said as the picked pair says it."""
    everywhere = pairs.named(name)
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
    names = [offer.menu.entries[key].name for key in having] if few else []
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
