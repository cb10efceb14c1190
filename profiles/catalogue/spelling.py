"""What somebody may have meant by a misspelt name.  Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

from profiles.sentences import mistakes

_MOST_NAMED = 8
_NEAREST = 3


def near(name: str, known: Iterable[str]) -> str | None:
    """Return what is known and nearly `name`, None if nothing is."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def meant(name: str, known: Iterable[str]) -> str:
    """Return the hint that asks for something known if it is nearly `name`, else names what is known.

    Of many, only the nearest are named.
    """
    names = [str(each) for each in known]
    if (found := near(name, names)) is not None:
        return mistakes.DID_YOU_MEAN.format(name=found)
    shown = names if len(names) <= _MOST_NAMED else get_close_matches(name, names, n=_NEAREST, cutoff=0.0)
    listed = ", ".join(f"`{each}`" for each in shown)
    if len(shown) < len(names):
        return mistakes.WRITE_ONE_OF_MANY.format(names=listed, count=len(names) - len(shown))
    return mistakes.WRITE_ONE_OF.format(names=listed) if names else mistakes.NOTHING_KNOWN
