"""What a person is told when a site does not take her, each with the sentence."""

from contextlib import AbstractContextManager, nullcontext

import pytest

from lab import Lab
from lab.person import NotStarted
from lab.quirks import MENUS_ONLY, SECOND_FACTOR, maintenance, new_host_key, sshd_config
from tests.lab.faults import newcomer
from tests.lab.look import closed, jobs_of, logged_in, wait_for_tickets

STUB_AT_LUGANO = {"profile": "stub", "site": "lugano"}
HOST = "lugano-login"


def refusal(
    lab: Lab,
    name: str,
    quirk: AbstractContextManager[None] | None = None,
    choices: dict[str, str] | None = None,
) -> str:
    """Return what a person without a connection is told when her start at lugano fails."""
    with quirk or nullcontext(), newcomer(lab, name) as person, pytest.raises(NotStarted) as caught:
        person.start({**STUB_AT_LUGANO, **(choices or {})})
    return str(caught.value)


def test_heidi_has_no_account(lab: Lab) -> None:
    said = refusal(lab, "heidi")
    assert "Lugano did not let you in with your ticket. You may have no account there;" in said


def test_erins_account_has_expired(lab: Lab) -> None:
    said = refusal(lab, "erin")
    assert "lugano-login.lab.test did not let you in and says:" in said
    assert "Your account has expired; please contact your system administrator." in said


def test_nora_has_no_shell(lab: Lab) -> None:
    said = refusal(lab, "nora")
    assert "lugano-login.lab.test let you in, but your shell there ended before it ran a command" in said
    assert "This account is currently not available." in said


def test_a_front_end_has_only_menus(lab: Lab) -> None:
    said = refusal(lab, "bob", sshd_config(lab, HOST, MENUS_ONLY))
    assert "your shell there ended before it ran a command of the hub" in said
    assert "only menus here" in said


def test_a_front_end_wants_a_second_factor(lab: Lab) -> None:
    said = refusal(lab, "bob", sshd_config(lab, HOST, SECOND_FACTOR))
    assert "lugano-login.lab.test asks for a second factor after your ticket" in said


def test_somebody_unknown_is_not_taken_for_a_second_factor(lab: Lab) -> None:
    asking = sshd_config(lab, HOST, ("KbdInteractiveAuthentication yes",))
    assert "You may have no account there" in refusal(lab, "heidi", asking)


def test_a_front_end_is_closed(lab: Lab) -> None:
    said = refusal(lab, "bob", maintenance(lab, HOST, "Closed until Monday 8:00."))
    assert "lugano-login.lab.test did not let you in and says:" in said
    assert "Closed until Monday 8:00." in said


def test_a_front_end_has_a_new_host_key(lab: Lab) -> None:
    said = refusal(lab, "bob", new_host_key(lab, HOST))
    assert "lugano-login.lab.test shows a host key that is not in the catalogue" in said
    assert "Please tell the administrators" in said


def test_bob_may_not_charge_proj3(lab: Lab) -> None:
    with logged_in(lab, "bob") as bob:
        answer = bob.api("POST", "/hub/api/users/bob/servers/direct", json={**STUB_AT_LUGANO, "project": "proj3"})
        if answer.status_code == 202:
            assert (
                "you may not charge the project proj3 there"
                in [event.message for event in bob.progress("direct")][-1]
            )
        else:
            assert "proj3" in answer.json()["message"]
        bob.remove("direct")
    assert jobs_of(lab, "bob", "lugano") == []
    wait_for_tickets(lab, "bob", "lugano", [])


def test_bob_has_no_project_at_all(lab: Lab) -> None:
    assert "you have no default project that may be charged there" in refusal(lab, "bob")


def test_ivans_groups_may_not_use_staff(lab: Lab) -> None:
    said = refusal(lab, "ivan", choices={"partition": "staff"})
    assert "Lugano did not accept the job: your groups may not use the partition staff." in said


def test_what_sbatch_advises_is_shown(lab: Lab) -> None:
    with logged_in(lab, "alice") as alice, closed(lab, "lugano", "scavenge"):
        alice.submit_form({**STUB_AT_LUGANO, "partition": "scavenge"})
        lines = (event.message for event in alice.progress())
        assert next(line for line in lines if line.startswith("Lugano says: Jobs in scavenge may be ended"))
        alice.stop()


def test_a_slow_controller_only_delays_a_launch(lab: Lab) -> None:
    with logged_in(lab, "alice") as alice:
        lab.fault("freeze", "lugano-ctl", "slurmctld")
        try:
            alice.submit_form(STUB_AT_LUGANO)
            events = alice.progress()
            lines = iter(event.message for event in events)
            assert next(line for line in lines if "slow to answer" in line)
        finally:
            lab.fault("thaw", "lugano-ctl", "slurmctld")
        assert list(events)[-1].ready
        alice.stop()
    assert jobs_of(lab, "alice", "lugano") == []
