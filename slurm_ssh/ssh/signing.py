"""SSH certificates for people: signed by a key on the hub or by a program, and never written by us.

The private key of a certificate is made for it, and is in the memory of this process alone.
"""

import asyncio
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import cast

import asyncssh
from asyncssh.public_key import CERT_TYPE_USER, SSHOpenSSHCertificate

from profiles.catalogue.login import SiteLogin
from slurm_ssh.ssh import ca_program
from slurm_ssh.ssh.ca_program import NoCertificate

# That front ends' clocks may be behind the hub's.
_BEHIND_SECONDS = 60
# And so much longer a program's certificates may be valid than was asked for.
_LONGER_SECONDS = 300
_LONGEST_KEY = 64 * 1024
_KEY_KIND = "ssh-ed25519"
_NO_KEY = "it has to be a private key without a passphrase"
# Of other kinds of certificates the library reads more than it has a limit for.
_CERTIFICATE = re.compile(rb"\s*([a-z0-9@.-]+-cert-v0[0-9]@openssh\.com[ \t]+[A-Za-z0-9+/=]+)(?=\s|\Z)")


@dataclass(frozen=True)
class Wanted:
    """What a certificate is to say.

    `user` is the hub's name of the person, `owner` the login; `forwards` whether sshd may carry connections on.
    """

    user: str
    owner: str
    principals: tuple[str, ...]
    forwards: bool
    serial: int = field(default_factory=lambda: secrets.randbits(63))


@dataclass(frozen=True)
class Certified:
    """A certificate with its private key, for one login; both are omitted from the repr."""

    key: asyncssh.SSHKey = field(repr=False)
    certificate: SSHOpenSSHCertificate = field(repr=False)

    @property
    def authority(self) -> str:
        """The fingerprint of the key that has signed it, as in sshd's log."""
        return str(self.certificate.signing_key.get_fingerprint())

    @property
    def serial(self) -> int:
        """The number by which sshd's log names it, whoever has signed it."""
        # asyncssh has no public name for it.
        return int(self.certificate._serial)


async def certified(wanted: Wanted, how: SiteLogin) -> Certified:
    """Return a new certificate.

    Raises NoCertificate, with a detail for the log: `is_temporary` if a later try may succeed.
    """
    key = asyncssh.generate_private_key(_KEY_KIND)
    if how.command is None:
        certificate = await asyncio.to_thread(_signed, key, wanted, how, Path(how.ca_key or ""))
        return Certified(key, certificate)
    names = {"user": wanted.user, "owner": wanted.owner, "principals": ",".join(wanted.principals)}
    text = await ca_program.run(how.command, {**names, "minutes": str(how.validity)}, key.export_public_key())
    return Certified(key, _checked(text, key, wanted, how))


def problem(how: SiteLogin) -> str:
    """Return why nothing can be signed on this machine, "" if a try may succeed: no program is run for it."""
    if how.command is not None:
        return "" if shutil.which(how.command[0]) else f"{how.command[0]}: is no program that can be run"
    try:
        _authority(Path(how.ca_key or ""))
    except NoCertificate as error:
        return str(error)
    return ""


def _authority(ca_key: Path) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(_read(ca_key))
    except OSError as error:
        raise NoCertificate(f"{ca_key}: {error.strerror}") from error
    except asyncssh.KeyEncryptionError as error:
        raise NoCertificate(f"{ca_key}: {error}; {_NO_KEY}") from error
    # The library's own errors, among which are those of the ones that it asks.
    except (ValueError, RecursionError, re.error) as error:
        said = error if isinstance(error, asyncssh.KeyImportError) else "it is damaged"
        raise NoCertificate(f"{ca_key}: {said}; {_NO_KEY}") from error


def _signed(key: asyncssh.SSHKey, wanted: Wanted, how: SiteLogin, ca_key: Path) -> SSHOpenSSHCertificate:
    """Return the certificate that the key in a file of the hub's signs."""
    now = int(time.time())
    return _authority(ca_key).generate_user_certificate(
        key,
        # sshd writes it, and the serial, into its log.
        f"jupyterhub:{wanted.user}",
        serial=wanted.serial,
        principals=list(wanted.principals),
        valid_after=now - _BEHIND_SECONDS,
        valid_before=now + how.validity * 60,
        force_command=how.force_command,
        source_address=list(how.source_address) or None,
        permit_x11_forwarding=False,
        permit_agent_forwarding=False,
        permit_port_forwarding=wanted.forwards,
        permit_pty=False,
        permit_user_rc=False,
    )


def _read(path: Path) -> bytes:
    """Return what is in a file that nobody else may read.  Raises OSError, NoCertificate."""
    with open(path, "rb", opener=_opened) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o077:
            mode = f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}"
            raise NoCertificate(f"{path}: {mode}; it has to be a file of uid {os.geteuid()} with mode 0600")
        return file.read(_LONGEST_KEY)


def _opened(path: str, flags: int) -> int:
    # Opening a FIFO must not wait for a writer.
    return os.open(path, flags | os.O_NONBLOCK)


def _checked(text: bytes, key: asyncssh.SSHKey, wanted: Wanted, how: SiteLogin) -> SSHOpenSSHCertificate:
    """Return the certificate that a program has printed, if it says what is wanted and no more."""
    line = _CERTIFICATE.match(text)
    if line is None:
        raise NoCertificate("what the program printed is no certificate of OpenSSH")
    try:
        found = cast(SSHOpenSSHCertificate, asyncssh.import_certificate(line[1]))
    except ValueError as error:
        raise NoCertificate(f"what the program printed is no certificate: {error}") from error
    if wrong := next(_wrong(found, key, wanted, how), ""):
        raise NoCertificate(f"the certificate that the program printed is not used: {wrong}")
    return found


def _wrong(found: SSHOpenSSHCertificate, key: asyncssh.SSHKey, wanted: Wanted, how: SiteLogin) -> Iterator[str]:
    if found.key.public_data != key.public_data:
        yield "it is for another key"
    # One without principals is good for everybody.
    if not found.principals or not set(found.principals) <= set(wanted.principals):
        yield f"its principals are {list(found.principals)}, not {list(wanted.principals)}"
    try:
        found.validate(CERT_TYPE_USER, wanted.principals[0])
    except ValueError as error:
        yield str(error)
    # asyncssh has no public name for it.
    if found._valid_before > time.time() + how.validity * 60 + _LONGER_SECONDS:
        yield f"it is valid for more than {how.validity} minutes"
    if (forced := found.options.get("force-command")) != how.force_command:
        yield f"its force-command is {forced!r}, that of the catalogue {how.force_command!r}"
    wanted_from = {ip_network(each) for each in how.source_address}
    if wanted_from and set(cast(Iterable[object], found.options.get("source-address") or ())) != wanted_from:
        yield "its source-address is not that of the catalogue"
