"""Where things are at a cluster of which nothing is known yet: one program to send, its answer to parse."""

import re
from dataclasses import dataclass

from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import SiteFacts
from slurm_ssh.schedulers.queries import collect
from slurm_ssh.ssh.remote import Remote

_SLURM = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/slurm/bin",
    "/usr/local/slurm/bin",
    "/cm/shared/apps/slurm/current/bin",
)
_MODULES = (
    *("/etc/profile.d/lmod.sh", "/etc/profile.d/z00_lmod.sh", "/etc/profile.d/modules.sh"),
    *("/usr/share/lmod/lmod/init/bash", "/usr/share/modules/init/bash", "/etc/profile.d/00-modulepath.sh"),
)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Places:
    """The folder of Slurm's commands, the file that defines `module`, Slurm's name of the cluster; "" for none."""

    slurm_path: str = ""
    module_init: str = ""
    name: str = ""


def question() -> Shell:
    """Return the program that looks for them.  It prints lines of a word and what it found."""
    return Shell(
        f"for at in {' '.join(_SLURM)}; do if test -x $at/sbatch; then echo slurm $at; "
        "$at/scontrol show config 2>/dev/null | sed -n 's/^ClusterName *= */name /p'; break; fi; done; "
        f"for at in {' '.join(_MODULES)}; do if test -r $at; then echo modules $at; break; fi; done; :"
    )


def parse(stdout: str) -> Places:
    """Return the places in the answer; what is not among those that were asked for is none."""
    said = dict(line.split(" ", 1) for line in stdout.splitlines() if " " in line)
    slurm_path, module_init, name = (said.get(word, "").strip() for word in ("slurm", "modules", "name"))
    return Places(
        slurm_path if slurm_path in _SLURM else "",
        module_init if module_init in _MODULES else "",
        name if _NAME.fullmatch(name) else "",
    )


async def explored(remote: Remote) -> tuple[Places, SiteFacts]:
    """Return where things are at a site, and what its Slurm has.  Raises LaunchError."""
    places = parse((await remote.run(question())).stdout)
    slurm_path = places.slurm_path or remote.site.slurm_path
    site: Site = remote.site.model_copy(update={"slurm_path": slurm_path})
    return places, await collect(Remote(remote.pool, remote.login, site))
