"""What a job was started with at its site, and goes on to use whatever is written in the catalogue later."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from profiles.catalogue.site import Site
from profiles.catalogue.ticket import TicketSettings


class StartedWith(BaseModel):
    """The folders of a job's files, which may hold `{owner}`, and how its ticket is delivered."""

    model_config = ConfigDict(frozen=True)

    job_folder: str
    ticket_folder: str | None = None
    ticket: TicketSettings

    @classmethod
    def at(cls, site: Site) -> Self:
        """Return what a job that is started now at the site is started with."""
        return cls(job_folder=site.job_folder, ticket_folder=site.ticket_folder, ticket=site.ticket)

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        """Return what `to_json` gave, of this version or another; None if it says nothing that can be used."""
        try:
            return cls.model_validate(value)
        except ValidationError:
            return None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, for a database."""
        return self.model_dump(mode="json")

    def site(self, site: Site) -> Site:
        """Return the site as it is reached now, with what the job was started with."""
        return site.model_copy(update={name: getattr(self, name) for name in type(self).model_fields})
