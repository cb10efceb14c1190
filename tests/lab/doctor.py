"""`jupyterhub-sites doctor` at the hub's host, as the hub's account, with a password typed on a terminal."""

import fcntl
import json
import os
import pty
import select
import subprocess
import termios
from collections.abc import Mapping
from typing import Any

import yaml

from lab import Lab
from lab.daemons import HUB_CONFIG
from lab.folders import TREE
from lab.plan import HUB, HUB_USER

_COMMAND = str(TREE / ".venv" / "bin" / "jupyterhub-sites")
_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_SECONDS = 400

Found = dict[tuple[str, str], list[dict[str, str]]]
"""Outcomes by site and check."""


def catalogue(lab: Lab) -> Any:
    """Return the catalogue of the lab, to be changed."""
    return yaml.safe_load(lab.run(HUB.name, ["cat", _CATALOGUE]).stdout)


def doctor(lab: Lab, tree: Any = None, *options: str, person: str = "alice", job: bool = False) -> Found:
    """Run it, for another catalogue if one is given, and return what it found of sites."""
    config, file = f"/tmp/doctor-{os.getpid()}.py", f"/tmp/doctor-{os.getpid()}.yaml"
    lines = [f"load_subconfig({HUB_CONFIG!r})"]
    if tree is not None:
        lines.append(f"c.SlurmSSHSpawner.catalogue_file = {file!r}")
        _write(lab, file, yaml.safe_dump(tree, sort_keys=False))
    _write(lab, config, "\n".join([*lines, ""]))
    words = [_COMMAND, "doctor", "-f", config, "--as", person, "--only", "B,E,F,G", "--json", *options]
    command = lab.command(HUB.name, [*words, *(["--job"] if job else [])], user=HUB_USER)
    told = json.loads(typed(command, f"{person}-pw\n"))
    found: Found = {}
    for each in told["outcomes"]:
        found.setdefault((each["site"], each["check"]), []).append(each)
    return found


def wrong(found: Found, site: str) -> Mapping[str, dict[str, str]]:
    """Return what is not as it should be at a site, by check."""
    return {
        check: each
        for (at, check), some in found.items()
        for each in some
        if at == site and each["state"] in ("warn", "FAIL")
    }


def _write(lab: Lab, path: str, text: str) -> None:
    lab.run(HUB.name, ["sh", "-c", f"cat > {path} && chmod 0644 {path}"], input=text)


def typed(command: list[str], text: str) -> str:
    """Return what a program prints that asks for something on its terminal, which is answered by `text`."""
    master, slave = pty.openpty()
    program = subprocess.Popen(
        command,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    try:
        asked = b""
        while b":" not in asked and program.poll() is None:
            if select.select([master], [], [], 0.2)[0]:
                asked += os.read(master, 1000)
        os.write(master, text.encode())
        said, _ = program.communicate(timeout=_SECONDS)
    finally:
        program.kill()
        program.wait()
        os.close(master)
    assert said, asked
    return said.decode()
