"""Gateways: servers that take batch jobs by HTTP, each kind of them as a Backend."""
