"""What somebody may have meant by a misspelt name.  Pure."""

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return `did you mean ...?` if something known is nearly `name`, else what is known."""
    names = [str(each) for each in known]
    if near := get_close_matches(name, names, n=1):
        return f"did you mean `{near[0]}`?"
    return f"{otherwise} {', '.join(f'`{each}`' for each in names)}" if names else "there are none"
