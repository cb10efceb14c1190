"""What a JupyterHub in the process of the tests is made of, so that it needs no proxy and no cluster."""

from typing import Any

from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner

from slurm_ssh_spawner.spawner import SlurmSSHSpawner


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


class ReportedSpawner(SimpleLocalProcessSpawner):
    """Remembers what its job reports."""

    launch_id: str | None = None
    token_id: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reported: list[int | str] = []

    def job_reports_port(self, port: int) -> None:
        """Remember it."""
        self.reported.append(port)

    def job_reports_stage(self, name: str, text: str) -> None:
        """Remember it."""
        self.reported.append(f"{name}: {text}")


class ComposedSpawner(SlurmSSHSpawner):
    """Ours, of a hub whose test composes what its spawners share."""

    hub_starts = None
