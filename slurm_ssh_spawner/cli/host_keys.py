"""The host keys that front ends show, as ssh-keyscan sees them: nobody has said yet that they are theirs."""

import base64
import binascii
import hashlib
import re
import subprocess
from dataclasses import dataclass

from profiles.catalogue.site import HOST
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.sentences import command_line as sentences

_SECONDS = 60
# The first kind that a host has is enough: a host that is asked for it shows no other.
_KINDS = (("ssh-ed25519",), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"), ("ssh-rsa",))
_LINE = re.compile(
    r"(?:\[(?P<at>[^\]\s]+)\]:[0-9]+|(?P<name>[^\s#]+)) (?P<kind>[a-z0-9-]+) (?P<blob>[A-Za-z0-9+/=]+)"
)


@dataclass(frozen=True)
class HostKey:
    """One public key: its kind, and its blob in base64."""

    kind: str
    blob: str

    def __str__(self) -> str:
        """Return it as the catalogue has it."""
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """Return it as `ssh-keygen -lf` prints it: `SHA256:...`."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def scan(host: str, port: int) -> tuple[HostKey, ...]:
    """Return the keys that a host shows.  Raises Failed for none, or no ssh-keyscan."""
    if not re.fullmatch(HOST, host):
        raise Failed(sentences.NO_HOST_NAME.format(host=repr(host)))
    command = ["ssh-keyscan", "-T", "10", "-p", str(port), "-t", "ed25519,ecdsa,rsa", host]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise Failed(sentences.NO_KEYSCAN) from error
    except subprocess.TimeoutExpired as error:
        raise Failed(sentences.NO_KEYS.format(host=host, port=port, reason=sentences.TOO_LATE)) from error
    found = parse(done.stdout, host)
    if not found:
        reasons = [line for line in done.stderr.splitlines() if line and not line.startswith("#")]
        reason = reasons[-1] if reasons else sentences.NO_ANSWER_OF_SSHD
        raise Failed(sentences.NO_KEYS.format(host=host, port=port, reason=reason[:200]))
    return found


def parse(said: str, host: str) -> tuple[HostKey, ...]:
    """Return the keys of a host in the answer of ssh-keyscan: of the best kind that there is, whole ones alone."""
    lines = [_LINE.fullmatch(line) for line in said.splitlines()]
    seen = [HostKey(each["kind"], each["blob"]) for each in lines if each and host in (each["at"], each["name"])]
    for kinds in _KINDS:
        if found := [key for key in dict.fromkeys(seen) if key.kind in kinds and _is_whole(key)]:
            return tuple(found)
    return ()


def _is_whole(key: HostKey) -> bool:
    """Return whether the blob is one of the kind that is named before it."""
    try:
        blob = base64.b64decode(key.blob, validate=True)
    except binascii.Error:
        return False
    return blob[4 : 4 + int.from_bytes(blob[:4], "big")] == key.kind.encode()
