"""`python -m tests.wheels`: install the wheel by pip on every Python that is here, and look whether it works.

Each Python gets an environment of its own, with the extra [jobs], from the package index that pip is set up for.
`--root DIR` also tries the Python of a Debian tree, such as `debootstrap` makes; it needs root, and in the tree
python3, python3-venv, python3-dev, gcc, libkrb5-dev and ca-certificates.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import installed
from tests.support.distribution import copied

_MINORS = range(11, 15)
_PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


@dataclass(frozen=True)
class Interpreter:
    """A Python, and the tree in which it is; "" for this machine's own."""

    path: str
    root: str = ""

    def command(self, *words: str) -> list[str]:
        """Return a command that runs there."""
        return ["chroot", self.root, *words] if self.root else list(words)

    def place(self, folder: Path) -> Path:
        """Return a folder of its tree as seen from outside."""
        return Path(self.root) / folder.relative_to("/") if self.root else folder


def main() -> int:
    """Print a line for each Python; return 1 if it works on not all of them."""
    options = argparse.ArgumentParser(prog="python -m tests.wheels", description=(__doc__ or "").splitlines()[0])
    options.add_argument("python", nargs="*", help="Python to try; default: all that are found here")
    options.add_argument("--root", action="append", default=[], metavar="DIR", help="a Debian tree to try, too")
    told = options.parse_args()
    pythons = [Interpreter(path) for path in told.python or _found()]
    pythons += [Interpreter("/usr/bin/python3", root) for root in told.root]
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        wheel = built(Path(folder))
        failed = [each for each in pythons if not _works(each, wheel)]
    return 1 if failed or not pythons else 0


def built(folder: Path) -> Path:
    """Build the wheel of this tree in a folder, and return it."""
    copy = copied(folder / "tree")
    _checked([sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(copy)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _found() -> Iterator[str]:
    """Yield a Python of each minor version that runs here."""
    for minor in _MINORS:
        name = f"python3.{minor}"
        places = [*_PYENV.glob(f"versions/3.{minor}.*/bin/{name}"), shutil.which(name)]
        runs = [str(each) for each in places if each and _runs(str(each))]
        yield from runs[:1]


def _runs(path: str) -> bool:
    return subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0


def _works(python: Interpreter, wheel: Path) -> bool:
    base = Path(tempfile.mkdtemp(prefix="wheel-", dir=python.place(Path("/tmp"))))
    inside = Path("/tmp", base.name)
    try:
        for file in (wheel, Path(installed.__file__)):
            shutil.copy(file, base)
        there = [str(inside / "venv/bin/python"), "-m", "pip"]
        _checked(python.command(python.path, "-m", "venv", str(inside / "venv")))
        _checked(
            python.command(*there, "install", "--quiet", f"jupyterhub-sites[jobs] @ file://{inside / wheel.name}")
        )
        _checked(python.command(*there, "check"))
        said = _checked(python.command(there[0], str(inside / "installed.py"), str(inside)))
        found = json.loads(said)
        packages = len(json.loads(_checked(python.command(*there, "list", "--format", "json"))))
    except subprocess.CalledProcessError as error:
        print(f"FAIL  {python.root}{python.path}\n{error.stdout[-4000:]}{error.stderr[-4000:]}", flush=True)
        return False
    else:
        print(
            f"ok    {found['python']:8} {python.root}{python.path}: {found['modules']} modules imported, "
            f"{packages} packages installed",
            flush=True,
        )
        return True
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _checked(command: Sequence[str]) -> str:
    # What an environment of another Python sets would be taken by that one, too.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ, cwd="/")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
