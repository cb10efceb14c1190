"""The module system of a site: which of the two its hosts have, and the module files they find."""

from collections.abc import Iterator
from pathlib import Path

from lab.folders import LMOD
from lab.plan import ModuleSystem, Site

ENVIRONMENT_MODULES_FILES = (Path("/etc/profile.d/modules.sh"), Path("/usr/share/modules"))
"""Of the machine's own package, in every host's tree; a site with another module system must not have them."""

MODULE_FOLDER = "/opt/modulefiles"

TCL_MODULE = """\
#%Module1.0
module-whatis "JupyterLab and its single-user server"
prepend-path PATH /opt/jupyterlab/bin
"""

LUA_MODULE = """\
whatis("JupyterLab and its single-user server")
prepend_path("PATH", "/opt/jupyterlab/bin")
"""

OLDER_TCL_MODULE = """\
#%Module1.0
module-whatis "JupyterLab and its single-user server, as of 2023"
prepend-path PATH /opt/jupyterlab-old/bin
"""

NEW_IS_THE_DEFAULT = 'module_version("new", "default")\n'


def module_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of what makes `module load jupyterlab` work on the site's hosts."""
    if site.module_system is ModuleSystem.LMOD:
        yield "/etc/profile.d/lmod.sh", (LMOD / "etc/profile.d/lmod.sh").read_text()
        yield "/etc/lmod/modulespath", f"{MODULE_FOLDER}\n"
        yield f"{MODULE_FOLDER}/jupyterlab/new.lua", LUA_MODULE
        # Lmod reads both languages, as on sites that once had another module system.
        yield f"{MODULE_FOLDER}/jupyterlab/old", OLDER_TCL_MODULE
        yield f"{MODULE_FOLDER}/jupyterlab/.modulerc.lua", NEW_IS_THE_DEFAULT
    else:
        yield "/etc/environment-modules/modulespath", f"{MODULE_FOLDER}\n"
        yield f"{MODULE_FOLDER}/jupyterlab", TCL_MODULE
