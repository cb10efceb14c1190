"""One notebook, from a Launch to a server that is up."""
