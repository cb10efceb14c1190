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
from lab.plan import ALL_FRONT_ENDS, ALL_SITES, GATEWAYS, REALM, SITE_OF, Host


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
        """The keytab of a host, or of a service identity."""
        return self.root / "keytabs" / f"{name}.keytab"

    def web_keytab(self, host: str) -> Path:
        """The keytab of the web page of `host`."""
        return self.root / "keytabs" / f"{host}-http.keytab"

    def host_key(self, host: str) -> Path:
        """The private ssh host key of a front end."""
        return self.root / "host-keys" / host

    def host_certificate(self, host: str) -> Path:
        """What the host key's authority has signed for it, at sites with certificates."""
        return self.root / "host-keys" / f"{host}-cert.pub"

    def people_authority(self, site: str) -> Path:
        """The private key that signs people's certificates for a site."""
        return self.root / "host-keys" / f"{site}-people"

    def hosts_authority(self, site: str) -> Path:
        """The private key that has signed the host keys of a site."""
        return self.root / "host-keys" / f"{site}-hosts"

    def public_host_key(self, host: str) -> str:
        """The public ssh host key of a front end, as `ssh-ed25519 AAAA...`."""
        return _public(self.host_key(host))

    def known_host(self, host: str) -> str:
        """How the hub knows a front end: by its key, or by the authority that has signed it."""
        site = SITE_OF[host]
        if not site.certificates:
            return self.public_host_key(host)
        return f"@cert-authority {_public(self.hosts_authority(site.name))}"

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
    parts += [host.name for host in ALL_FRONT_ENDS] + [GATEWAYS.fqdn]
    parts += [f"{site.name} {site.certificates}" for site in ALL_SITES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _make(realm: Realm) -> None:
    realm.root.mkdir(mode=0o700, parents=True)
    for folder in (realm.database, realm.keytab("any").parent, realm.host_key("any").parent):
        folder.mkdir()
    _make_kdc(realm)
    for site in ALL_SITES:
        _write_secret(realm.munge_key(site.name), secrets.token_bytes(1024))
        if site.certificates:
            _make_key(realm.people_authority(site.name), f"hub at {site.name}")
            _make_key(realm.hosts_authority(site.name), f"hosts of {site.name}")
    for host in ALL_FRONT_ENDS:
        _make_key(realm.host_key(host.name), host.fqdn)
        if SITE_OF[host.name].certificates:
            _certify(realm, host)
    _write_secret(realm.proxy_token, secrets.token_hex(32).encode())
    authority = Authority("The lab")
    realm.authority.write_bytes(authority.pem)
    _write_secret(realm.gateways_certificate, authority.certificate([GATEWAYS.fqdn]))
    _write_secret(realm.strange_certificate, Authority("Nobody's").certificate([GATEWAYS.fqdn]))


def _make_key(path: Path, comment: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], check=True)


def _certify(realm: Realm, host: Host) -> None:
    """Sign the host key of a front end for its full name."""
    authority = realm.hosts_authority(SITE_OF[host.name].name)
    sign = ["ssh-keygen", "-q", "-h", "-s", str(authority), "-I", host.name, "-n", host.fqdn]
    subprocess.run([*sign, str(realm.host_key(host.name).with_suffix(".pub"))], check=True)


def _public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


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
