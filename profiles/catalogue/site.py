"""The catalogue's sites: data about clusters.  Frozen values; no I/O and no look-ups."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from kernels.environment import Environment, Value, Variable, VariableValue
from kernels.units import Mebibytes, Minutes
from profiles.catalogue.accounts import LOGIN, Monitor, RunAs
from profiles.catalogue.identity import site_of
from profiles.catalogue.login import SiteLogin
from profiles.catalogue.maintenance import Maintenance
from profiles.catalogue.partition import Partitions
from profiles.catalogue.scheduler import Scheduler
from profiles.catalogue.spelling import near
from profiles.catalogue.ticket import TicketSettings
from profiles.catalogue.values import (
    AbsolutePath,
    Directives,
    Entry,
    OwnersFolder,
    Plain,
    ShellLines,
    SlurmWord,
    Whole,
    braces,
)
from profiles.catalogue.visibility import Reservations
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

HOST = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
HOST_KEY = r"^(@cert-authority )?[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\n]*)?$"
NODE_ADDRESS = r"^[^\s/]*\{node\}[^\s/]*$"
HUB_URL = r"^https?://[^\s/]+$"

ContainerWord = Annotated[Value, AfterValidator(braces("image"))]
Projects = Annotated[
    Annotated[Literal["none", "accounting"], Tag("a word")]
    | Annotated[tuple[SlurmWord, ...], Field(min_length=1), Tag("a list")],
    Discriminator(lambda value: "a list" if isinstance(value, list | tuple) else "a word"),
]


def _projects(value: Any) -> Any:
    if isinstance(value, str) and near(value, ("none", "accounting")) is None:
        raise ValueError(mistakes.NO_PROJECTS.format(value=value[:40]))
    return value


def _has_image(words: tuple[str, ...]) -> tuple[str, ...]:
    if not any("{image}" in word for word in words):
        raise ValueError(mistakes.NO_IMAGE.format(image="'{image}'"))
    return words


class FrontEnd(Entry):
    """One login host of a site."""

    host: str = Field(
        pattern=HOST,
        description="Full name of the host, as in its Kerberos principal host/NAME or its host certificate; not "
        "an alias.",
    )
    port: Whole = Field(default=22, ge=1, le=65535, description="Port of its sshd.")
    host_keys: tuple[Annotated[str, Field(pattern=HOST_KEY)], ...] = Field(
        min_length=1,
        description="Public host keys as in /etc/ssh/ssh_host_*_key.pub; a host that shows another is refused. "
        "With `@cert-authority ` before it, the key of an authority whose host certificates are accepted.",
    )


class Tunnel(Entry):
    """How the hub reaches a job's port."""

    kind: Literal["direct", "ssh"] = Field(
        default="direct",
        description="`direct`: the hub connects to the node. `ssh`: the hub connects through a front end.",
    )


class SiteJobs(Entry):
    """What a site has for batch jobs."""

    folder: OwnersFolder = Field(
        description="Folder of a person's jobs, with `{owner}` in it; each job has a folder there. Another than "
        "job_folder, under the same conditions."
    )
    keep: Minutes = Field(
        default=28 * 24 * 60, description="How long the folder of a job is kept after its end, such as `28d`."
    )
    upload_max: Mebibytes = Field(
        default=10 * 1024, description="Largest file that may be sent for a job, such as `10G`; a number is MB."
    )
    active_max: Whole = Field(
        default=200, ge=1, description="Maximum number of jobs that one person has there and that are not over."
    )
    run_as: RunAs | None = Field(
        default=None,
        description="Account of the site as which jobs with `identity: service` run, for people who have none "
        "there. They share its user id, so at the site nothing is private among them. Default: none.",
    )


