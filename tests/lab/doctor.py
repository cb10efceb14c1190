"""`jupyterhub-sites doctor` at the hub's host, as the hub's account, with a password typed on a terminal."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from lab import Lab
from lab.daemons import HUB_CONFIG
from lab.folders import TREE
from lab.plan import HUB, HUB_USER

COMMAND = str(TREE / ".venv" / "bin" / "jupyterhub-sites")
_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_SECONDS = 900

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
    words = [COMMAND, "doctor", "-f", config, "--as", person, "--only", "B,E,F,G", "--json", *options]
    said = typed(lab, [*words, *(["--job"] if job else [])], f"{person}-pw\n")
    assert "{" in said, said
    told = json.loads(said[said.index("{") :])
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


def told(found: Found, site: str = "") -> str:
    """Return what was found, at a site if one is named, for a test that fails."""
    rows = [(at, each) for (at, _), some in found.items() for each in some if at == site or not site]
    return "\n".join(
        f"{each['state']} {each['check']} {at}: {each['sentence']} {each['fix']} ({each['place']})"
        for at, each in rows
        if each["state"] != "ok" or site
    )


def _write(lab: Lab, path: str, text: str) -> None:
    lab.run(HUB.name, ["sh", "-c", f"cat > {path} && chmod 0644 {path}"], input=text)


def typed(lab: Lab, words: list[str], text: str, interrupt: Callable[[], Callable[[], None]] | None = None) -> str:
    """Return what a program of the hub's account prints that asks on its terminal, where this is the answer.

    With an `interrupt`, Ctrl-C is typed there as soon as that has returned; then what it returned is called.
    """
    # A terminal of the host's own: one of this machine has no name there.
    inside = [
        "env",
        # Whoever runs the tests in the background of a shell has it ignored.
        "--default-signal=INT",
        "SHELL=/bin/sh",
        "script",
        "--quiet",
        "--return",
        "--echo",
        "never",
        "--command",
        shlex.join(words),
        "/dev/null",
    ]
    program = subprocess.Popen(
        lab.command(HUB.name, inside, user=HUB_USER), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        asked = b""
        while b":" not in asked and (said := program.stdout.read1(1000)):
            asked += said
        if interrupt:
            program.stdin.write(text.encode())
            program.stdin.flush()
            go_on = interrupt()
            program.stdin.write(b"\x03")
            program.stdin.flush()
            go_on()
            text = ""
        said, _ = program.communicate(text.encode(), timeout=_SECONDS)
    finally:
        program.kill()
        program.wait()
    return said.decode()
