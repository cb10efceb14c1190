"""The hub of the lab: the tree's own configuration, and what only a lab may have."""

from pathlib import Path

c = get_config()

HERE = Path(__file__).parent

load_subconfig(str(HERE.parent / "jupyterhub_config.py"))
load_subconfig(str(HERE / "any_jupyterhub_config.py"))

c.Authenticator.admin_users = {"ruth"}

c.SingleSignOn.keytab = "/etc/jupyterhub/http.keytab"

c.SlurmSSHSpawner.tunnels_socket = "/run/jupyterhub-tunnels/socket"

# Half a minute is kind to a real Slurm; here somebody waits.
c.Spawner.poll_interval = 5
c.SlurmSSHSpawner.connection_idle_seconds = 20
