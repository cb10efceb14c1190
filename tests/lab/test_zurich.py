"""A site whose people come by certificate beside those where they come with a ticket, in one hub."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import yaml

from lab import Lab
from lab.folders import TREE
from lab.person import NotStarted, Person
from tests.lab.doctor import doctor, told, wrong
from tests.lab.jobs.sender import sender
from tests.lab.jobs.steps import command
from tests.lab.look import delivered, jobs_of, logged_in, wait_for_tickets
from tests.lab.test_catalogue_edits import edited

pytestmark = pytest.mark.xdist_group("zurich")

STATE = TREE / "-".join([".lab-test-zurich", *filter(None, [os.environ.get("PYTEST_XDIST_WORKER")])])
LOGIN = "zurich-login"
AT_ZURICH = {"profile": "stub", "site": "zurich"}
WHERE = "import os, socket; print(socket.gethostname(), os.environ.get('KRB5CCNAME', 'without a ticket'))"
SIGNS = "/usr/local/bin/sign-briefly"
# A site's own program, whose certificates end soon.
SIGN_BRIEFLY = """\
#!/bin/sh
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/key.pub"
ssh-keygen -q -s /etc/jupyterhub/zurich_ca -I "jupyterhub:$2" -n "$1" -z "$(date +%s%N)" \\
    -V -1m:+20s -O clear -O permit-port-forwarding "$folder/key.pub"
cat "$folder/key-cert.pub"
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab with the third site, for the tests of this file."""
    with Lab(state=STATE, port=0, zurich=True) as running:
        yield running


def serials(lab: Lab, name: str) -> list[str]:
    """Return the numbers of the certificates by which somebody has come, the oldest first."""
    log = lab.log(LOGIN, "sshd").read_text()
    pattern = rf"Accepted publickey for {name} .* ED25519-CERT .* ID jupyterhub:{name} \(serial (\d+)\)"
    return re.findall(pattern, log)


def certificate(lab: Lab, name: str) -> str:
    """Return what ssh-keygen says of the certificate of a connection of somebody's that is open."""
    newest = f"find /tmp -name 'sshauth.*' -user {name} -printf '%T@ %p\\n' | sort -n | sed -n '$s/^[^ ]* //p'"
    shown = f"sed -n 's/^publickey //p;q' \"$({newest})\" | ssh-keygen -L -f -"
    return lab.run(LOGIN, ["sh", "-c", shown]).stdout


def validity(text: str) -> tuple[datetime, datetime]:
    """Return from when to when a certificate is valid."""
    found = re.search(r"Valid: from (\S+) to (\S+)", text)
    assert found
    return datetime.fromisoformat(found[1]), datetime.fromisoformat(found[2])


def there(lab: Lab) -> datetime:
    """Return the time at the front end, in its own zone as ssh-keygen has it."""
    return datetime.fromisoformat(lab.run(LOGIN, ["date", "+%FT%T"]).stdout.strip())


def listed(text: str, title: str) -> list[str]:
    """Return the lines below a title."""
    found = re.search(rf"^ +{title}: *(.*)\n((?: {{16}}.*\n)*)", text, re.MULTILINE)
    assert found
    return [line.strip() for line in (found[1], *found[2].splitlines()) if line.strip() not in {"", "(none)"}]


def test_one_person_comes_to_one_site_with_a_ticket_and_to_another_by_certificate(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "jupyterlab", "site": "geneva"})
    alice.start({"profile": "jupyterlab", "site": "zurich"}, server="south")
    (ticket,) = delivered(lab, "alice")
    assert re.fullmatch(rf"geneva-n\d\S* FILE:{ticket}\n", alice.run(WHERE))
    assert alice.run(WHERE, server="south") == "zurich-n1.lab.test without a ticket\n"
    assert len(jobs_of(lab, "alice", "zurich")) == 1
    alice.stop("south")
    alice.stop()
    lab.wait("no job is left", lambda: not jobs_of(lab, "alice", "zurich") + jobs_of(lab, "alice"))
    wait_for_tickets(lab, "alice", "geneva", [])


