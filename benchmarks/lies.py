"""Part of `frozen`: other people's pages while one person's login shell answers in the place of Slurm."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.person import Person

KINDS = ("markers", "parentheses", "rows of squeue")
LIAR = "p30"
SITE = "lugano"

_FRONT_END = "lugano-login"
_PROGRAM = Path(__file__).parent / "inside" / "lies.py"
# bash reads its start-up file when sshd runs it; what it was to run is in a variable.
_BASHRC = '[ -z "$SSH_CONNECTION" ] || exec python3 "$HOME/.lies.py" {kind!r} "$BASH_EXECUTION_STRING"\n'


@contextmanager
def told(lab: Lab, liar: Person, kind: str) -> Iterator[None]:
    """Let the hub ask the liar's shell again and again, for the form and for starts, while a block runs."""
    _write(lab, ".lies.py", _PROGRAM.read_text())
    _write(lab, ".bashrc", _BASHRC.format(kind=kind))
    over = threading.Event()
    asking = threading.Thread(target=_ask, args=(liar, over))
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
        lab.run(_FRONT_END, ["rm", "-f", f"/home/{LIAR}/.bashrc", f"/home/{LIAR}/.lies.py"])


def _write(lab: Lab, name: str, text: str) -> None:
    lab.run(_FRONT_END, ["tee", f"/home/{LIAR}/{name}"], user=LIAR, input=text)


def _ask(liar: Person, over: threading.Event) -> None:
    server = f"/hub/api/users/{liar.name}/servers/lies"
    while not over.is_set():
        liar.http.get("/hub/spawn")
        liar.api("POST", server, json={"profile": "stub", "site": SITE})
        liar.api("DELETE", server, json={"remove": True})
