"""The hub of the lab: the tree's own configuration, and what only a lab may have."""

from pathlib import Path

c = get_config()

c.JupyterHub.bind_url = "http://0.0.0.0:8000"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = "http://hub.lab.test:8081"
c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie-secret"
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.ConfigurableHTTPProxy.auth_token = Path("/etc/jupyterhub/proxy-token").read_text()
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True

c.JupyterHub.services = [{"name": "lab", "api_token": "lab-service-token"}]
c.JupyterHub.load_roles = [
    {
        "name": "lab",
        "services": ["lab"],
        "scopes": ["admin:users", "admin:servers", "tokens", "access:servers", "read:hub"],
    }
]
