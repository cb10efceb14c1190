"""Faults of a hub that need more than a changed line: TLS, certificates for sites, PostgreSQL, a hub that runs."""

import grp
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.doctor import examination, listening, running, web
from slurm_ssh_spawner.doctor.examined import Examined, Whom
from slurm_ssh_spawner.hub import databases
from slurm_ssh_spawner.hub.databases import Database
from slurm_ssh_spawner.launch.records.database import open_engine
from tests.support import loopback, postgres
from tests.support.authority import Authority
from tests.support.well_hub import Found, Server, WellHub, serving

_RECORDS = ("SlurmSSHSpawner", "records_url")


def _not_well(found: list[Found]) -> list[Outcome]:
    return [each.outcome for each in found if each.outcome.state is not State.OK]


class TestTls:
    """Browsers come by https; there is a proxy in front of the hub that has a certificate for two days."""

    @pytest.fixture
    def front(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        path = loopback.certificate(well.folder)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(path)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with serving(Server(dict(well.public.said)), tls) as server:
            server.said["/hub/login"] = (200, {"Set-Cookie": "_xsrf=x; Secure"}, b"")
            well.settings["JupyterHub.public_url"] = f"https://localhost:{server.port}/"
            yield server

    def test_a_certificate_that_ends_soon(self, well: WellHub, front: Server) -> None:
        (found,) = _not_well(well.look("C"))
        assert (found.check, found.state, found.fix) == ("C2", State.WARN, "Renew it.")
        assert found.sentence == f"The certificate at https://localhost:{front.port}/ ends in 1 days."

    @pytest.mark.usefixtures("front")
    def test_one_that_nobody_believes(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        (found,) = _not_well(well.look("C"))
        assert (found.check, found.state) == ("C2", State.FAIL)
        assert "Browsers do not believe the certificate" in found.sentence
        assert "whole chain" in found.fix
        assert found.place == well.line("JupyterHub.public_url")

    def test_a_hub_that_does_not_know_of_it(self, well: WellHub, front: Server) -> None:
        front.said["/hub/login"] = well.public.said["/hub/login"]
        last = _not_well(well.look("C"))[-1]
        assert (last.check, last.state, "X-Forwarded-Proto" in last.fix) == ("C2", State.WARN, True)


class TestSites:
    """Entries of the catalogue that only this machine can say are wrong."""

    def test_groups_that_nobody_has(self, well: WellHub) -> None:
        there = grp.getgrgid(0).gr_name
        profile = well.catalogue["profiles"]["lab"]
        profile["visible_to"] = {"groups": [there, "no-such-group"]}
        (found,) = _not_well(well.look("D"))
        assert (found.check, found.state) == ("D3", State.WARN)
        assert found.place == f"{well.catalogue_file}:{_line(well, 'groups:')}"
        profile["visible_to"] = {"groups": ["no-such-group"]}
        assert [each.check for each in _not_well(well.look("D"))] == ["D3", "D4"]
        profile["visible_to"] = {"groups": ["no-such-group"], "users": ["alice"]}
        assert [each.check for each in _not_well(well.look("D"))] == ["D3"]
        well.settings["Authenticator.manage_groups"] = False
        assert _not_well(well.look("D")) == []

    def test_a_catalogue_that_others_can_write_to(self, well: WellHub) -> None:
        well.written()
        well.catalogue_file.chmod(0o666)
        (found,) = _not_well(well.look("D", write=False))
        assert (found.check, found.state) == ("D1", State.WARN)
        assert found.fix.endswith(f"chmod 0644 {well.catalogue_file}.")

    @pytest.fixture
    def authority(self, well: WellHub) -> Authority:
        found = Authority(well.folder / "zurich_ca")
        well.site["login"] = {"kind": "certificate", "ca_key": str(found.path)}
        return found

    @pytest.mark.usefixtures("authority")
    def test_a_key_that_signs_is_well(self, well: WellHub) -> None:
        found = [each.outcome for each in well.look("D")]
        assert ("D5", State.OK) in [(each.check, each.state) for each in found]
        assert _not_well(well.look("D", "alice", "alice-pw")) == []

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("missing", "zurich_ca: No such file or directory"),
            ("open", "it has to be a file of uid"),
            ("public", "it has to be a private key without a passphrase"),
        ],
    )
    def test_a_key_that_cannot_sign(self, well: WellHub, authority: Authority, fault: str, reason: str) -> None:
        if fault == "missing":
            authority.path.unlink()
        elif fault == "open":
            authority.path.chmod(0o644)
        else:
            authority.path.write_text(authority.public)
        (found,) = _not_well(well.look("D"))
        assert (found.check, found.state) == ("D5", State.FAIL)
        assert found.sentence.startswith("Nobody is let in at geneva, because no certificate can be signed: ")
        assert reason in found.sentence
        assert str(authority.path) in found.fix
        assert found.place == f"{well.catalogue_file}:{_line(well, 'ca_key:')}"

    @pytest.mark.parametrize(
        ("script", "person", "reason"),
        [
            (None, "", "is no program that can be run"),
            ("exit 3", "alice", "exit status 3"),
            ("echo no", "alice", "is no certificate"),
            ("exit 3", "", ""),
        ],
    )
    def test_a_program_that_gives_certificates(
        self, well: WellHub, script: str | None, person: str, reason: str
    ) -> None:
        path = well.folder / "sign"
        if script is not None:
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        well.site["login"] = {"kind": "certificate", "command": [str(path), "{principals}"]}
        wrong = _not_well(well.look("D", person, f"{person}-pw"))
        assert [each.check for each in wrong] == ["D5"] * bool(reason)
        assert all(reason in each.sentence for each in wrong)

    @pytest.mark.usefixtures("authority")
    def test_at_a_hub_without_kerberos_sites_are_looked_at_as_whoever_is_named(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look(examined: Examined, key: str, **_: object) -> list[Outcome]:
            assert examined.whom[key] == Whom("alice", "alice", None)
            return [Outcome("E1", State.OK, "There.")]

        monkeypatch.setattr(examination, "look", look)
        well.settings["JupyterHub.authenticator_class"] = "dummy"
        for name in [*well.settings]:
            if name.startswith("KerberosPAM"):
                del well.settings[name]
        found = well.look("ABCDE", "alice")
        assert (_not_well(found), found[-1].outcome.check) == ([], "E1")
        assert {each.outcome.check for each in found}.isdisjoint({"A6", "A7", "B1", "B4", "B5"})


def _line(well: WellHub, text: str) -> int:
    lines = well.catalogue_file.read_text().splitlines()
    return 1 + next(at for at, line in enumerate(lines) if text in line)


class TestDatabases:
    def test_launch_records_of_this_version_can_be_used(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/launches.sqlite"
        open_engine(url).dispose()
        assert list(databases.usable(Database(_RECORDS, url, has_records=True))) == []

    def test_those_of_a_newer_one_cannot(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/launches.sqlite"
        open_engine(url).dispose()
        with sqlite3.connect(tmp_path / "launches.sqlite") as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'of-tomorrow'")
        connection.close()
        (found,) = databases.usable(Database(_RECORDS, url, has_records=True))
        assert (found.state, found.setting) == (State.FAIL, _RECORDS)
        assert "are those of a newer version" in found.sentence

    def test_one_that_is_not_there_is_made_by_the_hub_alone(self, tmp_path: Path) -> None:
        assert list(databases.usable(Database(_RECORDS, f"sqlite:///{tmp_path}/x.sqlite", has_records=True))) == []
        assert list(tmp_path.iterdir()) == []

    def test_a_server_that_runs_that_takes_no_writes_and_that_is_down(self) -> None:
        with postgres.running() as url:
            empty = list(databases.usable(Database(_RECORDS, url, has_records=True)))
            assert [each.state for each in empty] == [State.OK]
            engine = sa.create_engine(url)
            with engine.begin() as connection:
                connection.exec_driver_sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
            engine.dispose()
            (found,) = databases.usable(Database(("JupyterHub", "db_url"), url))
            assert (found.state, "takes no writes" in found.sentence) == (State.FAIL, True)
            with postgres.stopped(url):
                (found,) = databases.usable(Database(_RECORDS, url, has_records=True))
            assert (found.state, found.setting) == (State.FAIL, _RECORDS)
            assert "cannot be used: " in found.sentence

    def test_a_password_is_not_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "psycopg", None)
        (found,) = databases.usable(Database(_RECORDS, "postgresql+psycopg://hub:secret@db/launches"))
        assert "secret" not in found.sentence
        assert "there is no module psycopg" in found.sentence
        assert found.fix == "Run pip install 'jupyterhub-sites[postgresql]'."


class TestRunning:
    def test_what_a_hub_that_runs_may_and_has_in_its_environment(self) -> None:
        program = (
            "import os, resource, socket, sys, time\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
            "os.umask(0o027)\n"
            "there = socket.create_server(('127.0.0.1', 0))\n"
            "print(there.getsockname()[1], flush=True)\nsys.stdin.read()\n"
        )
        environ = {"CONFIGPROXY_AUTH_TOKEN": "token-of-the-hub", "PATH": os.environ["PATH"]}
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, env=environ) as hub:
            assert hub.stdout is not None
            port = int(hub.stdout.readline())
            found = running.running(f"http://0.0.0.0:{port}")
            assert found is not None
            assert (found.pid, found.most_files, found.umask) == (hub.pid, 256, 0o027)
            assert found.environ["CONFIGPROXY_AUTH_TOKEN"] == "token-of-the-hub"
            assert "token-of-the-hub" not in repr(found)
            (mine,) = (each for each in listening.listeners() if each.port == port)
            assert (mine.is_local, mine.uid) == (True, os.geteuid())
        assert running.running(f"http://0.0.0.0:{port}") is None

    def test_few_files(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        few = running.Running(os.getpid(), {}, 1024)
        monkeypatch.setattr("slurm_ssh_spawner.doctor.machine.running", lambda _: few)
        (found,) = _not_well(well.look("A"))
        assert (found.check, found.state) == ("A8", State.WARN)
        assert found.fix == "Set LimitNOFILE=10000 or more in the hub's unit."

    @pytest.mark.parametrize(("umask", "wrong"), [(0o077, []), (0o027, []), (0o022, ["A3"]), (0o007, ["A3"])])
    def test_a_umask(self, well: WellHub, monkeypatch: pytest.MonkeyPatch, umask: int, wrong: list[str]) -> None:
        found = running.Running(os.getpid(), {}, None, umask)
        monkeypatch.setattr("slurm_ssh_spawner.doctor.machine.running", lambda _: found)
        said = _not_well(well.look("A"))
        assert [each.check for each in said] == wrong
        assert all(f"umask {umask:04o}" in each.sentence and "UMask=0077" in each.fix for each in said)

    def test_without_a_token_the_proxy_is_not_asked(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONFIGPROXY_AUTH_TOKEN", raising=False)
        del well.settings["ConfigurableHTTPProxy.auth_token"]
        monkeypatch.setattr("slurm_ssh_spawner.doctor.addresses.running", lambda _: None)
        (found,) = _not_well(well.look("C"))
        assert (found.check, found.state) == ("C1", State.SKIP)
        assert "EnvironmentFile=/etc/jupyterhub/proxy.env" in found.fix
        well.proxy.seen.clear()
        its_own = running.Running(os.getpid(), {"CONFIGPROXY_AUTH_TOKEN": well.proxy.token}, None)
        monkeypatch.setattr("slurm_ssh_spawner.doctor.addresses.running", lambda _: its_own)
        assert _not_well(well.look("C")) == []
        assert well.proxy.seen[0]["Authorization"] == f"token {well.proxy.token}"

    def test_a_hub_that_is_down(self, well: WellHub) -> None:
        well.settings["JupyterHub.hub_bind_url"] = "http://127.0.0.1:9"
        found = {each.check: each for each in _not_well(well.look("C"))}
        assert found["C3"].sentence == "Nobody listens at port 9, so where jobs reach the hub is not looked at."
        assert list(found) == ["C3"]

    @pytest.mark.parametrize("check", ["C2", "C4"])
    def test_a_hub_that_is_down_is_not_the_fault_of_what_is_before_it(self, well: WellHub, check: str) -> None:
        well.settings["JupyterHub.hub_bind_url"] = "http://127.0.0.1:9"
        well.public.said["/hub/api"] = (503, {}, b"")
        if check == "C4":
            well.settings["JupyterHub.subdomain_host"] = f"http://hub.test:{well.public.port}"
        found = {each.check: each for each in _not_well(well.look("C"))}
        assert {each.state for each in found.values()} == {State.SKIP}
        assert "and the hub does not run" in found[check].sentence


def test_an_answer_is_waited_for_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(web.NoAnswer, match=r"within 0\.05 s"):
        web.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")
