from pathlib import Path

from kerberos_auth import sentences
from tests.support import translations

_LABELS = {
    "LOGIN_REFUSED",  # as JupyterHub words it
    "PASSWORD_REFUSED",
    "MOMENT",
    "TICKET_TITLE",
    "PRINCIPAL",
    "ENDS",
    "RENEWABLE_UNTIL",
    "NOT_RENEWABLE",
    "PASSWORD_OF",
    "GET_TICKET",
    "ENTER_PASSWORD",
    "ITEM_HOURS",
    "ITEM_MINUTES",
    "ITEM_NONE",
    "LOGGED_OUT",
    "LOG_IN",
    "LOG_IN_AGAIN",
    "SIGN_ON",
    "SIGN_ON_NEEDS",
    "USE_PASSWORD",
    "NOT_SIGNED_ON_TITLE",
    "NO_TICKET_TITLE",
    "NOT_DELEGATED_TITLE",
    "BROWSER_TITLE",
}
_END_WITH_ANOTHER = {"CANNOT_START"}


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    german = {sentences.TICKET_EXPIRED: "Ihr Kerberos-Ticket ist abgelaufen. Melden Sie sich neu an."}

    def said(name: str, language: str) -> str:
        return translations.said("kerberos_auth.sentences", f"sentences.{name}", german, tmp_path, language)

    assert said("TICKET_EXPIRED", "de") == german[sentences.TICKET_EXPIRED]
    assert said("TICKET_MISSING", "de") == sentences.TICKET_MISSING
    assert said("TICKET_EXPIRED", "it") == sentences.TICKET_EXPIRED


def test_every_sentence_ends_as_one() -> None:
    worded = dict(translations.texts(sentences))
    assert len(worded) > 50
    assert set(worded) >= _LABELS | _END_WITH_ANOTHER
    for name, text in worded.items():
        assert text.endswith(".") != (name in _LABELS | _END_WITH_ANOTHER), name


def test_every_placeholder_has_a_name() -> None:
    for name, text in translations.texts(sentences):
        assert all(each.isidentifier() for each in translations.placeholders(text)), name
