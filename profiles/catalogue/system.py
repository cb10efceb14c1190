"""Systems: what the gate has to know of a place where jobs run, be it a site or a gateway.  Frozen values."""

from collections.abc import Mapping
from typing import Literal, Protocol

from profiles.catalogue.maintenance import Maintenance
from profiles.catalogue.partition import Partition
from profiles.catalogue.site import Projects
from profiles.catalogue.visibility import Reservation


class JobSettings(Protocol):
    """What a system has for batch jobs."""

    @property
    def keep(self) -> int:
        """For how many minutes the files of a job are kept after its end."""

    @property
    def upload_max(self) -> int:
        """How large a file may be that is sent for a job, in MiB."""

    @property
    def active_max(self) -> int:
        """How many jobs one person may have that are not over."""


class System(Protocol):
    """What a `Site` and a `Gateway` have alike; see there."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def support(self) -> str:
        """Whom people ask for help, "" for nobody."""

    def login_of(self, name: str) -> str:
        """Return the login there of somebody on the hub, or of the account for them; see `identity.whom`."""

    @property
    def partitions(self) -> Mapping[str, Partition]:
        """Partitions offered, the default first; none for its own."""

    @property
    def projects(self) -> Projects:
        """What may be charged."""

    @property
    def maintenance(self) -> tuple[Maintenance, ...]:
        """When nothing can be started."""

    @property
    def reservations(self) -> Mapping[str, Reservation]:
        """Reservations offered."""

    @property
    def qos(self) -> tuple[str, ...]:
        """Qualities of service offered."""

    @property
    def container(self) -> tuple[str, ...] | None:
        """How a program is started in a container; None if nobody knows."""

    @property
    def directives(self) -> Mapping[str, str | Literal[True]]:
        """Further options for every job."""

    @property
    def jobs(self) -> JobSettings | None:
        """What is for batch jobs; None if it takes none."""
