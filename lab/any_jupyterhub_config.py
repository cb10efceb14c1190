"""What every hub in the lab has, whatever its authenticator and its spawner are."""

from pathlib import Path

c = get_config()

c.JupyterHub.hub_connect_url = "http://hub.lab.test:8081"
c.ConfigurableHTTPProxy.auth_token = Path("/etc/jupyterhub/proxy-token").read_text()

c.JupyterHub.services.append({"name": "lab", "api_token": "lab-service-token"})
c.JupyterHub.load_roles.append(
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
)
