"""The distribution `hubjobs`: what is in its wheel, what it needs, and that it runs with that alone."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.folders import TREE

CLIENT = TREE / "job_client"
_NONE = {"extra": ""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built of a copy without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(CLIENT, folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    _done([sys.executable, "-m", "pip", "wheel", "--quiet", *options, str(folder / "source")])
    return next(folder.glob("*.whl"))


def _done(command: list[str], **more: str) -> str:
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **more}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_module_is_in_the_wheel_with_its_types_and_licence(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(CLIENT)) for path in (CLIENT / "hubjobs").rglob("*.py")}
    assert len(modules) > 20
    assert modules | {"hubjobs/py.typed"} == {name for name in names if name.startswith("hubjobs/")}
    assert any(name.endswith("/LICENSE") for name in names)


def _needed(dist: Distribution, seen: set[str]) -> Iterator[Distribution]:
    """Give what a distribution needs, and what that needs, as it is installed here."""
    for line in dist.requires or ():
        requirement = Requirement(line)
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name not in seen and (requirement.marker is None or requirement.marker.evaluate(_NONE)):
            seen.add(name)
            yield (found := distribution(name))
            yield from _needed(found, seen)


def test_the_wheel_runs_in_an_environment_of_its_own_with_what_it_says_it_needs(
    wheel: Path, tmp_path: Path
) -> None:
    _done([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")])
    python = str(tmp_path / "env/bin/python")
    _done(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ]
    )
    there = next((tmp_path / "env/lib").glob("python3*/site-packages"))
    [metadata] = there.glob("hubjobs-*.dist-info")
    for dist in _needed(Distribution.at(metadata), set()):
        for file in dist.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (there / file).parent.mkdir(parents=True, exist_ok=True)
                (there / file).symlink_to(dist.locate_file(file))
    command = str(tmp_path / "env/bin/hubjobs")
    assert _done([command, "--version"]).startswith("hubjobs 0.")
    assert "submit" in _done([command, "--help"])
    assert "jobtype" in _done([str(tmp_path / "env/bin/ijp"), "--help"])
    types = "import hubjobs, sys; print('job_service' in sys.modules, 'gssapi' in sys.modules, hubjobs.__file__)"
    said = _done([python, "-c", types], PYTHONDONTWRITEBYTECODE="1").split()
    assert said[:2] == ["False", "False"]
    assert Path(said[2]).is_relative_to(tmp_path)


def test_imports_go_one_way_and_nothing_else_of_ours_is_imported() -> None:
    lint = str(Path(sys.executable).parent / "lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=CLIENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "3 kept, 0 broken" in done.stdout
