"""Hooks installed as a site would install them: a package with entry points, for the length of a block."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kernels import hook

MODULE = "example_hooks"


def _forget() -> None:
    hook.installed.cache_clear()
    hook._loaded.cache_clear()
    sys.modules.pop(MODULE, None)
    importlib.invalidate_caches()


@contextmanager
def installed(place: Path, named: Mapping[str, str], source: str = "") -> Iterator[None]:
    """Install hooks from a folder, which is made: name in the catalogue to `module:Class`.

    `source` becomes the module MODULE.
    """
    facts = place / f"{MODULE}-1.0.dist-info"
    facts.mkdir(parents=True)
    (place / f"{MODULE}.py").write_text(source)
    points = "\n".join(f"{name} = {value}" for name, value in named.items())
    (facts / "entry_points.txt").write_text(f"[{hook.GROUP}]\n{points}\n")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: example-hooks\nVersion: 1.0\n")
    sys.path.insert(0, str(place))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(place))
        _forget()
