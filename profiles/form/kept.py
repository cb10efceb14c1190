"""Forms that are kept: what many people are shown is worked out once, for a minute.

Nothing here is anybody's: what is kept is worked out of what is in its key alone (`profiles.offer.alike`).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import languages
from profiles.errors import ChoiceRefused
from profiles.form import page, told
from profiles.form.page import Addresses, Form
from profiles.form.table import Pairs
from profiles.offer.alike import Alike, alike
from profiles.offer.offer import Offer

_MOST_OFFERS = 32
_MOST_FORMS = 128


def render(
    offer: Offer, typed: Mapping[str, str], refused: ChoiceRefused | None, addresses: Addresses, note: str = ""
) -> str:
    """Return what `page.render` returns."""
    them, language = alike(offer), languages.current()
    if refused:
        # What somebody sent, and why it cannot be had, hardly anybody is shown again.
        form = page.filled(them.offer, _pairs(them, language), typed, refused, note)
    else:
        form = _filled(them, language, tuple(sorted(typed.items())), note)
    return page.placed(form, addresses)


def data(offer: Offer) -> Mapping[str, Any]:
    """Return what `told.data` returns; it is everybody's, and nobody may change it."""
    return _data(alike(offer), languages.current())


@lru_cache(_MOST_OFFERS)
def _pairs(them: Alike, _language: str) -> Pairs:
    return Pairs.of(them.offer)


@lru_cache(_MOST_OFFERS)
def _data(them: Alike, _language: str) -> Mapping[str, Any]:
    return told.data(them.offer)


@lru_cache(_MOST_FORMS)
def _filled(them: Alike, language: str, typed: tuple[tuple[str, str], ...], note: str) -> Form:
    return page.filled(them.offer, _pairs(them, language), dict(typed), None, note)
