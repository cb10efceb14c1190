"""What a browser's header proves, and to whom."""

import base64
import os

import gssapi
import pytest
from krb_caches import cache, credential

from kerberos_auth import ccache, gss, negotiate
from kerberos_auth.errors import AuthFailed
from kerberos_auth.negotiate import SignOnRefused
from tests.support import client, neighbour


@pytest.fixture
def sign_on(realm, tmp_path):
    """Checks a token as the hub of the realm does."""

    def check(token, denied=frozenset()):
        return negotiate.sign_on(token, realm.http_keytab, tmp_path, "LAB.TEST", denied)

    return check


def header(token):
    return "Negotiate " + base64.b64encode(token).decode()


def test_alice_is_known_by_her_ticket_and_passes_it_on(realm, sign_on, tmp_path):
    context = client.context(client.kinit(tmp_path, "alice"))
    alice = sign_on(context.step())
    assert (alice.user, alice.principal) == ("alice", "alice@LAB.TEST")
    facts = ccache.parse(alice.cache)
    assert facts.principal == "alice@LAB.TEST"
    assert facts.forwardable
    assert facts.renewable
    context.step(base64.b64decode(alice.answer.removeprefix("Negotiate ")))
    assert context.complete, "the hub proved itself too"


def test_no_secret_is_in_what_is_shown_or_left_on_disk(realm, sign_on, tmp_path):
    own = client.kinit(tmp_path, "alice")
    alice = sign_on(client.token(own))
    assert repr(alice) == "SignedOn(user='alice', principal='alice@LAB.TEST')"
    assert {path.name for path in tmp_path.iterdir()} == {own.rpartition("/")[2], ".replays"}


@pytest.mark.parametrize(("options", "delegate"), [([], False), (["-F"], True)])
def test_a_browser_that_keeps_its_ticket_is_told_what_to_change(realm, sign_on, tmp_path, options, delegate):
    own = client.kinit(tmp_path, "alice", *options)
    with pytest.raises(SignOnRefused, match="did not forward your ticket") as refusal:
        sign_on(client.token(own, delegate=delegate))
    assert "password" in refusal.value.message


def test_a_token_counts_once(realm, sign_on, tmp_path):
    token = client.token(client.kinit(tmp_path, "alice"))
    sign_on(token)
    with pytest.raises(SignOnRefused, match="was not accepted") as refusal:
        sign_on(token)
    assert "replay" in refusal.value.detail


def test_a_ticket_for_another_service_is_refused(realm, sign_on, tmp_path):
    own = client.kinit(tmp_path, "alice")
    with pytest.raises(SignOnRefused, match="was not accepted"):
        sign_on(client.token(own, service="host/localhost@LAB.TEST"))


@pytest.mark.parametrize("name", ["root", "alice"])
def test_people_on_the_deny_list_are_nobody(realm, sign_on, tmp_path, name):
    with pytest.raises(SignOnRefused, match="belongs to nobody who may log in here"):
        sign_on(client.token(client.kinit(tmp_path, name)), denied={"alice"})


def test_damaged_tokens_are_refused(realm, sign_on, tmp_path):
    good = client.token(client.kinit(tmp_path, "alice"))
    for token in [b"", b"x", good[:-1], good[:40], good + good, bytes(len(good)), os.urandom(2000)]:
        with pytest.raises(SignOnRefused):
            sign_on(token)


def test_alice_of_a_trusted_realm_is_somebody_else(realm, sign_on, tmp_path, monkeypatch):
    folder = tmp_path / "other"
    folder.mkdir()
    with neighbour.trusted(realm, folder) as config:
        monkeypatch.setenv("KRB5_CONFIG", str(config))
        token = client.token(client.kinit(folder, "alice@OTHER.TEST"))
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["good"]))
    with pytest.raises(SignOnRefused, match=r"from another realm. Only users of LAB\.TEST") as refusal:
        sign_on(token)
    assert "alice@OTHER.TEST" in refusal.value.detail, "the realms trust each other: she was believed"


@pytest.mark.parametrize(
    ("principal", "sentence"),
    [
        ("alice@OTHER.TEST", "Only users of LAB.TEST"),
        ("alice@lab.test", "Only users of LAB.TEST"),
        ("alice/admin@LAB.TEST", "belongs to nobody"),
        (r"alice\@LAB.TEST@OTHER.TEST", "Only users of LAB.TEST"),
        (r"alice\@LAB.TEST@LAB.TEST", "belongs to nobody"),
        ("Alice@LAB.TEST", "belongs to nobody"),
        ("HTTP/hub.lab.test@LAB.TEST", "belongs to nobody"),
        ("WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", "Only users of LAB.TEST"),
    ],
)
def test_only_plain_principals_of_the_realm_are_users(sign_on, monkeypatch, principal, sentence):
    monkeypatch.setattr(gss, "accept", lambda *_: gss.Accepted(principal, cache(), b""))
    with pytest.raises(SignOnRefused, match=sentence) as refusal:
        sign_on(b"token")
    assert principal in refusal.value.detail


@pytest.mark.parametrize(
    ("passed_on", "sentence"),
    [(cache(credential(flags=0)), "cannot be forwarded"), (b"no cache", "was not accepted")],
)
def test_a_ticket_that_the_clusters_could_not_use_is_refused(sign_on, monkeypatch, passed_on, sentence):
    monkeypatch.setattr(gss, "accept", lambda *_: gss.Accepted("alice@LAB.TEST", passed_on, b""))
    with pytest.raises(SignOnRefused, match=sentence):
        sign_on(b"token")


def test_a_principal_that_is_not_utf8_is_refused(realm, sign_on, tmp_path, monkeypatch):
    class Latin(gssapi.SecurityContext):
        """As gssapi behaves for such a name; MIT's own KDC gives no ticket for one."""

        @property
        def initiator_name(self):
            return b"zo\xeb@LAB.TEST".decode()

    token = client.token(client.kinit(tmp_path, "alice"))
    monkeypatch.setattr(gssapi, "SecurityContext", Latin)
    with pytest.raises(SignOnRefused, match="was not accepted") as refusal:
        sign_on(token)
    assert "UTF-8" in refusal.value.detail


def test_a_keytab_that_is_of_no_use_is_not_the_persons_fault(realm, tmp_path):
    token = client.token(client.kinit(tmp_path, "alice"))
    with pytest.raises(AuthFailed, match="Contact the administrators") as failure:
        negotiate.sign_on(token, str(tmp_path / "none"), tmp_path, "LAB.TEST", ())
    assert not isinstance(failure.value, SignOnRefused)


@pytest.mark.parametrize("value", ["", "Basic YTpi", "Bearer Negotiate", "token abc", "Negotiated YTpi"])
def test_other_headers_are_no_attempt(value):
    assert negotiate.read_header(value) is None


@pytest.mark.parametrize("scheme", ["Negotiate", "negotiate", "NEGOTIATE"])
def test_the_scheme_is_read_in_any_case(scheme):
    assert negotiate.read_header(f"{scheme} YTpi") == b"a:b"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("Negotiate !!!", "not a Kerberos ticket"),
        ("Negotiate YTp", "not a Kerberos ticket"),
        ("Negotiate Ää==", "not a Kerberos ticket"),
        (header(b"NTLMSSP\0\1\0\0\0"), "tried NTLM"),
        (header(bytes(negotiate.MAX_HEADER)), "too large"),
    ],
)
def test_headers_that_hold_no_kerberos_token_are_refused(value, sentence):
    with pytest.raises(SignOnRefused, match=sentence):
        negotiate.read_header(value)
