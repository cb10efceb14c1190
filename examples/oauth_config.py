"""A hub without Kerberos: people log in at an identity provider, and sites let the hub in by certificate.

It needs oauthenticator beside this package, and a catalogue such as certificates.yaml.  More:
`jupyterhub-sites docs certificates`.
What is not explained here is in ../jupyterhub_config.py.
"""

from importlib.resources import files

from slurm_ssh_spawner.hub import launch_notices

c = get_config()

# -- who you are -----------------------------------------------------------------------------------------
# OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are in the environment of the hub's unit (EnvironmentFile=).
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.authorize_url = "https://login.example.org/authorize"
c.GenericOAuthenticator.token_url = "https://login.example.org/token"  # noqa: S105 - an address
c.GenericOAuthenticator.userdata_url = "https://login.example.org/userinfo"
c.GenericOAuthenticator.oauth_callback_url = "https://hub.example.org/hub/oauth_callback"
c.GenericOAuthenticator.scope = ["openid", "profile"]
# It becomes the login at sites, so it has to be a name that the provider gives and nobody chooses.
c.GenericOAuthenticator.username_claim = "preferred_username"
c.Authenticator.allowed_users = {"alice", "bob"}
c.JupyterHub.template_vars = {"launch_notices": launch_notices}

# -- what runs, and where --------------------------------------------------------------------------------
c.JupyterHub.spawner_class = "slurm-ssh"
c.SlurmSSHSpawner.catalogue_file = "/etc/jupyterhub/catalogue.yaml"
c.SlurmSSHSpawner.hub_name = "hub"
c.SlurmSSHSpawner.default_url = "/lab"
c.SlurmSSHSpawner.http_timeout = 60
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 5
c.JupyterHub.template_paths = [str(files("slurm_ssh_spawner.hub") / "templates")]
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.cleanup_servers = False

# -- addresses, and the proxy, a daemon of its own -------------------------------------------------------
c.JupyterHub.bind_url = "http://0.0.0.0:8000"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.JupyterHub.last_activity_interval = 30

# -- what the hub keeps ----------------------------------------------------------------------------------
c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie_secret"  # noqa: S105 - a path
