"""From a password to a token that is kept: where it goes, and where it never does."""

import json
import stat
import sys
import types
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubjobs import Away, Jobs, LoginRefused, NotLoggedIn, login, session
from hubjobs.passwords import Token, hub_of
from hubjobs.session import Session
from tests.support import job_hub
from tests.support.job_hub import JobHub, as_json, plain

TOKENS = "POST /hub/api/users/al%20ice/tokens"
SECRET = "pa55-w0rd"


def test_a_password_becomes_a_token_for_jobs_alone(hub: JobHub) -> None:
    hub.gives(TOKENS, as_json({"token": "t0ken", "expires_at": "2026-12-27T08:00:00Z", "id": "a17"}, 201))
    token = login(hub.url, "al ice", SECRET)
    assert token == Token("t0ken", datetime(2026, 12, 27, 8, tzinfo=UTC), "a17")
    assert "t0ken" not in repr(token)
    assert hub.asked[0].json == {
        "auth": {"username": "al ice", "password": SECRET},
        "note": "hubjobs",
        "scopes": ["custom:jobs:submit", "access:services!service=jobs"],
        "expires_in": 30 * 86400,
    }
    assert "authorization" not in hub.asked[0].headers


def test_a_hub_with_shorter_tokens_gives_one_of_its_own_length(hub: JobHub) -> None:
    no = as_json({"status": 400, "message": "token expires_in: 2592000 must not exceed 86400"}, 400)
    hub.gives(TOKENS, no, as_json({"token": "t0ken", "expires_at": None}, 201))
    assert login(hub.url, "al ice", SECRET, admin=True).expires_at is None
    assert [each.json.get("expires_in") for each in hub.asked] == [2592000, None]
    assert "custom:jobs:admin" in hub.asked[1].json["scopes"]
    hub.answers.clear()
    hub.gives(TOKENS, no)
    with pytest.raises(LoginRefused, match="must not exceed 86400"):
        login(hub.url, "al ice", SECRET, days=30)


def test_a_refusal_says_both_reasons_that_there_may_be(hub: JobHub) -> None:
    hub.gives(TOKENS, as_json({"status": 403, "message": "Forbidden"}, 403))
    with pytest.raises(LoginRefused, match="the password is wrong, or the hub has never seen you") as caught:
        login(hub.url, "al ice", SECRET)
    assert "with a browser" in caught.value.hint
    assert f"hubjobs login --token {hub.url}" in caught.value.hint
    assert SECRET not in str(caught.value)
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (plain(404, b"no"), "There is no hub at"),
        (plain(500, b"\x1b[2J"), "HTTP status 500"),
        (plain(302, b"", Location="/hub/login"), "HTTP status 302"),
        (plain(200, b"<html>"), "HTTP status 200"),
        (plain(201, b"[" * 50_000), "HTTP status 201"),
    ],
)
def test_what_is_no_token_is_told(hub: JobHub, answer: bytes, said: str) -> None:
    hub.gives(TOKENS, answer)
    with pytest.raises(LoginRefused, match=said):
        login(hub.url, "al ice", SECRET)


def test_a_token_may_start_servers_if_that_is_wanted(hub: JobHub) -> None:
    hub.gives(TOKENS, as_json({"token": "n3w"}, 201))
    login(hub.url, "al ice", SECRET, servers=True)
    login(hub.url, "al ice", SECRET)
    with_them, without = (each.json["scopes"] for each in hub.asked)
    assert set(with_them) - set(without) == {"start:servers!user", "read:servers!user"}


def test_a_hub_that_is_not_there_is_away() -> None:
    with job_hub.running() as hub:
        url = hub.url
    with pytest.raises(Away):
        login(url, "alice", SECRET)


