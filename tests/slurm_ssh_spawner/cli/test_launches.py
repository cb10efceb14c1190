"""`jupyterhub-sites launches`, beside a hub that uses the database or not."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.cli import main
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.records.stops import BY_OWNER
from tests.support import builders
from tests.support.folders import DATA

_IDS = [LaunchId(f"{number:012x}") for number in range(3)]


async def _filled(path: Path) -> LaunchRecords:
    """Return open records: bob's, which failed, alice's, which she stopped, and one that goes on."""
    records = LaunchRecords(f"sqlite:///{path}")
    for launch_id, user in zip(_IDS, ("bob", "alice", "alice"), strict=True):
        await records.begin(launch_id, builders.launch(user=user), server="=work" if user == "bob" else "")
    records.submitted(_IDS[0], "17")
    records.end(_IDS[0], "Module x could not be loaded.")
    records.reached(_IDS[1], "n1", 1, 0)
    records.end(_IDS[1], BY_OWNER)
    await records.settled()
    return records


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """The records of a hub that has ended."""
    folder = tmp_path / "with #space "
    folder.mkdir()
    await (await _filled(folder / "launches.sqlite")).close()
    return f"sqlite:///{folder}/launches.sqlite"


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.main(["launches", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


async def test_a_table_says_who_what_where_and_why_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = await _filled(tmp_path / "launches.sqlite")
    code, out, err = _run(capsys, "--records", f"sqlite:///{tmp_path}/launches.sqlite")
    # The hub writes on.
    records.end(_IDS[2], "TIMEOUT")
    await records.close()
    assert (code, err) == (0, "")
    head, newest, stopped, failed = out.splitlines()
    assert head.split() == ["BEGUN", "LASTED", "PERSON", "SITE", "PROFILE", "JOB", "NODE", "STATE", "WHY"]
    assert newest.split()[-3:] == ["waiting", "or", "starting"]
    assert "alice" in stopped
    assert "n1" in stopped
    assert failed.endswith("Module x could not be loaded.")
    assert " bob/=work  geneva  jupyterlab  17 " in failed


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], [2, 1, 0]),
        (["--user", "bob"], [0]),
        (["--state", "failed"], [0]),
        (["--state", "on-its-way", "--user", "alice"], [2]),
        (["odule x"], [0]),
        (["17"], [0]),
        (["--site", "lugano"], []),
        (["--profile", "jupyterlab", "--limit", "1"], [2]),
        (["--since", "1h"], [2, 1, 0]),
        (["--since", "2999-01-01"], [2]),
        (["--until", "1d"], []),
        (["--until", "2999-01-01", "--user", "alice"], [2, 1]),
    ],
)
async def test_launches_are_found(
    url: str, asked: list[str], found: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(capsys, "--records", url, "--json", *asked)
    assert code == 0
    assert [int(each["launch_id"], 16) for each in json.loads(out)] == found


async def test_programs_read_what_the_api_tells_and_what_was_chosen(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = _run(capsys, "--records", url, "--json", "--user", "bob")
    (told,) = json.loads(out)
    begun = datetime.fromisoformat(told.pop("begun"))
    assert abs(datetime.now(UTC) - begun) < timedelta(hours=1)
    assert told.pop("ended").endswith("Z")
    assert told == {
        "launch_id": _IDS[0],
        "user": "bob",
        "server": "=work",
        "site": "geneva",
        "profile": "jupyterlab",
        "job_id": "17",
        "node": "",
        "wait_until": None,
        "end_reason": "Module x could not be loaded.",
        "owner": "bob",
        "choices": dict(builders.launch(user="bob").choices.values),
        "state": "failed",
    }


async def test_a_spreadsheet_gets_no_formula(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run(capsys, "--records", url, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["user"] for row in rows] == ["alice", "alice", "bob"]
    assert rows[2]["server"] == "'=work"
    assert json.loads(rows[2]["choices"]) == dict(builders.launch(user="bob").choices.values)


async def test_that_there_are_more_is_said_beside_the_list(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "--records", url, "--csv", "--limit", "2")
    assert (code, len(out.splitlines())) == (0, 3)
    assert err.startswith("There are more.")
    assert _run(capsys, "--records", url, "--user", "nobody") == (0, "No launch is like that.\n", "")


class TestRefused:
    def test_a_database_that_is_not_there_is_not_made(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = _run(capsys, "--records", f"sqlite:///{tmp_path}/none.sqlite")
        assert (code, out) == (1, "")
        assert f"sqlite:///{tmp_path}/none.sqlite cannot be read (No such file or directory)" in err
        assert list(tmp_path.iterdir()) == []

    def test_a_database_of_an_older_version_is_left_to_its_hub(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        old = tmp_path / "launches.sqlite"
        old.write_bytes((DATA / "releases" / "0.1.0" / "launches.sqlite").read_bytes())
        before = old.read_bytes()
        code, _, err = _run(capsys, "--records", f"sqlite:///{old}")
        assert code == 1
        assert "are those of another version" in err
        assert old.read_bytes() == before

    def test_a_file_of_something_else(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "x").write_text("no database")
        code, _, err = _run(capsys, "--records", f"sqlite:///{tmp_path}/x")
        assert code == 1
        assert "(file is not a database)" in err

    def test_no_password_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = _run(capsys, "--records", "postgresql+psycopg://hub:secret@127.0.0.1:1/launches")
        assert code == 1
        assert "@127.0.0.1:1/launches cannot be read" in err
        assert "secret" not in err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--state", "gone"], "on-its-way, up"),
            (["--since", "yesterday"], "Write a date such as"),
            (["--until", "9999-12-31T23:59-12:00"], "Write a date such as"),
            (["--csv", "--json"], "not both"),
            (["--limit", "0"], "--limit"),
        ],
    )
    def test_what_is_not_understood_is_exit_2(
        self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, _, err = _run(capsys, *arguments)
        assert code == 2
        assert said in err
