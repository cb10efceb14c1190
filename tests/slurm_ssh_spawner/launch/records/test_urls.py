"""What is said of a database's URL, in which a password may stand."""

import pytest
from sqlalchemy.exc import ArgumentError

from job_service.store.engines import open_engines
from job_service.store.errors import DatabaseUnknown
from slurm_ssh_spawner.cli import main
from slurm_ssh_spawner.hub import composition, databases
from slurm_ssh_spawner.hub.databases import Database
from slurm_ssh_spawner.launch.records import urls

# Each holds a password of which `secret` is a part.
_BARE = [
    "postgresql://hub:a@secret@db/hub",
    "postgresql://hub:a@secret/b@db/hub",
    "postgresql://a@hub:secret@db/hub",
]
_UNREADABLE = ["postgresql://hub:secret", "hub:secret@db"]


@pytest.mark.parametrize("url", [*_BARE, *_UNREADABLE])
def test_a_password_that_breaks_its_url_is_told_nowhere(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArgumentError) as unreadable:
        urls.read(url)
    with pytest.raises(SystemExit) as not_started:
        composition._records(url)
    with pytest.raises(DatabaseUnknown) as not_served:
        open_engines(url)
    (found,) = databases.usable(Database(("JupyterHub", "db_url"), url))
    assert main.main(["launches", "--records", url]) == 1
    told = [unreadable.value, not_started.value, not_served.value, found.sentence, capsys.readouterr().err]
    assert [each for each in map(str, told) if "secret" in each] == []
    if url in _BARE:
        assert [each for each in map(str, told) if "write %40 for @" not in each.replace("Write", "write")] == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://hub:secret@db/hub?password=secret&sslmode=require", "postgresql://hub:***@db/hub"),
        ("postgresql://hub:a%40secret@db/hub", "postgresql://hub:***@db/hub"),
        ("sqlite:////srv/a@b@c.sqlite", "sqlite:////srv/a%40b%40c.sqlite"),
        ("postgresql://hub:secret", "records_url"),
    ],
)
def test_a_url_is_shown_without_what_may_hold_a_password(url: str, shown: str) -> None:
    assert urls.shown(url, "records_url") == shown
