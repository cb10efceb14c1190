"""The modules of the form's script, at an address that names what is in them.

A module imports its neighbours by relative addresses, so all of them come from the folder of the page's version.
Browsers may keep them for good: those of another version have other addresses, and no page ever mixes two.
"""

import hashlib
from importlib.resources import files
from typing import Any

from jupyterhub.handlers.static import CacheControlStaticFilesHandler

_FOLDER = files(__package__) / "static" / "form"


def _version() -> str:
    """Return what changes with any of the modules."""
    every = hashlib.sha256()
    for each in sorted(_FOLDER.iterdir(), key=lambda each: each.name):
        every.update(f"{each.name}\0".encode() + hashlib.sha256(each.read_bytes()).digest())
    return every.hexdigest()[:16]


VERSION = _version()
MAIN = f"launch-pages/{VERSION}/main.js"
"""The address of the one that the page names, below the hub's."""


class FormScripts(CacheControlStaticFilesHandler):  # type: ignore[misc]
    """`/hub/launch-pages/<VERSION>/<module>.js`; under any other version there is nothing."""

    def get_cache_time(self, *_about: Any) -> int:
        """Return how long a browser may keep it, in seconds; 0 where JupyterHub is told to have nothing kept."""
        return 0 if self.settings.get("no_cache_static") else int(self.CACHE_MAX_AGE)

    def set_extra_headers(self, path: str) -> None:
        """Say that it never changes, unlike what JupyterHub serves without a version."""
        if self.settings.get("no_cache_static"):
            super().set_extra_headers(path)


ROUTE = (rf"/launch-pages/{VERSION}/([a-z_]+\.js)", FormScripts, {"path": str(_FOLDER)})
