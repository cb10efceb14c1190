"""Who you are: a login becomes a Kerberos ticket, kept for its owner alone.  Knows nothing of Slurm."""
