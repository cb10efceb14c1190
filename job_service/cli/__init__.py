"""`jupyterhub-jobs`: the process of the service, its database, and what a job type's script is."""
