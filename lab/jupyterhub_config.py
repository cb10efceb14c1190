"""The hub of the lab: the tree's own configuration, and what only a lab may have."""

from pathlib import Path

from profiles.loading import live

c = get_config()

HERE = Path(__file__).parent

load_subconfig(str(HERE.parent / "jupyterhub_config.py"))
load_subconfig(str(HERE / "any_jupyterhub_config.py"))

c.Authenticator.admin_users = {"ruth"}

c.SingleSignOn.keytab = "/etc/jupyterhub/http.keytab"

c.SlurmSSHSpawner.tunnels_socket = "/run/jupyterhub-tunnels/socket"

# A machine with many labs may take long to start a JupyterLab, or to read a catalogue that a test has changed.
c.SlurmSSHSpawner.http_timeout = 300
live.PATIENCE_SECONDS = 30

# Half a minute is kind to a real Slurm; here somebody waits.
c.Spawner.poll_interval = 5
c.SlurmSSHSpawner.connection_idle_seconds = 20
