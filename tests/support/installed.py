"""Look whether an installed wheel works: run by the Python that it was installed for, from a folder of its own.

`python installed.py FOLDER` needs nothing but the standard library and the wheel, and exits with 1 if anything
fails.
"""

import importlib
import json
import pkgutil
import subprocess
import sys
import sysconfig
import warnings
from importlib import metadata
from pathlib import Path

_DISTRIBUTION = "jupyterhub-sites"
# What runs in jobs, by the Pythons of the sites, and what alembic runs.
_NOT_IMPORTED = ("jobside", "migrations")


def main() -> None:
    """Print what was looked at, as JSON."""
    folder = Path(sys.argv[1])
    modules = _imported()
    for each in _distribution().entry_points:
        each.load()
    root, catalogue = folder / "root", Path(sys.prefix, "share", _DISTRIBUTION, "examples", "catalogue.yaml")
    where = ["127.0.0.1", "--port", "1", "--root", str(root)]
    for words in (
        ["init", *where, "--jobs", "--tunnel", "--pam", "krb5", "--yes"],
        ["check", str(catalogue)],
        ["show", str(catalogue), "--user", "alice"],
        ["schema"],
        ["docs", "first-hub"],
    ):
        _run(folder, "jupyterhub-sites", *words)
    _run(folder, "jupyterhub-sites", "--version")
    _run(folder, "jupyterhub-jobs", "--help")
    made = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    version = ".".join(str(number) for number in sys.version_info[:3])
    print(json.dumps({"python": version, "modules": modules, "made": made}))


def _imported() -> int:
    """Import every module, and return how many there are; whatever Python says of their lines is an error."""
    installed = Path(sysconfig.get_path("purelib"))
    names = (_distribution().read_text("top_level.txt") or "").split()
    count = 0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for name in names:
            package = importlib.import_module(name)
            found = Path(package.__path__[0])
            assert found == installed / name, f"{name} is imported from {found}"
            for each in pkgutil.walk_packages(package.__path__, f"{name}."):
                if not any(part in _NOT_IMPORTED for part in each.name.split(".")):
                    importlib.import_module(each.name)
                    count += 1
    ours = [
        str(each) for each in said if any(Path(each.filename).is_relative_to(installed / name) for name in names)
    ]
    assert not ours, "\n".join(ours)
    return count


def _distribution() -> metadata.Distribution:
    return metadata.distribution(_DISTRIBUTION)


def _run(folder: Path, program: str, *words: str) -> None:
    command = [str(Path(sysconfig.get_path("scripts"), program)), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program} {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.stdout, f"{program} {' '.join(words)} says nothing"


if __name__ == "__main__":
    main()
