"""How each site stands: its front ends, and a job there."""
