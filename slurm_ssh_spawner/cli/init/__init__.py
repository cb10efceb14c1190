"""`jupyterhub-sites init`: what a hub needs on its machine, made once and never overwritten."""
