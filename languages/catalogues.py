"""Which languages there are, and which of them a browser or a process asks for."""

import gettext
import os
import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

DOMAIN = "jupyterhub-sites"
SOURCE = "en"
"""What sentences are written in; there is always one."""

_OURS = str(Path(__file__).parent / "locale")
_LONGEST_HEADER, _MOST_ASKED = 300, 20
# As RFC 5646 has it; it becomes the name of a folder.
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z0-9]{2,8}))?(?:[-_][a-z0-9-]{1,30})?", re.IGNORECASE)
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@lru_cache(64)
def known(tag: str) -> str:
    """Return the language that is there for a tag such as `fr-CH` or `fr_CH.UTF-8`, "" if none is."""
    plain = tag.partition(".")[0].partition("@")[0]
    if plain in {"C", "POSIX"}:
        return SOURCE
    if not (match := _TAG.fullmatch(plain)):
        return ""
    name = match[1].lower() + (f"_{match[2].upper()}" if match[2] else "")
    found = gettext.find(DOMAIN, None, [name]) or gettext.find(DOMAIN, _OURS, [name])
    if found:
        return Path(found).parts[-3]
    return SOURCE if match[1].lower() == SOURCE else ""


@lru_cache(1)
def every() -> tuple[str, ...]:
    """Return all languages that there are, those of a site's own too."""
    folders = (Path(_OURS), Path(sys.base_prefix, "share", "locale"))
    found = (path.parts[-3] for folder in folders for path in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return tuple(dict.fromkeys((SOURCE, *sorted(found))))


@lru_cache(64)
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the sentences of a language; a site's own, in Python's `share/locale`, come before ours."""
    ours = gettext.translation(DOMAIN, _OURS, [language], fallback=True)
    try:
        sites = gettext.translation(DOMAIN, None, [language])
    except OSError:
        return ours
    sites.add_fallback(ours)
    return sites


@lru_cache(256)
def preferred(accept_language: str) -> str:
    """Return the language that a browser's header likes best among those that are there, "" for none of them."""
    ranked = sorted(_ranked(accept_language[:_LONGEST_HEADER].split(",")[:_MOST_ASKED]), key=lambda each: -each[0])
    return next((language for _, tag in ranked if (language := known(tag))), "")


def _ranked(items: Iterable[str]) -> Iterable[tuple[float, str]]:
    for item in items:
        tag, _, weight = item.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if quality > 0:
            yield quality, tag.strip()


def of_process() -> str:
    """Return the language that the environment of this process names, as gettext reads it."""
    named = next((value for name in _VARIABLES if (value := os.environ.get(name, ""))), "")
    return next((language for tag in named.split(":") if (language := known(tag))), SOURCE)
