"""A real KDC, a hub and two Slurm sites on one machine, each host in namespaces of its own."""
