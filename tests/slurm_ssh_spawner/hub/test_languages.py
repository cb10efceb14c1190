"""Pages of a real hub in the language of the browser."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.job import LaunchId
from tests.support import builders, catalogues, launching
from tests.support.launching import LaunchingHub

_FRENCH = {"Accept-Language": "fr-CH,fr;q=0.9,en;q=0.8"}
_PLACE = re.compile(r"\{[^{}]*\}")


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _launched(hub: LaunchingHub) -> None:
    records, launch_id = hub.core.launcher.records, LaunchId("0123456789ab")
    await records.begin(launch_id, builders.launch(hub.core.catalogue.current, {"cores": "2"}))
    records.submitted(launch_id, "17")
    records.reached(launch_id, "n1", 8888, 0)
    records.end(launch_id, "TIMEOUT")
    await records.settled()


def _own(page: str) -> str:
    """Return the text of our part of a page, with that of its attributes and data."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return html.unescape(re.sub(r"</?[a-z]+", " ", main))


def _english(page: str) -> list[str]:
    """Return the sentences of ours, which have a French text, that stand in a page in English."""
    found = []
    for text, translation in catalogues.kept("fr").items():
        said = max(_PLACE.split(text), key=len).strip() if isinstance(text, str) else ""
        french = translation if isinstance(translation, str) else ""
        if len(said) > 7 and " " in said and said not in french and said in page:
            found.append(said)
    return found


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("home", "Vos serveurs"),
        ("spawn/alice", "Démarrer votre serveur"),
        ("spawn/alice?profile=nothing", "Vérifiez, puis appuyez sur Démarrer"),
        ("launches", "Lancements"),
        ("launches/0123456789ab", "Le temps du job était écoulé."),
        ("nowhere", "Cette page n’existe pas"),
        ("open?from=https://example.org/a.ipynb", "Ce hub ne copie pas"),
        ("user/alice/lab", "ne tourne pas"),
        ("user/bob/lab", "ne tourne pas"),
        ("error/503?url=/user/alice/", "Le serveur est injoignable"),
    ],
)
async def test_every_sentence_of_a_page_is_in_the_readers_language(
    hub: LaunchingHub, path: str, says: str
) -> None:
    alice = await hub.person("alice", admin=True)
    await hub.person("bob")
    await _launched(hub)
    french, english = await alice.page(path, _FRENCH), await alice.page(path)
    assert ('<html lang="fr">' in french.text, '<html lang="en">' in english.text) == (True, True)
    assert says in _own(french.text)
    assert says not in _own(english.text)
    assert _english(_own(french.text)) == []


async def test_what_a_start_came_to_is_in_the_language_of_who_reads_it(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.send([("profile", "jupyterlab"), ("site", "geneva")])
    page = await alice.page("spawn-pending/alice", _FRENCH)
    assert "Geneva n’a pas accepté le job" in page.text
    assert _english(_own(page.text)) == []
    assert "Geneva did not accept the job" in (await alice.page("spawn-pending/alice")).text


async def test_choices_are_refused_in_the_readers_language_and_logged_in_english(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await hub.person("alice")
    fields = [("profile", "jupyterlab"), ("site", "geneva"), ("cores", "1000")]
    answer = await _sent(alice, fields)
    assert "Cœurs\u00a0: 1000 n’est pas proposé." in html.unescape(answer.text)
    assert "Cores: 1000 is not offered." in caplog.text
    assert "proposé" not in caplog.text


async def _sent(alice: launching.Person, fields: list[tuple[str, str]]) -> httpx.Response:
    alice._client.headers.update(_FRENCH)
    return await alice.send(fields)


async def test_programs_and_scripts_are_answered_so_too(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    told = (await alice.page("api/offer", _FRENCH)).text
    assert "\\u0153" in told or "cœur" in told
    missing = await alice.page("api/launches/0123456789ab/end", _FRENCH)
    assert (missing.status_code, missing.json()["message"]) == (404, "Ce lancement n’existe pas.")


async def test_an_error_is_one_line_of_english_in_the_log(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await hub.person("alice")
    page = await alice.page("launches", _FRENCH)
    assert page.status_code == 403
    assert "vos propres lancements" in page.text
    assert "You can see your own launches only" in caplog.text
    assert "vos propres" not in caplog.text
