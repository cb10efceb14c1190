"""The catalogue's gateways: servers that take batch jobs by HTTP, for people who need no account there.

Frozen values; no I/O and no look-ups.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from kernels.units import Mebibytes, Minutes
from profiles.catalogue.maintenance import Maintenance
from profiles.catalogue.partition import Partitions
from profiles.catalogue.values import AbsolutePath, Entry, Key, Plain, SlurmWord, Whole
from profiles.catalogue.visibility import Reservation
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

GATEWAY_URL = r"^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"
TOOL = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
COUNTRY = r"^[A-Z]{2}$"
EMAIL = r"^[A-Za-z0-9._+-]*\{owner\}[A-Za-z0-9._+-]*@[A-Za-z0-9.-]+$"
TOOL_PARAMETER = r"^[A-Za-z][A-Za-z0-9_.]*$"

_ToolName = Annotated[str, Field(pattern=TOOL, max_length=100)]
_ParameterName = Annotated[str, Field(pattern=TOOL_PARAMETER, max_length=100)]


def _nothing_said(value: Any) -> Any:
    return {} if value is None else value


def _a_list(value: Any) -> Any:
    if isinstance(value, str) and value != "none":
        raise ValueError(mistakes.NO_PROJECTS_OF_GATEWAY.format(value=value[:40]))
    return value


_Projects = Annotated[
    Annotated[Literal["none"], Tag("a word")]
    | Annotated[tuple[SlurmWord, ...], Field(min_length=1), Tag("a list")],
    Discriminator(lambda value: "a list" if isinstance(value, list | tuple) else "a word"),
    BeforeValidator(_a_list),
]


class Tool(Entry):
    """A program of NSG, and what it calls the things that every job has."""

    time: _ParameterName | None = Field(
        default="runtime_", description="Its parameter for the time, in hours; empty for none."
    )
    nodes: _ParameterName | None = Field(
        default=None, description="Its parameter for the number of nodes, such as `number_nodes_`."
    )
    cores: _ParameterName | None = Field(
        default=None, description="Its parameter for the cores of a node, such as `number_cores_`."
    )
    arguments: _ParameterName | None = Field(
        default=None,
        description="Its parameter for the words behind the tool in `run`, as a shell has them, such as "
        "`cmdlineopts_`. Default: there are none.",
    )
    parameters: dict[_ParameterName, Plain] = Field(
        default_factory=dict, description="Further parameters of it, each with the value that it gets."
    )


_Tool = Annotated[Tool, BeforeValidator(_nothing_said, json_schema_input_type=Tool | None)]


class Umbrella(Entry):
    """An umbrella application of NSG: the account asks for other people, whom it names."""

    application: Annotated[str, Field(pattern=TOOL, max_length=100)] = Field(
        description="Name of the application, as it was registered."
    )
    email: Annotated[str, Field(pattern=EMAIL, max_length=100)] = Field(
        description="Mail address of each person, with `{owner}` for their name: NSG wants one for everybody."
    )
    institution: Plain = Field(default="", description="Institution of all of them.")
    country: Annotated[str, Field(pattern=COUNTRY)] | None = Field(
        default=None, description="Country of all of them, by its two letters."
    )


def _bare(url: str) -> str:
    return url.rstrip("/")


class Gateway(Entry):
    """A server that takes batch jobs by HTTP, all of them as one account of the service's own."""

    title: Plain = Field(description="Title shown in the list of systems.")
    kind: Literal["unicore", "nsg"] = Field(
        description="`unicore`: a UNICORE server. `nsg`: the Neuroscience Gateway."
    )
    url: Annotated[str, Field(pattern=GATEWAY_URL), AfterValidator(_bare)] = Field(
        description="Where its REST API is: `https://HOST/SITE/rest/core` of a UNICORE server, "
        "`https://HOST/cipresrest/v1` of NSG."
    )
    credentials: AbsolutePath = Field(
        description="File of mode 0600 on the hub with the name and password of the account: `NAME:PASSWORD`, "
        "or a JSON object with `user` and `password` (for NSG also `appkey`)."
    )
    authority: AbsolutePath | None = Field(
        default=None,
        description="File with the certificates (PEM) of who vouches for its own, and nobody else. "
        "Default: those that the machine trusts.",
    )
    support: Plain = Field(default="", description="Whom people ask for help with it.")
    partitions: Partitions = Field(
        default_factory=dict,
        description="Partitions offered, the default first: a list, or names with what is said of them. UNICORE "
        "calls them queues. Default: its own.",
    )
    projects: _Projects = Field(
        default="none",
        description="Projects there that may be charged: a list, the default first; `none`: none is named.",
    )
    tools: dict[_ToolName, _Tool] = Field(
        default_factory=dict, description="For `nsg`: the tools that job types may run, by their names there."
    )
    umbrella: Umbrella | None = Field(
        default=None,
        description="For `nsg`: the umbrella application whose key the account has, so that people's jobs are "
        "their own at NSG too. Default: all jobs are the account's.",
    )
    old_name: Key | None = Field(
        default=None,
        description="What the paths of the old service call it, such as `pizdaint`. Default: its own name.",
    )
    own_lines: bool = Field(
        default=False,
        description="Whether job types with `command: any` or `free_arguments` may be offered here. All jobs are "
        "one account's: whoever writes a line can read, change and end those of everybody.",
    )
    module_init: AbsolutePath | None = Field(
        default=None, description="For `unicore`: shell file that defines `module` on the nodes."
    )
    keep: Minutes = Field(
        default=28 * 24 * 60, description="How long the files of a job are kept after its end, such as `28d`."
    )
    upload_max: Mebibytes = Field(
        default=1024, description="Largest file that may be sent for a job, such as `1G`; a number is MB."
    )
    active_max: Whole = Field(
        default=50, ge=1, description="Maximum number of jobs that one person has there and that are not over."
    )
    maintenance: tuple[Maintenance, ...] = Field(
        default=(), description="Times when nothing can be started there, shown until they are over."
    )

    @model_validator(mode="after")
    def _has_tools_if_it_is_nsg(self) -> Self:
        if self.kind == "nsg" and not self.tools:
            raise WrongAt(("kind",), mistakes.NSG_WITHOUT_TOOLS)
        if self.kind != "nsg" and self.tools:
            raise WrongAt(("tools",), mistakes.TOOLS_OF_NSG)
        if self.kind != "nsg" and self.umbrella:
            raise WrongAt(("umbrella",), mistakes.UMBRELLA_OF_NSG)
        return self

    @property
    def jobs(self) -> Self:
        """What it has for batch jobs: it has nothing else."""
        return self

    def login_of(self, name: str) -> str:
        """Return a name on the hub as it is: nobody has a login of their own there."""
        return name

    @property
    def reservations(self) -> Mapping[str, Reservation]:
        """It has none."""
        return {}

    @property
    def qos(self) -> tuple[str, ...]:
        """It has none."""
        return ()

    @property
    def container(self) -> None:
        """How a program is started in a container there, nobody knows."""

    @property
    def directives(self) -> Mapping[str, str | Literal[True]]:
        """Options of sbatch mean nothing there."""
        return {}
