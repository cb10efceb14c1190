"""A notebook as a Slurm job: all that knows JupyterHub."""
