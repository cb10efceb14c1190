"""The command line of the service: what it prints, and why it does not start."""

import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from job_service.cli.main import app
from tests.support import shells
from tests.support.folders import TREE

CATALOGUE = str(TREE / "examples/catalogue.yaml")


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTERHUB_API_TOKEN", "KRB5CCNAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Options with which everything of the service would lie in one folder, which is not there yet."""
    return [
        *("--catalogue", CATALOGUE),
        *("--ticket-folder", str(tmp_path / "krb5")),
        *("--run-folder", str(tmp_path / "run")),
        *("--database", f"sqlite:///{tmp_path}/jobs.sqlite"),
        *("--token-file", str(tmp_path / "token")),
        *("--listen", "127.0.0.1:0"),
    ]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_only_a_service_loads_what_answers_requests() -> None:
    program = "import sys, job_service.cli.main; print(*sys.modules)"
    (modules,) = shells.run([sys.executable, "-c", program]).lines
    assert {"fastapi", "jupyterhub", "uvicorn"}.isdisjoint(modules.split())


def test_the_script_of_a_type_is_printed() -> None:
    printed = run("script", "--catalogue", CATALOGUE, "--type", "recon", "--user", "alice")
    assert printed.exit_code == 0
    assert printed.stdout.startswith("#!/bin/bash\n#SBATCH --job-name=job-hub-000000000000\n")
    assert "attend /gpfs/apps/recon/bin/recon --out results --seed 7 --slices 3\n" in printed.stdout
    chosen = run(
        "script", "--catalogue", CATALOGUE, "--user", "alice", "--type", "recon", "--choice", "param.seed=8"
    )
    assert "attend /gpfs/apps/recon/bin/recon --out results --seed 8 --slices 3\n" in chosen.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--type", "nothing"], "nothing is not offered"),
        (["--type", "recon", "--choice", "param.slices"], "The choice 'param.slices' is not NAME=VALUE."),
        (["--type", "recon", "--choice", "param.slices=101"], "Slices: 101 is not offered."),
        (["--type", "recon", "--user", "Al ice"], "is nobody's name on a hub."),
    ],
)
def test_a_script_that_there_is_not_is_told_with_a_sentence(arguments: list[str], sentence: str) -> None:
    printed = run("script", "--catalogue", CATALOGUE, "--user", "alice", *arguments)
    assert (printed.exit_code, printed.stdout) == (1, "")
    assert sentence in printed.stderr


def test_it_does_not_start_without_a_token(options: list[str]) -> None:
    refused = run("serve", *options)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("jupyterhub-jobs has no API token.")


def test_it_does_not_start_with_a_ticket_of_its_own(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/tmp/krb5cc_0")
    refused = run("serve", *options)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("KRB5CCNAME is set")


def test_it_does_not_start_under_a_name_that_no_job_can_have(options: list[str]) -> None:
    refused = run("serve", *options, "--hub-name", "my,hub")
    assert refused.exit_code == 1
    assert "'my,hub', cannot stand in the names of jobs" in refused.stderr


def test_a_size_that_is_none_is_a_wrong_command_line(options: list[str]) -> None:
    refused = run("serve", *options, "--upload-max", "much")
    assert refused.exit_code == 2
    assert "--upload-max" in refused.stderr


def test_a_database_whose_folder_is_missing_is_told_with_what_to_do(tmp_path: Path) -> None:
    refused = run("upgrade-database", "--database", f"sqlite:///{tmp_path}/none/jobs.sqlite")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"The database cannot be made at {tmp_path}/none/jobs.sqlite (No such file")


@pytest.mark.parametrize("url", ["jobs.sqlite", "mysql://localhost/jobs"])
def test_what_is_no_database_is_told_with_what_would_be_one(url: str) -> None:
    refused = run("upgrade-database", "--database", url)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Write --database sqlite:////var/lib" in refused.stderr
