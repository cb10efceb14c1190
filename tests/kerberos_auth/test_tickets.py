import re
import subprocess
import time

import pytest

from kerberos_auth import ccache, gss, tickets
from kerberos_auth.errors import (
    AuthFailed,
    BadTicket,
    LoginRefused,
    LoginServersUnreachable,
    PasswordExpired,
    RenewalRefused,
)
from kerberos_auth.store import TicketStore
from tests.support import client


def acquire(name, password, folder, keytab=""):
    return gss.acquire(f"{name}@LAB.TEST", password, folder, keytab)


def test_the_default_realm_is_that_of_krb5_conf(realm):
    assert gss.default_realm() == "LAB.TEST"


def test_a_krb5_conf_without_a_realm_is_named(monkeypatch, tmp_path):
    (tmp_path / "empty.conf").write_text("[libdefaults]\n")
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "empty.conf"))
    with pytest.raises(AuthFailed, match="has no default_realm"):
        gss.default_realm()


@pytest.mark.parametrize("verified", [True, False])
def test_alice_gets_a_forwardable_renewable_ticket(realm, tmp_path, verified):
    before = int(time.time())
    data = acquire("alice", "alice-pw", tmp_path, realm.keytab if verified else "")
    facts = ccache.parse(data)
    assert facts.principal == "alice@LAB.TEST"
    assert facts.forwardable
    assert facts.renewable
    assert before <= facts.start <= time.time()
    # The client asks for times that it counts from when it asks.
    assert before <= facts.end - 36_000 <= time.time()
    assert before <= facts.renew_until - 7 * 86_400 <= time.time()
    assert facts.whole == len(data)
    assert not list(tmp_path.iterdir())


def test_libkrb5_reads_the_same_facts(realm, tmp_path):
    path = tmp_path / "cache"
    path.write_bytes(acquire("alice", "alice-pw", tmp_path))
    told = subprocess.run(
        ["klist", "-f", str(path)],
        env={"LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    facts = ccache.parse(path.read_bytes())
    assert "Default principal: alice@LAB.TEST" in told
    assert time.strftime("%m/%d/%y %H:%M:%S  krbtgt", time.gmtime(facts.end)) in told
    assert time.strftime("renew until %m/%d/%y %H:%M:%S, Flags: FRI", time.gmtime(facts.renew_until)) in told


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", "nobody-pw"), ("dave", "dave-pw"), ("dave", "wrong")],
)
def test_wrong_unknown_and_locked_read_the_same(realm, tmp_path, name, password):
    with pytest.raises(LoginRefused) as refusal:
        acquire(name, password, tmp_path, realm.keytab)
    assert refusal.value.message == "Invalid username or password"
    assert "krb5 -17653283" in refusal.value.detail
    assert password not in str(refusal.value)


def test_a_wrong_password_counts_once(realm, tmp_path):
    before = realm.failures
    with pytest.raises(LoginRefused):
        acquire("alice", "wrong", tmp_path, realm.keytab)
    assert realm.failures == before + 1


def test_an_expired_password_is_told_apart(realm, tmp_path):
    with pytest.raises(PasswordExpired):
        acquire("carol", "carol-pw", tmp_path)


@pytest.mark.parametrize("password", ["", "alice-pw\0", "alice-pw\0x", "\udcff", "x" * 10_000_000])
def test_unusable_passwords_never_reach_the_kdc(realm, tmp_path, password):
    before = realm.requests
    with pytest.raises(LoginRefused):
        acquire("alice", password, tmp_path)
    assert realm.requests == before


def test_a_spoofed_kdc_is_refused(realm, tmp_path):
    with pytest.raises(AuthFailed, match="could not prove its identity") as refusal:
        acquire("alice", "alice-pw", tmp_path, realm.other_keytab)
    assert type(refusal.value) is AuthFailed
    assert not list(tmp_path.iterdir())


def test_a_missing_keytab_is_not_called_a_bad_password(realm, tmp_path):
    with pytest.raises(AuthFailed, match="could not prove its identity") as refusal:
        acquire("alice", "alice-pw", tmp_path, str(tmp_path / "none.keytab"))
    assert type(refusal.value) is AuthFailed


def test_a_dead_kdc_is_unreachable(realm, monkeypatch, tmp_path):
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    with pytest.raises(LoginServersUnreachable):
        acquire("alice", "alice-pw", tmp_path)
    with pytest.raises(LoginServersUnreachable):
        gss.acquire("alice@NOWHERE.TEST", "alice-pw", tmp_path, "")


def test_a_folder_that_cannot_be_written_gives_no_ticket(realm, tmp_path):
    with pytest.raises(AuthFailed, match="administrators"):
        acquire("alice", "alice-pw", tmp_path / "gone")


def test_a_ticket_names_its_cache_and_shows_no_bytes(tmp_path):
    ticket = tickets.Ticket("alice", "alice@LAB.TEST", 1, 2, 3, True, True, tmp_path / "alice")
    assert ticket.ccache == f"FILE:{tmp_path}/alice"
    assert "b'" not in repr(ticket)


def renew(data, name, folder):
    return tickets.renew(data, f"{name}@LAB.TEST", folder)


def test_a_renewed_ticket_is_the_same_persons_and_ends_later(realm, tmp_path, aged):
    old, new = ccache.parse(aged["frank"]), ccache.parse(renew(aged["frank"], "frank", tmp_path))
    assert new.end > old.end
    assert (new.principal, new.renew_until, new.forwardable) == (old.principal, old.renew_until, True)
    assert not list(tmp_path.iterdir())


def test_a_renewal_leaves_no_copy_and_needs_no_environment(realm, tmp_path, monkeypatch):
    data = acquire("gina", "gina-pw", tmp_path)
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "mine"))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(RenewalRefused, match="can't fulfill requested option"):
        renew(data, "gina", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_end_of_renewable_life_is_final(realm, tmp_path, aged):
    data = renew(aged["hans"], "hans", tmp_path)
    assert ccache.parse(data).end == ccache.parse(data).renew_until
    with pytest.raises(RenewalRefused, match="the renewable life is over"):
        renew(data, "hans", tmp_path)


def test_a_kdc_renews_for_a_locked_account_too(realm, tmp_path, aged):
    """Why the renewal loop looks at the account itself."""
    realm.kadmin("modprinc -allow_tix frank")
    try:
        with pytest.raises(LoginRefused):
            acquire("frank", "frank-pw", tmp_path)
        assert renew(aged["frank"], "frank", tmp_path)
    finally:
        realm.kadmin("modprinc +allow_tix frank")


@pytest.mark.parametrize("way", ["dead", "silent"])
def test_without_an_answer_a_renewal_may_be_tried_again(realm, tmp_path, monkeypatch, way):
    monkeypatch.setattr(tickets, "RENEWAL_SECONDS", 0.3)
    data = acquire("frank", "frank-pw", tmp_path)
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs[way]))
    with pytest.raises(LoginServersUnreachable):
        renew(data, "frank", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_renewal_that_wins_nothing_is_not_taken(realm, tmp_path):
    data = acquire("alice", "alice-pw", tmp_path)
    with pytest.raises(BadTicket, match="asked to renew bob@LAB"):
        renew(data, "bob", tmp_path)
    with pytest.raises(AuthFailed, match="could not be renewed"):
        renew(data, "alice", tmp_path / "gone")


def test_a_keytab_gives_a_forwardable_ticket_and_nothing_is_left(realm, tmp_path, monkeypatch):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/somebody")
    facts = ccache.parse(tickets.from_keytab("jmonitor@LAB.TEST", realm.monitor_keytab, tmp_path))
    assert facts.principal == "jmonitor@LAB.TEST"
    assert facts.forwardable
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("principal", "keytab", "says"),
    [
        ("jmonitor@LAB.TEST", "/nonexistent", "/nonexistent' not found"),
        ("alice@LAB.TEST", "monitor", "no suitable keys"),
        ("nobody@LAB.TEST", "monitor", "not found in Kerberos database|no suitable keys"),
        ("-h@LAB.TEST", "monitor", "not found in Kerberos database|no suitable keys"),
    ],
)
def test_a_keytab_of_no_use_is_told_with_what_is_wrong(realm, tmp_path, principal, keytab, says):
    with pytest.raises(AuthFailed) as caught:
        tickets.from_keytab(principal, realm.monitor_keytab if keytab == "monitor" else keytab, tmp_path)
    assert re.search(says, caught.value.detail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["dead", "silent"])
