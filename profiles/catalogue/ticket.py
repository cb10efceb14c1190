"""The catalogue's word on how tickets reach the jobs of a site.  Frozen values; no I/O and no look-ups."""

from typing import Literal, Self

from pydantic import Field, model_validator

from profiles.catalogue.values import AbsolutePath, Entry, Word, Words
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes


class Auks(Entry):
    """Where a site's client of auks is."""

    path: AbsolutePath = Field(default="/usr/bin/auks", description="Path of the program auks on the front ends.")
    conf: AbsolutePath | None = Field(
        default=None,
        description="Its configuration file, such as /etc/auks/auks.conf. Default: its own.",
    )


class TicketCommand(Entry):
    """A site's own programs that bring tickets to jobs; `{launch_id}` and `{owner}` may stand in every word."""

    push: Words = Field(
        description="Command run on the front end, as the owner, before a job is submitted and after each renewal "
        "of the ticket. It gets the ticket on stdin and, as delegated by the login, in KRB5CCNAME.",
    )
    release: Words | None = Field(
        default=None,
        description="Command run on the front end, as the owner, when the job is over. Default: none.",
    )
    ccache: Word | None = Field(
        default=None,
        description="KRB5CCNAME of the job, such as FILE:/scratch/{owner}/{launch_id}. Default: not set.",
    )


class TicketSettings(Entry):
    """How the owner's Kerberos ticket reaches the job."""

    delivery: Literal["none", "copy", "auks", "command"] = Field(
        default="none",
        description="`none`: the job has no ticket. `copy`: a private file in the site's ticket_folder. "
        "`auks`: the site's auksd and its Slurm plug-in. `command`: a program of the site's own.",
    )
    auks: Auks | None = Field(
        default=None, description="Where the auks client is, if not /usr/bin/auks with its default configuration."
    )
    command: TicketCommand | None = Field(default=None, description="For `command`: what to run.")

    @model_validator(mode="after")
    def _only_the_delivery_has_settings(self) -> Self:
        if self.delivery == "command" and self.command is None:
            raise WrongAt(("delivery",), mistakes.NO_COMMAND)
        for name in ("auks", "command"):
            if getattr(self, name) is not None and self.delivery != name:
                raise WrongAt((name,), mistakes.OF_ANOTHER_DELIVERY.format(delivery=name))
        return self
