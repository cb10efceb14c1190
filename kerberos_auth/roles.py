"""What of a JupyterHub's groups and roles can be said before it starts, whatever people log in by."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from . import sentences
from .outcome import Outcome, State

_LONGEST_QUOTE = 200
# As JupyterHub takes them.
_ROLE = re.compile(r"[a-z][a-z0-9_~.-]{1,253}[a-z0-9]")


def of_hub(app: Any, *, manages_groups: bool) -> Iterator[Outcome]:
    """Yield what `groups_and_roles` does of the configuration of a JupyterHub application, if there is one."""
    groups = getattr(app, "load_groups", {}) if manages_groups else {}
    return groups_and_roles(groups, getattr(app, "load_roles", []))


def groups_and_roles(named_twice: Collection[str], load_roles: Sequence[Mapping[str, Any]]) -> Iterator[Outcome]:
    """Yield what of `load_groups` and `load_roles` JupyterHub does not start with, and says with a traceback.

    `named_twice` are the groups of the configuration, if also the authenticator says who is in which.
    """
    if named_twice:
        said = sentences.GROUPS_TWICE.format(names=", ".join(named_twice)[:_LONGEST_QUOTE])
        yield Outcome("A11", State.FAIL, said, sentences.GROUPS_ONCE, ("JupyterHub", "load_groups"))
    setting = ("JupyterHub", "load_roles")
    for name, times in Counter(str(role.get("name", "")) for role in load_roles).items():
        if not _ROLE.fullmatch(name):
            said = sentences.NO_ROLE_NAME.format(name=repr(name[:_LONGEST_QUOTE]))
            yield Outcome("A11", State.FAIL, said, sentences.ROLE_NAMES, setting)
        elif times > 1:
            yield Outcome("A11", State.FAIL, sentences.ROLE_TWICE.format(name=name), sentences.ROLE_ONCE, setting)
