"""Links to notebooks at a real hub; the server that copies is one on a local port that answers at byte level."""

import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from slurm_ssh.tunnels.answer import IN_PLACE
from tests.support import in_browser, launching
from tests.support.launching import LaunchingHub, Person

_HUB = "/@/space%20word/hub"
_ALLOWED = {
    "folders": ["/gpfs/project"],
    "repositories": ["https://git.test"],
    "galleries": ["https://gallery.test"],
}
_LINK = "open?from=/gpfs/project/a%26b.ipynb"


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    def catalogue(local: Any) -> dict[str, Any]:
        return {**launching.one_site(local), "copy_from": _ALLOWED}

    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        yield hub
        await hub.core.close()


@dataclass
class Notebook:
    """A notebook server from outside: what it answers, and what it was asked; `look` gets each token."""

    status: int = 200
    header: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"path": "from-links/a&b.ipynb", "page": "lab"}'
    asked: list[tuple[str, Any]] = field(default_factory=list)
    look: Callable[[str], None] = lambda _token: None


@pytest.fixture
async def notebook() -> AsyncIterator[tuple[Notebook, int]]:
    state = Notebook()

    class Answer(RequestHandler):
        def post(self) -> None:
            token = self.request.headers["Authorization"].removeprefix("token ")
            state.look(token)
            state.asked.append((self.request.path, json.loads(self.request.body)))
            self.set_status(state.status)
            for name, value in state.header.items():
                self.set_header(name, value)
            self.finish(state.body)

    socket, port = bind_unused_port()
    server = HTTPServer(Application([(".*", Answer)]))
    server.add_socket(socket)
    yield state, port
    server.stop()
    await server.close_all_connections()


def _runs(hub: LaunchingHub, person: Person, port: int, name: str = "") -> None:
    """Have a server of theirs run at a port, as far as JupyterHub knows."""
    if name:
        person.user._new_orm_spawner(name, name)
    row = person.user.spawners[name].orm_spawner
    row.server = orm.Server(base_url=f"/@/space%20word/user/{person.name}/{name}", ip="127.0.0.1", port=port)
    hub.app.db.commit()
    person.user.spawners.pop(name)
    assert person.user.spawners[name].ready


def _text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page.split('<main id="main"', 1)[1])).split())


def _fields(page: str) -> list[dict[str, str]]:
    """Return what each form of the page that copies would send."""
    forms = re.findall(rf'<form[^>]* action="{_HUB}/open">(.*?)</form>', page, re.DOTALL)
    found = [re.findall(r'name="([^"]+)" value="([^"]*)"', form) for form in forms]
    return [{name: html.unescape(value) for name, value in fields} for fields in found]


async def test_a_link_says_what_is_copied_and_leads_to_the_form_and_back(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    answer = await alice.page(f"{_LINK}&profile=jupyterlab&time=2h&sever=x&_xsrf=1")
    said = _text(answer.text)
    assert "File on the cluster /gpfs/project/a&b.ipynb Your copy ~/from-links/a&b.ipynb" in said
    assert "No server of yours runs." in said
    assert (answer.headers["cache-control"], _fields(answer.text)) == ("no-store", [])
    (href,) = re.findall(r'id="copy-start" href="([^"]+)"', answer.text)
    form = urlsplit(html.unescape(href))
    query = {name: value for name, (value,) in parse_qs(form.query).items()}
    back = f"{_HUB}/open?from=%2Fgpfs%2Fproject%2Fa%26b.ipynb"
    assert (form.path, query) == (
        f"{_HUB}/spawn/alice",
        {"profile": "jupyterlab", "time": "2h", "next": back},
    )
    shown = await alice.page(f"{form.path.removeprefix(_HUB)}?{form.query}".lstrip("/"))
    assert 'value="2h"' in shown.text
    (action,) = re.findall(r'id="spawn_form" action="([^"]+)"', shown.text)
    assert parse_qs(urlsplit(html.unescape(action)).query) == {"next": [back]}
    # Nothing was begun by all this.
    assert not alice.user.spawners[""].active


@pytest.mark.parametrize("pending", ["_stop_pending", "_check_pending"])
async def test_a_default_server_that_is_being_stopped_is_said_and_offered_when_it_is_gone(
    hub: LaunchingHub, notebook: tuple[Notebook, int], pending: str
) -> None:
    alice = await hub.person("alice")
    _runs(hub, alice, notebook[1])
    spawner = alice.user.spawners[""]
    setattr(spawner, pending, True)
    page = (await alice.page(_LINK)).text
    said = "is being stopped" if pending == "_stop_pending" else "The hub is looking for"
    assert said in _text(page)
    assert "No server of yours runs." not in _text(page)
    assert 'id="copy-start"' not in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert 'id="stopping-server" data-part-url="/@/space%20word/hub/home/start?server="' in page
    assert "stop_pending.js" in page
    setattr(spawner, pending, False)
    spawner.orm_spawner.server = None
    hub.app.db.commit()
    alice.user.spawners.pop("")
    page = (await alice.page(_LINK)).text
    assert ('id="copy-start"' in page, "stop_pending.js" in page) == (True, False)


async def test_a_server_that_has_ended_since_the_page_was_shown_leads_back_to_the_page(
    hub: LaunchingHub,
) -> None:
    alice = await hub.person("alice")
    sent = [("from", "/gpfs/project/a&b.ipynb"), ("user", "alice"), ("server", "")]
    answer = await alice.post(f"{_HUB}/open", sent)
    # Loaded again, that page asks for nothing.
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{_HUB}/open?from=%2Fgpfs%2Fproject%2Fa%26b.ipynb",
    )


