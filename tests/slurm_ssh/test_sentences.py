from pathlib import Path
from types import ModuleType

import pytest

from slurm_ssh import sentences
from slurm_ssh.sentences import tunnels
from tests.support import translations, wording

# What is followed by a program's lines or by another sentence, what follows a setting's name, a link, and what
# stands for a reason or a time.
_NO_FULL_STOP = {
    "ALL_SERVERS",
    "AT_TIME",
    "AT_TIME_OF_DAY",
    "NOT_LET_IN_SAYING",
    "SLURM_SAYS",
    "EXIT_STATUS",
    "NO_PORTS",
    "PORTS_OVERLAP",
    "TICKET_NOT_RENEWED",
}


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    german = {sentences.SITE_UNREACHABLE: "{site} ist nicht erreichbar."}

    def said(expression: str) -> str:
        return translations.said("slurm_ssh.sentences", expression, german, tmp_path, "de")

    assert said("sentences.SITE_UNREACHABLE.format(site='Genf')") == "Genf ist nicht erreichbar."
    assert said("sentences.NOT_LET_IN") == sentences.NOT_LET_IN


@pytest.mark.parametrize(("module", "least"), [(sentences, 50), (tunnels, 20)])
def test_every_sentence_is_whole_and_names_its_placeholders(module: ModuleType, least: int) -> None:
    found = list(translations.texts(module))
    assert len(found) > least
    for name, text in found:
        assert text.endswith(".") or name in _NO_FULL_STOP, name
        assert all(each.isidentifier() for each in translations.placeholders(text)), name


@pytest.mark.parametrize("module", [sentences, tunnels])
def test_nobody_is_told_to_try_again_who_may_have_nothing_to_try(module: ModuleType) -> None:
    assert not [name for name, text in translations.texts(module) if "try again" in text.lower()]


def test_no_other_module_words_a_sentence() -> None:
    assert wording.own_sentences("slurm_ssh") == []


@pytest.mark.parametrize(
    "line",
    [
        'raise Refused("No.")',
        'raise errors.Refused(f"No, {name}.", detail)',
        'tell(f"{name} says: {text}")',
        'progress.tell("Almost." if there else sentences.NEARLY)',
        'raise Broken("{name} is away.".format(name=name))',
        'raise Unavailable(error.message + " Wait.")',
    ],
)
def test_a_sentence_that_a_module_words_itself_is_found(line: str) -> None:
    assert len(list(wording.worded(line))) >= 1


@pytest.mark.parametrize(
    "line", ["raise Refused(sentences.NO.format(reason='x y'), 'the detail')", "tell(said)", "print(error)"]
)
def test_a_sentence_of_the_package_is_not_taken_for_one_of_a_module(line: str) -> None:
    assert list(wording.worded(line)) == []
