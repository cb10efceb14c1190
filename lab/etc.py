"""The configuration files of each host: what is written after its file tree stands and before a daemon starts."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import software, stand_ins
from lab.accounts import account_lines, projects_file
from lab.daemons import HUB_CONFIG
from lab.folders import EXAMPLE_TYPES, IMAGING, PAM_MODULES, STUB_SERVER, TREE, StateFolder
from lab.kerberos import kdc_conf, krb5_conf
from lab.modules import module_files
from lab.people import MONITOR, RUN_AS, accounts_at
from lab.plan import ALL_FRONT_ENDS, DOMAIN, GATEWAYS_USER, HOSTS, HUB_USER, SITE_OF, Host, Role, Site
from lab.realm import Realm
from lab.sites import sites_of
from lab.slurm import PROJECTS_FILE, cgroup_conf, gpu_devices, gres_conf, job_submit_lua, slurm_conf, slurmdbd_conf
from lab.spark import spark_module

KDC_DATABASE = Path("/var/lib/krb5kdc")
SSHD_CONFIG = """\
# OpenSSH's defaults, but for the ways to log in.
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM yes
GSSAPIAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication no
PrintMotd no
AcceptEnv LANG LC_*
LogLevel VERBOSE
"""
CERTIFICATES_SSHD_CONFIG = """\
# OpenSSH's defaults, but that people come by certificate alone, and only those who have a file of principals.
HostKey /etc/ssh/ssh_host_ed25519_key
HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
TrustedUserCAKeys /etc/ssh/hub_ca.pub
AuthorizedKeysFile none
AuthorizedPrincipalsFile /etc/ssh/principals/%u
# Lets root see with what somebody has come.
ExposeAuthInfo yes
PrintMotd no
AcceptEnv LANG LC_*
LogLevel VERBOSE
"""
NO_KRB5_CONF = "# Nobody here has heard of a realm.\n"

HUB_CONFIG_TEXT = f"load_subconfig({str(TREE / 'lab/jupyterhub_config.py')!r})\n"

PAM_JUPYTERHUB = """\
auth    required /etc/security/pam_krb5.so no_ccache defer_pwchange
account required /etc/security/pam_krb5.so no_ccache
"""


@dataclass(frozen=True)
class File:
    """A file of a host: its contents, and who may read it."""

    path: str
    content: str | bytes
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    def write(self) -> None:
        """Write it, with its folders; nobody else can read it even for a moment."""
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(self.content.encode() if isinstance(self.content, str) else self.content)
        shutil.chown(path, self.owner, self.group)
        path.chmod(self.mode)


def gather_files(host: Host, state: StateFolder) -> tuple[File, ...]:
    """Read and compose all files of `host`; call it while the machine's files are still in sight."""
    realm = Realm(state.realm)
    more = () if host.role is Role.BARE else (_client_files, _ROLE_FILES[host.role])
    return tuple(file for part in (_common_files, _account_files, *more) for file in part(host, realm, state))


def _common_files(host: Host, _realm: Realm, _state: StateFolder) -> Iterator[File]:
    addresses = "".join(f"{other.address} {other.fqdn} {other.name}\n" for other in HOSTS.values())
    yield File("/etc/hostname", f"{host.fqdn}\n")
    yield File("/etc/hosts", f"127.0.0.1 localhost\n{addresses}")
    # Without a name server a look-up fails at once; with a wrong one it would hang for seconds.
    yield File("/etc/resolv.conf", f"search {DOMAIN}\n")


def _client_files(host: Host, realm: Realm, _state: StateFolder) -> Iterator[File]:
    known = "".join(f"{end.fqdn},{end.name} {realm.public_host_key(end.name)}\n" for end in ALL_FRONT_ENDS)
    site = SITE_OF.get(host.name)
    yield File("/etc/krb5.conf", NO_KRB5_CONF if site and site.certificates else krb5_conf(site))
    yield File("/etc/ssh/ssh_known_hosts", known)


def _account_files(host: Host, _realm: Realm, _state: StateFolder) -> Iterator[File]:
    passwd, group, shadow = account_lines(host)
    yield File("/etc/passwd", "\n".join([*passwd, ""]))
    yield File("/etc/group", "\n".join([*group, ""]))
    yield File("/etc/shadow", "\n".join([*shadow, ""]), mode=0o640, group="shadow")


def _kdc_files(_host: Host, realm: Realm, _state: StateFolder) -> Iterator[File]:
    yield File("/etc/krb5kdc/kdc.conf", kdc_conf(KDC_DATABASE))
    # A copy: what a test changes in the realm is gone with the lab.
    for path in realm.database.iterdir():
        yield File(str(KDC_DATABASE / path.name), path.read_bytes(), mode=0o600)


