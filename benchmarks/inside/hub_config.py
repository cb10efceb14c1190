"""Configurations of hubs that are compared: ours, and batchspawner's for the same two sites behind ssh.

A hub's configuration file calls one of the functions with `get_config()`.
"""

from pathlib import Path
from typing import Any

from batchspawner import SlurmSpawner

from benchmarks.inside import batch_stub, loop_watch

LATE_FILE = "/var/lib/jupyterhub/late.jsonl"
TICKETS = "/run/jupyterhub/peer-tickets"
"""For batchspawner: a credentials cache of each person by name, made by kinit."""

MASTERS = "/run/jupyterhub/masters"

_POLL_SECONDS = 30
# JupyterHub reads from the proxy when each server was last used, on its loop, some 10 ms for each, whoever the
# spawner is.  Every five minutes, as it does by default, that falls into some windows and not into others.
_ACTIVITY_SECONDS = 24 * 3600
_FRONT_ENDS = {"geneva": "geneva-login1.lab.test", "lugano": "lugano-login.lab.test"}
_SSH = "env KRB5CCNAME=FILE:{tickets}/{{username}} ssh {options} -l {{username}} {{front_end}}"
_SSH_OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "GSSAPIAuthentication": "yes",
    "GSSAPIDelegateCredentials": "yes",
    "PreferredAuthentications": "gssapi-with-mic",
    "KexAlgorithms": "curve25519-sha256",
}
_MASTER_OPTIONS = {"ControlMaster": "auto", "ControlPath": f"{MASTERS}/%r-%h", "ControlPersist": "600"}
_STUB = Path(batch_stub.__file__).read_text()
_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=batchspawner
#SBATCH --output=/scratch/{{username}}/batchspawner-%j.log
#SBATCH --mem=100M
{{exports}}
{{modules}}
exec python3 - <<'END_OF_STUB'
{{stub}}
END_OF_STUB
"""

# As admins write it; without it there is no JupyterLab on a node, and ours loads the same.
_MODULES = ". /etc/profile.d/modules.sh\nmodule use /opt/modulefiles\nmodule load jupyterlab"


class PeerSpawner(SlurmSpawner):  # type: ignore[misc]
    """batchspawner's Slurm over ssh at one of two sites; ssh drops the environment, so the script brings it."""

    modules = _MODULES

    def get_req_subvars(self) -> dict[str, Any]:
        """Add the front end of the site that was chosen."""
        site = (self.user_options or {}).get("site", "geneva")
        return {**super().get_req_subvars(), "front_end": _FRONT_ENDS[site]}

    async def _get_batch_script(self, **values: Any) -> str:
        ours = {name: value for name, value in self.get_env().items() if name.startswith("JUPYTERHUB")}
        exports = "\n".join(f"export {name}='{value}'" for name, value in ours.items())
        more = {"exports": exports, "modules": self.modules, "stub": _STUB}
        script: str = await super()._get_batch_script(**values, **more)
        return script


def ours(c: Any, idle_seconds: float = 300) -> None:
    """Give our hub the defaults where the lab has what people wait less for."""
    loop_watch.install(LATE_FILE)
    c.Spawner.poll_interval = _POLL_SECONDS
    c.JupyterHub.last_activity_interval = _ACTIVITY_SECONDS
    c.SlurmSSHSpawner.connection_idle_seconds = idle_seconds


def batchspawner(c: Any, with_masters: bool, with_modules: bool = True) -> None:
    """Set up batchspawner as a site would: each command by an ssh of its own, or by ControlMaster.

    Anybody is let in by name, which costs it nothing.
    """
    loop_watch.install(LATE_FILE)
    Path(MASTERS).mkdir(mode=0o700, exist_ok=True)
    options = {**_SSH_OPTIONS, **(_MASTER_OPTIONS if with_masters else {})}
    words = " ".join(f"-o {name}={value}" for name, value in options.items())
    c.JupyterHub.spawner_class = PeerSpawner
    PeerSpawner.modules = _MODULES if with_modules else ""
    c.PeerSpawner.exec_prefix = _SSH.format(tickets=TICKETS, options=words)
    c.PeerSpawner.batch_script = _SCRIPT
    # Quoted once more: ssh joins what it is given, and a shell reads it.
    c.PeerSpawner.batch_query_cmd = "\"squeue -h -j {job_id} -o '%T %B'\""
    c.Spawner.poll_interval = _POLL_SECONDS
    c.JupyterHub.last_activity_interval = _ACTIVITY_SECONDS
    c.Spawner.http_timeout = 60
    c.JupyterHub.authenticator_class = "dummy"
    c.Authenticator.allow_all = True
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.bind_url = "http://0.0.0.0:8000"
    c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
    c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie_secret"
