"""Part of `frozen`: other people's pages while one person's login shell answers in the place of Slurm."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.person import Person

REFUSAL = "a refusal"
"""What is no lie, and as short as an answer can be: it shows what the questions cost by themselves."""

KINDS = (REFUSAL, "300 kB of markers", "300 kB of parentheses", "300 kB of rows of squeue")
LIAR = "p30"
SITE = "lugano"

# A form, a start and its end; whoever asks for pages without a pause is a load of another kind.
_ROUND_SECONDS = 1.0
_FRONT_END = "lugano-login"
_PROGRAM = Path(__file__).parent / "inside" / "lies.py"
# bash reads its start-up file when sshd runs it; what it was to run is in a variable.
_BASHRC = '[ -z "$SSH_CONNECTION" ] || exec python3 "$HOME/.lies.py" {kind!r} "$BASH_EXECUTION_STRING"\n'


@contextmanager
def told(lab: Lab, liar: Person, kind: str) -> Iterator[None]:
    """Let the hub ask the liar's shell once a second, for the form and for starts, while a block runs."""
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
    due = time.monotonic()
    while not over.is_set():
        liar.http.get("/hub/spawn")
        liar.api("POST", server, json={"profile": "stub", "site": SITE})
        liar.api("DELETE", server, json={"remove": True})
        due += _ROUND_SECONDS
        over.wait(max(0, due - time.monotonic()))
