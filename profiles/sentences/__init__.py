"""Every sentence that people read about the catalogue and what it offers; no other module words one.

Translated by gettext, as those of kerberos_auth: a site puts `jupyterhub-sites.mo` into its language's folder
under Python's `share/locale`.  Names in braces stay as they are: values take their places.
"""

import gettext
from collections.abc import Sequence

DOMAIN = "jupyterhub-sites"

_translation = gettext.translation(DOMAIN, fallback=True)
translated = _translation.gettext
counted = _translation.ngettext

_SHOWN = 60
_OR = translated("{names} or {last}")
_AND = translated("{names} and {last}")


def either(names: Sequence[str]) -> str:
    """Return `a, b or c`."""
    return _listed(names, _OR)


def both(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return _listed(names, _AND)


def _listed(names: Sequence[str], text: str) -> str:
    *others, last = names
    return text.format(names=", ".join(others), last=last) if others else last


def shown(value: object) -> str:
    """Return somebody's text cut short and harmless enough for a sentence."""
    text = str(value)
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")
