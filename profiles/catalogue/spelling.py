"""What somebody may have meant by a misspelt name.  Pure."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from profiles.sentences import mistakes

_MOST_NAMED = 8
_NEAREST = 3
_ALIKE = 0.6

_TIME, _GPUS, _NODES = (
    ("time", "resources: {time: }"),
    ("gpus", "resources: {gpus: }"),
    ("nodes", "resources: {nodes: }"),
)
_CALLED: Mapping[str, tuple[str, ...]] = {
    "account": ("projects",),
    "accounts": ("projects",),
    "auth": ("login",),
    "cpu": ("cores", "core"),
    "cpus": ("cores", "core"),
    "env": ("environment",),
    "gpu": _GPUS,
    "gpus": _GPUS,
    "gres": _GPUS,
    "group": ("visible_to",),
    "groups": ("visible_to",),
    "home": ("job_folder",),
    "host": ("front_ends",),
    "host_keys": ("front_ends",),
    "hosts": ("front_ends",),
    "image": ("container",),
    "kerberos": ("login",),
    "login_nodes": ("front_ends",),
    "max_time": (*_TIME, "partitions"),
    "mem": ("memory",),
    "modules": ("jupyter: {modules: }",),
    "name": ("title",),
    "nodes": _NODES,
    "nprocs": ("cores", "core"),
    "queue": ("partitions",),
    "ram": ("memory",),
    "runtime": _TIME,
    "scratch": ("job_folder",),
    "time": _TIME,
    "time_max": (*_TIME, "partitions"),
    "timelimit": _TIME,
    "users": ("visible_to",),
    "walltime": _TIME,
}
"""What others call what has another name here: that one, the first that is known of several."""


def near(name: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """Return what is known and nearly `name`, None if nothing is; of two that are `alike` 1.0, all letters are."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=alike)), None)


def called(name: str, known: Iterable[str]) -> str | None:
    """Return the known key for what others call `name`, with those that it stands in; None if there is none."""
    names = set(known)
    # Such as `resources: {gpus: }`.
    return next((each for each in _CALLED.get(name, ()) if each.partition(":")[0] in names), None)


def meant(name: str, known: Iterable[str]) -> str:
    """Return the hint that asks for something known if it is nearly `name`, else names what is known.

    Of many, only the nearest are named.
    """
    names = [str(each) for each in known]
    if (found := near(name, names)) is not None:
        return mistakes.DID_YOU_MEAN.format(name=found)
    shown = names if len(names) <= _MOST_NAMED else get_close_matches(name, names, n=_NEAREST, cutoff=0.0)
    listed = ", ".join(f"`{each}`" for each in shown)
    if len(shown) < len(names):
        return mistakes.WRITE_ONE_OF_MANY.format(names=listed, count=len(names) - len(shown))
    return mistakes.WRITE_ONE_OF.format(names=listed) if names else mistakes.NOTHING_KNOWN
