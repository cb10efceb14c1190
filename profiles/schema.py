"""The catalogue's shape: frozen values, every field described.  No I/O and no look-ups."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from kernels.environment import Environment, Value, Variable
from profiles import units
from profiles.errors import WrongAt

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Plain = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
SlurmWord = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:=,\[\]/@+*-]*$", max_length=200)]
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")]
Minutes = Annotated[int, BeforeValidator(units.minutes), Field(gt=0)]


class Entry(BaseModel):
    """A part of the catalogue: cannot be changed once read, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FrontEnd(Entry):
    """One login host of a site."""

    host: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        description="Full name of the host, as in its Kerberos principal host/NAME; not an alias.",
    )
    port: int = Field(default=22, ge=1, le=65535, description="Port of its sshd.")
    host_keys: tuple[Annotated[str, Field(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\n]*)?$")], ...] = Field(
        min_length=1,
        description="Public host keys as in /etc/ssh/ssh_host_*_key.pub; a host that shows another is refused.",
    )


class Tunnel(Entry):
    """How the hub reaches a job's port."""

    kind: Literal["direct", "ssh"] = Field(
        default="direct",
        description="`direct`: the hub connects to the node. `ssh`: through a front end, where it cannot.",
    )


class Auks(Entry):
    """Where a site's client of auks is."""

    path: AbsolutePath = Field(default="/usr/bin/auks", description="The program auks on the front ends.")
    conf: AbsolutePath | None = Field(
        default=None,
        description="Its configuration file, such as /etc/auks/auks.conf; its own default if left out.",
    )


def _known_braces(text: str) -> str:
    for unknown in set(re.findall(r"\{[^{}]*\}", text)) - {"{launch_id}", "{owner}"}:
        raise ValueError(f"{unknown} means nothing here; {{launch_id}} and {{owner}} do")
    return text


Word = Annotated[Value, AfterValidator(_known_braces)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class TicketCommand(Entry):
    """A site's own programs that bring tickets to jobs; `{launch_id}` and `{owner}` may stand in every word."""

    push: Words = Field(
        description="Run on the front end as the owner before a job is submitted and whenever the ticket was "
        "renewed; the ticket is on its stdin and, as delegated by the login, in KRB5CCNAME.",
    )
    release: Words | None = Field(
        default=None, description="Run on the front end as the owner when the job is over; nothing if left out."
    )
    ccache: Word | None = Field(
        default=None,
        description="KRB5CCNAME of the job, such as FILE:/scratch/{owner}/{launch_id}; not set if left out.",
    )


class TicketSettings(Entry):
    """How the owner's Kerberos ticket reaches the job."""

    delivery: Literal["none", "copy", "auks", "command"] = Field(
        default="none",
        description="`none`: the job has no ticket. `copy`: a private file in the site's ticket_folder. "
        "`auks`: the site's auksd and its Slurm plug-in. `command`: a program of the site's own.",
    )
    auks: Auks | None = Field(default=None, description="For `auks`, where its client is not the usual one.")
    command: TicketCommand | None = Field(default=None, description="For `command`: what to run.")

    @model_validator(mode="after")
    def _only_the_delivery_has_settings(self) -> Self:
        if self.delivery == "command" and self.command is None:
            raise WrongAt(("delivery",), "is command, so `command` beside it must say what to run")
        for name in ("auks", "command"):
            if getattr(self, name) is not None and self.delivery != name:
                raise WrongAt((name,), f"is for `delivery: {name}`, but delivery is {self.delivery}")
        return self


class Partition(Entry):
    """One Slurm partition that the form offers."""

    title: Plain = Field(default="", description="What people read; the partition's own name if empty.")
    time_max: Minutes | None = Field(default=None, description="Longest time that may be asked for here.")


class Site(Entry):
    """One cluster with its own Slurm.  Folders may hold `{owner}`: the person's login at the site."""

    title: Plain = Field(description="What people read in the list of clusters.")
    front_ends: tuple[FrontEnd, ...] = Field(min_length=1, description="Login hosts, in order of preference.")
    slurm_path: AbsolutePath = Field(default="/usr/bin", description="Folder of sbatch, squeue and scancel.")
    slurm_cluster: SlurmWord | None = Field(
        default=None, description="Cluster name for `-M`, where one Slurm controls several clusters."
    )
    node_address: Annotated[str, Field(pattern=r"^[^\s/]*\{node\}[^\s/]*$")] = Field(
        default="{node}",
        description="Address of a node as the hub (with `tunnel: {kind: ssh}` the front end) reaches it; "
        "`{node}` is Slurm's name of the node.",
    )
    hub_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] | None = Field(
        default=None,
        description="Address of the hub's API as the nodes reach it; the hub's own idea of it if left out.",
    )
    login_name: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]] = Field(
        default_factory=dict, description="Login at the site, for the people whose hub name is another."
    )
    job_folder: AbsolutePath = Field(
        description="Folder of job logs, made if missing; every node sees it, and needs no ticket to write there."
    )
    ticket_folder: AbsolutePath | None = Field(
        default=None,
        description="Folder of delivered tickets, made 0700 if missing; the same conditions as job_folder.",
    )
    module_init: AbsolutePath | None = Field(
        default=None, description="Shell file that defines `module`, such as /etc/profile.d/modules.sh."
    )
    jupyter: Environment = Field(description="Where jupyterhub-singleuser is found on the site's nodes.")
    environment: dict[Variable, Value] = Field(
        default_factory=dict,
        description="Variables for Slurm's commands on the front end, such as SLURM_CONF.",
    )
    directives: dict[Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")], SlurmWord | Literal[True]] = Field(
        default_factory=dict,
        description="Further sbatch options for every job, such as `constraint: ib`; `true` for a bare option.",
    )
    tunnel: Tunnel = Field(default_factory=Tunnel, description="How the hub reaches a job's port.")
    ticket: TicketSettings = Field(
        default_factory=TicketSettings, description="How the owner's ticket reaches the job."
    )
    partitions: dict[SlurmWord, Partition] = Field(
        default_factory=dict,
        description="Partitions on offer, the default first; Slurm's own default partition if left out.",
    )
    projects: Literal["none", "accounting"] | Annotated[tuple[SlurmWord, ...], Field(min_length=1)] = Field(
        default="none",
        description="Projects that may be charged: a list, the default first; `accounting`: those that Slurm's "
        "accounting has for the person; `none`: nobody is asked for one.",
    )
    reservations: tuple[SlurmWord, ...] = Field(default=(), description="Reservations on offer.")
    qos: tuple[SlurmWord, ...] = Field(default=(), description="Qualities of service on offer.")

    @model_validator(mode="after")
    def _a_copied_ticket_needs_a_folder(self) -> Self:
        if self.ticket.delivery == "copy" and self.ticket_folder is None:
            raise WrongAt(("ticket", "delivery"), "is copy, so the site's ticket_folder must say where")
        return self


