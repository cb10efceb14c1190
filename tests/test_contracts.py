"""Imports go one way, and no module is outside the contracts that say so (setup.cfg)."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.support.folders import TREE

_NOT_SHIPPED = {"lab", "tests", "benchmarks", "faults"}
_LINT = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]


def _settings() -> ConfigParser:
    settings = ConfigParser()
    settings.read(TREE / "setup.cfg")
    return settings


def _packages() -> set[str]:
    """Return the packages at the top of the tree that are shipped."""
    found = {path.parent.name for path in TREE.glob("*/__init__.py")}
    return found - _NOT_SHIPPED


def test_every_package_is_linted_and_every_module_in_it_has_its_layer() -> None:
    settings = _settings()
    contracts = [settings[name] for name in settings.sections() if name.startswith("importlinter:contract:")]
    exhaustive = {each["containers"].strip() for each in contracts if each.get("exhaustive") == "true"}
    assert set(settings["importlinter"]["root_packages"].split()) == exhaustive == _packages()


def _linted(folder: Path, new: str, text: str) -> str:
    """Return what import-linter says of a copy of the tree with one more file."""
    for package in _packages():
        shutil.copytree(TREE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TREE / "setup.cfg", folder)
    (folder / new).parent.mkdir(exist_ok=True)
    (folder / new).write_text(text)
    done = subprocess.run(_LINT, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("new", "text", "contract"),
    [
        ("slurm_ssh/novel.py", "", "slurm_ssh: jobs, facts and tunnels"),
        ("profiles/novel/__init__.py", "", "profiles: the form"),
        ("slurm_ssh/jobs/novel.py", "import jupyterhub\n", "The core serves other processes"),
        ("kernels/jobside/novel.py", "import kernels.hook\n", "What runs in jobs"),
        ("slurm_ssh/ssh/novel.py", "import asyncssh\n", "asyncssh only in"),
        ("job_service/running/novel.py", "import fastapi\n", "FastAPI and uvicorn only in"),
        ("slurm_ssh_spawner/launch/novel.py", "import rich\n", "typer and rich only in"),
        ("slurm_ssh/slurm/novel.py", "import slurm_ssh.jobs.watch\n", "slurm_ssh: jobs, facts and tunnels"),
    ],
)
def test_a_new_module_is_under_a_contract_by_itself(tmp_path: Path, new: str, text: str, contract: str) -> None:
    said = _linted(tmp_path, new, text)
    assert any(contract in line and "BROKEN" in line for line in said.splitlines()), said


_JOBS_ALONE = ("asyncpg", "fastapi", "httptools", "starlette", "uvicorn")


def test_a_hub_without_jobs_needs_none_of_the_extra() -> None:
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({_JOBS_ALONE}))\n"
    imports = "import slurm_ssh_spawner.spawner, slurm_ssh_spawner.cli.main, kerberos_auth.authenticator\n"
    done = subprocess.run([sys.executable, "-c", hidden + imports], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
