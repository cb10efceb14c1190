"""What `doctor` says of a hub with which one thing is wrong: that, where it is written, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kerberos_auth.outcome import State
from slurm_ssh_spawner.doctor import kdc, listening, machine
from slurm_ssh_spawner.doctor.examination import Found
from tests.support.well_hub import WellHub

Breaks = Callable[[WellHub], object]

ALL = ["A1", "A2", "A3", "A4", "A5", "A6", "A8", "A9", "A10", "A11"]
ALL += ["B1", "B1", "B2", "B2", "B3", "B4", "C1", "C2", "C3", "D1", "D2", "D3", "D4"]


def test_of_a_hub_with_which_nothing_is_wrong_all_is_well(well: WellHub) -> None:
    found = well.look()
    assert [each.outcome for each in found if each.outcome.state is not State.OK] == []
    assert [each.outcome.check for each in found] == ALL
    assert all(each.outcome.sentence for each in found)


def _wrong(found: list[Found]) -> list[tuple[str, str, str]]:
    """Return what is not well, but for what is not looked at because of something else."""
    return [
        (each.outcome.check, each.outcome.state.value, each.outcome.sentence)
        for each in found
        if each.outcome.state not in (State.OK, State.SKIP)
    ]


def _set(**settings: object) -> Breaks:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return lambda well: well.settings.update(named)


# What is done to the hub, and what is said then: check, state, part of the sentence, part of what to do, and the
# setting whose line is told, if it is one.
_FAULTS: list[tuple[str, Breaks, tuple[str, str, str, str, str]]] = [
    (
        "a setting of another spawner",
        _set(SlurmSSHSpawner__req_partition="normal"),
        (
            "A2",
            "warn",
            "c.SlurmSSHSpawner.req_partition has no effect",
            "profiles.<key>.partitions",
            "SlurmSSHSpawner.req_partition",
        ),
    ),
    (
        "a misspelt setting",
        _set(SlurmSSHSpawner__hubname="hub"),
        ("A2", "FAIL", "There is no setting c.SlurmSSHSpawner.hubname", "hub_name", "SlurmSSHSpawner.hubname"),
    ),
    (
        "the hub's account",
        lambda well: well.patch.setattr(machine, "_owner", lambda _: 4711),
        ("A3", "FAIL", "the hub's files belong to 4711", "sudo -u 4711 jupyterhub-sites doctor", ""),
    ),
    (
        "root, before there is a hub",
        lambda well: (
            well.patch.setattr(machine, "_owner", lambda _: None),
            well.patch.setattr(machine, "_is_root", lambda: True),
        ),
        ("A3", "warn", "This runs as root", "sudo -u jupyterhub", ""),
    ),
    (
        "tickets on a disk",
        lambda well: (well.folder / "mounts").write_text(f"/dev/sda {well.folder} ext4 rw 0 0\n"),
        ("A4", "warn", "is on a disk (ext4)", "below /run", ""),
    ),
    (
        "a ticket folder that others can enter",
        lambda well: (well.folder / "run/krb5").mkdir(mode=0o755),
        (
            "A4",
            "FAIL",
            "must belong to uid",
            "RuntimeDirectory=jupyterhub",
            "KerberosPAMAuthenticator.ticket_folder",
        ),
    ),
    (
        "no folder in which to make it",
        _set(KerberosPAMAuthenticator__ticket_folder="/nowhere/jupyterhub/krb5"),
        (
            "A4",
            "FAIL",
            "The ticket folder /nowhere/jupyterhub/krb5 cannot be used",
            "RuntimeDirectory",
            "KerberosPAMAuthenticator.ticket_folder",
        ),
    ),
    (
        "a secret that others can read",
        lambda well: (well.folder / "data/cookie_secret").chmod(0o644),
        ("A4", "warn", "cookie_secret has mode 0644", "chmod go=", ""),
    ),
    (
        "a folder of a database that others can write to",
        lambda well: (well.folder / "data").chmod(0o777),
        ("A4", "warn", "Others on this machine may write", "chmod 0700", ""),
    ),
    (
        "somebody's ticket in the environment",
        lambda well: well.patch.setenv("KRB5CCNAME", "/tmp/krb5cc_0"),
        ("A5", "FAIL", "KRB5CCNAME is set", "", ""),
    ),
    (
        "another keytab in the environment",
        lambda well: well.patch.setenv("KRB5_KTNAME", "/etc/other.keytab"),
        ("A5", "warn", "KRB5_KTNAME is set", "Take KRB5_KTNAME out", ""),
    ),
    (
        "no PAM service",
        _set(KerberosPAMAuthenticator__pam_service="no-such-service"),
        (
            "A6",
            "FAIL",
            "There is no PAM service file /etc/pam.d/no-such-service",
            "",
            "KerberosPAMAuthenticator.pam_service",
        ),
    ),
    (
        "ports that somebody else has",
        lambda well: well.settings.update({"SlurmSSHSpawner.tunnel_ports": _around(well)}),
        (
            "A8",
            "warn",
            "Others listen at ports of tunnels",
            "to a range that is free",
            "SlurmSSHSpawner.tunnel_ports",
        ),
    ),
    (
        "a kernel that can keep track of few connections more",
        lambda well: _conntrack(well, 60000, 65536),
        ("A8", "warn", "60000 connections, of 65536 at most", "nf_conntrack_max=262144", ""),
    ),
    (
        "a folder of a database that is not there",
        _set(JupyterHub__db_url="sqlite:////nowhere/jupyterhub.sqlite"),
        ("A9", "FAIL", "There is no folder /nowhere", "mode 0700", ""),
    ),
    (
        "a database that others can read",
        lambda well: _database(well, 0o644),
        ("A9", "warn", "has mode 0644, so others on this machine may read it.", "chmod 0600", "JupyterHub.db_url"),
    ),
    (
        "a database that others can write to",
        lambda well: _database(well, 0o660),
        ("A9", "warn", "mode 0660, so others on this machine may change it.", "chmod 0600", "JupyterHub.db_url"),
    ),
    (
        "a file that is no database",
        lambda well: (_database(well, 0o600), (well.folder / "data/jupyterhub.sqlite").write_bytes(b"x" * 4096)),
        ("A9", "FAIL", "cannot be used: file is not a database", "does not start without it", "JupyterHub.db_url"),
    ),
    (
        "a database without its driver",
        _set(SlurmSSHSpawner__records_url="mysql+nosuchdriver://hub:secret@db/launches"),
        ("A9", "FAIL", "mysql", "", "SlurmSSHSpawner.records_url"),
    ),
    (
        "a version that is too old",
        lambda well: well.patch.setattr(machine.metadata, "requires", lambda _: ["rich >= 999"]),
        ("A10", "FAIL", "rich has to be >=999", "pip install 'rich>=999'", ""),
    ),
    (
        "a hub's name that no job can have",
        _set(SlurmSSHSpawner__hub_name="My Hub"),
        ("A11", "FAIL", "cannot stand in the names of jobs", "lower case", "SlurmSSHSpawner.hub_name"),
    ),
    (
        "groups of the machine and of the configuration",
        _set(Authenticator__manage_groups=True, JupyterHub__load_groups={"course": {"users": ["alice"]}}),
        ("A11", "FAIL", "does not start with both", "take c.JupyterHub.load_groups out", "JupyterHub.load_groups"),
    ),
    (
        "a role of two kinds",
        _set(JupyterHub__load_roles=[{"name": "staff", "groups": ["a"]}, {"name": "staff", "groups": ["b"]}]),
        ("A11", "FAIL", "more than one role staff", "into one of them", "JupyterHub.load_roles"),
    ),
    (
        "servers that end with the hub",
        _set(JupyterHub__cleanup_servers=True),
        (
            "A11",
            "warn",
            "Every restart of the hub ends all servers",
            "cleanup_servers = False",
            "JupyterHub.cleanup_servers",
        ),
    ),
    (
        "a realm that nobody knows",
        _set(KerberosPAMAuthenticator__realm="NOPE.ORG"),
        (
            "B1",
            "FAIL",
            "krb5.conf does not know the realm NOPE.ORG",
            "Set realm",
            "KerberosPAMAuthenticator.realm",
        ),
    ),
    (
        "a KDC that is down",
        lambda well: well.patch.setenv("KRB5_CONFIG", str(well.realm.configs["dead"])),
        ("B1", "FAIL", "does not answer: Connection refused", "let this machine through", ""),
    ),
    (
        "one of two KDCs that is down",
        lambda well: _krb5(well, "  kdc = 127.0.0.1:", "  kdc = 127.0.0.1:9\n  kdc = 127.0.0.1:"),
        ("B1", "warn", "The KDC 127.0.0.1:9 of LAB.TEST does not answer", "let this machine through", ""),
    ),
    (
        "tickets that cannot be passed on",
        lambda well: _krb5(well, "forwardable = true", ""),
        ("B2", "warn", "krb5.conf does not set forwardable", "forwardable = true", ""),
    ),
    (
        "tickets that cannot be renewed",
        lambda well: _krb5(well, "renew_lifetime = 7d", ""),
        ("B2", "warn", "krb5.conf does not set renew_lifetime", "renew_lifetime = 7d", ""),
    ),
    (
        "names that name servers decide",
        lambda well: _krb5(well, "rdns = false", "rdns = true"),
        ("B2", "warn", "krb5.conf lets name servers decide", "rdns = false", ""),
    ),
    (
        "a clock that is a little ahead",
        lambda well: _clock(well, 60),
        ("B3", "warn", " s ahead of that of the KDC 127.0.0.1", "chronyd", ""),
    ),
    (
        "a clock with which nobody can log in",
        lambda well: _clock(well, -400),
        ("B3", "FAIL", " s behind that of the KDC 127.0.0.1", "chronyd", ""),
    ),
    (
        "no keytab",
        lambda well: well.keytab.unlink(),
        ("B4", "FAIL", "There is no keytab", "", "KerberosPAMAuthenticator.keytab"),
    ),
    (
        "a keytab that others can read",
        lambda well: well.keytab.chmod(0o644),
        ("B4", "warn", "has mode 0644", "chmod 0640", "KerberosPAMAuthenticator.keytab"),
    ),
    (
        "a keytab with a former key",
        lambda well: _put(well.keytab, Path(well.realm.other_keytab).read_bytes()),
        ("B4", "FAIL", "(kvno 2) is not the one that the KDC has", "ktadd -k", "KerberosPAMAuthenticator.keytab"),
    ),
    (
        "login without a password by the key of another address",
        lambda well: well.settings.update(_sign_on(well, "www.test")),
        ("B6", "FAIL", "has no key of HTTP/www.test@LAB.TEST", "ktadd -k", "SingleSignOn.keytab"),
    ),
    (
        "long headers that are cut",
        lambda well: (
            well.settings.update(_sign_on(well, "hub.lab.test")),
            setattr(well.public, "longest", 16384),
        ),
        ("B6", "warn", "refuses long headers (431)", "max-http-header-size", ""),
    ),
    (
        "a proxy that is down",
        _set(ConfigurableHTTPProxy__api_url="http://127.0.0.1:9"),
        (
            "C1",
            "FAIL",
            "The proxy does not answer at http://127.0.0.1:9: Connection refused",
            "systemctl",
            "ConfigurableHTTPProxy.api_url",
        ),
    ),
    (
        "another token",
        lambda well: setattr(well.proxy, "token", "another"),
        ("C1", "FAIL", "does not take the hub's token", "EnvironmentFile", "ConfigurableHTTPProxy.api_url"),
    ),
    (
        "a proxy of the hub's account",
        lambda well: _tables(well, well.uids.clear),
        ("C1", "warn", "The proxy runs as the hub's account", "DynamicUser", "ConfigurableHTTPProxy.api_url"),
    ),
    (
        "an API of the proxy that others reach",
        lambda well: _tables(well, lambda: well.open.add(well.proxy.port)),
        ("C1", "warn", "listens at 0.0.0.0", "--api-ip=127.0.0.1", "ConfigurableHTTPProxy.api_url"),
    ),
    (
        "a proxy that ends with the hub",
        _set(ConfigurableHTTPProxy__should_start=True),
        ("C1", "warn", "The hub starts its proxy", "should_start = False", "ConfigurableHTTPProxy.should_start"),
    ),
    (
        "an address at which nobody answers",
        _set(JupyterHub__bind_url="http://127.0.0.1:9"),
        ("C2", "FAIL", "Nobody answers at http://127.0.0.1:9/", "Start the proxy", "JupyterHub.bind_url"),
    ),
    (
        "an address at which something else answers",
        lambda well: well.public.said.clear(),
        ("C2", "FAIL", "is not the hub (status 404)", "send everything there to the proxy", "JupyterHub.bind_url"),
    ),
    (
        "passwords that others can read",
        lambda well: well.settings.update({"JupyterHub.public_url": f"http://hub.test:{well.public.port}/"}),
        ("C2", "warn", "where others can read passwords", "TLS", "JupyterHub.public_url"),
    ),
    (
        "websockets that do not get through",
        lambda well: setattr(well.public, "upgrade", 400),
        ("C2", "FAIL", "(the answer was 400, not 101)", "proxy_set_header Upgrade $http_upgrade;", ""),
    ),
    (
        "events that are held back",
        lambda well: setattr(well.public, "held_seconds", 2),
        ("C2", "warn", "holds back events", "`proxy_buffering off;`", ""),
    ),
    (
        "a hub_url that has no address",
        lambda well: well.site.update(hub_url=f"http://hub.gone:{well.hub.port}"),
        ("C3", "FAIL", "does not reach the hub at http://hub.gone", "sites.geneva.hub_url", ""),
    ),
    (
        "a hub_url that leads elsewhere",
        lambda well: well.site.update(hub_url=f"http://hub.test:{well.proxy.port}"),
        ("C3", "FAIL", "is not the hub (status 403)", "sites.geneva.hub_url", ""),
    ),
    (
        "a hub that listens on loopback",
        lambda well: _tables(well, well.open.clear),
        ("C3", "FAIL", "listens on this machine's loopback alone", "hub_bind_url", "JupyterHub.hub_bind_url"),
    ),
    (
        "a hub_url that is left out",
        lambda well: well.site.pop("hub_url"),
        ("C3", "warn", "where only its own machine finds it", "hub_bind_url", "JupyterHub.hub_bind_url"),
    ),
    (
        "a hub whose own name has no address",
        lambda well: (
            well.site.pop("hub_url"),
            well.settings.update({"JupyterHub.hub_connect_url": "http://hub.gone:8081"}),
        ),
        ("C3", "FAIL", "does not reach the hub at http://hub.gone:8081", "sites.geneva.hub_url", ""),
    ),
    (
        "a proxy without host-routing",
        lambda well: (well.settings.update(_subdomains(well, "test")), well.public.said.pop("/hub/api")),
        (
            "C4",
            "FAIL",
            "does not find the hub by its name (status 404)",
            "--host-routing",
            "JupyterHub.subdomain_host",
        ),
    ),
    (
        "names that no name server knows",
        lambda well: well.settings.update(_subdomains(well, "gone")),
        (
            "C4",
            "FAIL",
            "No name server knows *.hub.gone",
            "Add an entry for *.hub.gone",
            "JupyterHub.subdomain_host",
        ),
    ),
    (
        "a catalogue that is wrong",
        lambda well: well.site.update(hubb_url="x"),
        ("D1", "FAIL", "hubb_url", "", ""),
    ),
    (
        "a maintenance that is over",
        lambda well: well.site.update(maintenance=[{"begins": "2020-01-01 08:00", "ends": "2020-01-01 09:00"}]),
        ("D2", "warn", "Every maintenance of geneva is over", "Remove it", ""),
    ),
]


@pytest.mark.parametrize(("breaks", "expected"), [each[1:] for each in _FAULTS], ids=[each[0] for each in _FAULTS])
def test_one_thing_is_wrong(well: WellHub, breaks: Breaks, expected: tuple[str, str, str, str, str]) -> None:
    check, state, sentence, fix, setting = expected
    breaks(well)
    found = well.look()
    wrong = _wrong(found)
    assert [(one, how) for one, how, _ in wrong] == [(check, state)], wrong
    (outcome,) = (each.outcome for each in found if each.outcome.state not in (State.OK, State.SKIP))
    assert sentence in outcome.sentence
    assert fix in outcome.fix
    if setting:
        assert outcome.place == well.line(setting)
    for each in found:
        if each.outcome.state is State.SKIP:
            assert f"because {check} failed" in each.outcome.sentence


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _krb5(well: WellHub, text: str, by: str) -> None:
    path = well.folder / "krb5.conf"
    written = well.realm.configs["good"].read_text()
    assert text in written
    path.write_text(written.replace(text, by))
    well.patch.setenv("KRB5_CONFIG", str(path))


def _clock(well: WellHub, ahead: float) -> None:
    """Have this machine's clock be ahead of the KDC's, as far as that is asked of it."""
    real = kdc._time
    well.patch.setattr(kdc, "_time", lambda answer: real(answer) - ahead)


def _around(well: WellHub) -> str:
    """Return a range of ports at one of which somebody else listens."""
    _tables(well, lambda: well.moved.update({well.proxy.port: 20017}))
    return "20010-20020"


def _conntrack(well: WellHub, count: int, most: int) -> None:
    for name, number in (("count", count), ("max", most)):
        (well.folder / f"nf_conntrack_{name}").write_text(f"{number}\n")
    well.patch.setattr(machine, "_CONNTRACK", well.folder)


def _database(well: WellHub, mode: int) -> None:
    path = well.folder / "data/jupyterhub.sqlite"
    path.touch()
    path.chmod(mode)


def _sign_on(well: WellHub, host: str) -> dict[str, str]:
    keytab = well.folder / "http.keytab"
    keytab.write_bytes(Path(well.realm.http_keytab).read_bytes())
    keytab.chmod(0o640)
    port = well.public.port
    return {"SingleSignOn.keytab": str(keytab), "JupyterHub.bind_url": f"http://{host}:{port}"}


def _subdomains(well: WellHub, domain: str) -> dict[str, str]:
    return {"JupyterHub.subdomain_host": f"http://hub.{domain}:{well.public.port}"}


def _tables(well: WellHub, change: Callable[[], object]) -> None:
    real = well.real_tables
    change()
    well.patch.setattr(listening, "_TABLES", real)
    well.patch.setattr(listening, "_TABLES", well.tables())
