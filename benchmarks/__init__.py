"""How fast a server starts and a login is, next to the same done by hand.  Run as `python -m benchmarks`."""
