"""How a job's port is reached."""
