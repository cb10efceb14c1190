"""`jupyterhub-sites import`: configurations of other spawners for Slurm as a catalogue."""
