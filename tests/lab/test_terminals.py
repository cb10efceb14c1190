"""Terminals in JupyterLab have what the job has: on both module systems, in bash and tcsh."""

import json
import re

import pytest
import websocket

from lab import Lab
from lab.person import Person
from tests.lab.look import logged_in

_SECONDS = 300.0


# What is typed is shown too: it begins with no slash.
LINE = 'echo "<$PATH|$LOADEDMODULES|$MORPHSYN_VERSION|$SLURM_JOB_ID>"'
PRINTED = re.compile(r"<(/[^|<>]*)\|([^|<>]*)\|([^|<>]*)\|([0-9]*)>")


def printed(person: Person) -> tuple[str, ...]:
    """Return what a new terminal prints for the variables of LINE."""
    name = person.api("POST", f"/user/{person.name}/api/terminals", json={}).raise_for_status().json()["name"]
    address = f"{person.url.replace('http', 'ws', 1)}/user/{person.name}/terminals/websocket/{name}"
    header = [f"{key}: {value}" for key, value in person._auth.items()]
    channel = websocket.create_connection(address, header=header, timeout=_SECONDS)
    shown = ""
    try:
        channel.send(json.dumps(["stdin", f"{LINE}\r"]))
        while not (found := PRINTED.search(shown)):
            try:
                kind, *text = json.loads(channel.recv())
            except websocket.WebSocketTimeoutException:
                pytest.fail(f"The terminal showed {shown!r}.")
            shown += text[0] if kind == "stdout" else ""
    finally:
        channel.close()
    return found.groups()


@pytest.mark.parametrize("site", ["geneva", "lugano"])
@pytest.mark.parametrize("name", ["p20", "frank"])
def test_a_terminal_has_the_profiles_modules(lab: Lab, name: str, site: str) -> None:
    with logged_in(lab, name) as person:
        person.start({"profile": "synthesis_pipeline", "site": site})
        try:
            path, modules, version, job = printed(person)
        finally:
            person.stop()
    assert "/opt/jupyterlab/bin" in path.split(":")
    assert "nix/nse/morphsyn/9040c" in modules
    assert (version, job.isdigit()) == ("9040c", True)
