"""Servers that a hub finds in its database when it starts."""

from typing import Any

from jupyterhub import orm

from slurm_ssh.job import mark, new_launch_id
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders
from tests.support.ports import free_port


class Server:
    """Somebody's server as a hub finds it in its database when it starts."""

    def __init__(self, hub: RunningHub, name: str) -> None:
        self._hub = hub
        self.name = name
        self.local_port = free_port()
        launch_id = new_launch_id()
        self.job = builders.job(
            launch_id=launch_id, job_id="42", mark=mark("jupyter", "hub", launch_id), user=name, owner=name
        )

    @property
    def spawner(self) -> SlurmSSHSpawner:
        user = orm.User.find(self._hub.app.db, self.name)
        spawner: SlurmSSHSpawner = self._hub.app.users[user].spawners[""]
        return spawner

    def row(self, word: str = "RUNNING") -> str:
        """Return what squeue says of its job."""
        return f"42|{word}|n1|{self.name}|None|{self.job.mark}\n"


def core(hub: RunningHub) -> Hub:
    core: Hub = hub.app.tornado_settings[SETTING]
    return core


async def ran(
    hub: RunningHub, name: str, port: int, *, was_up: bool = True, has_place: bool = True, state: Any = None
) -> Server:
    """Add a server of somebody that listened at `port` of a node; `state` in place of what is stored today."""
    server, db = Server(hub, name), hub.app.db
    records = core(hub).launcher.records
    await records.begin(server.job.launch_id, builders.launch(core(hub).catalogue.current, user=name))
    records.submitted(server.job.launch_id, "42")
    if was_up:
        records.reached(server.job.launch_id, "n1", port, server.local_port)
    await records.settled()
    user = hub.person(name)
    spawner = orm.Spawner(name="", user=user.orm_user)
    spawner.server = orm.Server(base_url=f"/user/{name}/", ip="127.0.0.1", port=server.local_port)
    spawner.state = state or {"job": server.job.to_state(), "profile": "few"}
    if was_up and has_place and not state:
        spawner.state = {**spawner.state, "place": Place("n1", port, server.local_port).to_state()}
    db.add(spawner)
    db.commit()
    return server


async def restart(hub: RunningHub) -> None:
    """Look at the servers as a hub does when it starts, to the end."""
    hub.app.init_spawners_timeout = -1
    await hub.app.init_spawners()
