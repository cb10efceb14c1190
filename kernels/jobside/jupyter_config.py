"""Configuration of the notebook server: kernels that scripts of other profiles made are not shown in this one.

Runs in the server's own Python, which knows all places where kernels are.
"""

import glob
import json
import os

c = get_config()  # type: ignore[name-defined] # noqa: F821


def _made() -> "tuple[set[str], set[str]]":
    """Return the kernelspecs that scripts of this profile made, and those that any script made."""
    own = os.environ.get("JUPYTERHUB_SITES_KERNEL_SCRIPTS", "").split()
    here, anywhere = set(), set()
    for path in glob.glob(os.path.expanduser("~/.local/share/jupyterhub-sites/made/*.json")):
        try:
            with open(path) as file:
                names = set(json.load(file)["kernelspecs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        anywhere |= names
        if os.path.basename(path)[: -len(".json")] in own:
            here |= names
    return here, anywhere


def _allow() -> None:
    here, anywhere = _made()
    if anywhere - here:
        # Only the server has it, and it takes a moment to load.
        from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

        found = set(KernelSpecManager().find_kernel_specs())
        c.KernelSpecManager.allowed_kernelspecs = found - (anywhere - here)


_allow()
