"""Choices: what a person asked, in the shape in which the form and the REST API send it.  Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from profiles.catalogue.texts import LONGEST
from profiles.errors import ChoiceRefused
from profiles.sentences import labels, refusals, shown

FIELDS = (
    "profile",
    "site",
    "partition",
    "project",
    "time",
    "cores",
    "memory",
    "gpus",
    "gpu_type",
    "nodes",
    "reservation",
    "qos",
)
"""What may be chosen of a notebook server."""

JOB_FIELDS = ("type", *FIELDS[1:])
"""What may be chosen of a batch job."""

_PARAMETER = re.compile(r"param\.[a-z0-9][a-z0-9_-]{0,39}")
MOST_CHOICES = 300
MOST_BYTES = 20_000
"""How many choices a launch may have, and how much they may be together, in UTF-8."""


@dataclass(frozen=True)
class Choices:
    """What a person asked: field name to text, as the form and the REST API send it; nothing is required."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], fields: Sequence[str] = FIELDS) -> Self:
        """Return the choices in `given`, without empty ones; `fields` are FIELDS or JOB_FIELDS.

        Raises ChoiceRefused for an unknown field, for a value that is not one line of text, and for too many.
        """
        if not isinstance(given, Mapping):
            raise ChoiceRefused(fields[0], refusals.NO_CHOICES)
        for name, value in given.items():
            if name not in fields and not (isinstance(name, str) and _PARAMETER.fullmatch(name)):
                sentence = refusals.NO_SUCH_CHOICE.format(name=shown(name), names=", ".join(fields))
                raise ChoiceRefused(shown(name), sentence)
            if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
                raise ChoiceRefused(name, refusals.NOT_ONE_LINE.format(name=name, most=LONGEST))
        size = sum(len(name) + len(value.encode()) for name, value in given.items())
        if len(given) > MOST_CHOICES or size > MOST_BYTES:
            raise ChoiceRefused(fields[0], refusals.TOO_MANY.format(most=MOST_CHOICES, bytes=MOST_BYTES))
        return cls({name: value.strip() for name, value in given.items() if value.strip()})

    def get(self, name: str) -> str | None:
        """Return the text chosen for `name`, or None."""
        return self.values.get(name)

    def one_of(self, name: str, offered: tuple[str, ...], title: str = "") -> str | None:
        """Return the text chosen for `name`, or None.

        Raises ChoiceRefused unless it is among those offered; `title` says there what people know it by.
        """
        chosen = self.get(name)
        if chosen is None or chosen in offered:
            return chosen
        sentence = refusals.NOT_ONE_OF if offered else refusals.NONE_OFFERED
        label = title or labels.LABELS[name]
        raise ChoiceRefused(name, sentence.format(label=label, value=shown(chosen), options=", ".join(offered)))
