"""What a profile may say about kernels: a line of the admin's own, or a declared environment.  Values only."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from kernels.environment import Value
from kernels.units import Minutes

KernelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]


class KernelScript(BaseModel):
    """A line of shell that makes kernels, run in a bash of its own before the server starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: Value = Field(
        min_length=1,
        description="Line of shell, run as it is written, such as `source /opt/rh/python27/enable && install.sh`.",
    )
    kernelspecs: tuple[KernelName, ...] = Field(
        default=(), description="Names of the kernelspecs it installs; what it was seen to install if left out."
    )
    required: bool = Field(
        default=True, description="`false`: the server starts also if it fails, with a notice to the person."
    )
    time_max: Minutes = Field(default=30, description="How long it may run, such as `20m`; then it has failed.")


class DeclaredKernel(BaseModel):
    """A kernel whose environment is built once for all that has the same contents, and used again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=60)] = Field(
        description="What people read in JupyterLab's launcher, such as `Thalamus 3.11`."
    )
    python: Value = Field(
        default="python3", min_length=1, description="Interpreter it is made with: a name on PATH or a path."
    )
    requirements: tuple[Value, ...] = Field(
        default=(), description="What to install, each as pip writes it, such as `numpy==1.26.4`."
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
        description="`false`: the server starts also if it cannot be built, with a notice to the person.",
    )
    time_max: Minutes = Field(default=30, description="How long building may take, such as `20m`.")

    @model_validator(mode="after")
    def _says_what_to_install_once(self) -> Self:
        if bool(self.requirements) == bool(self.lock):
            raise ValueError("must say once what is to be installed; write either `requirements` or `lock`")
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
