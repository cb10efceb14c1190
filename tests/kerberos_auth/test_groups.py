import grp
import os
import pwd
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from kerberos_auth import groups


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """A group database by number; alice has account and groups in it."""
    known = {20001: "alice", 22000: "neuro", 100: "users"}

    def account(name: str) -> SimpleNamespace:
        if name != "alice":
            raise KeyError(name)
        return SimpleNamespace(pw_name="alice", pw_gid=20001)

    monkeypatch.setattr(pwd, "getpwnam", account)
    monkeypatch.setattr(os, "getgrouplist", lambda _name, gid: [gid, 100, 22000, 4711])
    monkeypatch.setattr(grp, "getgrgid", lambda number: SimpleNamespace(gr_name=known[number]))
    return known


@pytest.mark.usefixtures("database")
def test_a_persons_groups_are_those_with_a_name_but_her_own() -> None:
    assert groups.of("alice") == ["neuro", "users"]


@pytest.mark.usefixtures("database")
def test_somebody_whom_the_machine_does_not_know_has_none() -> None:
    assert groups.of("nobody-here") == []


@pytest.mark.parametrize("name", ["a\0b", "no such user", "", "../x"])
def test_odd_names_have_none(name: str) -> None:
    assert groups.of(name) == []


def test_the_machines_own_accounts_have_what_it_says() -> None:
    asked: Callable[[str], list[str]] = groups.of
    assert asked("root") == sorted({grp.getgrgid(gid).gr_name for gid in os.getgrouplist("root", 0)} - {"root"})
