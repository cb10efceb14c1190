"""When something of a site is away: what the person sees, and that no job is lost."""

import pytest

from lab import Lab
from lab.person import NotStarted
from lab.quirks import new_host_key
from tests.lab.faults import another_hub, broken, changed, newcomer
from tests.lab.look import closed, delegated, jobs_of, stored_state

STUB = {"profile": "stub", "site": "geneva"}


def log(lab: Lab) -> str:
    return lab.log("hub", "jupyterhub").read_text()


def front_end_of(lab: Lab, name: str) -> str:
    """Return the line about the newest connection to Geneva of somebody's."""
    lines = log(lab).splitlines()
    return [line for line in lines if "connected to geneva" in line and f"as {name} for {name}" in line][-1]


def test_the_second_front_end_is_used_when_the_first_is_dead(lab: Lab) -> None:
    # One that was silent to others a short while ago would come last by itself.
    another_hub(lab)
    with broken(lab, ("kill", "geneva-login1", "sshd")), newcomer(lab, "bob") as bob:
        bob.start(STUB)
        assert "geneva-login2" in front_end_of(lab, "bob")


def test_the_second_front_end_is_used_when_the_first_is_cut_off_under_a_connection(lab: Lab) -> None:
    another_hub(lab)
    with newcomer(lab, "bob") as bob:
        bob.start(STUB)
        bob.stop()
        # A busy first one is passed over, too.
        one, other = ("geneva-login1", "geneva-login2")
        if other in front_end_of(lab, "bob"):
            one, other = other, one
        with broken(lab, ("cut", one)):
            bob.start(STUB)
            assert other in front_end_of(lab, "bob")


@pytest.mark.parametrize("how", [("kill", "sshd"), ("freeze", "sshd"), ("cut",)])
def test_a_site_without_front_ends_is_told(lab: Lab, how: tuple[str, ...]) -> None:
    verb, *daemon = how
    faults = [(verb, host, *daemon) for host in ("geneva-login1", "geneva-login2")]
    with broken(lab, *faults), newcomer(lab, "bob") as bob, pytest.raises(NotStarted) as caught:
        bob.start(STUB)
    assert "Geneva cannot be reached" in str(caught.value)


def test_a_site_that_is_away_does_not_stop_a_running_server(lab: Lab) -> None:
    with newcomer(lab, "bob") as bob:
        bob.start(STUB)
        since = len(log(lab))
        with broken(lab, ("cut", "geneva-login1"), ("cut", "geneva-login2")):
            lab.wait(
                "the hub has asked about the job in vain",
                lambda: "squeue at geneva for its monitor: " in log(lab)[since:],
            )
            assert "" in bob.model()["servers"]


def test_a_silent_slurm_does_not_stop_a_running_server(lab: Lab) -> None:
    with newcomer(lab, "bob") as bob:
        bob.start(STUB)
        since = len(log(lab))
        with broken(lab, ("kill", "geneva-ctl", "slurmctld")):
            lab.wait(
                "the hub has asked about the job in vain",
                lambda: "Unable to contact slurm" in log(lab)[since:],
            )
            assert "" in bob.model()["servers"]


def test_a_front_end_with_another_host_key_gets_no_ticket(lab: Lab) -> None:
    before = delegated(lab, "bob").split()
    with new_host_key(lab, "geneva-login1"), new_host_key(lab, "geneva-login2"), newcomer(lab, "bob") as bob:
        with pytest.raises(NotStarted) as caught:
            bob.start(STUB)
        # With the right keys back, the hub may connect again to tidy up; what an earlier connection left may go.
        assert set(delegated(lab, "bob").split()) <= set(before)
    assert "a host key that is not in the catalogue" in str(caught.value)


def test_a_ticket_that_may_not_be_forwarded_is_told_before_anything_is_submitted(lab: Lab) -> None:
    stubborn = changed(lab, "bob", "-allow_forwardable", "+allow_forwardable")
    with stubborn, newcomer(lab, "bob") as bob, pytest.raises(NotStarted) as caught:
        bob.start(STUB)
    assert "Your ticket may not be passed on" in str(caught.value)


def test_a_launch_in_the_queue_says_why_is_kept_at_once_and_can_be_stopped(lab: Lab) -> None:
    with newcomer(lab, "bob") as bob, closed(lab, "geneva", "normal"):
        bob.submit_form(STUB)
        assert any("(PartitionDown)" in event.message for event in bob.progress())
        assert '"job_id"' in stored_state(lab)
        bob.stop()
        lab.wait("the job is gone", lambda: jobs_of(lab, "bob") == [])
