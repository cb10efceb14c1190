"""A store of kernels that several people share: the program that builds, run on a node as each of them."""

from dataclasses import replace

import pytest

from kernels import preparation
from kernels.kernel import DeclaredKernel
from lab import Lab
from slurm_ssh_spawner.launch import script
from tests.support import builders

NODE = "lugano-n1"
KERNEL = DeclaredKernel(name="Six", requirements=("six==1.16.0",))


def make(lab: Lab, name: str, store: str) -> str:
    """Make the kernel ready for a person, as a job of hers does, and return what it says."""
    folder = f"/scratch/{name}/launch"
    job = replace(
        script.context(builders.launch(), builders.LAUNCH_ID, "jupyter-hub-1"),
        kernel_store=store,
        launch_folder=folder,
        module_init="/etc/profile.d/lmod.sh",
    )
    text = f"""
export SLURM_JOB_ID=1 JUPYTERHUB_SITES_STAGES=/nowhere
attend() {{ "$@"; }}
rm -rf {folder}; mkdir {folder}
{preparation.fragment([KERNEL], job).before}
for python in {store}/*/venv/bin/python ~/.local/share/jupyterhub-sites/kernels/*/venv/bin/python; do
  [ ! -x "$python" ] || "$python" -c 'import six; print("six", six.__version__)'
done
"""
    return lab.run(NODE, ["bash", "-c", text], user=name).stdout


@pytest.fixture
def store(lab: Lab) -> str:
    folder = "/scratch/kernels"
    lab.run(NODE, ["rm", "-rf", folder])
    lab.run(NODE, ["mkdir", folder])
    return folder


def test_what_the_owner_of_a_store_builds_everybody_uses(lab: Lab, store: str) -> None:
    lab.run(NODE, ["chown", "p16", store])
    assert "Six: building" in make(lab, "p16", store)
    said = make(lab, "p17", store)
    assert f"is ready in {store}/" in said
    assert said.endswith("six 1.16.0\n")


def test_a_store_that_anybody_may_write_to_is_not_used(lab: Lab, store: str) -> None:
    lab.run(NODE, ["chmod", "1777", store])
    said = make(lab, "p18", store)
    assert f"The kernel store {store} is not used: others may write to {store}" in said
    assert " in /home/p18/.local/share/jupyterhub-sites/kernels/" in said
    assert lab.run(NODE, ["ls", "-A", store]).stdout == ""
