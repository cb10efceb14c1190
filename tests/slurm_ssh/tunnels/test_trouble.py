from datetime import UTC, datetime

from slurm_ssh.errors import FrontEndRefused, SiteUnreachable, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh.tunnels.route import Route
from slurm_ssh.tunnels.trouble import Trouble
from tests.support import builders

GENEVA = builders.catalogue().sites["geneva"]
ROUTE = Route(LaunchId("000000000000"), Login("alice", "alice", "geneva"), "n1", 8888)
NIGHT = datetime(2026, 11, 26, 0, 52, tzinfo=UTC)
MORNING = datetime(2026, 11, 26, 7, 5, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 27, 7, 5, tzinfo=UTC)


def _of(error: Exception, now: datetime = NIGHT) -> Trouble:
    return Trouble.of(error, GENEVA, ROUTE, now)  # type: ignore[arg-type]


def test_a_site_that_is_away_is_so_since_the_first_failure() -> None:
    again = _of(SiteUnreachable("anything"), MORNING).after(_of(SiteUnreachable("something")))
    assert again.said(MORNING) == "Geneva cannot be reached since 00:52 UTC. Your job goes on."
    assert again.said(NEXT_DAY) == "Geneva cannot be reached since 00:52 UTC on 26 November. Your job goes on."


def test_another_trouble_begins_when_it_is_met() -> None:
    said = _of(ConnectionLost("closed"), MORNING).after(_of(SiteUnreachable("something"))).said(MORNING)
    assert said.startswith("Your server on n1 cannot be reached through Geneva since 07:05 UTC.")


def test_login_servers_that_are_away_are_not_the_site() -> None:
    said = _of(Unavailable("The login servers do not answer.")).said(NIGHT)
    assert said.startswith("The login servers do not answer. This is so since 00:52 UTC. Your job goes on")


def test_who_is_not_let_in_reads_why() -> None:
    said = _of(FrontEndRefused("{no} account.")).said(NIGHT)
    assert said.startswith("{no} account. Your notebook keeps running")
