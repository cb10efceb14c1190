"""Terminals in JupyterLab have what the job has: on both module systems, in bash and tcsh."""

import json

import pytest
import websocket

from lab import Lab
from lab.person import Person
from tests.lab.look import logged_in

_SECONDS = 60.0


def typed(person: Person, line: str, end: str) -> str:
    """Return what a new terminal shows after a line was typed, up to the words `end`."""
    name = person.api("POST", f"/user/{person.name}/api/terminals", json={}).raise_for_status().json()["name"]
    address = f"{person.url.replace('http', 'ws', 1)}/user/{person.name}/terminals/websocket/{name}"
    header = [f"{key}: {value}" for key, value in person._auth.items()]
    channel = websocket.create_connection(address, header=header, timeout=_SECONDS)
    shown = ""
    try:
        channel.send(json.dumps(["stdin", f"{line}\r"]))
        while end not in shown:
            kind, *text = json.loads(channel.recv())
            shown += text[0] if kind == "stdout" else ""
    finally:
        channel.close()
    return shown


@pytest.mark.parametrize("site", ["geneva", "lugano"])
@pytest.mark.parametrize("name", ["p20", "frank"])
def test_a_terminal_has_the_profiles_modules(lab: Lab, name: str, site: str) -> None:
    with logged_in(lab, name) as person:
        person.start({"profile": "synthesis_pipeline", "site": site})
        try:
            shown = typed(
                person, 'echo "<$PATH|$LOADEDMODULES|$MORPHSYN_VERSION|$SLURM_JOB_ID>" | tr "<>" "[]"', "]"
            )
        finally:
            person.stop()
    path, modules, version, job = shown.rpartition("[")[2].partition("]")[0].replace("\r\n", "").split("|")
    assert "/opt/jupyterlab/bin" in path.split(":")
    assert "nix/nse/morphsyn/9040c" in modules
    assert (version, job.isdigit()) == ("9040c", True)