def test_a_certificate_is_short_and_for_one_person_and_nothing_of_it_is_written(lab: Lab, alice: Person) -> None:
    began = there(lab)
    alice.start(AT_ZURICH)
    text = certificate(lab, "alice")
    since, until = validity(text)
    assert until - since == timedelta(minutes=11)
    assert since >= began - timedelta(minutes=2)
    assert listed(text, "Principals") == ["hub:alice"]
    assert listed(text, "Extensions") == ["permit-port-forwarding"]
    numbers = serials(lab, "alice")
    assert numbers
    log = lab.log("hub", "jupyterhub").read_text() + lab.log("hub", "tunnels").read_text()
    assert all(f"certificate {number} for alice at zurich: hub:alice" in log for number in numbers)
    written = "PRIVATE KEY|cert-v01@openssh"
    # All that its host lets the hub's account write to.
    places = "/etc/jupyterhub /run /tmp /var/tmp /dev/shm /var/lib/jupyterhub*"
    found = lab.run("hub", ["sh", "-c", f"grep -rlE --devices=skip '{written}' {places}"], check=False)
    assert found.stdout.splitlines() == ["/etc/jupyterhub/zurich_ca"]
    alice.stop()


def test_who_is_not_let_in_there_is_told_so_and_the_log_has_why(lab: Lab) -> None:
    with logged_in(lab, "bob") as bob:
        said = "Zurich did not let you in with a certificate of the hub."
        with pytest.raises(NotStarted, match=said):
            bob.start(AT_ZURICH)
        assert jobs_of(lab, "bob", "zurich") == []
        # They are the same person elsewhere.
        bob.start({"profile": "stub", "site": "geneva"})
        bob.stop()
    assert "it was shown a certificate for hub:bob" in lab.log("hub", "jupyterhub").read_text()
    assert "Certificate does not contain an authorized principal" in lab.log(LOGIN, "sshd").read_text()


def test_a_connection_that_breaks_after_its_certificate_has_ended_comes_back_with_another(lab: Lab) -> None:
    lab.run("hub", ["sh", "-c", f"cat >{SIGNS} && chmod 755 {SIGNS}"], input=SIGN_BRIEFLY)
    # Nobody else's connection, from before, is open.
    with edited(lab, _signed_by(SIGNS)), logged_in(lab, "judy") as judy:
        judy.start(AT_ZURICH)
        first = serials(lab, "judy")
        since, end = validity(certificate(lab, "judy"))
        assert end - since <= timedelta(minutes=2)
        lab.wait("the certificate has ended", lambda: there(lab) > end)
        # What was let in goes on.
        assert judy.http.get("/user/judy/").status_code == 200
        lab.run(LOGIN, ["pkill", "-f", "^sshd: judy"])
        lab.wait("the hub has come again", lambda: len(serials(lab, "judy")) > len(first))
        lab.wait("the server answers", lambda: judy.http.get("/user/judy/").status_code == 200)
        numbers = serials(lab, "judy")
        assert len(set(numbers)) == len(numbers)
        log = lab.log("hub", "jupyterhub").read_text() + lab.log("hub", "tunnels").read_text()
        assert all(f"certificate {number} for judy at zurich: hub:judy" in log for number in numbers)
        assert judy.model()["servers"][""]["ready"]
        assert len(jobs_of(lab, "judy", "zurich")) == 1
        judy.stop()
        lab.wait("no job is left", lambda: not jobs_of(lab, "judy", "zurich"))


def test_doctor_finds_nothing_wrong_at_any_of_the_three(lab: Lab) -> None:
    found = doctor(lab, job=True)
    for site in ("geneva", "lugano", "zurich"):
        assert wrong(found, site) == {}, told(found)
        states = {check: {each["state"] for each in some} for (at, check), some in found.items() if at == site}
        assert states.keys() >= {"E6", "E9", "F1", "F5", "G3", "G5"}
        assert set.union(*states.values()) == {"ok"}, told(found, site)


def test_a_batch_job_goes_there_without_a_ticket(lab: Lab, alice: Person) -> None:
    with sender(lab, alice.name) as sends:
        shows = "hostname; id -un; echo ${KRB5CCNAME-without a ticket}"
        job = sends.submit(**command(shows, "zurich"))["job_id"]
        sends.wait(job, "SUCCESSFUL")
        assert sends.file(job, "stdout") == b"zurich-n1.lab.test\nalice\nwithout a ticket\n"
    (number, *_) = re.findall(r"certificate (\d+) for alice at zurich", lab.log("hub", "jobs").read_text())
    assert number in serials(lab, "alice")


def _signed_by(program: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        tree = yaml.safe_load(text)
        login = tree["sites"]["zurich"]["login"]
        del login["ca_key"]
        login["command"] = [program, "{principals}", "{user}"]
        return yaml.safe_dump(tree, sort_keys=False)

    return edit
