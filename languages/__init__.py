"""In which language a sentence is said: that of the request that is answered, or else the hub's default one.

A package's `sentences` are written with `sentence` and `counted`, and call `speaks(__name__)` at their end.
Whoever names one (`sentences.CLOSE_PAGE`) gets it in the language of that moment: a plain text for what is done
with texts, which also knows what it says.  So a page shows it in the reader's language, though it was made for
somebody else; records keep it in the default one; logs have it in English.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Self, SupportsIndex

from markupsafe import Markup, escape

from languages.catalogues import SOURCE, catalogue, every, known, of_process, preferred

__all__ = [
    "counted",
    "current",
    "follow",
    "for_keeping",
    "for_log",
    "for_reader",
    "in_each",
    "kept_in",
    "known",
    "preferred",
    "sentence",
    "speaking",
    "speaks",
    "timed",
    "together",
    "use_by_default",
]

_TIME = Markup('<time datetime="{iso}">{text}</time>')

_current: ContextVar[str] = ContextVar("language", default="")


class _Default:
    language = of_process()


def current() -> str:
    """Return the language in which sentences are said now, as in `<html lang>`."""
    return _current.get() or _Default.language


def kept_in() -> str:
    """Return the default language, in which sentences are kept that may be read by anybody."""
    return _Default.language


def use_by_default(tag: str) -> None:
    """Say sentences in this language where no request asks for one; ValueError for one that is not there."""
    if not (language := known(tag)):
        raise ValueError(tag)
    _Default.language = language


def follow(accept_language: str) -> None:
    """Say sentences as a request asks (`Accept-Language`), in this task and in those that it makes."""
    _current.set(preferred(accept_language))


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say sentences in a language; in the default one with ""."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


@dataclass(frozen=True)
class _Meaning:
    """What a sentence says: its text in English, with the values that take the places in braces, if they do."""

    text: str
    plural: str = ""
    count: int = 0
    values: dict[str, Any] | None = None

    def said(self, language: str) -> str:
        """Return it in a language."""
        words = catalogue(language)
        text = words.ngettext(self.text, self.plural, self.count) if self.plural else words.gettext(self.text)
        if self.values is None:
            return text
        return text.format(**{name: _in(value, language) for name, value in self.values.items()})

    def html(self, language: str) -> Markup:
        """Return it as HTML."""
        if not any(isinstance(value, Said) for value in (self.values or {}).values()):
            return escape(self.said(language))
        frame = escape(_Meaning(self.text, self.plural, self.count).said(language))
        return frame.format(**{name: _as_html(value, language) for name, value in (self.values or {}).items()})


@dataclass(frozen=True)
class _Several:
    """Sentences one after the other."""

    parts: tuple[str, ...]

    def said(self, language: str) -> str:
        """Return them in a language."""
        return " ".join(_in(part, language) for part in self.parts)

    def html(self, language: str) -> Markup:
        """Return them as HTML."""
        return Markup(" ").join(_as_html(part, language) for part in self.parts)


@dataclass(frozen=True)
class _Replaced:
    meaning: "Meaning"
    old: str
    new: str
    count: int

    def said(self, language: str) -> str:
        return self.meaning.said(language).replace(self.old, _in(self.new, language), self.count)

    def html(self, language: str) -> Markup:
        return escape(self.said(language))


@dataclass(frozen=True)
class _Timed:
    """A text that says a moment."""

    text: str
    moment: datetime

    def said(self, language: str) -> str:
        return str(_in(self.text, language))

    def html(self, language: str) -> Markup:
        iso = self.moment.astimezone(UTC).isoformat(timespec="seconds")
        return _TIME.format(iso=iso, text=_as_html(self.text, language))


Meaning = _Meaning | _Several | _Replaced | _Timed


class Said(str):
    """A sentence in some language, which can be said in another one."""

    meaning: Meaning

    def __new__(cls, meaning: Meaning) -> Self:
        """Say it in the language of now."""
        made = super().__new__(cls, meaning.said(current()))
        made.meaning = meaning
        return made

    def format(self, *args: object, **values: object) -> str:
        """Return it with values in their places, which may be sentences too."""
        meaning = self.meaning
        if args or not isinstance(meaning, _Meaning) or meaning.values is not None:
            return super().format(*args, **values)
        return Said(_Meaning(meaning.text, meaning.plural, meaning.count, values))

    def replace(self, old: str, new: str, /, count: SupportsIndex = -1) -> str:
        """Return it with another text, or sentence, in the place of one."""
        return Said(_Replaced(self.meaning, old, new, int(count)))

    def __html__(self) -> Markup:
        """Return it as templates show it: in the language of who reads the page."""
        return self.meaning.html(current())

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def sentence(text: str) -> str:
    """Return a sentence; its places are names in braces."""
    return Said(_Meaning(text))


def counted(one: str, many: str, count: int) -> str:
    """Return the sentence for this number."""
    return Said(_Meaning(one, many, count))


def together(parts: Iterable[str]) -> str:
    """Return sentences one after the other, without those that are ""."""
    return Said(_Several(tuple(part for part in parts if part)))


def timed(text: str, moment: datetime) -> str:
    """Return a text that says a moment: in a page as `<time>`, which a script may show in the reader's zone.

    So it is in sentences that it is a value of.  None of them may be shown in an attribute.
    """
    return Said(_Timed(text, moment))


def _in(value: Any, language: str) -> Any:
    return value.meaning.said(language) if isinstance(value, Said) else value


def _as_html(value: Any, language: str) -> Any:
    return value.meaning.html(language) if isinstance(value, Said) else value


def for_reader(text: str) -> str:
    """Return a text in the language of the request that is answered, if it is a sentence."""
    return str(_in(text, current()))


def for_keeping(text: str) -> str:
    """Return a text in the default language, if it is a sentence: it may be read by anybody, long after."""
    return str(_in(text, _Default.language))


def in_each(text: str) -> tuple[str, ...]:
    """Return a text in each language that there is, if it is a sentence: it may have been kept in any of them."""
    return tuple(dict.fromkeys(str(_in(text, language)) for language in every()))


def for_log(text: str) -> str:
    """Return a text in English, if it is a sentence."""
    return str(_in(text, SOURCE))


def speaks(name: str) -> None:
    """Have the sentences of a module said in the language of the moment in which they are named."""
    sys.modules[name].__class__ = _Sentences


class _Sentences(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if not name.isupper():
            return value
        kept = super().__getattribute__("__dict__").setdefault("said", {})
        # As long as the text itself is the same one.
        of, said = kept.get((name, current()), (None, None))
        if of is not value:
            said = _now(value)
            kept[name, current()] = value, said
        return said


def _now(value: Any) -> Any:
    if isinstance(value, Said):
        return Said(value.meaning)
    if isinstance(value, dict):
        return {key: _now(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_now(each) for each in value)
    return value
