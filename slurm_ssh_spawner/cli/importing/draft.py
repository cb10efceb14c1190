"""A catalogue while it is translated: a site, its profiles, and what has no counterpart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slurm_ssh_spawner.cli.yaml_text import Place

_NO_KEY = re.compile(r"[^a-z0-9]+")
_LONGEST_KEY = 40
_LONGEST_TITLE = 200


@dataclass
class Draft:
    """The catalogue of one site; `notes` stand above the place that they are about."""

    file: str
    site_key: str
    site: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[Place, list[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def at_site(self) -> Place:
        """The place of the site."""
        return ("sites", self.site_key)

    def note(self, at: Place, line: int, setting: str, said: str) -> None:
        """Say something about a setting of the file, at a place of the catalogue."""
        self.notes.setdefault(at, []).append(f"{self.file}:{line}: {setting}: {said}")

    def add_profile(self, key: str, profile: Mapping[str, Any]) -> Place:
        """Add a profile under a key like this one; return its place."""
        base = _NO_KEY.sub("-", key.lower()).strip("-")[: _LONGEST_KEY - 4].strip("-") or "profile"
        number, found = self._numbers.get(base, 1), base
        while found in self.profiles:
            number += 1
            found = f"{base}-{number}"
        self._numbers[base] = number
        self.profiles[found] = dict(profile)
        return ("profiles", found)

    def offer_partitions(self, names: list[str]) -> None:
        """Have the site offer partitions."""
        offered = self.site.setdefault("partitions", {})
        for name in names:
            offered.setdefault(name, {})


def title(text: object) -> str:
    """Return a text as a title: one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in str(text)).strip()
    return plain[:_LONGEST_TITLE]
