"""A real KDC, a hub and two Slurm sites on one machine, each host in namespaces of its own."""

from lab.errors import LabError
from lab.lab import Lab

__all__ = ["Lab", "LabError"]
