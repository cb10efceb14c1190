"""What somebody may have meant by a misspelt name.  Pure."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, known: Iterable[str]) -> str | None:
    """Return what is known and nearly `name`, None if nothing is."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return `did you mean ...?` if something known is nearly `name`, else what is known."""
    names = [str(each) for each in known]
    if (found := near(name, names)) is not None:
        return f"did you mean `{found}`?"
    return f"{otherwise} {', '.join(f'`{each}`' for each in names)}" if names else "there are none"
