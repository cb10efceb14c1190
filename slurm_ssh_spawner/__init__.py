"""How it runs: script, ssh as the user, sbatch, watch, tunnel, notebook."""