@pytest.mark.parametrize(
    ("typed", "hub"),
    [
        ("https://hub.example.org", "https://hub.example.org"),
        ("hub.example.org/", "https://hub.example.org"),
        ("https://hub.example.org/hub/home?x=1#a", "https://hub.example.org"),
        ("https://hub.example.org/jupyter/user/alice/lab", "https://hub.example.org/jupyter"),
        ("https://hub.example.org/jupyter/services/jobs/", "https://hub.example.org/jupyter"),
        ("http://localhost:8000/hub/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_address_of_any_page_is_that_of_its_hub(typed: str, hub: str) -> None:
    assert hub_of(typed) == hub


@pytest.mark.parametrize(
    "typed", ["", "https://", "ftp://hub", "http://hub.example.org", "https://a:b@hub.example.org", "hub\x1b[2J"]
)
def test_an_address_that_is_none_or_not_safe_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"not the address|clear text"):
        hub_of(typed)


SESSION = Session("https://hub.example.org", "alice", "t0ken", datetime(2026, 12, 27, 8, tzinfo=UTC))


def test_a_login_is_kept_where_nobody_else_reads_it(home: Path) -> None:
    assert session.keep(SESSION) is False
    file = home / "config/hubjobs/session.json"
    assert session.place() == file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert session.kept() == SESSION
    assert "t0ken" not in repr(session.kept())
    assert "hub.example.org" in repr(Jobs.logged_in())
    assert [each.name for each in file.parent.iterdir()] == ["session.json"]


def test_a_login_that_others_may_read_is_not_used(home: Path) -> None:
    session.keep(SESSION)
    session.place().chmod(0o640)
    with pytest.raises(NotLoggedIn, match="Others may read"):
        session.kept()
    session.keep(SESSION)
    assert session.kept() == SESSION


@pytest.mark.parametrize("content", ["", "[]", "{", '{"url": 1}', '{"url": "u", "user": "a"}'])
def test_a_file_that_holds_no_login_is_told(home: Path, content: str) -> None:
    session.keep(SESSION)
    session.place().write_text(content)
    with pytest.raises(NotLoggedIn, match="holds no login"):
        session.kept()


def test_who_is_not_logged_in_is_told_how(home: Path) -> None:
    with pytest.raises(NotLoggedIn, match="hubjobs login"):
        Jobs.logged_in()
    assert session.forget() is None


def test_a_login_is_forgotten(home: Path) -> None:
    session.keep(SESSION)
    assert session.forget() == SESSION
    assert not session.place().exists()


def test_the_hub_of_a_login_that_is_forgotten_is_known(home: Path) -> None:
    assert session.last_hub() is None
    session.keep(SESSION)
    session.forget()
    assert session.last_hub() == SESSION.url
    assert SESSION.token not in (home / "config/hubjobs/hub").read_text()
    session.keep(replace(SESSION, url="https://other.example.org"))
    assert session.last_hub() == "https://other.example.org"
    session.forget()
    session.forget()
    assert session.last_hub() == "https://other.example.org"


def test_a_login_knows_when_it_is_over() -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    assert Session("u", "a", "t", past).is_over
    assert not Session("u", "a", "t", None).is_over


class Ring(types.ModuleType):
    """What the library `keyring` is to us: passwords by service and name, or an error of its own."""

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("locked")

    def set_password(self, service: str, name: str, password: str) -> None:
        self._open()
        self.kept[service, name] = password

    def get_password(self, service: str, name: str) -> str | None:
        self._open()
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        self._open()
        del self.kept[service, name]


def test_a_keyring_keeps_the_token_where_there_is_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", ring := Ring())
    assert session.keep(SESSION) is True
    assert "token" not in json.loads(session.place().read_text())
    assert session.kept() == SESSION
    ring.locked = True
    with pytest.raises(NotLoggedIn, match="no longer in the keyring"):
        session.kept()
    ring.locked = False
    session.forget()
    assert ring.kept == {}


def test_a_keyring_that_is_locked_leaves_it_to_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Ring(locked=True))
    assert session.keep(SESSION) is False
    assert session.kept() == SESSION