async def test_a_repository_and_its_version_are_shown(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    for ref, shown in (("", "its main branch"), ("&ref=v1", "v1")):
        said = _text((await alice.page(f"open?from=https://git.test/course.git&path=a/b.ipynb{ref}")).text)
        assert "Git repository https://git.test/course.git File in it a/b.ipynb" in said
        assert f"Branch, tag or commit {shown} Your copy ~/from-links/b.ipynb" in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "This link does not say which notebook to copy."),
        ("?from=javascript:alert(1)", "javascript:alert(1) is neither the path of a file"),
        ("?from=<script>alert(1)</script>", "<script>alert(1)</script> is neither the path of a file"),
        ("?from=/gpfs/project/../x.ipynb", "/gpfs/project/../x.ipynb is not the path of a notebook"),
        ("?from=/etc/x.ipynb", "Notebooks may not be copied from /etc."),
        ("?from=https://git.test/x&path=x.ipynb&ref=--upload-pack%3Did", "cannot be the name of a branch"),
    ],
)
async def test_a_link_that_names_nothing_is_refused_with_a_sentence(
    hub: LaunchingHub, query: str, said: str
) -> None:
    alice = await hub.person("alice")
    for answer in (await alice.page(f"open{query}"), await alice.post(f"{_HUB}/open{query}", [("server", "")])):
        assert (answer.status_code, "<script>alert" in answer.text) == (400, False)
        assert said in _text(answer.text)
        assert _fields(answer.text) == []


async def test_a_hub_without_the_key_opens_nothing(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.offer(**launching.one_site(hub.local))
    answer = await alice.page(_LINK)
    assert answer.status_code == 400
    assert "This hub does not copy notebooks from links." in _text(answer.text)


async def test_who_is_not_logged_in_comes_back_after_the_login(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    alice.forget_cookies()
    answer = await alice.page(_LINK)
    assert answer.status_code == 302
    assert "next=" in answer.headers["location"]
    assert "open%3Ffrom%3D" in answer.headers["location"]


async def test_the_server_makes_the_copy_and_opens_it(hub: LaunchingHub, notebook: tuple[Notebook, int]) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    _runs(hub, alice, port, "south")
    before = hub.app.db.query(orm.APIToken).count()
    page = await alice.page(_LINK)
    assert state.asked == []
    default, south = _fields(page.text)
    for fields, name in ((default, ""), (south, "south/")):
        answer = await alice.post(f"{_HUB}/open", list(fields.items()))
        assert answer.status_code == 303
        own = f"/@/space%20word/user/alice/{name}"
        assert answer.headers["location"] == f"{own}lab/tree/from-links/a%26b.ipynb"
        path, asked = state.asked.pop()
        assert path == f"{own}jupyterhub-sites/copy"
        assert asked == {
            "kind": "file",
            "from": "/gpfs/project/a&b.ipynb",
            "path": "",
            "ref": "",
            "folder": "from-links",
            "name": "a&b.ipynb",
        }
    # The token that the server was shown is gone.
    assert hub.app.db.query(orm.APIToken).count() == before


async def test_the_token_opens_that_server_and_nothing_else(
    hub: LaunchingHub, notebook: tuple[Notebook, int]
) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    scopes: list[Any] = []
    state.look = lambda token: scopes.append(orm.APIToken.find(hub.app.db, token).scopes)
    await alice.post(f"{_HUB}/open", [("server", ""), ("from", "/gpfs/project/x.ipynb")])
    assert scopes == [["access:servers!server=alice/"]]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            200,
            {"problem": "no-file", "detail": ""},
            "There is no /gpfs/project/a&b.ipynb. Is this the right cluster?",
        ),
        (200, {"problem": "unreadable", "detail": "<b>I/O</b>\n" * 900}, "cannot be read: <b>I/O</b> <b>I/O</b>"),
        (200, {"problem": "busy"}, "This server is copying another notebook."),
        (200, {"problem": "not-shown", "detail": "/home/a/x.ipynb"}, "The notebook is copied to /home/a/x.ipynb"),
        (200, {"problem": ["x"]}, "did not say whether it has copied"),
        (200, {"problem": "{0.__class__}"}, "did not say whether it has copied"),
        (200, [], "did not say whether it has copied"),
        (200, {"path": "../../hub/logout", "page": "lab"}, "did not say whether it has copied"),
        (200, {"path": "//evil.test/x", "page": "lab"}, "did not say whether it has copied"),
        (200, {"path": "a\r\nSet-Cookie: x", "page": "lab"}, "did not say whether it has copied"),
        (200, {"path": 7, "page": {}}, "did not say whether it has copied"),
        (404, {}, "The server Default server cannot copy notebooks"),
        (501, {}, "The server Default server cannot copy notebooks"),
        (403, {}, "did not say whether it has copied"),
        (302, {}, "did not say whether it has copied"),
    ],
)
async def test_whatever_a_server_answers_is_a_sentence(
    hub: LaunchingHub, notebook: tuple[Notebook, int], status: int, body: Any, said: str
) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    state.status, state.body = status, json.dumps(body).encode()
    state.header = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
    (fields,) = _fields((await alice.page(_LINK)).text)
    answer = await alice.post(f"{_HUB}/open", list(fields.items()))
    assert (answer.status_code, "<b>I/O" in answer.text) == (409, False)
    assert said in _text(answer.text)
    assert len(_text(answer.text)) < 2500


