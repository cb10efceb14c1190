"""What is made once for a state folder and used again: the realm, keys, certificates, a secret."""

import hashlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.certificates import Authority
from lab.errors import LabError, tail
from lab.kerberos import kadmin_commands, kdc_conf, krb5_conf
from lab.plan import FRONT_ENDS, GATEWAYS, REALM, SITES


@dataclass(frozen=True)
class Realm:
    """The files in the folder `root`, which only root may enter."""

    root: Path

    @property
    def database(self) -> Path:
        """The KDC's database and its stash file."""
        return self.root / "kdc"

    @property
    def proxy_token(self) -> Path:
        """The secret that the hub shows to the proxy."""
        return self.root / "proxy-token"

    def keytab(self, name: str) -> Path:
        """The keytab of a host, or of the monitor."""
        return self.root / "keytabs" / f"{name}.keytab"

    def web_keytab(self, host: str) -> Path:
        """The keytab of the web page of `host`."""
        return self.root / "keytabs" / f"{host}-http.keytab"

    def host_key(self, host: str) -> Path:
        """The private ssh host key of a front end."""
        return self.root / "host-keys" / host

    def public_host_key(self, host: str) -> str:
        """The public ssh host key of a front end, as `ssh-ed25519 AAAA...`."""
        return " ".join(self.host_key(host).with_suffix(".pub").read_text().split()[:2])

    @property
    def authority(self) -> Path:
        """The certificate of the lab's authority, which hosts trust."""
        return self.root / "authority.pem"

    @property
    def gateways_certificate(self) -> Path:
        """Key and certificate that the host `gateways` shows, signed by the lab's authority."""
        return self.root / "gateways.pem"

    @property
    def strange_certificate(self) -> Path:
        """The same for the same names, signed by an authority that nobody trusts."""
        return self.root / "gateways-strange.pem"

    def munge_key(self, site: str) -> Path:
        """The key that all hosts of `site` share."""
        return self.root / f"munge-{site}.key"


def ensure_realm(root: Path) -> Realm:
    """Return the realm in `root`; make it first if it is not there or was made from another plan."""
    stamp, recipe = root / "made-from", _recipe()
    if not stamp.exists() or stamp.read_text() != recipe:
        shutil.rmtree(root, ignore_errors=True)
        _make(Realm(root))
        stamp.write_text(recipe)
    return Realm(root)


def _recipe() -> str:
    """Name everything the realm is made from, so that a changed plan gets a new one."""
    nowhere = Path("/")
    parts = [krb5_conf(), kdc_conf(nowhere), *kadmin_commands(nowhere)]
    parts += [host.name for host in FRONT_ENDS] + [site.name for site in SITES] + [GATEWAYS.fqdn]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _make(realm: Realm) -> None:
    realm.root.mkdir(mode=0o700, parents=True)
    for folder in (realm.database, realm.keytab("any").parent, realm.host_key("any").parent):
        folder.mkdir()
    _make_kdc(realm)
    for site in SITES:
        _write_secret(realm.munge_key(site.name), secrets.token_bytes(1024))
    for host in FRONT_ENDS:
        key = str(realm.host_key(host.name))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host.fqdn, "-f", key], check=True)
    _write_secret(realm.proxy_token, secrets.token_hex(32).encode())
    authority = Authority("The lab")
    realm.authority.write_bytes(authority.pem)
    _write_secret(realm.gateways_certificate, authority.certificate([GATEWAYS.fqdn]))
    _write_secret(realm.strange_certificate, Authority("Nobody's").certificate([GATEWAYS.fqdn]))


def _make_kdc(realm: Realm) -> None:
    client, server, log = (realm.root / name for name in ("krb5.conf", "kdc.conf", "kadmin.log"))
    client.write_text(krb5_conf())
    server.write_text(kdc_conf(realm.database))
    (realm.database / "kadm5.acl").touch()
    environment = {**os.environ, "KRB5_CONFIG": str(client), "KRB5_KDC_PROFILE": str(server)}
    create = ["kdb5_util", "-r", REALM, "create", "-s", "-P", secrets.token_hex(16)]
    commands = "".join(f"{command}\n" for command in kadmin_commands(realm.keytab("any").parent))
    with log.open("w") as out:
        for argv, text in ((create, ""), (["kadmin.local", "-r", REALM], commands)):
            done = subprocess.run(
                argv, input=text, text=True, stdout=out, stderr=out, env=environment, check=False
            )
            if done.returncode != 0:
                raise LabError(f"{argv[0]} could not make the realm.\n{tail(log)}")


def _write_secret(path: Path, secret: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(secret)
