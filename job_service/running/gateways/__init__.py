"""Jobs at gateways: sent once, followed and ended as those at sites are, by a Backend in place of Slurm."""
