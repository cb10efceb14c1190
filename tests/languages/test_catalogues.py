"""The sentences in other languages: all of them, as they are in the code, with the same places."""

import re

import pytest

from tests.support import catalogues

# What French puts before these is no ordinary space.
_BREAKABLE = re.compile(r"(?<=\S) (?=[:;?!»](?:\s|$))|(?<=«) ")


@pytest.mark.parametrize("language", catalogues.languages())
def test_every_sentence_is_translated(language: str) -> None:
    assert catalogues.missing(catalogues.updated(language)) == []


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_translation_has_the_places_of_its_sentence(language: str) -> None:
    assert catalogues.differing(catalogues.kept(language)) == []


def test_files_are_what_the_code_says() -> None:
    old = [path.name for path, content in catalogues.files().items() if path.read_bytes() != content]
    assert not old, "run `python -m tests.support.catalogues`"


def test_french_breaks_no_line_before_its_signs() -> None:
    said = [text if isinstance(text, str) else "".join(text) for text in catalogues.kept("fr").values()]
    assert len(said) > 800
    assert [text for text in said if _BREAKABLE.search(text)] == []


def test_a_sentence_that_is_new_is_missed_and_a_place_that_differs_is_seen() -> None:
    texts: dict[catalogues.Text, catalogues.Text] = {
        "{site} is away.": "",
        ("{count} core", "{count} cores"): ("{count} cœur", "{nombre} cœurs"),
        'It is {"stage": 1}.': 'C’est {"stage": 1}.',
    }
    assert catalogues.missing(texts) == ["{site} is away."]
    assert catalogues.differing(texts) == ["{nombre} cœurs"]
