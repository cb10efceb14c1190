"""What setup.cfg names is what the tree has: a file that is in no wheel is missed by those who install one."""

from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path

from tests.support.folders import TREE

_SETUP = ConfigParser()
_SETUP.read(TREE / "setup.cfg", encoding="utf-8")
_INCLUDED = _SETUP["options.packages.find"]["include"].split()
_ROOTS = [
    TREE / name
    for name in (
        "languages",
        "kernels",
        "profiles",
        "kerberos_auth",
        "slurm_ssh",
        "slurm_ssh_spawner",
        "job_service",
    )
]
_PACKAGES = [path.parent for root in _ROOTS for path in root.rglob("__init__.py")]


def _files() -> Iterator[Path]:
    for root in _ROOTS:
        yield from (path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _data() -> Iterator[tuple[str, list[Path]]]:
    """Yield each pattern of package_data, with the files that it puts into a wheel."""
    for package, patterns in _SETUP["options.package_data"].items():
        folders = _PACKAGES if package == "*" else [TREE.joinpath(*package.split("."))]
        for pattern in patterns.replace(",", " ").split():
            yield f"{package} = {pattern}", [found for folder in folders for found in folder.glob(pattern)]


def test_every_package_is_installed() -> None:
    for root in _ROOTS:
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
    assert installed == examples | {TREE / "jupyterhub_config.py", TREE / "LICENSE"}
