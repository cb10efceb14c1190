"""The module system of a site: which of the two its hosts have, and the module files they find."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.folders import LMOD
from lab.plan import ModuleSystem, Site

ENVIRONMENT_MODULES_FILES = (Path("/etc/profile.d/modules.sh"), Path("/usr/share/modules"))
"""Of the machine's own package, in every host's tree; a site with another module system must not have them."""

MODULE_FOLDER = "/opt/modulefiles"


@dataclass(frozen=True)
class Module:
    """One module file: a folder for PATH, a variable that proves it, modules it cannot be loaded beside."""

    name: str
    about: str
    path: str = ""
    variable: str = ""
    value: str = ""
    conflict: str = ""

    @property
    def tcl(self) -> str:
        """The file as environment-modules, and Lmod too, read it."""
        lines = ["#%Module1.0", f'module-whatis "{self.about}"']
        if self.conflict:
            lines.append(f"conflict {self.conflict}")
        if self.path:
            lines.append(f"prepend-path PATH {self.path}")
        if self.variable:
            lines.append(f"setenv {self.variable} {self.value}")
        return "\n".join([*lines, ""])

    @property
    def lua(self) -> str:
        """The file as Lmod reads it."""
        lines = [f'whatis("{self.about}")']
        if self.conflict:
            lines.append(f'conflict("{self.conflict}")')
        if self.path:
            lines.append(f'prepend_path("PATH", "{self.path}")')
        if self.variable:
            lines.append(f'setenv("{self.variable}", "{self.value}")')
        return "\n".join([*lines, ""])


JUPYTERLAB = Module("jupyterlab", "JupyterLab and its single-user server", path="/opt/jupyterlab/bin")
OLDER_JUPYTERLAB = Module(
    "jupyterlab/old", "JupyterLab and its single-user server, as of 2023", path="/opt/jupyterlab-old/bin"
)
LIGHT_PYTHON = "/opt/nix/python-3.4-light/bin"
"""There is no Python 3.4 any more: what lies there is the machine's."""

EVERYWHERE = (
    Module("nix/hpc/neuron/7.5-201707", "NEURON", variable="NEURON_VERSION", value="7.5"),
    Module("nix/viz/rtneuron/2.13.0-201707", "RTNeuron", variable="RTNEURON_VERSION", value="2.13.0"),
    Module("nix/nse/morphsyn/9040c", "Synthesis of morphologies", variable="MORPHSYN_VERSION", value="9040c"),
    Module("nix/python/3.4-light", "A small Python", LIGHT_PYTHON, "PYTHON_LIGHT", "3.4"),
    Module("nix/test/oil/1", "Cannot be loaded beside water", conflict="nix/test/water"),
    Module("nix/test/water/1", "Cannot be loaded beside oil", conflict="nix/test/oil"),
)

NEW_IS_THE_DEFAULT = 'module_version("new", "default")\n'


def module_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of what makes `module load` work on the site's hosts."""
    if site.module_system is ModuleSystem.LMOD:
        yield "/etc/profile.d/lmod.sh", (LMOD / "etc/profile.d/lmod.sh").read_text()
        yield "/etc/lmod/modulespath", f"{MODULE_FOLDER}\n"
        yield f"{MODULE_FOLDER}/jupyterlab/new.lua", JUPYTERLAB.lua
        # Lmod reads both languages, as on sites that once had another module system.
        yield f"{MODULE_FOLDER}/jupyterlab/old", OLDER_JUPYTERLAB.tcl
        yield f"{MODULE_FOLDER}/jupyterlab/.modulerc.lua", NEW_IS_THE_DEFAULT
        for module in EVERYWHERE:
            yield f"{MODULE_FOLDER}/{module.name}.lua", module.lua
    else:
        yield "/etc/environment-modules/modulespath", f"{MODULE_FOLDER}\n"
        for module in (JUPYTERLAB, *EVERYWHERE):
            yield f"{MODULE_FOLDER}/{module.name}", module.tcl