class Bounds(Entry):
    """A whole number with a default; a person may ask for `min` to `max`."""

    default: int = Field(description="What a launch gets if nothing is asked.")
    min: int = Field(description="The least that may be asked.")
    max: int = Field(description="The most that may be asked.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min {self.min}, default {self.default}, max {self.max} are not in order")
        return self


def _bounds(read: Any) -> BeforeValidator:
    """Accept one value (nobody may change it) or a mapping with default, and min or max, in `read`'s units."""

    def convert(value: Any) -> Any:
        if isinstance(value, Bounds):
            return value
        if not isinstance(value, dict):
            fixed = read(value)
            return {"default": fixed, "min": fixed, "max": fixed}
        told = {key: read(part) if key in ("default", "min", "max") else part for key, part in value.items()}
        if "default" in told:
            told = {"min": min(1, told["default"]), "max": told["default"], **told}
        return told

    return BeforeValidator(convert)


class Resources(Entry):
    """What a job of a profile gets.  Each is one value, or `{default: , min: , max: }`."""

    cores: Annotated[Bounds, _bounds(units.count)] = Field(
        default=Bounds(default=1, min=1, max=1), description="Processor cores."
    )
    memory: Annotated[Bounds, _bounds(units.mebibytes)] = Field(
        default=Bounds(default=1024, min=1024, max=1024), description="Memory, such as `4G`."
    )
    gpus: Annotated[Bounds, _bounds(units.count)] = Field(
        default=Bounds(default=0, min=0, max=0), description="Graphics processors."
    )
    time: Annotated[Bounds, _bounds(units.minutes)] = Field(
        default=Bounds(default=60, min=1, max=480), description="How long the job may run, such as `8h`."
    )


class Profile(Entry):
    """One thing a person can start."""

    name: Plain = Field(description="What people read in the list of profiles.")
    description: Plain = Field(default="", description="One sentence under the name.")
    sites: tuple[Slug, ...] = Field(default=(), description="Sites that offer it; all of them if left out.")
    resources: Resources = Field(default_factory=Resources, description="What its job gets.")
    environment: Environment = Field(
        default_factory=Environment, description="Modules, prefix and variables on top of the site's."
    )
    command: tuple[Value, ...] = Field(
        default=("jupyterhub-singleuser",), min_length=1, description="Program that is the notebook server."
    )
    servers_max: int | None = Field(
        default=None,
        ge=1,
        description="How many servers of this profile one person may have; any number if left out.",
    )
    queue_wait: Minutes = Field(
        default=30, description="How long a launch may wait in the queue before it is given up."
    )


class Catalogue(Entry):
    """The whole file: what is on offer, and where."""

    sites: dict[Slug, Site] = Field(min_length=1, description="Clusters, the default first.")
    profiles: dict[Slug, Profile] = Field(min_length=1, description="Profiles, the default first.")

    @model_validator(mode="after")
    def _profiles_name_known_sites(self) -> Self:
        for key, profile in self.profiles.items():
            for index, name in enumerate(profile.sites):
                if name not in self.sites:
                    known = ", ".join(self.sites)
                    raise WrongAt(
                        ("profiles", key, "sites", str(index)), f"there is no site {name}; sites are {known}"
                    )
        return self

    def sites_of(self, profile: str) -> tuple[str, ...]:
        """Return the names of the sites that offer `profile` (a key of `profiles`), the default first."""
        return self.profiles[profile].sites or tuple(self.sites)
