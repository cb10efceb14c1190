"""What is said of the settings of logins when a hub starts: each mistake by its own line, and no other."""

import struct
from pathlib import Path

import pytest
from keytabs import entry, keytab

from kerberos_auth import checks, keytab_file, krb5_conf, pam, pam_file
from kerberos_auth.checks import Told
from kerberos_auth.keytab_file import Key, NoKeytab
from kerberos_auth.outcome import Outcome, State


def said(environ: dict[str, str] | None = None, **settings) -> list[Outcome]:
    """Return what is not well."""
    found = list(checks.kerberos(Told(**settings), environ or {}))
    return [each for each in found if each.state is not State.OK]


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine with pam_krb5 and pam_unix, on which PAM services can be written."""
    modules, folder = tmp_path / "usr/lib/x86_64-linux-gnu/security", tmp_path / "pam.d"
    modules.mkdir(parents=True)
    folder.mkdir()
    for name in ("pam_krb5.so", "pam_unix.so"):
        (modules / name).touch()
    monkeypatch.setattr(pam_file, "_ROOT", tmp_path)
    monkeypatch.setattr(pam, "FOLDERS", (folder,))
    monkeypatch.setattr(pam_file, "FOLDERS", (folder,))
    return folder


def test_the_realm_of_the_tests_is_well(realm):
    assert said(keytab=realm.keytab, sign_on_keytab=realm.http_keytab) == []
    found = krb5_conf.read()
    (kdc,) = found.kdcs
    assert found == krb5_conf.Krb5Conf("LAB.TEST", ("LAB.TEST",), True, "7d", names_by_dns=False, kdcs=(kdc,))
    assert kdc.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("line", "changed", "sentence", "fix"),
    [
        ("forwardable = true", "", "krb5.conf does not set forwardable", "forwardable = true"),
        ("forwardable = true", "forwardable = no", "krb5.conf does not set forwardable", "forwardable = true"),
        ("renew_lifetime = 7d", "", "krb5.conf does not set renew_lifetime", "renew_lifetime = 7d"),
        ("renew_lifetime = 7d", "renew_lifetime = 0", "krb5.conf does not set renew_lifetime", "= 7d"),
        ("forwardable = true", "LAB.TEST = {\n  forwardable = false\n }", "krb5.conf does not set forw", "= true"),
        ("rdns = false", "", "krb5.conf lets name servers", "`rdns = false`"),
        ("dns_canonicalize_hostname = false", "", "krb5.conf lets name servers", "hostname = false`"),
    ],
)
def test_tickets_of_no_use(realm, monkeypatch, tmp_path, line, changed, sentence, fix):
    path = tmp_path / "krb5.conf"
    path.write_text(realm.configs["good"].read_text().replace(line, changed))
    monkeypatch.setenv("KRB5_CONFIG", str(path))
    (found,) = said(keytab=realm.keytab)
    assert (found.check, found.state) == ("B2", State.WARN)
    assert sentence in found.sentence
    assert fix in found.fix


def test_what_is_set_for_the_realm_alone_counts(realm, monkeypatch, tmp_path):
    path = tmp_path / "krb5.conf"
    text = realm.configs["good"].read_text().replace("forwardable = true", "LAB.TEST = {\n  forwardable = yes\n }")
    path.write_text(text)
    monkeypatch.setenv("KRB5_CONFIG", str(path))
    assert said(keytab=realm.keytab) == []


@pytest.mark.parametrize(
    ("settings", "check", "sentence"),
    [
        ({"realm": "NOPE.ORG"}, "B1", "krb5.conf does not know the realm NOPE.ORG. It knows: LAB.TEST."),
        ({"realm": "no realm"}, "B1", "'no realm' is not a valid realm name."),
        ({"username_map": True}, "B1", "username_map is not supported"),
        ({"verify_kdc": "require"}, "B4", "verify_kdc is 'require', but keytab is not set."),
    ],
)
def test_settings_that_cannot_work(realm, settings, check, sentence):
    failed = [each for each in said(**settings) if each.state is State.FAIL]
    assert [each.check for each in failed] == [check]
    assert failed[0].sentence.startswith(sentence)
    assert failed[0].setting[0] == "KerberosPAMAuthenticator"


def test_a_kdc_that_proves_nothing_is_a_warning(realm):
    (found,) = said()
    assert (found.state, found.setting[1]) == (State.WARN, "keytab")
    assert said(verify_kdc="off", keytab=realm.keytab) == [found]


@pytest.mark.parametrize(
    ("content", "state", "sentence"),
    [
        (None, State.FAIL, "There is no keytab"),
        (b"Dear diary", State.FAIL, "is not a keytab, or is damaged"),
        (b"", State.FAIL, "is not a keytab, or is damaged"),
        (b"\x05\x02", State.FAIL, "has no key at all."),
        (keytab("host/h@LAB.TEST")[:-9], State.FAIL, "is not a keytab, or is damaged"),
        (keytab("HTTP/h@LAB.TEST", "alice@LAB.TEST"), State.FAIL, "Its keys: HTTP/h@LAB.TEST, alice@LAB.TEST."),
        (keytab("host/h@OTHER.TEST"), State.FAIL, "Its keys: host/h@OTHER.TEST."),
        (keytab("host/h@LAB.TEST", "HTTP/h@LAB.TEST"), State.OK, ""),
    ],
)
def test_keytabs_with_which_every_login_would_fail(realm, tmp_path, content, state, sentence):
    path = tmp_path / "a.keytab"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o640)
    found = [each for each in said(realm="LAB.TEST", keytab=str(path)) if each.check == "B4"]
    assert [each.state for each in found] == [state] * bool(sentence)
    assert all(sentence in each.sentence for each in found)


@pytest.mark.parametrize(
    ("versions", "check", "old"), [((2, 3), "B4", "hosts"), ((3, 2), "B6", "sign-on"), ((2, 2), None, "")]
)
def test_a_key_that_is_older_than_in_the_other_keytab_is_a_warning(realm, tmp_path, versions, check, old):
    paths = []
    for name, kvno in zip(("hosts", "sign-on"), versions, strict=True):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(keytab("host/h@LAB.TEST", "HTTP/h@LAB.TEST", kvno=kvno))
        paths[-1].chmod(0o640)
    found = said(realm="LAB.TEST", keytab=str(paths[0]), sign_on_keytab=str(paths[1]))
    assert [each.check for each in found] == [check] * (2 if check else 0)
    for each, principal in zip(found, ("HTTP/h@LAB.TEST", "host/h@LAB.TEST"), strict=False):
        assert each.state is State.WARN
        assert f"{tmp_path / old} has version 2 of the key of {principal}" in each.sentence


def test_a_keytab_that_others_may_read_is_a_warning(realm, tmp_path):
    path = tmp_path / "a.keytab"
    path.write_bytes(keytab("host/h@LAB.TEST"))
    path.chmod(0o644)
    (found,) = said(keytab=str(path))
    assert (found.state, found.fix) == (State.WARN, f"Run chmod 0640 {path}.")
    assert "has mode 0644" in found.sentence


def test_single_sign_on_needs_a_key_of_the_page(realm):
    (found,) = said(keytab=realm.keytab, sign_on_keytab=realm.keytab)
    assert (found.check, found.state, found.setting) == ("B6", State.FAIL, ("SingleSignOn", "keytab"))


def test_a_cache_in_the_environment_is_what_is_wrong(realm):
    found = said({"KRB5CCNAME": "/tmp/x"}, keytab=realm.keytab)
    assert [(each.check, each.state) for each in found] == [("A5", State.FAIL)]


_GOOD = "auth required pam_krb5.so no_ccache defer_pwchange\naccount required pam_krb5.so\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_GOOD, []),
        ("@include more\n", []),
        ("auth include more\naccount [success=1 default=ignore] pam_unix.so\n", []),
        (_GOOD + "-auth required pam_systemd.so\nsession required pam_gone.so\n", []),
        ("account required pam_unix.so\n", [(State.FAIL, "has no line for auth")]),
        ("# auth required pam_krb5.so\naccount required pam_unix.so\n", [(State.FAIL, "has no line for auth")]),
        (_GOOD + "auth required pam_sss.so\n", [(State.FAIL, "names pam_sss.so, which is not installed")]),
        (_GOOD + "auth sufficient pam_sss.so\n", [(State.WARN, "names pam_sss.so, which is not installed")]),
        (
            "auth required pam_krb5.so\naccount required pam_unix.so\n",
            [(State.WARN, "without no_ccache defer")],
        ),
        ("auth required pam_krb5.so 'no_ccache\n", [(State.WARN, "without no_c"), (State.FAIL, "for account")]),
    ],
)
def test_pam_services(realm, services, text, expected):
    (services / "hub").write_text(text)
    (services / "more").write_text(_GOOD)
    found = said(keytab=realm.keytab, pam_service="hub")
    assert [each.state for each in found] == [state for state, _ in expected]
    for each, (_, words) in zip(found, expected, strict=True):
        assert words in each.sentence


def test_a_pam_service_that_includes_itself_comes_to_an_end(realm, services):
    (services / "hub").write_text("@include hub\n" + _GOOD)
    assert said(keytab=realm.keytab, pam_service="hub") == []


def test_pam_in_another_realm_is_a_warning(realm, services, monkeypatch, tmp_path):
    path = tmp_path / "krb5.conf"
    path.write_text(realm.configs["good"].read_text().replace("[realms]", "[realms]\n OTHER.TEST = {\n }"))
    monkeypatch.setenv("KRB5_CONFIG", str(path))
    (services / "hub").write_text(_GOOD)
    other = tmp_path / "other.keytab"
    other.write_bytes(keytab("host/h@OTHER.TEST"))
    other.chmod(0o600)
    (found,) = said(realm="OTHER.TEST", keytab=str(other), pam_service="hub")
    assert (found.check, found.state) == ("B1", State.WARN)


def test_keys_of_a_real_keytab(realm):
    assert set(keytab_file.read(Path(realm.keytab))) == {Key("host/hub.lab.test@LAB.TEST", 2)}
    assert keytab_file.parse(keytab("a@R", kvno=300)) == (Key("a@R", 300),)
    removed = entry("b@R")
    hole = struct.pack(">i", -len(removed)) + removed
    assert keytab_file.parse(keytab("a@R") + hole) == (Key("a@R", 1),)


@pytest.mark.parametrize("at", range(2, 60, 3))
def test_a_damaged_keytab_is_none_wherever_it_was_cut(at):
    data = keytab("host/h@R")
    with pytest.raises(NoKeytab):
        keytab_file.parse(data[:2] + struct.pack(">i", at) + data[6 : 6 + min(at, 50)])
