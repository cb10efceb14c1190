"""What a profile may say about kernels: a line of the admin's own, or a declared environment.  Values only."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from kernels import sentences
from kernels.environment import Value
from kernels.units import Minutes

KERNELSPEC = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
DISPLAY_NAME = r"^[^\x00-\x1f\x7f]+$"

KernelName = Annotated[str, Field(pattern=KERNELSPEC, max_length=60)]


class KernelScript(BaseModel):
    """A line of shell that makes kernels, run in a bash of its own before the server starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: Value = Field(
        min_length=1,
        description="Line of shell, run as it is written, such as `source /opt/rh/python27/enable && install.sh`.",
    )
    kernelspecs: tuple[KernelName, ...] = Field(
        default=(), description="Kernelspecs that the script installs. Default: those that appear while it runs."
    )
    required: bool = Field(
        default=True, description="`false`: if it fails, the server starts anyway and the person gets a notice."
    )
    time_max: Minutes = Field(
        default=30, description="How long it may run, such as `20m`; after that it is ended and has failed."
    )


class DeclaredKernel(BaseModel):
    """A kernel with an environment of its own, built once and reused by every launch with the same contents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=DISPLAY_NAME, max_length=60)] = Field(
        description="Name shown in JupyterLab's launcher, such as `Thalamus 3.11`."
    )
    python: Value = Field(
        default="python3", min_length=1, description="Python interpreter: a name on PATH or a path."
    )
    requirements: tuple[Value, ...] = Field(
        default=(), description="Packages to install, each as pip writes it, such as `numpy==1.26.4`."
    )
    lock: Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")] | None = Field(
        default=None, description="Instead of requirements: a requirements file at the site, with exact versions."
    )
    module_paths: tuple[Value, ...] = Field(
        default=(), description="Folders of module files to add with `module use`, before any is loaded."
    )
    modules: tuple[Value, ...] = Field(
        default=(), description="Modules to load for building and for every start of the kernel."
    )
    required: bool = Field(
        default=True,
        description="`false`: if it cannot be built, the server starts anyway and the person gets a notice.",
    )
    time_max: Minutes = Field(default=30, description="How long building may take, such as `20m`.")

    @model_validator(mode="after")
    def _says_what_to_install_once(self) -> Self:
        if bool(self.requirements) == bool(self.lock):
            raise ValueError(sentences.WHAT_TO_INSTALL)
        return self


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "a script" if "script" in value else "declared kernel"
    return "a script" if isinstance(value, KernelScript) else "declared kernel"


Kernel = Annotated[
    Annotated[KernelScript, Tag("a script")] | Annotated[DeclaredKernel, Tag("declared kernel")],
    Discriminator(_kind),
]
"""An entry with the key `script` is a KernelScript, any other a DeclaredKernel."""