def test_without_an_answer_a_keytab_may_be_tried_again(realm, tmp_path, monkeypatch, way):
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs[way]))
    monkeypatch.setattr(tickets, "RENEWAL_SECONDS", 1)
    with pytest.raises(LoginServersUnreachable):
        tickets.from_keytab("jmonitor@LAB.TEST", realm.monitor_keytab, tmp_path)


@pytest.fixture
def stored(realm, tmp_path):
    """Alice's ticket, in a store, with a ticket for a service beside it."""
    store = TicketStore(tmp_path / "krb5", "LAB.TEST")
    data = gss.acquire("alice@LAB.TEST", "alice-pw", store.folder, "")
    ticket = store.put("alice", data, "alice@LAB.TEST")
    client.token(ticket.ccache)
    yield ticket
    store.close()


def test_whether_a_service_is_known_is_asked_of_the_kdc_each_time(stored, realm):
    before, asked = stored.path.read_bytes(), realm.requests
    for _ in range(2):
        gss.check_service(stored, "host@localhost")
    assert realm.requests == asked + 2
    assert stored.path.read_bytes() == before
    assert [path.name for path in stored.path.parent.iterdir()] == ["alice"]


def test_an_unknown_service_is_told_with_the_kdcs_words(stored):
    with pytest.raises(AuthFailed) as failed:
        gss.check_service(stored, "host@nowhere.lab.test")
    assert "krb5 -1765328377" in failed.value.detail


def test_a_service_is_not_unknown_because_the_kdc_is_dead(stored, realm, monkeypatch):
    gss.check_service(stored, "host@localhost")
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    with pytest.raises(LoginServersUnreachable):
        gss.check_service(stored, "host@localhost")
