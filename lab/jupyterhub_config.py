"""The hub of the lab: the tree's own configuration, and what only a lab may have."""

from pathlib import Path

c = get_config()

load_subconfig(str(Path(__file__).parent.parent / "jupyterhub_config.py"))

c.JupyterHub.hub_connect_url = "http://hub.lab.test:8081"
c.ConfigurableHTTPProxy.auth_token = Path("/etc/jupyterhub/proxy-token").read_text()

c.Authenticator.admin_users = {"ruth"}

c.SingleSignOn.keytab = "/etc/jupyterhub/http.keytab"

c.JupyterHub.services = [{"name": "lab", "api_token": "lab-service-token"}]
c.JupyterHub.load_roles = [
    {
        "name": "lab",
        "services": ["lab"],
        "scopes": [
            "admin:users",
            "admin:servers",
            "admin:server_state",
            "tokens",
            "access:servers",
            "read:hub",
        ],
    }
]

c.SlurmSSHSpawner.tunnels_socket = "/run/jupyterhub-tunnels/socket"

# Half a minute is kind to a real Slurm; here somebody waits.
c.Spawner.poll_interval = 5
c.SlurmSSHSpawner.connection_idle_seconds = 20
