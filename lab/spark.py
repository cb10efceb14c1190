"""The module `spark` of a site: Spark as pyspark's package on PyPI holds it, with a Python for its workers."""

from collections.abc import Iterator

from lab.modules import MODULE_FOLDER
from lab.plan import ModuleSystem, Site

PACKAGES = "/opt/spark/lib/python3.11/site-packages"
SPARK_HOME = f"{PACKAGES}/pyspark"
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java compiles quickly instead of well: no program here lives long enough for the best code to pay off."""

TCL_MODULE = f"""\
#%Module1.0
module-whatis "Spark and pyspark"
setenv SPARK_HOME {SPARK_HOME}
setenv PYSPARK_PYTHON /opt/spark/bin/python3
setenv JAVA_TOOL_OPTIONS "{JAVA_OPTIONS}"
prepend-path PYTHONPATH {PACKAGES}
prepend-path PATH {SPARK_HOME}/bin
"""

LUA_MODULE = f"""\
whatis("Spark and pyspark")
setenv("SPARK_HOME", "{SPARK_HOME}")
setenv("PYSPARK_PYTHON", "/opt/spark/bin/python3")
setenv("JAVA_TOOL_OPTIONS", "{JAVA_OPTIONS}")
prepend_path("PYTHONPATH", "{PACKAGES}")
prepend_path("PATH", "{SPARK_HOME}/bin")
"""


def spark_module(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of what makes `module load spark` work on the site's hosts."""
    if site.module_system is ModuleSystem.LMOD:
        yield f"{MODULE_FOLDER}/spark.lua", LUA_MODULE
    else:
        yield f"{MODULE_FOLDER}/spark", TCL_MODULE
