"""What setup.cfg names is what the tree has: a file that is in no wheel is missed by those who install one."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support import installed
from tests.support.distribution import ROOTS, copied
from tests.support.folders import TREE

_SETUP = ConfigParser()
_SETUP.read(TREE / "setup.cfg", encoding="utf-8")
_INCLUDED = _SETUP["options.packages.find"]["include"].split()
_PACKAGES = [path.parent for root in ROOTS for path in root.rglob("__init__.py")]


def _files() -> Iterator[Path]:
    for root in ROOTS:
        yield from (path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _data() -> Iterator[tuple[str, list[Path]]]:
    """Yield each pattern of package_data, with the files that it puts into a wheel."""
    for package, patterns in _SETUP["options.package_data"].items():
        folders = _PACKAGES if package == "*" else [TREE.joinpath(*package.split("."))]
        for pattern in patterns.replace(",", " ").split():
            yield f"{package} = {pattern}", [found for folder in folders for found in folder.glob(pattern)]


def test_every_package_is_installed() -> None:
    for root in ROOTS:
        assert any(fnmatchcase(root.name, pattern) for pattern in _INCLUDED), root.name
    for path in _files():
        assert path.suffix != ".py" or path.parent in _PACKAGES, f"{path} is in a folder without __init__.py"


def test_every_template_script_and_page_is_installed() -> None:
    installed = {path for _, found in _data() for path in found}
    missed = {path for path in _files() if path.suffix != ".py"} - installed
    assert not missed
    assert {path.suffix for path in installed} >= {".jinja", ".html", ".js", ".sh"}


def test_every_pattern_finds_something() -> None:
    assert [line for line, found in _data() if not found] == []


def test_the_wheel_says_who_may_use_it() -> None:
    assert _SETUP["metadata"]["license"] == "BSD-3-Clause"
    assert (TREE / _SETUP["metadata"]["license_files"]).read_text(encoding="utf-8").startswith("BSD 3-Clause")


def test_what_admins_copy_from_is_installed_beside_it() -> None:
    patterns = [line for files in _SETUP["options.data_files"].values() for line in files.split()]
    installed = {path for pattern in patterns for path in TREE.glob(pattern)}
    assert [pattern for pattern in patterns if not list(TREE.glob(pattern))] == []
    examples = {path for path in (TREE / "examples").rglob("*") if path.is_file()}
    pages = set((TREE / "docs").glob("*.md"))
    assert installed == examples | pages | {TREE / "jupyterhub_config.py", TREE / "LICENSE"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made from the source distribution, as pip does it where there is no wheel."""
    folder = tmp_path_factory.mktemp("dist")
    copy = copied(folder / "tree")
    _run([sys.executable, "-c", _BUILD.format(kind="sdist", folder=str(folder))], copy)
    (archive,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder / "unpacked")
    (unpacked,) = (folder / "unpacked").iterdir()
    _run([sys.executable, "-c", _BUILD.format(kind="wheel", folder=str(folder))], unpacked)
    (built,) = folder.glob("*.whl")
    return built


_BUILD = "from setuptools import build_meta; build_meta.build_{kind}({folder!r})"


def _run(command: list[str], folder: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_everything(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    missed = {str(path.relative_to(TREE)) for path in _files() if "__pycache__" not in path.parts} - names
    assert missed == set()
    share = f"{'-'.join(wheel.name.split('-')[:2])}.data/data/share/jupyterhub-sites"
    assert {
        f"{share}/LICENSE",
        f"{share}/jupyterhub_config.py",
        f"{share}/examples/catalogue.yaml",
        f"{share}/docs/hub.md",
    } <= names
    assert {name.partition("/")[0] for name in names if ".d" not in name.partition("/")[0]} == {
        root.name for root in ROOTS
    }


def test_it_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, with what it needs from that of the tests; the tree is not on its path."""
    python = str(tmp_path / "venv/bin/python")
    _run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], tmp_path)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--no-compile"]
    _run([*pip, str(wheel)], tmp_path)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    # What a .pth file names is no folder of .pth files: nothing there leads to the tree.
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    found = json.loads(_run([python, installed.__file__, str(tmp_path)], tmp_path))
    assert found["modules"] > 500
    assert {"etc/jupyterhub/catalogue.yaml", "etc/systemd/system/jupyterhub-jobs.service"} <= set(found["made"])
