"""The stand-ins for UNICORE and NSG on loopback, each a process of its own behind TLS."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import certificates
from lab.gateways import faults
from lab.gateways.faults import Faults
from tests.support.folders import TREE

ACCOUNT, PASSWORD = "robot", "r0b0t:s3cret"
OTHER, OTHER_PASSWORD = "somebody", "else"


class Authority:
    """An authority of its own, and what it signs for 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._authority = certificates.Authority(name)
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._authority.pem)

    def certificate(self) -> Path:
        """Return where a new key and its certificate lie."""
        path = self._folder / "server.pem"
        path.write_bytes(self._authority.certificate(["127.0.0.1", "localhost"]))
        return path

    def trusting(self) -> ssl.SSLContext:
        """Return what a client that trusts this authority, and no other, is given."""
        return ssl.create_default_context(cafile=str(self.path))


@dataclass(frozen=True)
class Gateway:
    """A stand-in that is up."""

    origin: str
    folder: Path
    authority: Authority

    def breaks(self, **broken: Any) -> None:
        """Break this, and nothing else, from the next request on."""
        faults.write(self.folder, Faults(**broken))


@contextmanager
def running(kind: str, folder: Path, **settings: Any) -> Iterator[Gateway]:
    """Give a stand-in with a certificate of an authority of its own."""
    folder.mkdir()
    authority = Authority(folder / "authority", "The authority of a test")
    accounts = {ACCOUNT: PASSWORD, OTHER: OTHER_PASSWORD}
    jobs = folder / "jobs"
    jobs.mkdir()
    told = {"folder": str(jobs), "certificate": str(authority.certificate()), "accounts": accounts, **settings}
    written = folder / "settings.json"
    written.write_text(json.dumps(told))
    command = [sys.executable, "-m", "lab.gateways", kind, str(written)]
    with subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            origin = process.stdout.readline().strip()
            assert origin, "it ended"
            yield Gateway(origin, jobs, authority)
        finally:
            process.terminate()
            process.wait()
