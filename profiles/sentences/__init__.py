"""Every sentence that people read about the catalogue and what it offers; no other module words one.

Said in the reader's language, see `languages`.  Names in braces stay as they are: values take their places.
"""

from collections.abc import Sequence

from languages import sentence as _

_SHOWN = 60
_OR = _("{names} or {last}")
_AND = _("{names} and {last}")


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
