"""What lets the service in: a private file, of which nothing but the name is ever told."""

import json
import os
import re
from pathlib import Path

import pytest

from job_service.gateways import credentials
from slurm_ssh.errors import Broken


def _file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "credentials"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def _problem(path: Path) -> Broken:
    with pytest.raises(Broken) as found:
        credentials.read(str(path), "Daint")
    assert found.value.message.startswith("The service has no credentials for Daint that it can use.")
    return found.value


@pytest.mark.parametrize(
    "text", ["robot:se:cret", "robot:se:cret\n", '{"user": "robot", "password": "se:cret"}\n']
)
def test_a_name_and_a_password_are_read(tmp_path: Path, text: str) -> None:
    found = credentials.read(str(_file(tmp_path, text)), "Daint")
    assert (found.user, found.password, dict(found.others)) == ("robot", "se:cret", {})
    assert "se:cret" not in repr(found)


def test_an_object_may_have_more(tmp_path: Path) -> None:
    text = json.dumps({"user": "robot", "password": "secret", "appkey": "key-7"})
    found = credentials.read(str(_file(tmp_path, text, 0o400)), "NSG")
    assert dict(found.others) == {"appkey": "key-7"}
    assert "key-7" not in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_what_is_open_to_others_is_not_used(tmp_path: Path, mode: int) -> None:
    assert re.search("mode 0[0-7]{3}; it must be 0600", _problem(_file(tmp_path, "robot:secret", mode)).detail)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "robot",
        "robot:",
        ":secret",
        "robot:secret\nmore:secret",
        "robot:sec\0ret",
        "robot:sec\x1bret",
        b"robot:secret\xff",
        '{"user": "robot"}',
        '{"user": "ro:bot", "password": "secret"}',
        '{"user": "robot", "password": 7}',
        '{"user": "robot", "password": "secret\\n"}',
        '{"user": "robot", "password": "secret"',
        "{" * 50_000,
        "robot:" + "secret" * 20_000,
    ],
)
def test_anything_else_is_told_without_what_it_says(tmp_path: Path, text: str | bytes) -> None:
    error = _problem(_file(tmp_path, text))
    assert "secret" not in str(error).replace("credentials", "")
    assert error.__suppress_context__


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "credentials"
    os.mkfifo(fifo, 0o600)
    assert "not a regular file" in _problem(fifo).detail
    assert "No such file" in _problem(tmp_path / "nothing").detail
    assert _problem(tmp_path).detail
