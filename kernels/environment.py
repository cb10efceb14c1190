"""Environment: modules, a prefix and variables that a program in the job needs."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kernels import units
from kernels.fragment import Fragment
from kernels.shell import Shell, join, quote, templates

_TEMPLATES = templates("kernels")

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
NO_NUL = r"^[^\x00]*$"

# What begins with a dash would be an option of `module`.
COLLECTION = r"^[A-Za-z0-9_{][A-Za-z0-9_.@+{}-]*$"

Variable = Annotated[str, Field(pattern=VARIABLE)]
Value = Annotated[str, Field(pattern=NO_NUL)]
VariableValue = Annotated[Value, BeforeValidator(units.as_text, json_schema_input_type=Value | int | float)]
"""What a variable is set to: text, or a number as it is written."""


Collection = Annotated[str, Field(pattern=COLLECTION, max_length=100)]


class Environment(BaseModel):
    """Where a program of the job finds what it needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules: tuple[Value, ...] = Field(default=(), description="Modules to load, in this order.")
    module_paths: tuple[Value, ...] = Field(
        default=(), description="Folders of module files to add with `module use`, before any is loaded."
    )
    module_collection: Collection | None = Field(
        default=None,
        description="Collection of modules that `module save` has made, to restore before others are loaded.",
    )
    prefix: Value | None = Field(
        default=None,
        description="Folder of a virtual or conda environment; its bin folder goes first on PATH.",
    )
    variables: dict[Variable, VariableValue] = Field(
        default_factory=dict, description="Environment variables to set."
    )

    def fragment(self, module_init: str | None) -> Fragment:
        """Return what sets this environment up; `module_init` is a shell file that defines `module`.

        The script must hold `functions()`, and define `stage` and `give_up`.
        """
        lines: list[str] = []
        if self.modules or self.module_paths or self.module_collection:
            lines += self._module_lines(module_init)
        if self.prefix:
            lines.append(f"PATH={quote(self.prefix)}/bin:$PATH")
        return Fragment(environ=self.variables, before=Shell("\n".join(lines)))

    def _module_lines(self, module_init: str | None) -> list[str]:
        # Read again, it might forget what the first environment has loaded.
        lines = [f"type module >/dev/null 2>&1 || . {quote(module_init)}"] if module_init else []
        if self.module_collection:
            restore = _TEMPLATES.get_template("restore.sh.jinja").render().rstrip("\n")
            lines += [restore, f"restore_modules {quote(self.module_collection)}"]
        # Each call of `module` is a program.
        lines += [
            f"[[ ${{MODULEPATH-}}: = {path}:* ]] || module use {path}" for path in map(quote, self.module_paths)
        ]
        return lines + ([f"load_modules {join(self.modules)}"] if self.modules else [])


def functions() -> Shell:
    """Return the shell functions that fragments of environments call; a job script has them once."""
    return Shell(_TEMPLATES.get_template("modules.sh.jinja").render().rstrip("\n"))
