"""What was kept in one language is said again in another one."""

from types import ModuleType

import pytest

import languages
from job_service.sentences import running
from languages.again import Again


def _sentences(**texts: str) -> ModuleType:
    found = ModuleType("sentences")
    vars(found).update({name.upper(): languages.sentence(text) for name, text in texts.items()})
    return found


@pytest.fixture
def again() -> Again:
    return Again((running,))


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("The job was cancelled.", "Le job a été annulé."),
        ("The job runs on n1.", "Le job s’exécute sur n1."),
        ("The job runs on n1. The job is to be cancelled.", "Le job s’exécute sur n1. Le job est à annuler."),
        (
            "The job could not be sent yet, and will be: All inputs are there.",
            "Le job n’a pas encore pu être envoyé, et le sera\u00a0: Tous les fichiers d’entrée sont là.",
        ),
        ("Of its tasks 1 run, 2 failed.", "De ses tâches, 1 s’exécutent, 2 ont échoué."),
        ("Nobody knows this.", "Nobody knows this."),
        ("Nobody knows this. The job was cancelled.", "Nobody knows this. Le job a été annulé."),
        ("The job runs on .", "The job runs on ."),
        ("", ""),
        (". . . . . . . .", ". . . . . . . ."),
        (
            "The job was cancelled. " * 9 + "The end",
            "Le job a été annulé. " * 4 + "The job was cancelled. " * 5 + "The end",
        ),
        ("The job runs on {nodes} {0}.", "Le job s’exécute sur {nodes} {0}."),
    ],
)
def test_what_is_known_is_said_in_the_readers_language_and_the_rest_stays(
    again: Again, kept: str, said: str
) -> None:
    assert again.said(kept) == kept
    with languages.speaking("fr"):
        assert again.said(kept) == said
    assert again.said(kept) == kept


def test_the_sentence_with_the_most_words_of_its_own_is_the_one() -> None:
    found = Again((_sentences(short="It waits: {reason}", long="It waits: {reason} at {site}", bare="{reason}"),))
    known = found._known_as("It waits: a at b", "en", 6)
    assert known
    assert known[1] == {"reason": "a", "site": "b"}
    assert found._known_as("anything at all", "en", 1) is None


def test_a_long_text_costs_no_more_than_its_length(again: Again) -> None:
    with languages.speaking("fr"):
        text = "The job waits in the queue of " + "which says: " * 150
        assert again.said(text) == text
        assert again.said("x" * 100_000) == "x" * 100_000
