"""What a hub's configuration says, as plain values, and where its file says it.  Knows no JupyterHub."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerberos_auth.outcome import Outcome

_MAX_BYTES = 1 << 20

Setting = tuple[str, str]
"""A class and the name of one of its settings, as in `c.Class.name`."""


@dataclass(frozen=True)
class Configuration:
    """All settings that are written.

    `settings` are the values by class and name.  `known` are the settings that there are, of each class that this
    hub uses and of those that they inherit from; `spawner` and `ours` name those that are the spawner's, and ours.
    """

    settings: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    spawner: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    file: str = ""

    def get(self, owner: str, name: str, default: Any = None) -> Any:
        """Return a value as it is written, or the default."""
        return self.settings.get(owner, {}).get(name, default)


def placed(outcome: Outcome, file: str, lines: Mapping[Setting, int]) -> Outcome:
    """Return the outcome with the place of its setting, where that is known."""
    line = lines.get(outcome.setting)
    return replace(outcome, place=f"{file}:{line}") if line and not outcome.place else outcome


def lines(file: str) -> dict[Setting, int]:
    """Return the last line in which a configuration file sets each setting; nothing of a file that is not read."""
    try:
        with Path(file).open("rb") as opened:
            tree = ast.parse(opened.read(_MAX_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[Setting, int] = {}
    for node in ast.walk(tree):
        for target in _targets(node):
            if (setting := _setting(target)) is not None:
                found[setting] = max(node.lineno, found.get(setting, 0))  # type: ignore[attr-defined]
    return found


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [node.target]
    # c.Class.name.update(...)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value]
    return []


def _setting(target: ast.expr) -> Setting | None:
    while isinstance(target, ast.Subscript):
        target = target.value
    match target:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(), attr=owner), attr=name) if owner[:1].isupper():
            return owner, name
    return None
