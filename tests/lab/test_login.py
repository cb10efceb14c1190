"""Step one in the lab: a password becomes a ticket, or a sentence."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import Lab
from lab.folders import TREE
from lab.person import NotLetIn, Person, told

WRONG = "Invalid username or password"


def refusal(lab: Lab, name: str, password: str | None = None, typed: str | None = None) -> str:
    """Return what the page says to a login that must fail."""
    with Person(lab.url, name) as person, pytest.raises(NotLetIn) as caught:
        person.log_in(password, typed)
    return str(caught.value)


def tickets(lab: Lab) -> list[str]:
    """Return name, inode, mode and owner of each ticket's file; what it is used for is added to the same file."""
    listed = lab.run("hub", ["find", "/run/jupyterhub/krb5", "-type", "f", "-printf", "%f %i %M %u\n"]).stdout
    return sorted(listed.splitlines())


def test_alice_is_let_in_and_her_ticket_is_hers_alone(lab: Lab) -> None:
    with Person(lab.url, "alice") as alice:
        alice.log_in()
        assert alice.model()["name"] == "alice"
    assert lab.run("hub", ["stat", "-c", "%a %U", "/run/jupyterhub/krb5"]).stdout == "700 jupyterhub\n"
    (entry,) = [line for line in tickets(lab) if "alice" in line]
    name, _, mode, owner = entry.split()
    assert (mode, owner) == ("-rw-------", "jupyterhub")
    cache = f"FILE:/run/jupyterhub/krb5/{name}"
    shown = lab.run("hub", ["klist", "-f", "-c", cache]).stdout
    assert "Default principal: alice@LAB.TEST" in shown
    flags = re.search(r"Flags: (\w+)", shown)
    assert flags
    assert {"F", "R"} <= set(flags[1]), "forwardable and renewable"


@pytest.mark.parametrize("typed", ["alice@LAB.TEST", "ALICE", "Alice@lab.test"])
def test_other_spellings_of_alice_are_the_same_person(lab: Lab, typed: str) -> None:
    with Person(lab.url, "alice") as alice:
        alice.log_in(typed_name=typed)
        assert alice.model()["name"] == "alice"


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("alice", ""), ("nobody-here", "x"), ("dave", "dave-pw")]
)
def test_what_was_wrong_is_not_told(lab: Lab, name: str, password: str) -> None:
    assert refusal(lab, name, password) == WRONG


def test_somebody_whom_the_hubs_machine_does_not_know_is_refused(lab: Lab) -> None:
    lab.run("kdc", ["kadmin.local", "-q", "addprinc -pw newbie-pw newbie"])
    try:
        assert refusal(lab, "newbie", "newbie-pw") == WRONG
    finally:
        lab.run("kdc", ["kadmin.local", "-q", "delprinc -force newbie"])
    assert "step=account" in lab.log("hub", "jupyterhub").read_text(errors="replace")
    assert not [line for line in tickets(lab) if "newbie" in line]


def test_carol_is_told_that_her_password_has_expired_and_where_to_change_it(lab: Lab) -> None:
    said = refusal(lab, "carol")
    assert "expired" in said
    assert "kpasswd" in said


@pytest.mark.parametrize(
    "typed",
    [
        "alice@OTHER",
        "alice/admin",
        "../alice",
        "root",
        "alice\0x",
        "a" * 10_000,
        "LAB\\alice",
        "..",
        "alice\x1b[2J",
    ],
)
def test_a_name_that_is_nobody_touches_no_file(lab: Lab, typed: str) -> None:
    before = tickets(lab)
    assert refusal(lab, "alice", "alice-pw", typed) == WRONG
    assert tickets(lab) == before


def test_one_wrong_password_is_one_failure_at_the_kdc(lab: Lab) -> None:
    def failures() -> int:
        return (
            lab.log("kdc", "krb5kdc")
            .read_text(errors="replace")
            .count("bob@LAB.TEST for krbtgt/LAB.TEST@LAB.TEST, Preauth")
        )

    before = failures()
    assert refusal(lab, "bob", "wrong") == WRONG
    assert failures() == before + 1


def test_a_dead_kdc_is_told(lab: Lab) -> None:
    lab.fault("kill", "kdc", "krb5kdc")
    try:
        assert "login servers cannot be reached" in refusal(lab, "bob")
    finally:
        lab.fault("start", "kdc", "krb5kdc")
    with Person(lab.url, "bob") as bob:
        bob.log_in()


def arguments_and_environments(lab: Lab) -> list[str]:
    """Return what every process of the hub's host was started with."""
    read = ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'"]
    return lab.run("hub", read, check=False).stdout.splitlines()


def files_of_the_hub(lab: Lab) -> list[str]:
    """Return the lines of the hub's files that could be a password of somebody's."""
    folders = ("/run", "/var/lib/jupyterhub", "/tmp", "/etc/jupyterhub")
    # This tree may itself be in one of them, with the logs of the lab, which makes the passwords.
    search = ["grep", "-rahs", f"--exclude-dir={TREE.name}", "--", "-pw", *folders]
    return lab.run("hub", search, check=False).stdout.splitlines()


def test_a_hung_kdc_is_told_and_other_pages_answer_meanwhile(lab: Lab) -> None:
    with Person(lab.url, "alice") as alice, Person(lab.url, "bob") as bob:
        alice.log_in()
        bob.http.get("/hub/login")
        lab.fault("freeze", "kdc", "krb5kdc")
        try:
            fields = {"username": "bob", "password": "bob-pw", "_xsrf": bob.xsrf()}
            with ThreadPoolExecutor(1) as threads:
                login = threads.submit(bob.http.post, "/hub/login", data=fields)
                assert alice.http.get("/hub/home").status_code == 200
                assert not login.done()
                seen = [*arguments_and_environments(lab), *files_of_the_hub(lab)]
                assert any("jupyterhub" in each for each in seen)
                assert [each for each in seen if "bob-pw" in each] == []
                assert "login servers cannot be reached" in told(login.result().text)
        finally:
            lab.fault("thaw", "kdc", "krb5kdc")


def test_a_password_is_in_no_log(lab: Lab) -> None:
    refusal(lab, "alice", "a-very-secret-mistake")
    with Person(lab.url, "alice") as alice:
        alice.log_in()
    log = lab.log("hub", "jupyterhub").read_text(errors="replace")
    assert "a-very-secret-mistake" not in log
    assert "alice-pw" not in log
