"""Front ends that behave oddly for the length of a block: what a `fault` cannot say in one word.

Connections that are open already stay as they are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from lab.lab import Lab

SECOND_FACTOR = (
    "AuthenticationMethods gssapi-with-mic,keyboard-interactive",
    "KbdInteractiveAuthentication yes",
)
"""Lines for `sshd_config`: after the ticket it asks for something else too."""

MENUS_ONLY = ("ForceCommand /bin/echo only menus here",)
"""Lines for `sshd_config`: whatever is asked, this runs instead."""

_CONFIG = "/etc/ssh/sshd_config"
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


@contextmanager
def sshd_config(lab: Lab, front_end: str, lines: tuple[str, ...]) -> Iterator[None]:
    """Let `lines` stand before all others in a front end's sshd_config; sshd takes the first that says a thing."""
    others = lab.run(front_end, ["cat", _CONFIG]).stdout
    with _replaced(lab, front_end, _CONFIG, "\n".join([*lines, others])):
        yield


@contextmanager
def new_host_key(lab: Lab, front_end: str) -> Iterator[None]:
    """Give a front end a host key that nobody knows."""
    make = "rm -f /tmp/key*; ssh-keygen -q -t ed25519 -N '' -f /tmp/key; cat /tmp/key; rm /tmp/key*"
    with _replaced(lab, front_end, _HOST_KEY, lab.run(front_end, ["sh", "-c", make]).stdout):
        yield


@contextmanager
def maintenance(lab: Lab, front_end: str, sentence: str) -> Iterator[None]:
    """Close a front end to all but root; `sentence` says why."""
    lab.run(front_end, ["tee", "/etc/nologin"], input=f"{sentence}\n")
    try:
        yield
    finally:
        lab.run(front_end, ["rm", "/etc/nologin"])


class Hold(Enum):
    """When a program waits that is held up, as the lines of a shell that do it; GATE is there for as long."""

    BEFORE = 'came; wait_here; exec REAL "$@"'
    """It has done nothing yet."""

    AFTER = 'said=$(REAL "$@"); status=$?; came; wait_here; [ -z "$said" ] || echo "$said"; exit "$status"'
    """It has done its work, and nobody knows of it."""

    REFUSED = 'came; wait_here; echo "error: refused after a long wait" >&2; exit 1'
    """It will not do its work."""


# What stands on stdin is the script of a job, which would be gone with the connection.
_HELD = """\
#!/bin/sh
PATH=/usr/bin:/bin
came() { { echo "$$" >>GATE/came; } 2>/dev/null; }
wait_here() { while [ -d GATE ]; do sleep 0.05; done; }
if [ PROGRAM = sbatch ]; then
    script=$(mktemp) && cat >"$script" && exec <"$script" && rm "$script"
fi
"""


@contextmanager
def held(lab: Lab, front_end: str, program: str, hold: Hold) -> Iterator[Callable[[], int]]:
    """Hold up each call of one of Slurm's programs on a front end until the end of the block.

    Gives what returns how many calls have come to where they wait.
    """
    path, real, gate = f"/usr/bin/{program}", f"/usr/lib/held-{program}", f"/run/held-{program}"
    text = f"{_HELD}{hold.value}\n".replace("GATE", gate).replace("REAL", real).replace("PROGRAM", program)
    open_gate = f"mkdir -m 1777 {gate} && touch {gate}/came && chmod 666 {gate}/came"
    # The name changes hands at once: a call meets the one or the other.
    keep, swap = (
        f"[ -e {real} ] || ln {path} {real}",
        f"cat >{path}.new && chmod 755 {path}.new && mv {path}.new {path}",
    )
    lab.run(front_end, ["sh", "-c", f"{open_gate} && {{ {keep}; }} && {swap}"], input=text)
    try:
        yield lambda: len(lab.run(front_end, ["cat", f"{gate}/came"]).stdout.splitlines())
    finally:
        lab.run(front_end, ["sh", "-c", f"ln {real} {path}.new; mv {path}.new {path}; rm -r {gate}"])


@contextmanager
def _replaced(lab: Lab, front_end: str, path: str, text: str) -> Iterator[None]:
    """Let one of sshd's files hold `text`, and sshd know it."""
    lab.run(front_end, ["cp", "--preserve", path, f"{path}.kept"])
    try:
        lab.run(front_end, ["tee", path], input=text)
        _restart_sshd(lab, front_end)
        yield
    finally:
        lab.run(front_end, ["mv", f"{path}.kept", path])
        _restart_sshd(lab, front_end)


def _restart_sshd(lab: Lab, front_end: str) -> None:
    lab.fault("kill", front_end, "sshd")
    lab.fault("start", front_end, "sshd")
