"""The ticket of whoever runs a command, found where kinit leaves it, or a sentence that says what to do."""

import time
from pathlib import Path

import pytest
from krb_caches import RENEWABLE, cache, credential

from kerberos_auth.errors import AuthFailed
from kerberos_auth.own_ticket import own_ticket


def _file(folder: Path, *credentials: bytes) -> Path:
    path = folder / "krb5cc"
    path.write_bytes(cache(*credentials))
    return path


@pytest.mark.parametrize("name", ["FILE:{path}", "{path}"])
def test_a_ticket_in_a_file_is_found(tmp_path: Path, name: str) -> None:
    path = _file(tmp_path, credential())
    ticket = own_ticket({"KRB5CCNAME": name.format(path=path)})
    assert (ticket.user, ticket.principal, ticket.path) == ("alice", "alice@LAB.TEST", path)
    assert ticket.ccache == f"FILE:{path}"


@pytest.mark.parametrize("environ", [{}, {"KRB5CCNAME": ""}])
def test_without_a_name_it_is_that_of_the_account(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 4294967)
    with pytest.raises(AuthFailed, match=r"^You have no ticket in /tmp/krb5cc_4294967 .*Run `kinit -f` first\.$"):
        own_ticket(environ)


@pytest.mark.parametrize("name", ["KCM:1000", "KEYRING:persistent:1000", "DIR:/run/user/1000/krb5cc"])
def test_a_cache_that_is_no_file_says_how_to_get_one(name: str) -> None:
    with pytest.raises(AuthFailed, match=r"is not a file\. Run `export KRB5CCNAME=FILE:/tmp/krb5cc_"):
        own_ticket({"KRB5CCNAME": name})


def test_a_ticket_whose_life_is_over(tmp_path: Path) -> None:
    path = _file(tmp_path, credential(end=int(time.time()) - 1))
    with pytest.raises(AuthFailed, match=r"has expired\. Run `kinit -f` again"):
        own_ticket({"KRB5CCNAME": str(path)})


def test_a_ticket_that_cannot_be_forwarded(tmp_path: Path) -> None:
    path = _file(tmp_path, credential(flags=RENEWABLE))
    with pytest.raises(AuthFailed, match=r"cannot be forwarded\. Run `kinit -f` again"):
        own_ticket({"KRB5CCNAME": str(path)})


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    path = tmp_path / "krb5cc"
    path.write_bytes(b"odd")
    with pytest.raises(AuthFailed, match=r"cannot be used\. Run `kinit -f` again"):
        own_ticket({"KRB5CCNAME": str(path)})
