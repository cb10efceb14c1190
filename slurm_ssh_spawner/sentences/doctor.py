"""What `jupyterhub-sites doctor` says, to administrators: in English, as the log is."""

NOT_LOOKED_AT = "Not looked at."

# -- the configuration -----------------------------------------------------------------------------------
NO_CONFIGURATION = "There is no configuration {file}."
NAME_CONFIGURATION = "Name the hub's: jupyterhub-sites doctor -f FILE."
NOT_RUN = "The configuration cannot be read: {reason}."
MEND_LINE = "Mend that line; the hub does not start with it."
RUN_AS_THE_HUB = "Run this as the hub's account, such as: sudo -u jupyterhub jupyterhub-sites doctor."
NOT_A_VALUE = "A setting cannot be used: {reason}"
ANOTHER_SPAWNER = "The spawner of this hub is not SlurmSSHSpawner: set c.JupyterHub.spawner_class = 'slurm-ssh'."
