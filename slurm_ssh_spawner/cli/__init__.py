"""`jupyterhub-sites`: what an admin asks about a catalogue."""
