"""The entries of a catalogue, each read by itself: what is wrong with one hides nothing of another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from profiles.catalogue.dataset import DatasetSource
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobType
from profiles.catalogue.profile import Profile
from profiles.catalogue.site import Site
from profiles.catalogue.values import Entry
from profiles.catalogue.wrong import WrongAt, WrongTogether, WrongWithin

Detail = Mapping[str, Any]
"""A detail of a ValidationError; its `loc` leads to the value, also where a validator of ours found it."""

_ROUNDS = 3
# Of no host: 32 bytes of nothing.
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_INSTEAD: Mapping[type, Mapping[str, Any]] = {
    Site: {
        "title": "?",
        "front_ends": [{"host": "localhost", "host_keys": [_KEY]}],
        "job_folder": "/{owner}",
        "jupyter": {},
        # Nothing is known of them, so nothing may be said of those who name them.
        "projects": "accounting",
        "container": ["{image}"],
        "jobs": {"folder": "/{owner}/jobs"},
    },
    Gateway: {
        "title": "?",
        "kind": "unicore",
        "url": "https://host",
        "credentials": "/?",
        # Nothing may be said of the types that are offered there.
        "own_lines": True,
    },
    Profile: {"name": "?"},
    JobType: {"name": "?"},
    DatasetSource: {},
}
_PARAMETER: Mapping[str, Any] = {"title": "?", "options": ["?"]}


@dataclass(frozen=True)
class Partial:
    """A site, gateway, profile, job type or source of datasets as far as it could be read.

    `value` is without what is wrong, for the look at what must hold between entries; None if nothing can be said.
    `unsure` are the sites of an entry at which it is not known.
    """

    value: Entry | None
    details: tuple[Detail, ...] = ()
    unsure: frozenset[str] = frozenset()


def read(model: type[Entry], data: Any) -> Partial:
    """Return an entry; never raises for what is in it."""
    try:
        return Partial(model.model_validate(data))
    except ValidationError as error:
        details = tuple(spread(error))
    cutting = _Cutting(data if isinstance(data, dict) else {}, model)
    found = details
    for _ in range(_ROUNDS):
        if not cutting.cut(found):
            break
        try:
            return Partial(model.model_validate(cutting.data), details, frozenset(cutting.unsure))
        except ValidationError as error:
            found = tuple(spread(error))
        # What does not fit together is looked at once each part is right; it is no fault of a part taken out.
        details += () if cutting.removed else found
    return Partial(None, details)


@dataclass
class _Cutting:
    data: dict[Any, Any]
    model: type[Entry]
    unsure: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def cut(self, details: tuple[Detail, ...]) -> bool:
        """Take out what is wrong; return False if that cannot be done."""
        self.data = dict(self.data)
        if isinstance(self.data.get("sites"), list):
            self.data["sites"] = {name: {} for name in self.data["sites"] if isinstance(name, str)}
        for detail in details:
            if not detail["loc"]:
                return False
            name, inner = detail["loc"][0], [str(step) for step in detail["loc"][1:]]
            if name == "sites" and inner:
                self._cut_site(*inner)
            elif name == "parameters" and inner and isinstance(self.data.get("parameters"), dict):
                self.data["parameters"] = {**self.data["parameters"], inner[0]: _PARAMETER}
            elif name in self.data:
                self.data.pop(name)
                self.removed |= {name} & set(self.model.model_fields)
        for name in set(_INSTEAD[self.model]) - set(self.data):
            # Also what nobody wrote and nobody needs; it is not said to be wrong.
            self.data[name] = _INSTEAD[self.model][name]
        if self.model is JobType and all(self.data.get(name) is None for name in ("run", "command", "profile")):
            self.data["run"] = ["?"]
        return True

    def _cut_site(self, site: str, *inner: str) -> None:
        offered = self.data.get("sites")
        if not isinstance(offered, dict):
            return
        if inner == ("[key]",):
            self.data["sites"] = {name: what for name, what in offered.items() if name != site}
        elif site in offered:
            self.data["sites"] = {**offered, site: {}}
            self.unsure.add(site)


def spread(error: ValidationError) -> Iterator[Detail]:
    """Yield one detail for each problem that an error stands for."""
    for detail in error.errors():
        if _is_of_its_entries(dict(detail)):
            continue
        cause = detail.get("ctx", {}).get("error")
        causes = cause.problems if isinstance(cause, WrongTogether) else (cause,)
        for each in causes:
            yield from _of_cause(dict(detail), each)


def _is_of_its_entries(detail: dict[str, Any]) -> bool:
    """Return whether a list is too short for pydantic only because it does not count entries that are wrong."""
    given = detail["input"]
    return (
        detail["type"] == "too_short"
        and isinstance(given, list | dict)
        and len(given) >= detail["ctx"]["min_length"]
    )


def _of_cause(detail: dict[str, Any], cause: object) -> Iterator[Detail]:
    """Yield a detail with the whole path, or those of the settings that another model refused."""
    if isinstance(cause, WrongWithin):
        for inner in spread(cause.error):
            yield {**inner, "loc": (*detail["loc"], *cause.path, *inner["loc"])}
    elif isinstance(cause, WrongAt):
        yield {**detail, "loc": (*detail["loc"], *cause.path), "ctx": {"error": cause}}
    else:
        yield detail
