"""What is examined: what the configuration says, the catalogue, and as whom sites are looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from profiles.loading.load import Loaded
from slurm_ssh.credentials import Credentials, NoTickets
from slurm_ssh_spawner.checks.configuration import Configuration
from slurm_ssh_spawner.doctor.doors import Doors
from slurm_ssh_spawner.hub.composition import Settings
from slurm_ssh_spawner.hub.configured import Configured

SITE_SECONDS = 45
"""How long a site may be looked at without a job: Slurm's own commands wait 20 s for a controller."""

JOB_SECONDS = 300
"""How long with one; the job waits in a queue first."""


@dataclass(frozen=True)
class Whom:
    """As whom a site is looked at.

    `user` is the name on the hub, `owner` the login at the site, `ticket` theirs; it is None at sites that let
    people in by certificate.  `is_monitor`: it is the site's monitor, which submits no job.
    """

    user: str
    owner: str
    ticket: Ticket | None
    is_monitor: bool = False


@dataclass(frozen=True)
class Examined:
    """What all checks are given.

    `loaded` is None if the catalogue cannot be used; no check that is called then needs it.  `person` is who was
    named, with their `groups` on the hub; `credentials` has their ticket, if they got one.  `whom` has an entry
    for each site that can be looked at, `why_nobody` a sentence for each other one.  Looks at sites share `doors`.
    Nobody else can read `folder`, which is removed in the end.
    """

    configured: Configured
    loaded: Loaded | None
    folder: Path
    person: str | None = None
    groups: frozenset[str] = frozenset()
    credentials: Credentials = field(default_factory=NoTickets)
    whom: Mapping[str, Whom] = field(default_factory=dict)
    why_nobody: Mapping[str, str] = field(default_factory=dict)
    doors: Doors = field(default_factory=Doors)

    @property
    def configuration(self) -> Configuration:
        """What is written in the configuration file."""
        return self.configured.configuration

    @property
    def settings(self) -> Settings:
        """What that says of the spawner, with defaults: hub_name, tunnel_ports, records_url."""
        return self.configured.settings

    @property
    def api_url(self) -> str:
        """The hub's API as the hub tells it to jobs at sites without a `hub_url`: http://host:8081/hub/api."""
        return self.configured.hub.api_url

    @property
    def catalogue(self) -> Catalogue:
        """What people may start, and where.  Raises LookupError if the catalogue could not be read."""
        if self.loaded is None:
            raise LookupError(self.settings.catalogue_file)
        return self.loaded.catalogue

    def where(self, path: tuple[str, ...]) -> str:
        """Return `file:line` of a value in the catalogue, such as ("sites", "geneva", "hub_url").

        It is that of the entry around it if the value is not written.
        """
        if self.loaded is None:
            return self.settings.catalogue_file
        found = self.loaded.problem(path, "")
        return f"{found.file}:{found.line}"
