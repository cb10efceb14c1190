"""`jupyterhub-sites`: what an admin asks about a catalogue, and a hub's tunnels."""
