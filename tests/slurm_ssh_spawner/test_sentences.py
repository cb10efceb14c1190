from pathlib import Path

from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.sentences import admin, labels
from tests.support import translations, wording

# What follows a place, what programs' lines or another sentence follow, the lines of stages, titles and buttons.
_NO_FULL_STOP = {
    "CANNOT_START",
    "CATALOGUE_UNUSABLE",
    "FORMER_USER",
    "HUB",
    "HUB_AT",
    "JOB_TYPES",
    "LAB_AWAY",
    "LAB_DISMISS",
    "LAB_HOURS_LEFT",
    "LAB_MINUTES_LEFT",
    "LAB_OVER",
    "LAB_PLACE",
    "LAB_SAVE_ALL",
    "LAB_START_AGAIN",
    "LOG_FOLLOWS",
    "LOG_TITLE",
    "LOG_UNREADABLE",
    "NAMED_SERVER_ENDED",
    "NAMED_SERVER_NEVER_UP",
    "NOT_ASKED",
    "NOT_ASKED_WITHOUT",
    "NOT_STARTED_FOR_YOU",
    "NO_ANSWER",
    "SERVER_ENDED",
    "SERVER_NEVER_UP",
    "STAGE_DONE",
    "STAGE_FAILED",
    "STAGE_LASTS",
    "URL_PASSWORD_BARE",
    "URL_UNREADABLE",
}
# JSON, which has braces of its own and takes no values.
_NOT_FILLED = {"NOT_A_REPORT"}


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    german = {sentences.QUEUED_BECAUSE: "Der Job wartet ({reason})."}

    def said(expression: str) -> str:
        return translations.said("slurm_ssh_spawner.sentences", expression, german, tmp_path, "de")

    assert said("sentences.QUEUED_BECAUSE.format(reason='Priority')") == "Der Job wartet (Priority)."
    assert said("sentences.QUEUED") == sentences.QUEUED


def test_every_sentence_is_whole_and_names_its_placeholders() -> None:
    found = list(translations.texts(sentences))
    assert len(found) > 30
    for name, text in found:
        assert text.endswith(".") or name in _NO_FULL_STOP, name
        assert name in _NOT_FILLED or all(each.isidentifier() for each in translations.placeholders(text)), name


def test_labels_have_no_full_stop_and_name_their_placeholders() -> None:
    for name, text in (*translations.texts(labels), *translations.texts(admin)):
        assert not text.endswith("."), name
        assert all(each.isidentifier() for each in translations.placeholders(text)), name


def test_no_other_module_words_a_sentence() -> None:
    assert wording.own_sentences("slurm_ssh_spawner") == []
