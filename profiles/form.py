"""The options form: an offer as HTML, and what the browser sends back as Choices.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jinja2

from kernels import units
from profiles.choices import Choices
from profiles.errors import ChoiceRefused
from profiles.offer import Offer

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("profiles"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["minutes"] = units.say_minutes

# JupyterHub's own fields in the same HTML form.
_NOT_OURS = frozenset({"_xsrf"})


@dataclass(frozen=True)
class _Projects:
    """The project field: the titles of the sites that use it, and what may be picked (None: not known)."""

    titles: tuple[str, ...]
    offered: tuple[str, ...] | None


def render(offer: Offer, typed: Mapping[str, str], refused: ChoiceRefused | None = None) -> str:
    """Return the fields of the form as HTML, filled with `typed`, the refused one marked with its sentence.

    Works without JavaScript; the surrounding form element and its button are JupyterHub's.
    """
    return _TEMPLATES.get_template("options_form.html.jinja").render(
        catalogue=offer.catalogue, projects=_projects(offer), typed=typed, refused=refused
    )


def _projects(offer: Offer) -> _Projects | None:
    """Return the project field, or None if no site charges projects."""
    charging = {key: site for key, site in offer.catalogue.sites.items() if site.projects != "none"}
    lists = [
        offer.facts_of(key).projects if site.projects == "accounting" else site.projects
        for key, site in charging.items()
    ]
    if not charging:
        return None
    known = [names for names in lists if names is not None]
    offered = tuple(dict.fromkeys(name for names in known for name in names))
    return _Projects(
        tuple(site.title for site in charging.values()), offered if len(known) == len(lists) else None
    )


def parse(sent: Mapping[str, Sequence[str]]) -> Choices:
    """Return the choices in a posted form (field name to its values, as tornado gives them).

    Raises ChoiceRefused for a field sent twice, an unknown field or a file.
    """
    given: dict[str, str] = {}
    for name, values in sent.items():
        if name in _NOT_OURS:
            continue
        if len(values) != 1:
            raise ChoiceRefused(name, "A field of the form was sent more than once. Send each once.")
        given[name] = values[0]
    return Choices.of(given)
