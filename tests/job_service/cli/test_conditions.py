import os
from pathlib import Path

import pytest

from job_service.cli.conditions import CannotStart, check_environment, run_folder, token


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("from-the-file\n")
    path.chmod(0o600)
    return path


def test_a_ticket_cache_of_the_process_is_refused() -> None:
    check_environment({})
    with pytest.raises(CannotStart, match="KRB5CCNAME"):
        check_environment({"KRB5CCNAME": ""})


def test_the_token_is_that_of_the_environment_or_of_the_file(file: Path) -> None:
    assert token(file, {}) == "from-the-file"
    assert token(file, {"JUPYTERHUB_API_TOKEN": "from-the-hub"}) == "from-the-hub"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(CannotStart, match=f"is not for uid {os.geteuid()} alone"):
        token(file, {})


def test_without_a_token_it_is_told_where_one_is_put(file: Path) -> None:
    with pytest.raises(CannotStart, match=r"into .*/missing, or set JUPYTERHUB_API_TOKEN"):
        token(file.with_name("missing"), {})
    file.write_text(" \n")
    with pytest.raises(CannotStart, match="no API token"):
        token(file, {})


def test_a_folder_in_the_place_of_the_token_is_told(file: Path) -> None:
    with pytest.raises(CannotStart, match=r"cannot be read from .* \(Is a directory\)|is not for uid"):
        token(file.parent, {})


def test_the_run_folder_is_made_and_is_for_one_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with run_folder(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(CannotStart, match="Another jupyterhub-jobs uses"), run_folder(folder):
            pass
    with run_folder(folder):
        pass


def test_a_run_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(CannotStart, match="chmod 700"), run_folder(tmp_path):
        pass


def test_a_run_folder_that_cannot_be_made_or_is_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="No such file"), run_folder(tmp_path / "a" / "b"):
        pass
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(CannotStart, match=r"Not a directory|symbolic links"), run_folder(tmp_path / "link"):
        pass
