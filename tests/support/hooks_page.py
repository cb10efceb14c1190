"""The example in docs/hooks.md, installed as a site would install it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.support import builders, hooks
from tests.support.folders import TREE

PAGE = TREE / "docs/hooks.md"


def block(language: str) -> str:
    """Return the one block of a language on the page."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(text)


@contextmanager
def installed(place: Path) -> Iterator[None]:
    """Install the example in a folder for the length of a block."""
    named = re.search(r"jupyterhub_sites\.hooks =\n\s+(\w+) = (\S+)", block("ini"))
    assert named
    with hooks.installed(place, {named[1]: named[2]}, block("python")):
        yield


def written(site: dict[str, object] | None = None, **settings: object) -> str:
    """Return the page's catalogue with a site and the hook's settings."""
    tree = yaml.safe_load(block("yaml"))
    tree["profiles"]["analysis"]["hooks"]["scratch"] = settings
    return yaml.safe_dump({"sites": {"geneva": site or builders.site(jupyter={})}, **tree}, sort_keys=False)
