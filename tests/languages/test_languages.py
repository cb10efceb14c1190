"""In which language a sentence is said, and in which it is kept."""

import asyncio
import gettext
import json
import pickle
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

import languages
from languages import catalogues, requests
from languages.catalogues import preferred
from profiles.errors import ChoiceRefused
from profiles.sentences import labels as form_labels
from profiles.sentences import refusals
from slurm_ssh import sentences
from slurm_ssh.errors import Refused
from slurm_ssh_spawner.launch.endings import time_was_up
from slurm_ssh_spawner.sentences import labels

_AWAY = "Geneva est injoignable."


@pytest.fixture
def french_hub() -> Iterator[None]:
    before = languages.current()
    languages.use_by_default("fr-CH")
    yield
    languages.use_by_default(before)


def test_a_moment_is_an_element_in_the_page_of_each_sentence_and_text_elsewhere() -> None:
    moment = datetime(2026, 3, 2, 11, 5, tzinfo=timezone(timedelta(hours=1)))
    away = sentences.SITE_UNREACHABLE.format(site=languages.timed("<11:05>", moment))
    both = languages.together(["1 < 2", sentences.TICKET_NOT_RENEWED.format(site="<i>", problem=away)])
    page = jinja2.Environment(autoescape=True).from_string("<p>{{ said }}</p>")
    time = '<time datetime="2026-03-02T10:05:00+00:00">&lt;11:05&gt;</time>'
    with languages.speaking("fr"):
        assert page.render(said=away) == f"<p>{time} est injoignable.</p>"
        shown = page.render(said=both)
        assert languages.for_reader(away) == "<11:05> est injoignable."
    assert shown.startswith("<p>1 &lt; 2 ")
    assert shown.endswith(f" {time} est injoignable.</p>")
    assert "<i>" not in shown
    assert away == "<11:05> cannot be reached."


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("FR_ch", "fr"),
        ("en-GB,fr;q=0.5", "en"),
        ("en;q=0.3, fr;q=0.5", "fr"),
        ("xx, fr;q=0.1", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("xx", ""),
        ("", ""),
        ("*", ""),
        ("fr;q=nothing, en;q=0.1", "en"),
        ("../../fr, /etc/fr", ""),
        ("x," * 10_000 + "fr", ""),
    ],
)
def test_a_browser_gets_what_it_likes_best_of_what_there_is(asked: str, language: str) -> None:
    assert preferred(asked) == language


def test_a_sentence_is_said_in_the_language_of_the_moment_in_which_it_is_named() -> None:
    english = sentences.SITE_UNREACHABLE.format(site="Geneva")
    with languages.speaking("fr"):
        assert sentences.SITE_UNREACHABLE.format(site="Geneva") == _AWAY
        assert json.loads(json.dumps(form_labels.SCRIPT))["category"] == "Catégorie"
        assert f"{labels.START}, {labels.STOP}" == "Démarrer, Arrêter"
        assert refusals.cores(2) == "2 cœurs"
        assert refusals.NO_MORE_TIME.about("Geneva", None) == "Geneva n’en permet pas plus."
    assert english == "Geneva cannot be reached."


def test_what_was_said_to_one_is_shown_to_another_in_their_language() -> None:
    told = sentences.TICKET_NOT_RENEWED.format(
        site="Geneva", problem=sentences.SITE_UNREACHABLE.format(site="Geneva")
    )
    both = languages.together([told, "", sentences.QUEUE_REFUSED.format(program="squeue", site="<i>")])
    page = jinja2.Environment(autoescape=True).from_string("<p>{{ told }}</p>{{ [told] | join }}")
    with languages.speaking("fr"):
        assert languages.for_reader(told).endswith(_AWAY)
        assert languages.for_reader(both).endswith(f"{_AWAY} squeue a échoué sur <i>.")
        assert page.render(told=both).count("sur &lt;i&gt;.") == 2
        assert "{server}" not in languages.for_reader(labels.STARTING.replace("{server}", labels.A_NODE))
    assert told.endswith("Geneva cannot be reached.")
    assert pickle.loads(pickle.dumps(told)) == told  # noqa: S301


def test_logs_are_english_and_what_is_kept_is_in_the_hubs_language(french_hub: None) -> None:
    error = Refused(sentences.SITE_UNREACHABLE.format(site="Geneva"), "no route")
    refused = ChoiceRefused("site", refusals.CHOOSE_ANOTHER.format(sites="a"), [ChoiceRefused("x", "y")])
    assert (error.message, str(error)) == (_AWAY, "Geneva cannot be reached. [no route]")
    assert (refused.message, str(refused)) == ("Choisissez parmi\u00a0: a. y", "Choose one of: a. y")
    with languages.speaking("en"):
        said = sentences.SITE_UNREACHABLE.format(site="Geneva")
        assert (said, languages.for_keeping(said), languages.for_log(said)) == (
            "Geneva cannot be reached.",
            _AWAY,
            "Geneva cannot be reached.",
        )
    assert languages.for_keeping("TIMEOUT") == "TIMEOUT"
    for reason in ("TIMEOUT", "The job's time limit of 2h was up.", "Le temps du job, limité à 2h, était écoulé."):
        assert time_was_up(reason), reason


def test_the_end_of_a_jobs_time_is_known_in_whatever_language_it_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert languages.current() == "en"
    assert time_was_up("Le temps du job, limité à 2h, était écoulé.")
    assert not time_was_up("Le temps de calcul du job était écoulé.")
    # A site may have a language of its own, and its own words in one of ours.
    for name, text in (("de", "Die Zeit des Jobs, {time}, ist um."), ("fr", "Le job a eu ses {time}.")):
        folder = tmp_path / "share" / "locale" / name / "LC_MESSAGES"
        folder.mkdir(parents=True)
        words = Catalog(locale=name, domain=catalogues.DOMAIN)
        words.add("The job's time limit of {time} was up.", text)
        with (folder / f"{catalogues.DOMAIN}.mo").open("wb") as file:
            write_mo(file, words)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(gettext, "_default_localedir", str(tmp_path / "share" / "locale"))
    for cached in (catalogues.catalogue, catalogues.every):
        cached.cache_clear()
    for reason in ("Die Zeit des Jobs, 2h, ist um.", "Le job a eu ses 2h.", "The job's time limit of 2h was up."):
        assert time_was_up(reason), reason
    for cached in (catalogues.catalogue, catalogues.every):
        cached.cache_clear()


def test_a_hub_cannot_be_set_to_a_language_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="xx"):
        languages.use_by_default("xx")


async def test_a_request_has_its_language_to_its_end_and_so_has_what_it_begins() -> None:
    async def answered(asked: str) -> str:
        languages.follow(asked)
        await asyncio.sleep(0)
        return await asyncio.create_task(_start())

    async def _start() -> str:
        return labels.START

    asked = ["fr-CH", "en", "", "fr"]
    assert await asyncio.gather(*(asyncio.create_task(answered(each)) for each in asked)) == [
        "Démarrer",
        "Start",
        "Start",
        "Démarrer",
    ]


def test_a_page_says_in_which_language_it_is() -> None:
    class Handlers:
        async def prepare(self) -> None: ...

        def log_exception(self, *_: object) -> None: ...

    pages = jinja2.Environment(autoescape=True)
    for _ in range(2):
        requests.install(Handlers, {"jinja2_env": pages})
    template = pages.from_string('<html lang="en"><p lang="en">')
    with languages.speaking("fr"):
        assert template.render() == '<html lang="fr"><p lang="en">'
    assert template.render() == '<html lang="en"><p lang="en">'
