"""Makes the page of commands, by typer: `python -m tests.support.commands_page > docs/commands.md`."""

import os
import re
import subprocess
import sys

from tests.support.folders import TREE

_COMMANDS = {
    "jupyterhub-sites": "slurm_ssh_spawner.cli.main",
    "jupyterhub-jobs": "job_service.cli.main",
    "hubjobs": "hubjobs.cli.main",
    "ijp": "hubjobs.cli.ijp",
}

_HEAD = """# Commands and their options

Made from the code by `python -m tests.support.commands_page > docs/commands.md`.

The same as each command says with `--help`. What they are for, with examples:
[`jupyterhub-sites`](command-line.md), [`jupyterhub-jobs`](job-service.md), [`hubjobs`](jobs.md) and
[`ijp`](jobs.md#from-the-portal).
"""
# Of a list of verbs typer cuts what it says; each verb stands below with all of it.
_CUT = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n")


def page() -> str:
    """Return the page, in Markdown."""
    parts = [_HEAD, *(_of_command(name, module) for name, module in _COMMANDS.items())]
    return "\n".join(parts).rstrip() + "\n"


def _of_command(name: str, module: str) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "typer", module, "utils", "docs", "--name", name],
        cwd=TREE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{TREE}:{TREE / 'job_client'}", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r"^#", "##", _CUT.sub("", made), flags=re.MULTILINE)


if __name__ == "__main__":
    print(page(), end="")