class Site(Entry):
    """One cluster with a scheduler.  Folders and `directives` may hold `{owner}`: the person's login there."""

    title: Plain = Field(description="Title shown in the list of clusters.")
    support: Plain = Field(
        default="",
        description="Whom people ask for help with the site, such as `support@geneva.example.org`; shown where it "
        "did not let them in, where they have no project, and where a start failed.",
    )
    front_ends: tuple[FrontEnd, ...] = Field(min_length=1, description="Login hosts, in order of preference.")
    login: SiteLogin = Field(
        default_factory=SiteLogin,
        description="How the hub logs in there as a person. Default: by Kerberos ticket.",
    )
    scheduler: Scheduler = Field(
        default_factory=Scheduler, description="What runs its jobs. `{kind: slurm}` and nothing mean the same."
    )
    slurm_path: AbsolutePath = Field(default="/usr/bin", description="Folder of sbatch, squeue and scancel.")
    slurm_cluster: SlurmWord | None = Field(
        default=None, description="Cluster name for `-M`, where one Slurm controls several clusters."
    )
    node_address: Annotated[str, Field(pattern=NODE_ADDRESS), AfterValidator(braces("node"))] = Field(
        default="{node}",
        description="Address of a node as the hub (with `tunnel: {kind: ssh}` the front end) reaches it; "
        "`{node}` is Slurm's name of the node.",
    )
    hub_url: Annotated[str, Field(pattern=HUB_URL)] | None = Field(
        default=None,
        description="URL of the hub as the nodes reach its API. Default: the hub's own API URL.",
    )
    login_name: dict[str, Annotated[str, Field(pattern=LOGIN)]] = Field(
        default_factory=dict, description="Login names at the site, for people whose name on the hub differs."
    )
    job_folder: OwnersFolder = Field(
        description="Folder of a person's job logs, with `{owner}` in it; made with mode 0700 if missing, and "
        "refused if others could see or replace it. Every node must see it and write there without a ticket."
    )
    ticket_folder: OwnersFolder | None = Field(
        default=None,
        description="Folder of delivered tickets, made with mode 0700 if missing. Same conditions as job_folder.",
    )
    module_init: AbsolutePath | None = Field(
        default=None, description="Shell file that defines `module`, such as /etc/profile.d/modules.sh."
    )
    prologue: ShellLines | None = Field(
        default=None,
        description="Lines of shell that every job runs first, such as `source /etc/site.sh`: in the job's own "
        "bash, so that what they set holds for all of it. Default: none.",
    )
    jupyter: Environment = Field(description="Where jupyterhub-singleuser is found on the site's nodes.")
    environment: dict[Variable, VariableValue] = Field(
        default_factory=dict,
        description="Variables for the scheduler's commands on the front end, such as SLURM_CONF. Those of "
        "jobs stand in `jupyter`.",
    )
    directives: Directives = Field(
        default_factory=dict,
        description="Further sbatch options for every job, such as `constraint: ib` or `mail-user: "
        '"{owner}@example.org"`; `true` for a bare option.',
    )
    tunnel: Tunnel = Field(default_factory=Tunnel, description="How the hub reaches a job's port.")
    ticket: TicketSettings = Field(
        default_factory=TicketSettings, description="How the owner's ticket reaches the job."
    )
    partitions: Partitions = Field(
        default_factory=dict,
        description="Partitions offered, the default first: a list, or names with what is said of them. "
        "Default: Slurm's own default partition.",
    )
    projects: Annotated[Projects, BeforeValidator(_projects)] = Field(
        default="none",
        description="Projects that may be charged: a list, the default first; `accounting`: those that Slurm's "
        "accounting has for the person; `none`: no project is asked for.",
    )
    kernel_store: AbsolutePath | None = Field(
        default=None,
        description="Folder of built kernels that everybody uses and only its owner can write to: the owner's "
        "launches build them. The real path, without links. Default: a folder in each person's home.",
    )
    container: Annotated[tuple[ContainerWord, ...], AfterValidator(_has_image)] | None = Field(
        default=None,
        description="How a program is started in a profile's container, with `{image}` for its path, such as "
        "[apptainer, exec, --bind, /scratch, '{image}'].",
    )
    monitor: Monitor | None = Field(
        default=None,
        description="Service identity that asks Slurm, for everybody, what is free and whose the projects are. "
        "Default: people's own connections, each for that person alone.",
    )
    maintenance: tuple[Maintenance, ...] = Field(
        default=(), description="Times when nothing can be started there, shown in the form until they are over."
    )
    reservations: Reservations = Field(
        default_factory=dict,
        description="Reservations that may be chosen: a list, or names with what is said of them.",
    )
    qos: tuple[SlurmWord, ...] = Field(default=(), description="Qualities of service offered.")
    jobs: SiteJobs | None = Field(default=None, description="What is for batch jobs. Default: it takes none.")

    def login_of(self, name: str) -> str:
        """Return the login at the site of somebody on the hub, or of the account for them; see `identity.whom`."""
        if site_of(name) is not None and self.jobs and self.jobs.run_as:
            return self.jobs.run_as.login
        return self.login_name.get(name, name)

    def is_login_of(self, name: str, login: str) -> bool:
        """Return whether a login at the site can be that of somebody on the hub: it is nobody else's."""
        if site_of(name) is not None:
            return False  # Accounts of sites have tickets.
        mapped = self.login_name.get(name)
        return mapped == login if mapped or login in self.login_name.values() else name == login

    @property
    def scheduler_path(self) -> str:
        """The folder of the scheduler's commands."""
        return self.slurm_path if self.scheduler.kind == "slurm" else self.scheduler.path or "/opt/pbs/bin"

    @property
    def forwards(self) -> bool:
        """Whether the hub has to be carried on from the front ends to the nodes."""
        return self.tunnel.kind == "ssh"

    @model_validator(mode="after")
    def _only_kerberos_has_tickets(self) -> Self:
        if self.login.needs_ticket:
            return self
        if self.ticket.delivery != "none":
            raise WrongAt(("ticket", "delivery"), mistakes.NO_TICKET_THERE)
        if self.monitor is not None:
            raise WrongAt(("monitor",), mistakes.NO_TICKET_FOR_IT)
        if self.jobs is not None and self.jobs.run_as is not None:
            raise WrongAt(("jobs", "run_as"), mistakes.NO_TICKET_FOR_IT)
        return self

    @model_validator(mode="after")
    def _a_copied_ticket_needs_a_folder(self) -> Self:
        if self.ticket.delivery == "copy" and self.ticket_folder is None:
            raise WrongAt(("ticket", "delivery"), mistakes.NO_TICKET_FOLDER)
        return self

    @model_validator(mode="after")
    def _jobs_have_a_folder_of_their_own(self) -> Self:
        if self.jobs is not None and self.jobs.folder.rstrip("/") == self.job_folder.rstrip("/"):
            raise WrongAt(("jobs", "folder"), mistakes.FOLDER_OF_LOGS)
        return self
