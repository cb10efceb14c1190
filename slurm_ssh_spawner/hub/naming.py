"""Names of further servers: what people type, the name that JupyterHub has for it, and which can be had.  Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from jupyterhub.slugs import is_valid_safe_slug, normalise_unicode, safe_slug

from slurm_ssh.text import one_line
from slurm_ssh_spawner import sentences

_LONGEST = 100
# What JupyterHub makes of a text in which there is no Latin letter and no digit.
_NOTHING = "x"


def title(typed: str) -> str:
    """Return what people read as the name of a server, as JupyterHub takes it; "" for none."""
    return " ".join(one_line(normalise_unicode(typed), _LONGEST).split())


def titles(user: Any) -> dict[str, str]:
    """Return what people read as the names of a user's servers, as JupyterHub has them, by their names."""
    return {name: getattr(row, "display_name", "") or name for name, row in user.orm_spawners.items()}


def slug(title: str, taken: Mapping[str, str]) -> str:
    """Return the name in addresses of a server with this title; `taken` has the titles of the others.

    If there is nothing to make one of, it is that of the server with this title, or a free one.
    """
    made = (
        str(safe_slug(title.lower(), is_valid=is_valid_safe_slug, avoid_collisions=False)) if title else _NOTHING
    )
    if made != _NOTHING or title.lower() == _NOTHING:
        return made
    return next((name for name, other in taken.items() if title == other), "") or _free(taken)


def problem(name: str, taken: Collection[str], most: int) -> str:
    """Return why there can be no further server of that name, "" if there can; `most` is 0 for any number."""
    if name in taken:
        return sentences.NAME_TAKEN.format(name=name)
    named = [each for each in taken if each]
    return sentences.TOO_MANY_SERVERS.format(most=most) if 0 < most <= len(named) else ""


def _free(taken: Collection[str]) -> str:
    number = 2
    while f"server-{number}" in taken:
        number += 1
    return f"server-{number}"
