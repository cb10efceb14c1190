"""How a site is reached: over SSH as the person, to its Slurm.  No JupyterHub, no notebook, no HTTP."""
