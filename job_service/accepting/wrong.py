"""All that is wrong with a job's description, as one refusal."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import ClassVar

from job_service.errors import Invalid, JobError, NotAMember
from job_service.sentences import accepting as sentences
from languages import together
from profiles.errors import ChoiceRefused


class Wrong:
    """Every field that is wrong, as the API names them, with the first sentence about each."""

    outside: ClassVar = MappingProxyType(
        {"type": "type", "site": "system", "project": "project", "arguments": "arguments"}
    )
    """What the catalogue calls choices and the API does not, by the catalogue's names."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self.fields: dict[str, str] = {}
        self._refused: NotAMember | None = None
        for name, sentence in fields:
            self.add(name, sentence)

    def add(self, name: str, sentence: str) -> None:
        """Add a field, if it is not there yet."""
        self.fields.setdefault(name, sentence)

    def take(self, refused: ChoiceRefused) -> None:
        """Add the choices that the catalogue's gate has refused."""
        for each in refused.all:
            self.add(self.outside.get(each.field, f"choices.{each.field}"), each.said)

    def refuse(self, refused: NotAMember) -> None:
        """Add that the project is not theirs: a refusal of its own, if it is the only one."""
        self._refused = refused
        self.add("project", refused.message)

    def error(self) -> JobError:
        """Return the refusal."""
        if self._refused is not None and len(self.fields) == 1:
            return self._refused
        said = together(self.fields.values())
        several = sentences.SEVERAL_WRONG.format(count=len(self.fields), sentences=said)
        return Invalid(several if len(self.fields) > 1 else said, self.fields)