def _hub_files(host: Host, realm: Realm, state: StateFolder) -> Iterator[File]:
    module = next(PAM_MODULES.glob("*/security/pam_krb5.so"))
    yield File("/etc/security/pam_krb5.so", module.read_bytes())
    yield File("/etc/pam.d/jupyterhub", PAM_JUPYTERHUB)
    keytab = realm.keytab(host.name).read_bytes()
    yield File("/etc/jupyterhub/krb5.keytab", keytab, mode=0o640, group=HUB_USER)
    web = realm.web_keytab(host.name).read_bytes()
    yield File("/etc/jupyterhub/http.keytab", web, mode=0o640, group=HUB_USER)
    monitor = realm.keytab(MONITOR.name).read_bytes()
    yield File("/etc/jupyterhub/monitor.keytab", monitor, mode=0o400, owner=HUB_USER)
    run_as = realm.keytab(RUN_AS.name).read_bytes()
    yield File("/etc/jupyterhub/run-as.keytab", run_as, mode=0o400, owner=HUB_USER)
    token = realm.proxy_token.read_bytes()
    yield File("/etc/jupyterhub/proxy-token", token, mode=0o640, group=HUB_USER)
    yield File("/etc/jupyterhub/jobs-token", secrets.token_hex(32), mode=0o600, owner=HUB_USER)
    yield File("/etc/jupyterhub/gateways-ca.pem", realm.authority.read_bytes())
    for key, text in stand_ins.accounts().items():
        yield File(f"/etc/jupyterhub/{key}-account", text, mode=0o600, owner=HUB_USER)
    for site in sites_of(state):
        if site.certificates:
            authority = realm.people_authority(site.name).read_bytes()
            yield File(f"/etc/jupyterhub/{site.name}_ca", authority, mode=0o600, owner=HUB_USER)
    yield File("/etc/jupyterhub/catalogue.yaml", state.catalogue.read_text())
    for job_type in (*EXAMPLE_TYPES.glob("*.xml"), *IMAGING.glob("*.xml")):
        yield File(f"/etc/jupyterhub/job_types/{job_type.name}", job_type.read_text())
    yield File(HUB_CONFIG, HUB_CONFIG_TEXT)


def _gateways_files(_host: Host, realm: Realm, _state: StateFolder) -> Iterator[File]:
    own, strange = realm.gateways_certificate, realm.strange_certificate
    for path, source in ((stand_ins.CERTIFICATE, own), (stand_ins.STRANGE_CERTIFICATE, strange)):
        yield File(path, source.read_bytes(), mode=0o400, owner=GATEWAYS_USER)
    for kind, text in stand_ins.settings().items():
        yield File(stand_ins.settings_file(kind), text, mode=0o400, owner=GATEWAYS_USER)


def _site_files(host: Host, realm: Realm, _state: StateFolder) -> Iterator[File]:
    site = SITE_OF[host.name]
    key = realm.munge_key(site.name).read_bytes()
    yield File("/etc/munge/munge.key", key, mode=0o400, owner="munge", group="munge")
    yield File("/etc/slurm/slurm.conf", slurm_conf(site))
    yield File("/etc/slurm/gres.conf", gres_conf(host))
    yield File("/etc/slurm/cgroup.conf", cgroup_conf())
    for _, path in gpu_devices(host):
        yield File(path, "")
    for path, text in (*module_files(site), *spark_module(site)):
        yield File(path, text)
    for path, text in software.settings(site):
        yield File(path, text)
    for path, text in software.programs(site):
        yield File(path, text, mode=0o755)
    yield File("/opt/stub-server", STUB_SERVER.read_text(), mode=0o755)


def _controller_files(host: Host, realm: Realm, state: StateFolder) -> Iterator[File]:
    yield from _site_files(host, realm, state)
    site = SITE_OF[host.name]
    if site.projects:
        yield File("/etc/slurm/slurmdbd.conf", slurmdbd_conf(site), mode=0o600, owner="slurm", group="slurm")
        yield File(PROJECTS_FILE, projects_file(site))
    if site.scavenge_advice:
        yield File("/etc/slurm/job_submit.lua", job_submit_lua(site))


def _front_end_files(host: Host, realm: Realm, state: StateFolder) -> Iterator[File]:
    yield from _site_files(host, realm, state)
    yield File("/etc/ssh/ssh_host_ed25519_key", realm.host_key(host.name).read_bytes(), mode=0o600)
    # In the place of the machine's own.
    yield File("/etc/ssh/ssh_host_ed25519_key.pub", f"{realm.public_host_key(host.name)}\n")
    site = SITE_OF[host.name]
    if site.certificates:
        yield from _certificate_files(host, site, realm)
    else:
        yield File("/etc/ssh/sshd_config", SSHD_CONFIG)
        yield File("/etc/krb5.keytab", realm.keytab(host.name).read_bytes(), mode=0o600)


def _certificate_files(host: Host, site: Site, realm: Realm) -> Iterator[File]:
    """Yield what lets people in whom the hub's authority has signed for, and who have a file of principals."""
    yield File("/etc/ssh/sshd_config", CERTIFICATES_SSHD_CONFIG)
    yield File("/etc/ssh/ssh_host_ed25519_key-cert.pub", realm.host_certificate(host.name).read_text())
    yield File("/etc/ssh/hub_ca.pub", realm.people_authority(site.name).with_suffix(".pub").read_text())
    for person, account in accounts_at(site):
        if account.login not in site.closed_to:
            yield File(f"/etc/ssh/principals/{account.login}", f"hub:{person.name}\n")


_ROLE_FILES: dict[Role, Callable[[Host, Realm, StateFolder], Iterator[File]]] = {
    Role.KDC: _kdc_files,
    Role.HUB: _hub_files,
    Role.GATEWAYS: _gateways_files,
    Role.CONTROLLER: _controller_files,
    Role.FRONT_END: _front_end_files,
    Role.NODE: _site_files,
}
