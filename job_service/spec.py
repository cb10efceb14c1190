"""What somebody wants: a batch job before anybody has looked whether they may have it.  Frozen values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from profiles.catalogue.dataset import Mode

Start = Literal["now", "when-complete", "later"]
"""When a job is sent: at once, once all its inputs are there, or when its owner says so."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as its owner described it.

    `type` is a job type's key, `system` a site's (None: the first that can be had), `project` one of theirs there
    (None: their default), `choices` those of the catalogue's form as text, without the three.  `command` is the
    line of a type that runs any, `arguments` come behind a program's own.  `inputs` are the names of files that
    will be sent; with `unpack` the job unpacks the zips among them.  `inputs_of` is the job, of the same owner at
    the same system, whose inputs are copied (None: of none).  `datasets` are ids of what it works on, which become
    jobs as `mode` says.
    """

    type: str
    system: str | None = None
    project: str | None = None
    title: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    start: Start = "now"
    unpack: bool = False
    inputs_of: str | None = None
    datasets: tuple[str, ...] = ()
    mode: Mode = "single"

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON values, for a database."""
        return {**asdict(self), "choices": dict(self.choices)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `to_json` gave; what a later version has added is passed over."""
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        for name in ("arguments", "inputs", "datasets"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)
