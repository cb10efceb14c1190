"""What a wheel is made from: the files that git has, somewhere else, so that nothing is left in the tree."""

import shutil
import subprocess
from pathlib import Path

from tests.support.folders import TREE

_PACKAGES = (
    "languages",
    "kernels",
    "profiles",
    "kerberos_auth",
    "slurm_ssh",
    "slurm_ssh_spawner",
    "job_service",
)
ROOTS = tuple(TREE / name for name in _PACKAGES)
"""The folders of the packages that are installed."""

_BESIDE = ("*.cfg", "*.toml", "*.md", "LICENSE", "examples", "jupyterhub_config.py")


def copied(folder: Path) -> Path:
    """Copy what a distribution is built from into a new folder, and return it."""
    listed = ["git", "ls-files", "-z", "--", *_PACKAGES, *_BESIDE]
    names = subprocess.run(listed, cwd=TREE, capture_output=True, text=True, check=True).stdout
    for name in names.split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TREE / name, folder / name)
    return folder
