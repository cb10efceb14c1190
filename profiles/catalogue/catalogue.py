"""The catalogue: sites, gateways, profiles and job types.  Frozen values; no I/O.

What must hold between them: checks/names.py.
"""

from functools import cached_property

from pydantic import Field

from profiles.catalogue.copying import CopyFrom
from profiles.catalogue.dataset import DatasetSource
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobType
from profiles.catalogue.menu import Jobs, Menu, Notebooks
from profiles.catalogue.profile import Profile
from profiles.catalogue.site import Site
from profiles.catalogue.values import Entry, Key, Plain


class Catalogue(Entry):
    """The whole file: what is offered, and where."""

    include: tuple[Plain, ...] = Field(
        default=(),
        description="Further files, relative to this one, such as `profiles/*.yaml`: more profiles, job types "
        "and datasets.",
    )
    copy_from: CopyFrom | None = Field(
        default=None,
        description="From where links may have notebooks copied. Default: from nowhere.",
    )
    sites: dict[Key, Site] = Field(min_length=1, description="Clusters, the default first.")
    gateways: dict[Key, Gateway] = Field(
        default_factory=dict, description="Servers that take batch jobs by HTTP: UNICORE, NSG."
    )
    profiles: dict[Key, Profile] = Field(min_length=1, description="Profiles, the default first.")
    job_types: dict[Key, JobType] = Field(
        default_factory=dict,
        description="What may be run as a batch job, or started from datasets, the default first.",
    )
    datasets: dict[Key, DatasetSource] = Field(
        default_factory=dict, description="Where the datasets are that batch jobs may work on."
    )

    @property
    def menus(self) -> tuple[Menu, ...]:
        """All menus."""
        return (self.notebooks, self.jobs)

    @cached_property
    def notebooks(self) -> Notebooks:
        """The menu of notebook servers."""
        return Notebooks(self.sites, self.profiles, copies=self.copy_from is not None)

    @cached_property
    def jobs(self) -> Jobs:
        """The menu of job types."""
        return Jobs({**self.sites, **self.gateways}, self.job_types, self.notebooks)
