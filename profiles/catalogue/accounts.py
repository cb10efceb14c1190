"""The catalogue's accounts of sites that are no person's, with their keys.  Frozen values."""

from typing import Annotated

from pydantic import Field

from profiles.catalogue.values import AbsolutePath, Entry

LOGIN = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
PRINCIPAL = r"^[^\s@]+@[^\s@]+$"


class Monitor(Entry):
    """A service identity that a site allows to ask Slurm."""

    principal: Annotated[str, Field(pattern=PRINCIPAL)] = Field(
        description="Its Kerberos principal, such as jupyter-monitor@EXAMPLE.ORG."
    )
    keytab: AbsolutePath = Field(description="File on the hub with its key, readable by the hub alone.")
    login: Annotated[str, Field(pattern=LOGIN)] = Field(description="Its login on the front ends.")


class RunAs(Entry):
    """An account of a site as which jobs run for people who have none there."""

    principal: Annotated[str, Field(pattern=PRINCIPAL)] = Field(
        description="Its Kerberos principal, such as jupyter-jobs@EXAMPLE.ORG; its ticket reaches the jobs."
    )
    keytab: AbsolutePath = Field(description="File on the hub with its key, readable by the job service alone.")
    login: Annotated[str, Field(pattern=LOGIN)] = Field(
        description="Its login on the front ends, for which `{owner}` stands in folders."
    )
