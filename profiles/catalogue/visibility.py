"""Who may see a part of the catalogue, and reservations, which are for some people only.  Frozen values."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from profiles.catalogue.values import Entry, Plain, SlurmWord, named
from profiles.sentences import mistakes

USER = r"^[^\sA-Z/,]+$"


class Visibility(Entry):
    """Who may see an entry: members of one of the groups, people who may charge one of the projects, and users."""

    groups: tuple[Plain, ...] = Field(default=(), description="Groups of the hub.")
    projects: tuple[SlurmWord, ...] = Field(
        default=(),
        description="Projects of the site. Where it has no `monitor`, a person's own shell says which are theirs: "
        "that hides, but does not protect.",
    )

    users: tuple[Annotated[str, Field(pattern=USER, max_length=100)], ...] = Field(
        default=(), description="People, by their names on the hub."
    )

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.groups and not self.projects and not self.users:
            raise ValueError(mistakes.NAMES_NOBODY)
        return self


class Reservation(Entry):
    """One reservation of Slurm that the form offers."""

    title: Plain = Field(default="", description="Title shown in the form. Default: the reservation's name.")
    visible_to: Visibility | None = Field(
        default=None, description="Who may choose it; Slurm itself decides who may use it. Default: everybody."
    )


def _by_name(value: Any) -> Any:
    return named(value, mistakes.NO_RESERVATION_NAME, "{school: {}}")


_Reservation = Annotated[
    Reservation,
    BeforeValidator(lambda value: {} if value is None else value, json_schema_input_type=Reservation | None),
]
_ByName = dict[SlurmWord, _Reservation]
Reservations = Annotated[_ByName, BeforeValidator(_by_name, json_schema_input_type=_ByName | list[SlurmWord])]
"""Reservations by their names; a list of names says nothing more of them."""
