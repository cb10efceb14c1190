"""`decide` against Linux-PAM itself, with service files of our own bound over /etc/pam.d in a namespace."""

import json
import os
import pty
import subprocess
import sys

import pytest

from kerberos_auth import pam
from kerberos_auth.errors import LoginRefused

PERMIT = "required pam_permit.so"
SERVICES = {
    "yes": [f"auth {PERMIT}", f"account {PERMIT}"],
    "no": ["auth required pam_deny.so", f"account {PERMIT}"],
    "talks": [f"auth {PERMIT}", "account optional pam_echo.so Welcome", f"account {PERMIT}"],
    "no-credentials": [f"auth {PERMIT}", "auth required pam_debug.so cred=cred_err", f"account {PERMIT}"],
    "expired": [f"auth {PERMIT}", "account required pam_debug.so acct=new_authtok_reqd"],
    "told": [
        "auth optional pam_echo.so Password expired.  You must change it now.",
        "auth required pam_debug.so auth=authinfo_unavail",
        f"account {PERMIT}",
    ],
    "silent": ["auth required pam_debug.so auth=authinfo_unavail", f"account {PERMIT}"],
    "unknown": ["auth required pam_debug.so auth=user_unknown", f"account {PERMIT}"],
    "locked": [f"auth {PERMIT}", "account required pam_debug.so acct=acct_expired"],
    "tries": ["auth required pam_debug.so auth=maxtries", f"account {PERMIT}"],
    "broken": ["auth required pam_nowhere_to_be_found.so", f"account {PERMIT}"],
    "password": [
        "auth [success=1 default=ignore] pam_exec.so expose_authtok quiet {folder}/check",
        "auth requisite pam_deny.so",
        f"auth {PERMIT}",
        f"account {PERMIT}",
    ],
}
SCRIPT = """
import json, sys
from kerberos_auth import pam
from kerberos_auth.errors import AuthFailed
answers = {}
for service, password in json.loads(sys.argv[1]):
    try:
        pam.decide(service, "alice", password)
        answers[f"{service} {password}"] = ["in", pam.has_service(service)]
    except AuthFailed as error:
        answers[f"{service} {password}"] = [type(error).__name__, error.message, error.detail]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask PAM the questions in a namespace with these services, and return its answers."""
    if os.geteuid() != 0:
        pytest.skip("binds service files over /etc/pam.d, so it needs root")
    folder = tmp_path_factory.mktemp("pam")
    services = folder / "pam.d"
    services.mkdir()
    for name, rules in SERVICES.items():
        (services / name).write_text("\n".join(rules).format(folder=folder) + "\n")
    check = folder / "check"
    check.write_text('#!/bin/sh\n[ "$PAM_USER" = alice ] && tr -d "\\000" | grep -qx alice-pw\n')
    check.chmod(0o755)

    def asked(questions, before="", stdin=subprocess.DEVNULL):
        program = [sys.executable, "-c", SCRIPT, json.dumps(questions)]
        bind = ["unshare", "-m", "sh", "-c", f'mount --bind "$0" /etc/pam.d && {before} exec "$@"', services]
        ended = subprocess.run([*bind, *program], check=True, stdin=stdin, stdout=subprocess.PIPE)
        return json.loads(ended.stdout)

    return asked


@pytest.fixture(scope="module")
def answers(ask):
    return ask([*((name, "pw") for name in SERVICES), ("password", "alice-pw"), ("missing", "pw")])


@pytest.mark.parametrize("asked", ["yes pw", "talks pw", "password alice-pw"])
def test_who_pam_lets_in_is_in(answers, asked):
    assert answers[asked] == ["in", True]


def test_credentials_out_of_pam_are_not_asked_for(answers):
    assert answers["no-credentials pw"][0] == "in"


def test_a_terminal_of_another_mount_namespace_is_not_in_the_way(ask):
    keyboard, terminal = pty.openpty()
    try:
        found = ask([("yes", "pw"), ("no", "pw")], "mount -t devpts -o newinstance none /dev/pts &&", terminal)
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert found["yes pw"] == ["in", True]
    assert found["no pw"][0] == "LoginRefused"


@pytest.mark.parametrize("asked", ["no pw", "password pw", "unknown pw", "locked pw"])
def test_refusals_read_the_same_whatever_the_reason(answers, asked):
    kind, message, detail = answers[asked]
    assert (kind, message) == ("LoginRefused", "Invalid username or password")
    assert detail.startswith("pam ")


def test_reasons_are_in_the_detail_for_the_log(answers):
    assert answers["no pw"][2].startswith("pam 7: ")
    assert answers["unknown pw"][2].startswith("pam 10: ")


@pytest.mark.parametrize("asked", ["expired pw", "told pw"])
def test_an_expired_password_is_told_apart(answers, asked):
    assert answers[asked][0] == "PasswordExpired"


def test_too_many_tries_are_told_apart(answers):
    assert answers["tries pw"][:2] == ["AuthFailed", "Too many attempts. Try again later."]


def test_a_second_question_is_told_as_a_second_factor():
    said = pam._translate(7, "Authentication failure", ["Password: ", "Verification code: "])
    assert said.message.startswith("This login requires a second factor")
    again = pam._translate(7, "Authentication failure", ["Password: ", "Password: ", "Last login: Monday."])
    assert again.message == "Invalid username or password"


def test_pam_without_an_answer_is_unreachable(answers):
    assert answers["silent pw"][0] == "LoginServersUnreachable"


@pytest.mark.parametrize("asked", ["broken pw", "missing pw"])
def test_a_broken_set_up_is_never_called_a_bad_password(answers, asked):
    kind, message, _ = answers[asked]
    assert kind == "AuthFailed"
    assert "administrators" in message


@pytest.mark.parametrize("password", ["", "alice-pw\0", "\udcff"])
def test_unusable_passwords_never_reach_pam(password):
    with pytest.raises(LoginRefused):
        pam.decide("login", "alice", password)


def test_services_are_files_of_pam():
    assert pam.has_service("login")
    for service in ("no-such-service", "", "../passwd", "login\n", "."):
        assert not pam.has_service(service)