@pytest.mark.parametrize("body", [b"[" * 100_000, b"x" * 5_000_000, b"\xff"])
async def test_an_answer_without_end_or_sense_is_no_answer(
    hub: LaunchingHub, notebook: tuple[Notebook, int], body: bytes
) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    state.body = body
    answer = await alice.post(f"{_HUB}/open", [("server", ""), ("from", "/gpfs/project/x.ipynb")])
    assert (answer.status_code, "did not say whether it has copied" in answer.text) == (409, True)


async def test_what_stands_in_the_servers_place_says_why(
    hub: LaunchingHub, notebook: tuple[Notebook, int]
) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    state.status, state.header = HTTPStatus.FAILED_DEPENDENCY, {IN_PLACE: "yes"}
    state.body = b'{"message": "Geneva cannot be reached since 01:52."}'
    answer = await alice.post(f"{_HUB}/open", [("server", ""), ("from", "/gpfs/project/x.ipynb")])
    assert "Geneva cannot be reached since 01:52." in _text(answer.text)


async def test_nobody_has_another_one_copy_by_a_forged_form_or_at_their_server(
    hub: LaunchingHub, notebook: tuple[Notebook, int]
) -> None:
    alice, bob, (state, port) = await hub.person("alice"), await hub.person("bob"), notebook
    _runs(hub, alice, port)
    fields = [("user", "alice"), ("server", ""), ("from", "/gpfs/project/x.ipynb")]
    assert (await alice.post(f"{_HUB}/open", fields, xsrf="")).status_code == 403
    assert (await bob.post(f"{_HUB}/open", fields)).status_code == 404
    # bob has no server: he is led back to the page.
    back = (await bob.post(f"{_HUB}/open", fields[1:])).headers["location"].removeprefix(f"{_HUB}/")
    assert "No server of yours runs." in _text((await bob.page(back)).text)
    assert state.asked == []


async def test_why_nothing_was_copied_is_said_in_the_language_of_who_asked(
    hub: LaunchingHub, notebook: tuple[Notebook, int]
) -> None:
    alice, (state, port) = await hub.person("alice"), notebook
    _runs(hub, alice, port)
    state.body = b'{"problem": "busy"}'
    fields = [("server", ""), ("from", "/gpfs/project/x.ipynb")]
    answer = await alice.post(f"{_HUB}/open", fields, headers={"Accept-Language": "fr"})
    assert "Ce serveur est en train de copier un autre notebook." in _text(answer.text)
    assert "This server is copying another notebook." in _text((await alice.post(f"{_HUB}/open", fields)).text)


async def test_the_page_fits_a_phone(hub: LaunchingHub, notebook: tuple[Notebook, int]) -> None:
    alice, (_, port) = await hub.person("alice"), notebook
    async with in_browser.logged_in(hub, "alice", viewport={"width": 375, "height": 700}) as page:
        _runs(hub, alice, port)
        await page.goto(f"open?from=/gpfs/project/{'averylongname' * 5}.ipynb")
        assert await page.evaluate("document.documentElement.scrollWidth") == 375
