"""What a JupyterHub in the process of the tests is made of, so that it needs no proxy and no cluster."""

from types import SimpleNamespace
from typing import Any

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.proxy import Proxy

from kerberos_auth import sentences
from slurm_ssh_spawner.spawner import SlurmSSHSpawner


class AnyPassword(DummyAuthenticator):
    """Lets everybody in, with the login page of ours."""

    single_sign_on = SimpleNamespace(keytab="")
    sentences = sentences


class NoProxy(Proxy):
    """Routes nothing: tests talk to the hub itself."""

    should_start = False

    async def start(self) -> None:
        """There is nothing to start."""

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        """Forget it."""

    async def delete_route(self, routespec: str) -> None:
        """There is none."""

    async def get_all_routes(self) -> dict[str, Any]:
        """Return no routes."""
        return {}


class ComposedSpawner(SlurmSSHSpawner):
    """Ours, of a hub whose test composes what its spawners share."""

    @classmethod
    def hub_starts(cls, app: Any) -> None:
        """Make nothing."""
