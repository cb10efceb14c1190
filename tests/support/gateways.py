"""The stand-ins for UNICORE and NSG on loopback, each a process of its own behind TLS."""

import datetime
import ipaddress
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.gateways import faults
from lab.gateways.faults import Faults
from tests.support.folders import TREE

ACCOUNT, PASSWORD = "robot", "r0b0t:s3cret"
OTHER, OTHER_PASSWORD = "somebody", "else"
_LOOPBACK = ipaddress.ip_address("127.0.0.1")


class Authority:
    """An authority of its own, and what it signs for 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        signed = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._pem(signed.sign(self._key, hashes.SHA256())))

    def certificate(self) -> Path:
        """Return where a new key and its certificate lie."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a gateway")])
        addresses = [x509.IPAddress(_LOOPBACK), x509.DNSName("localhost")]
        builder = self._builder(name, key).add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / "server.pem"
        path.write_bytes(secret + self._pem(builder.sign(self._key, hashes.SHA256())))
        return path

    def trusting(self) -> ssl.SSLContext:
        """Return what a client that trusts this authority, and no other, is given."""
        return ssl.create_default_context(cafile=str(self.path))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - day).not_valid_after(now + day)

    @staticmethod
    def _pem(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)


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
