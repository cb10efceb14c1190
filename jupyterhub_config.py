"""The reference deployment: read it like a table of contents, change the values to your own.

What may be started, and where, is in the catalogue; see examples/catalogue.yaml.
"""

from importlib.resources import files
from pathlib import Path

from kerberos_auth.pages import ticket_notice
from slurm_ssh_spawner.hub import launch_notices

c = get_config()

# -- who you are -----------------------------------------------------------------------------------------
c.JupyterHub.authenticator_class = "kerberos-pam"
c.Authenticator.allow_all = True
c.Authenticator.auth_refresh_age = 300
c.Authenticator.refresh_pre_spawn = True
# Groups of this machine (SSSD) are groups of the hub: profiles are shown to them.
c.Authenticator.manage_groups = True
c.KerberosPAMAuthenticator.keytab = "/etc/jupyterhub/krb5.keytab"
c.KerberosPAMAuthenticator.verify_kdc = "require"
c.KerberosPAMAuthenticator.ticket_folder = "/run/jupyterhub/krb5"
c.TicketKeeping.remove_ticket = "logout"
# Banners on the hub's pages: a ticket comes to its end, a renewed one did not reach a job, why a server ended; to
# admins, that the edited catalogue cannot be used.
c.JupyterHub.template_vars = {"ticket_notice": ticket_notice, "launch_notices": launch_notices}

# -- what runs, and where --------------------------------------------------------------------------------
c.JupyterHub.spawner_class = "slurm-ssh"
c.SlurmSSHSpawner.catalogue_file = "/etc/jupyterhub/catalogue.yaml"
c.SlurmSSHSpawner.hub_name = "hub"
c.SlurmSSHSpawner.default_url = "/lab"
c.SlurmSSHSpawner.http_timeout = 60
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 5
c.JupyterHub.template_paths = [
    str(files(package) / "templates") for package in ("slurm_ssh_spawner.hub", "kerberos_auth")
]

# A launch may wait in a queue for long: that is no reason to refuse other people's.
c.JupyterHub.concurrent_spawn_limit = 0
# Notebooks outlive the hub.
c.JupyterHub.cleanup_servers = False

# -- batch jobs: the job service (`jupyterhub-sites docs job-service`); a hub without it has none of this --
# Its token, in a file of mode 0600 that the service reads too, as the same account.
c.JupyterHub.services = [
    {
        "name": "jobs",
        "url": "http://127.0.0.1:8082",
        "api_token": Path("/etc/jupyterhub/jobs-token").read_text().strip(),
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [
            "custom:jobs:admin",
            "custom:jobs:submit",
            "servers!user",
            "read:servers!user",
        ],
        # Its pages are in the menu Services.
        "display": True,
    }
]
c.JupyterHub.custom_scopes = {
    "custom:jobs:read": {"description": "See your batch jobs and read their results"},
    "custom:jobs:submit": {
        "description": "Submit, cancel and remove your batch jobs",
        "subscopes": ["custom:jobs:read"],
    },
    "custom:jobs:admin": {
        "description": "See everybody's batch jobs, and change quotas and bans",
        "subscopes": ["custom:jobs:submit"],
    },
}
# Everybody may have batch jobs.
c.JupyterHub.extra_user_scopes = {"access:services!service=jobs", "custom:jobs:submit"}
# Members of this group administer them.
c.JupyterHub.load_roles = [{"name": "jobs-admin", "groups": ["job-admins"], "scopes": ["custom:jobs:admin"]}]

# -- addresses -------------------------------------------------------------------------------------------
c.JupyterHub.bind_url = "http://0.0.0.0:8000"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"

# -- the proxy, a daemon of its own: connections outlive the hub -----------------------------------------
# Both have one token in their environment, CONFIGPROXY_AUTH_TOKEN: see examples/jupyterhub-proxy.service.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
# A proxy that was started again knows no route until the hub looks at it, as often as this says.
c.JupyterHub.last_activity_interval = 30

# -- what the hub keeps ----------------------------------------------------------------------------------
c.JupyterHub.db_url = "sqlite:////var/lib/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/var/lib/jupyterhub/cookie_secret"  # noqa: S105 - a path
