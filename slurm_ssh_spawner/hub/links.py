"""What the address of the request under way fills in: links fill in forms, and start nothing."""

import logging
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

from profiles.errors import ChoiceRefused
from profiles.offer.choices import Choices
from profiles.sentences import labels

_LINK: ContextVar[tuple[Mapping[str, str], str]] = ContextVar("link")

_log = logging.getLogger(__name__)


def note(query: Mapping[str, Sequence[str]], said: str = "") -> None:
    """Have the form of the request under way filled in by its address, with what can be choices at all.

    JupyterHub knows names with and without `opt-`.  `said` says where they come from, if not from a link.
    """
    _LINK.set((choices_in(query), said or labels.FILLED_BY_LINK))


def choices_in(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what of an address, or of a form that was sent, can be choices at all."""
    found: dict[str, str] = {}
    for name, values in query.items():
        try:
            found |= Choices.of({name.removeprefix("opt-"): values[-1]}).values
        except ChoiceRefused:
            _log.debug("a link says %r, which is no choice", name[:40])
    return found


def filled_in() -> tuple[Mapping[str, str], str]:
    """Return the choices that the address fills in, and what the form says of that; none for no such address."""
    return _LINK.get(({}, ""))
