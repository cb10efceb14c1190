"""Software of the sites besides their modules: shared programs, a second Python, wheels, a server for several."""

from collections.abc import Iterator

from lab.folders import SHARED_PROGRAMS
from lab.modules import LIGHT_PYTHON
from lab.plan import Site

WHEELS = "/opt/kernel-wheels"
UV = "/opt/uv"
COLLECTION = "/opt/rh/python27"
COLLABORATION = "/opt/collaboration"

PIP_CONF = f"""\
[global]
no-index = true
find-links = {WHEELS}
disable-pip-version-check = true

[install]
# What is used is compiled when it is used.
compile = false
"""

UV_TOML = f"""\
no-index = true
find-links = ["{WHEELS}"]
python-downloads = "never"
"""

ENABLE = f"""\
export X_SCLS=python27
export PATH={COLLECTION}/root/usr/bin:$PATH
"""

# JupyterLab in which several people type in one notebook: only servers that are started by it load the packages.
SERVER_FOR_SEVERAL = f"""\
#!/bin/sh
export PYTHONPATH="{COLLABORATION}${{PYTHONPATH:+:$PYTHONPATH}}"
export JUPYTER_PATH="{COLLABORATION}/share/jupyter${{JUPYTER_PATH:+:$JUPYTER_PATH}}"
export JUPYTER_CONFIG_PATH="{COLLABORATION}/etc/jupyter${{JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}}"
exec jupyterhub-singleuser "$@"
"""

MACHINES_PYTHON = '#!/bin/sh\nexec /usr/bin/python3 "$@"\n'


def settings(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of files that are read."""
    yield "/etc/pip.conf", PIP_CONF
    yield f"{COLLECTION}/enable", ENABLE
    if site.has_uv:
        yield "/etc/uv/uv.toml", UV_TOML


def programs(site: Site) -> Iterator[tuple[str, str]]:
    """Yield path and text of files that are run."""
    yield f"{LIGHT_PYTHON}/python3", MACHINES_PYTHON
    yield f"{COLLECTION}/root/usr/bin/python", MACHINES_PYTHON
    yield "/opt/server-for-several", SERVER_FOR_SEVERAL
    if site.has_uv:
        yield "/usr/local/bin/uv", f'#!/bin/sh\nexec {UV}/bin/uv "$@"\n'
    for program in sorted(path for path in SHARED_PROGRAMS.rglob("*") if path.is_file()):
        yield f"/gpfs/{program.relative_to(SHARED_PROGRAMS)}", program.read_text()
