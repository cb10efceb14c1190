"""The catalogue's profiles: what notebook servers may be started.  Frozen values."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from kernels.environment import Value
from kernels.kernel import Kernel, KernelScript
from kernels.units import Minutes
from profiles.catalogue.values import AbsolutePath, Key, Plain, Whole
from profiles.catalogue.work import Listed, Work, listed
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes


class Offering(Work):
    """What runs and what it gets; a profile's own, and again under each of its sites for what differs there."""

    short_forms: ClassVar[tuple[str, ...]] = (*Work.short_forms, "kernel")

    kernels: tuple[Kernel, ...] = Field(
        default=(), description="Kernels to have ready: scripts to run, or environments to build once."
    )
    kernel: Value | None = Field(default=None, min_length=1, description="Short for `kernels: [{script: }]`.")
    command: tuple[Value, ...] = Field(
        default=("jupyterhub-singleuser",), min_length=1, description="Command that starts the notebook server."
    )
    default_url: AbsolutePath | None = Field(
        default=None,
        description="Page that opens first, such as `/lab` or `/tree`. Default: the hub's.",
    )
    queue_wait: Minutes = Field(
        default=24 * 60,
        description="How long a job may wait in the queue before it is cancelled, such as `4h`; people are told.",
    )
    queue_wait_max: Minutes = Field(
        default=3 * 24 * 60,
        description="How long people may let it wait with *Keep waiting*; not more than `queue_wait`: not at all.",
    )

    @model_validator(mode="after")
    def _kernels_are_told_once(self) -> Self:
        if self.kernel is not None and self.kernels:
            raise WrongAt(("kernel",), mistakes.SHORT_KERNEL)
        return self

    def literals(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the texts in which braces stand for themselves, each with its place."""
        yield from super().literals()
        yield ("default_url",), self.default_url or ""
        for index, each in enumerate(self.command):
            yield ("command", str(index)), each
        for index, kernel in enumerate(self.kernels):
            if isinstance(kernel, KernelScript):
                yield ("kernels", str(index), "script"), kernel.script

    def written_out(self) -> Self:
        """Return the same without short forms."""
        written = super().written_out()
        if self.kernel is None:
            return written
        return written.model_copy(update={"kernels": (KernelScript(script=self.kernel),)})


_Sites = dict[Key, Offering | None] | Annotated[list[Key], Field(min_length=1)]


class Profile(Offering, Listed):
    """One thing a person can start."""

    category: Plain = Field(
        default="", description="Under which title the form lists it, such as `Neuroscience`. Default: none."
    )
    sites: Annotated[dict[Key, Offering], BeforeValidator(listed, json_schema_input_type=_Sites)] = Field(
        default_factory=dict,
        description="Sites that offer it, the default first: a list, or names with what differs there. "
        "Default: all sites.",
    )
    servers_max: Whole | None = Field(
        default=None,
        ge=1,
        description="Maximum number of servers of this profile for one person. Default: no limit.",
    )
    sharing: bool = Field(
        default=False,
        description="Whether people may invite others into their servers of it. A guest acts as the owner, with "
        "their ticket: see `jupyterhub-sites docs security`.",
    )

    @property
    def heading(self) -> str:
        """The title under which it is listed, "" for none."""
        return self.category

    @property
    def most(self) -> int | None:
        """How many servers of it one person may have; None for any number."""
        return self.servers_max

    @property
    def at_sites(self) -> Mapping[str, Offering]:
        """The sites that offer it, the default first, with what differs there; empty for all sites."""
        return self.sites
