"""What a hub says to its tunnel daemon is read there as it was meant."""

import pytest

from profiles.catalogue.login import SiteLogin
from profiles.catalogue.site import Site
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.login import Login
from slurm_ssh.tunnels import messages
from slurm_ssh.tunnels.messages import Open
from slurm_ssh.tunnels.route import Route
from tests.support import builders

SIGNED_HERE = SiteLogin.model_validate({"kind": "certificate", "ca_key": "/etc/ca"})
SIGNED_ELSEWHERE = SiteLogin.model_validate(
    {
        "kind": "certificate",
        "command": ["sign", "{principals}"],
        "principals": ["hub:{user}", "{owner}"],
        "validity": "30m",
        "force_command": "log",
        "source_address": ["192.0.2.0/24"],
    }
)


@pytest.fixture
def route() -> Route:
    """A way to a node."""
    return Route(LaunchId(builders.LAUNCH_ID), Login("alice", "alice", "lugano"), "n1", 4000, 0)


@pytest.mark.parametrize("login", [SiteLogin(), SiteLogin(kind="kerberos"), SIGNED_HERE, SIGNED_ELSEWHERE])
def test_a_daemon_is_told_how_to_log_in(login: SiteLogin, site: Site, route: Route) -> None:
    told = Open.of(route, site.model_copy(update={"login": login}), 5)
    assert messages.asked(messages.question(7, told)) == (7, told)
