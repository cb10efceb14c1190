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

SPARK_HOME = "/opt/spark/lib/python3.11/site-packages/pyspark"

SPARK_TCL_MODULE = f"""\
#%Module1.0
module-whatis "Spark and pyspark"
setenv SPARK_HOME {SPARK_HOME}
setenv PYSPARK_PYTHON /opt/spark/bin/python3
prepend-path PYTHONPATH {SPARK_HOME.removesuffix("/pyspark")}
prepend-path PATH {SPARK_HOME}/bin
"""

SPARK_LUA_MODULE = f"""\
whatis("Spark and pyspark")
setenv("SPARK_HOME", "{SPARK_HOME}")
setenv("PYSPARK_PYTHON", "/opt/spark/bin/python3")
prepend_path("PYTHONPATH", "{SPARK_HOME.removesuffix("/pyspark")}")
prepend_path("PATH", "{SPARK_HOME}/bin")
"""

NEW_IS_THE_DEFAULT = 'module_version("new", "default")\n'


def module_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of what makes `module load jupyterlab` and `spark` work on the site's hosts."""
    if site.module_system is ModuleSystem.LMOD:
        yield "/etc/profile.d/lmod.sh", (LMOD / "etc/profile.d/lmod.sh").read_text()
        yield "/etc/lmod/modulespath", f"{MODULE_FOLDER}\n"
        yield f"{MODULE_FOLDER}/jupyterlab/new.lua", LUA_MODULE
        # Lmod reads both languages, as on sites that once had another module system.
        yield f"{MODULE_FOLDER}/jupyterlab/old", OLDER_TCL_MODULE
        yield f"{MODULE_FOLDER}/jupyterlab/.modulerc.lua", NEW_IS_THE_DEFAULT
        yield f"{MODULE_FOLDER}/spark.lua", SPARK_LUA_MODULE
    else:
        yield "/etc/environment-modules/modulespath", f"{MODULE_FOLDER}\n"
        yield f"{MODULE_FOLDER}/jupyterlab", TCL_MODULE
        yield f"{MODULE_FOLDER}/spark", SPARK_TCL_MODULE
