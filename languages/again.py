"""Sentences that were kept in the default language, said again in the reader's: they are known by their words."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any

import languages
from languages import Said
from languages.catalogues import catalogue

_PLACE = re.compile(r"\{(\w+)\}")
_END = re.compile(r"(?<=[.!?:]) ")
# So many characters of a sentence's own tell it from others.
_LEAST = 6
# What is longer is nobody's sentence, and is not looked at.
_LONGEST = 2000
_MOST = 4
# Places in which other sentences stand, whole.
_SENTENCES = frozenset({"problem", "sentences"})
_REMEMBERED = 4000


@dataclass(frozen=True)
class _Pattern:
    """A sentence in a language: its words between the `names` of its places."""

    sentence: Said
    words: tuple[str, ...]
    names: tuple[str, ...]

    @cached_property
    def own(self) -> int:
        """How many characters are its own."""
        return sum(map(len, self.words))

    def match(self, text: str) -> dict[str, str] | None:
        """Return what stands in the places, None for another sentence; in a time that grows as the text does."""
        first, last = self.words[0], self.words[-1]
        if not self.names:
            return {} if text == first else None
        if not (text.startswith(first) and text.endswith(last)):
            return None
        at, end, values = len(first), len(text) - len(last), []
        for word in self.words[1:-1]:
            found = text.find(word, at + 1, end)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(word)
        if end <= at:
            return None
        return dict(zip(self.names, [*values, text[at:end]], strict=True))


class Again:
    """Knows the sentences of some modules, but for those that are counted."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self._sentences = tuple(each for module in modules for each in _of(vars(module).values()))
        self._patterns = lru_cache(8)(self._made)
        self._known = lru_cache(_REMEMBERED)(self._found)

    def said(self, text: str) -> str:
        """Return a kept text in the reader's language, as much of it as is known; the rest as it is."""
        language = languages.current()
        if not text or len(text) > _LONGEST or language == languages.kept_in():
            return text
        return self._known(str(text), language, languages.kept_in())

    def _found(self, text: str, language: str, kept_in: str) -> str:
        ends = [0, *(each.end() for each in _END.finditer(text))][: _MOST + 1]
        ends.append(len(text) + 1)
        parts, at = [], 0
        while at < len(ends) - 1:
            # That with the most words of its own; what stands in a place is as short as it can be.
            among = (
                (until, found)
                for until in range(at + 1, len(ends))
                if (found := self._known_as(text[ends[at] : ends[until] - 1], kept_in, _LEAST))
            )
            until, match = max(among, key=lambda each: each[1][0].own, default=(at + 1, None))
            part = text[ends[at] : ends[until] - 1]
            parts.append(self._told(*match, language, kept_in) if match else part)
            at = until
        return " ".join(parts)

    def _known_as(self, text: str, kept_in: str, least: int) -> tuple[_Pattern, dict[str, str]] | None:
        """Return which sentence with `least` characters of its own a text is, and what stands in its places."""
        for pattern in self._patterns(kept_in):
            if pattern.own >= least and (values := pattern.match(text)) is not None:
                return pattern, values
        return None

    def _told(self, pattern: _Pattern, values: dict[str, str], language: str, kept_in: str) -> str:
        told = {name: self._value(name, each, language, kept_in) for name, each in values.items()}
        with languages.speaking(language):
            return str(Said(pattern.sentence.meaning).format(**told))

    def _value(self, name: str, text: str, language: str, kept_in: str) -> str:
        """Return what stands in a place: another sentence, or several with commas between them."""
        if name == "parts":
            found = [(each, self._known_as(each, kept_in, 1)) for each in text.split(", ")]
            return ", ".join(self._told(*known, language, kept_in) if known else each for each, known in found)
        return self._found(text, language, kept_in) if name in _SENTENCES else text

    def _made(self, kept_in: str) -> tuple[_Pattern, ...]:
        """Return the sentences in a language, those with the most words of their own first."""
        found = (_pattern(each, kept_in) for each in self._sentences)
        return tuple(sorted((each for each in found if each.own), key=lambda each: -each.own))


def _pattern(sentence: Said, language: str) -> _Pattern:
    parts = _PLACE.split(catalogue(language).gettext(getattr(sentence.meaning, "text", "")))
    return _Pattern(sentence, tuple(parts[::2]), tuple(parts[1::2]))


def _of(values: Iterable[Any]) -> Iterator[Said]:
    for value in values:
        if isinstance(value, Said):
            names = _PLACE.findall(getattr(value.meaning, "text", ""))
            if len(set(names)) == len(names) and not getattr(value.meaning, "plural", ""):
                yield value
        elif isinstance(value, dict):
            yield from _of(value.values())
        elif isinstance(value, tuple):
            yield from _of(value)
