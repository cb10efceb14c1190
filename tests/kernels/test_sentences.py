from pathlib import Path

from kernels import sentences
from tests.support import translations


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    german = {sentences.NOT_A_TIME: "{value} ist keine Dauer; schreiben Sie 90m"}

    def said(expression: str) -> str:
        return translations.said("kernels.sentences", expression, german, tmp_path, "de")

    assert said("sentences.NOT_A_TIME.format(value='x')") == "x ist keine Dauer; schreiben Sie 90m"
    assert said("sentences.NOT_A_SIZE") == sentences.NOT_A_SIZE


def test_every_sentence_goes_on_from_the_place_of_its_value() -> None:
    found = list(translations.texts(sentences))
    assert len(found) > 3
    for name, text in found:
        assert "; write " in text, name
        assert not text.endswith("."), name
        assert all(each.isidentifier() for each in translations.placeholders(text)), name
