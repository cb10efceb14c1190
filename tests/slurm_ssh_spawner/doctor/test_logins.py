"""Logins that `doctor` tries, as the hub does, and what it makes of tickets and keytabs."""

import stat
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from kerberos_auth import ccache, gss, pam, pam_file
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.tickets import Ticket
from slurm_ssh_spawner.doctor import examination, kdc, logins, srv
from slurm_ssh_spawner.doctor.examined import Examined
from tests.support.realm import Realm
from tests.support.well_hub import Found, WellHub


def _of(found: list[Found], check: str) -> list[Outcome]:
    return [each.outcome for each in found if each.outcome.check == check]


def _b5(well: WellHub, person: str = "alice", password: str | None = None) -> list[Outcome]:
    return _of(well.look("B", person, f"{person}-pw" if password is None else password), "B5")


class TestLogin:
    def test_one_that_works_says_what_the_ticket_is(self, well: WellHub) -> None:
        (found,) = _b5(well)
        assert (found.state, found.sentence) == (
            State.OK,
            "alice@LAB.TEST can log in. The ticket can be passed on, lasts 10h, and can be renewed for 7d.",
        )

    @pytest.mark.parametrize(
        ("person", "password", "sentence", "fix"),
        [
            ("alice", "wrong", "alice cannot log in, the KDC refused them:", "kinit alice@LAB.TEST"),
            ("alice", "", "alice cannot log in, the hub does not take the name or the password:", "denied_users"),
            ("root", None, "root cannot log in, the hub does not take the name or the password:", "denied_users"),
            ("carol", None, "carol cannot log in, because their password has expired.", "kpasswd carol@LAB.TEST"),
            ("dave", None, "dave cannot log in, the KDC refused them:", "kinit dave@LAB.TEST"),
        ],
    )
    def test_one_that_does_not(
        self, well: WellHub, person: str, password: str | None, sentence: str, fix: str
    ) -> None:
        (found,) = _b5(well, person, password)
        assert found.state is State.FAIL
        assert found.sentence.startswith(sentence)
        assert fix in found.fix

    def test_a_ticket_that_ends_before_what_runs(self, well: WellHub) -> None:
        (found,) = (each for each in _b5(well, "hans") if each.sentence.startswith("Tickets of hans"))
        assert found.state is State.WARN
        assert "end after 8h at the latest, and profiles run for 12h" in found.sentence
        assert "modprinc -maxrenewlife 12h hans@LAB.TEST" in found.fix

    def test_a_ticket_that_cannot_be_renewed(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        path = well.folder / "krb5.conf"
        path.write_text(
            well.realm.configs["good"].read_text().replace("renew_lifetime = 7d", "ticket_lifetime = 8h")
        )
        monkeypatch.setenv("KRB5_CONFIG", str(path))
        well.catalogue["profiles"]["lab"]["resources"] = {"time": {"default": "1h", "max": "8h"}}
        (found,) = _b5(well)
        assert (found.state, "krbtgt/LAB.TEST" in found.fix) == (State.WARN, True)
        assert found.sentence.startswith("The ticket of alice@LAB.TEST cannot be renewed")

    def test_a_kdc_that_gives_none(self, well: WellHub) -> None:
        (found,) = _b5(well, "gina")
        assert (found.state, found.fix) == (State.FAIL, "See B2 to B4, and the log of the KDC.")

    async def test_a_kdc_that_does_not_renew(
        self, realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "krb5.conf"
        path.write_text(realm.configs["good"].read_text().replace("renew_lifetime = 7d", "ticket_lifetime = 8h"))
        monkeypatch.setenv("KRB5_CONFIG", str(path))
        cache = gss.acquire("alice@LAB.TEST", "alice-pw", tmp_path, "")
        ticket = Ticket.of("alice", ccache.parse(cache), tmp_path / "cache")
        (found,) = await logins._renewed(ticket, cache, tmp_path)
        assert found.state is State.WARN
        assert found.sentence.startswith("The ticket of alice@LAB.TEST could not be renewed: kinit: KDC can't")

    def test_a_ticket_that_cannot_be_passed_on(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        path = well.folder / "krb5.conf"
        path.write_text(well.realm.configs["good"].read_text().replace("forwardable = true", ""))
        monkeypatch.setenv("KRB5_CONFIG", str(path))
        (found,) = _b5(well)
        assert (found.state, found.fix[:8]) == (State.FAIL, "See B2; ")
        assert found.sentence.startswith("The ticket of alice@LAB.TEST cannot be passed on")

    def test_a_kdc_that_is_down_is_not_the_persons_fault(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KRB5_CONFIG", str(well.realm.configs["dead"]))
        assert [(each.state, each.sentence) for each in _b5(well)] == [
            (State.SKIP, "Not looked at, because B1 failed.")
        ]

    def test_somebody_whom_the_machine_does_not_know(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pam, "FOLDERS", (well.folder,))
        monkeypatch.setattr(pam_file, "FOLDERS", (well.folder,))
        monkeypatch.setattr(pam_file, "is_installed", lambda _: True)
        lines = "auth required pam_krb5.so no_ccache defer_pwchange\naccount required pam_krb5.so\n"
        (well.folder / "hub").write_text(lines)
        well.settings["KerberosPAMAuthenticator.pam_service"] = "hub"
        found = well.look("AB", "alice", "alice-pw")
        (unknown,), (login,) = _of(found, "A7"), _of(found, "B5")
        assert (unknown.state, unknown.sentence) == (
            State.FAIL,
            "This machine does not know alice, so they cannot log in.",
        )
        assert unknown.place == well.line("KerberosPAMAuthenticator.pam_service")
        assert login.sentence == "Not looked at, because A7 failed."
        (known,) = _of(well.look("A", "daemon"), "A7")
        assert (known.state, known.sentence) == (State.OK, "This machine knows daemon. Groups: none.")

    def test_the_ticket_is_nobody_elses_and_gone_in_the_end(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Examined] = []

        async def look(examined: Examined, key: str, **_: object) -> list[Outcome]:
            path = examined.whom[key].ticket.path  # type: ignore[union-attr]
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert all(stat.S_IMODE(each.stat().st_mode) == 0o700 for each in (path.parent, examined.folder))
            seen.append(examined)
            return [Outcome("E1", State.OK, "There.")]

        monkeypatch.setattr(examination, "look", look)
        found = well.look("E", "alice", "alice-pw")
        assert [(each.site, each.outcome.check) for each in found] == [("geneva", "E1")]
        (examined,) = seen
        assert examined.person == "alice"
        assert examined.whom["geneva"].owner == "alice"
        assert not examined.folder.exists()


class TestMonitor:
    @pytest.fixture
    def watched(self, well: WellHub) -> WellHub:
        keytab = well.folder / "monitor.keytab"
        keytab.write_bytes(Path(well.realm.monitor_keytab).read_bytes())
        keytab.chmod(0o600)
        well.site["monitor"] = {"principal": "jmonitor@LAB.TEST", "keytab": str(keytab), "login": "watch"}
        return well

    def test_sites_are_looked_at_as_it(self, watched: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        async def look(examined: Examined, key: str, **_: object) -> list[Outcome]:
            whom = examined.whom[key]
            assert whom.ticket is not None
            return [Outcome("E1", State.OK, f"{whom.user} as {whom.owner}: {whom.ticket.principal}")]

        monkeypatch.setattr(examination, "look", look)
        found = watched.look("BE")
        assert _of(found, "B7") == []
        assert [each.sentence for each in _of(found, "E1")] == ["jmonitor@LAB.TEST as watch: jmonitor@LAB.TEST"]

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ("mode", "has mode 0644, so others"),
            ("missing", "cannot be read: No such file"),
            ("principal", "has no key of nobody@LAB.TEST"),
            ("key", "The KDC gives no ticket to jmonitor@LAB.TEST, the monitor of geneva:"),
        ],
    )
    def test_one_without_a_ticket(self, watched: WellHub, change: str, sentence: str) -> None:
        monitor = watched.site["monitor"]
        path = Path(monitor["keytab"])
        if change == "mode":
            path.chmod(0o644)
        elif change == "missing":
            path.unlink()
        elif change == "principal":
            monitor["principal"] = "nobody@LAB.TEST"
        else:
            data = path.read_bytes()
            path.write_bytes(data[:-10] + bytes(6) + data[-4:])
        found = watched.look("BE")
        (outcome,) = _of(found, "B7")
        assert outcome.state is State.WARN
        assert sentence in outcome.sentence
        assert outcome.place.startswith(f"{watched.catalogue_file}:")
        assert [each.state for each in _of(found, "E")] == [State.SKIP]
        assert "its monitor has no ticket (B7)" in _of(found, "E")[0].sentence


def test_a_site_for_which_nobody_was_named_is_not_looked_at(well: WellHub) -> None:
    found = well.look("E")
    assert [(each.site, each.outcome.check, each.outcome.state) for each in found] == [("geneva", "E", State.SKIP)]
    assert "--as NAME" in found[0].outcome.sentence


def test_what_follows_from_a_login_that_failed_is_not_looked_at(well: WellHub) -> None:
    (found,) = well.look("E", "alice", "wrong")
    assert found.outcome.sentence == "Not looked at, because B5 failed."


class TestKdc:
    def test_a_real_one_answers_and_has_the_time_of_this_machine(self, well: WellHub) -> None:
        port = int(well.realm.configs["good"].read_text().partition("127.0.0.1:")[2].split()[0])
        assert kdc.ahead_seconds(kdc.Kdc("127.0.0.1", port), "LAB.TEST") == 0

    def test_an_answer_may_come_in_another_second_than_the_question(self, monkeypatch: pytest.MonkeyPatch) -> None:
        there, moments = 1_000_000.0, iter([999_999.7, 1_000_000.2])
        monkeypatch.setattr(kdc, "_by_udp", lambda *_: b"")
        monkeypatch.setattr(kdc, "_time", lambda _: there)
        monkeypatch.setattr(kdc, "time", SimpleNamespace(time=lambda: next(moments)))
        assert kdc.ahead_seconds(kdc.Kdc("kdc", 88, "udp"), "LAB.TEST") == 0

    def test_one_that_takes_the_connection_and_says_nothing(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kdc, "SECONDS", 0.1)
        port = well.realm.silence.getsockname()[1]
        with pytest.raises(kdc.NoAnswer, match=r"no answer within 0\.1 s"):
            kdc.ahead_seconds(kdc.Kdc("127.0.0.1", port, "tcp"), "LAB.TEST")

    @pytest.mark.parametrize(
        ("written", "place"),
        [
            ("kdc1.example.org", kdc.Kdc("kdc1.example.org", 88)),
            ("kdc1.example.org:750", kdc.Kdc("kdc1.example.org", 750)),
            ("tcp/kdc1", kdc.Kdc("kdc1", 88, "tcp")),
            ("udp/192.0.2.1:88", kdc.Kdc("192.0.2.1", 88, "udp")),
            ("[2001:db8::1]:88", kdc.Kdc("2001:db8::1", 88)),
            ("https://proxy.example.org/KdcProxy", None),
        ],
    )
    def test_places_as_krb5_conf_has_them(self, written: str, place: kdc.Kdc | None) -> None:
        assert kdc.place(written) == place

    @pytest.mark.parametrize(
        "answer", [b"", b"HTTP/1.1 400", b"\x7e\x84\xff\xff\xff\xff", b"\x7e\x02\x30", b"\x6b\x00"]
    )
    def test_what_is_no_kdc(self, answer: bytes) -> None:
        with pytest.raises(kdc.NoAnswer, match="no KDC"):
            kdc._time(answer)


class TestByDns:
    """A name server's message, as it stands on the wire."""

    @pytest.fixture
    def said(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
        return lambda answer: monkeypatch.setattr(srv, "_answer", lambda _: answer)

    def test_hosts_in_their_order(self, said: Callable[[bytes], None]) -> None:
        said(_message((20, 88, b"\x04kdc2\xc0\x0c"), (10, 750, b"\x04kdc1\x04test\x00"), (10, 88, b"\x00")))
        assert srv.hosts("_kerberos._udp.LAB.TEST") == (("kdc1.test", 750), ("kdc2.LAB.TEST", 88))

    def test_a_message_that_is_cut_comes_to_an_end(self, said: Callable[[bytes], None]) -> None:
        whole = _message((20, 88, b"\x04kdc2\xc0\x0c"), (10, 750, b"\x04kdc1\x04test\x00"))
        for at in range(len(whole)):
            said(whole[:at])
            assert srv.hosts("x") in ((), (("kdc1.test", 750),))

    def test_a_name_that_goes_on_in_itself_comes_to_an_end(self, said: Callable[[bytes], None]) -> None:
        said(_message((10, 88, b"\xc0\x32" * 8)))
        assert srv.hosts("x") == ()

    def test_a_realm_that_krb5_conf_does_not_describe(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, good = well.folder / "krb5.conf", well.realm.configs["good"].read_text()
        line = next(each for each in good.splitlines() if each.startswith("  kdc = "))
        path.write_text(good.replace(line, "").replace("dns_lookup_kdc = false", ""))
        monkeypatch.setenv("KRB5_CONFIG", str(path))
        port = int(line.rpartition(":")[2])
        answers = {"_kerberos._udp.LAB.TEST": (("kdc.test", port),)}
        monkeypatch.setattr(srv, "hosts", lambda name: answers.get(name, ()))
        found = {each.outcome.check: each.outcome for each in well.look("B")}
        assert (found["B1"].state, found["B3"].state) == (State.OK, State.OK)
        answers.clear()
        found = {each.outcome.check: each.outcome for each in well.look("B")}
        assert (found["B1"].state, found["B1"].sentence) == (
            State.FAIL,
            "Neither krb5.conf nor a name server says where a KDC of LAB.TEST is.",
        )


def _message(*records: tuple[int, int, bytes]) -> bytes:
    """Return what a name server says: priority, port and name of each host; the question is LAB.TEST."""
    said = struct.pack(">HHHHHH", 1, 0x8180, 1, len(records), 0, 0) + b"\x03LAB\x04TEST\x00\x00\x21\x00\x01"
    for priority, port, name in records:
        data = struct.pack(">HHH", priority, 0, port) + name
        said += b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(data)) + data
    return said
