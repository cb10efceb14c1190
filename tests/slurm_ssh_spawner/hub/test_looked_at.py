"""Looks at servers that there are not, several at once."""

from types import SimpleNamespace
from typing import Any

from slurm_ssh_spawner.hub.looked_at import nothing_made, wanted


class _Rows:
    """The hub's database, of which only what is removed and kept matters here."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.user: Any = SimpleNamespace(name="alice", orm_spawners={}, spawners={})

    def make(self, server: str) -> None:
        self.user.orm_spawners[server] = server
        self.user.spawners[server] = SimpleNamespace(active=False)

    def delete(self, row: str) -> None:
        self.removed.append(row)
        del self.user.orm_spawners[row]

    def commit(self) -> None:
        pass


def test_the_last_who_looks_forgets_it() -> None:
    rows = _Rows()
    first, second = nothing_made(rows, rows.user, "x"), nothing_made(rows, rows.user, "x")
    with second:
        with first:
            rows.make("x")
        assert rows.removed == []
    assert rows.removed == ["x"]


def test_what_is_started_meanwhile_stays_and_so_does_what_was_there() -> None:
    rows = _Rows()
    with nothing_made(rows, rows.user, "x"):
        rows.make("x")
        wanted(rows.user, "x")
    with nothing_made(rows, rows.user, "x"):
        pass
    assert rows.removed == []
