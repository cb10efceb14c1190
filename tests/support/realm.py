"""A real KDC in a folder, on a free loopback port, for tests."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.ports import free_port

REALM = "LAB.TEST"
SHORT_LIFE_SECONDS = 8 * 3600
"""How long tickets live that are to be renewed: longer than any run of the tests, which share some."""

KRB5_CONF = """\
[libdefaults]
 default_realm = LAB.TEST
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 dns_uri_lookup = false
 rdns = false
 udp_preference_limit = 1
 forwardable = true
 renew_lifetime = 7d
[realms]
 LAB.TEST = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = LAB.TEST
"""
KDC_CONF = """\
[kdcdefaults]
 kdc_ports = ""
 kdc_tcp_ports = {port}
[realms]
 LAB.TEST = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  max_life = 10h
  max_renewable_life = 7d
  supported_enctypes = aes256-cts
  default_principal_flags = +preauth
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
"""
PEOPLE = """\
addprinc -pw alice-pw alice
addprinc -pw bob-pw bob
addprinc -pw carol-pw -pwexpire yesterday carol
addprinc -pw dave-pw -allow_tix dave
addprinc -pw eve-pw -maxlife 2s eve
addprinc -pw frank-pw -maxlife {life}s frank
addprinc -pw gina-pw -maxlife {life}s -allow_renewable gina
addprinc -pw hans-pw -maxlife {life}s -maxrenewlife {renewable}s hans
addprinc -pw root-pw root
addprinc -randkey host/hub.lab.test
ktadd -k {folder}/hub.keytab host/hub.lab.test
addprinc -randkey HTTP/hub.lab.test
ktadd -k {folder}/http.keytab HTTP/hub.lab.test
addprinc -randkey host/localhost
ktadd -k {folder}/front-end.keytab host/localhost
addprinc -randkey -maxlife {life}s jmonitor
ktadd -k {folder}/monitor.keytab jmonitor
"""
SPOOF = """\
addent -password -p host/hub.lab.test@LAB.TEST -k 2 -e aes256-cts
other-pw
wkt {folder}/spoofed.keytab
"""


class Realm:
    """The realm LAB.TEST; passwords are `<name>-pw`.

    carol's has expired, dave is locked, eve's tickets live 2 s, frank's SHORT_LIFE_SECONDS, gina's too but
    cannot be renewed, hans's too and a second longer with renewals.  `keytab` verifies this KDC; in the eyes of
    `other_keytab` it is a spoofed one; `http_keytab` is that of HTTP/hub.lab.test, `front_end_keytab` that of an
    sshd on localhost, `monitor_keytab` that of jmonitor, whose tickets live as long as frank's.  `configs`
    holds a krb5.conf for each way a KDC can be: "good", "silent" (takes the connection and never answers), "dead"
    (nobody listens).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keytab = str(folder / "hub.keytab")
        self.other_keytab = str(folder / "spoofed.keytab")
        self.http_keytab = str(folder / "http.keytab")
        self.front_end_keytab = str(folder / "front-end.keytab")
        self.monitor_keytab = str(folder / "monitor.keytab")
        self.configs: dict[str, Path] = {}
        self.silence = socket.create_server(("127.0.0.1", 0))
        ports = {"good": free_port(), "silent": self.silence.getsockname()[1], "dead": free_port()}
        for name, port in ports.items():
            self.configs[name] = folder / f"krb5-{name}.conf"
            self.configs[name].write_text(KRB5_CONF.format(port=port))
        (folder / "kdc.conf").write_text(KDC_CONF.format(port=ports["good"], folder=folder))
        self._port = ports["good"]
        self._kdc: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._run("kdb5_util", "create", "-s", "-W", "-P", "master")
        self._run(
            "kadmin.local",
            "-p",
            "admin/admin",
            typed=PEOPLE.format(folder=self.folder, life=SHORT_LIFE_SECONDS, renewable=SHORT_LIFE_SECONDS + 1),
        )
        self._run("ktutil", typed=SPOOF.format(folder=self.folder))
        self._kdc = subprocess.Popen(["krb5kdc", "-n"], env=self._env(), stderr=subprocess.DEVNULL)
        for _ in range(3000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return
            time.sleep(0.02)
        raise RuntimeError((self.folder / "kdc.log").read_text())

    def kadmin(self, *commands: str) -> None:
        """Change principals, as `addprinc -pw frank-pw -maxlife 6s frank`."""
        self._run("kadmin.local", "-p", "admin/admin", typed="".join(f"{command}\n" for command in commands))

    def stop(self) -> None:
        self.silence.close()
        if self._kdc is not None:
            self._kdc.send_signal(signal.SIGTERM)
            self._kdc.wait()

    @property
    def failures(self) -> int:
        """How many wrong passwords the KDC has counted."""
        return (self.folder / "kdc.log").read_text().count(": PREAUTH_FAILED:")

    @property
    def requests(self) -> int:
        """How many messages the KDC was ever sent."""
        return (self.folder / "kdc.log").read_text().count("_REQ (")

    def _env(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": os.environ["PATH"] + ":/usr/sbin",
            "KRB5_CONFIG": str(self.configs["good"]),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
        }

    def _run(self, *command: str, typed: str = "") -> None:
        subprocess.run(command, input=typed.encode(), env=self._env(), check=True, capture_output=True)


class SilentKDC:
    """One of its own that takes connections and says nothing, until `end`; `config` is a krb5.conf with it."""

    def __init__(self, folder: Path) -> None:
        self._listens = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        self.config = folder / "krb5-silent.conf"
        self.config.write_text(KRB5_CONF.format(port=self._listens.getsockname()[1]))

    def asked(self) -> None:
        """Return once somebody has come."""
        self._taken.append(self._listens.accept()[0])

    def end(self) -> None:
        """Hang up: whoever waits for an answer waits no longer."""
        for each in (*self._taken, self._listens):
            each.close()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Realm]:
    realm = Realm(folder)
    try:
        realm.start()
        yield realm
    finally:
        realm.stop()
