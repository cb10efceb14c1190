"""The example in docs/hooks.md, installed as a site would install it."""

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from kernels.hook import GROUP, hooks
from tests.support import builders
from tests.support.folders import TREE

PAGE = TREE / "docs/hooks.md"


def block(language: str) -> str:
    """Return the one block of a language on the page."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(text)


@contextmanager
def installed(place: Path) -> Iterator[None]:
    """Install the example in a folder for the length of a block."""
    facts = place / "example_hooks-1.0.dist-info"
    facts.mkdir(parents=True)
    (place / "example_hooks.py").write_text(block("python"))
    lines = block("ini").replace("[options.entry_points]", "").replace(f"{GROUP} =", f"[{GROUP}]")
    (facts / "entry_points.txt").write_text("\n".join(line.strip() for line in lines.splitlines()))
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: example-hooks\nVersion: 1.0\n")
    sys.path.insert(0, str(place))
    importlib.invalidate_caches()
    hooks.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(place))
        hooks.cache_clear()
        sys.modules.pop("example_hooks", None)


def written(site: dict[str, object] | None = None, **settings: object) -> str:
    """Return the page's catalogue with a site and the hook's settings."""
    tree = yaml.safe_load(block("yaml"))
    tree["profiles"]["analysis"]["hooks"]["scratch"] = settings
    return yaml.safe_dump({"sites": {"geneva": site or builders.site(jupyter={})}, **tree}, sort_keys=False)
