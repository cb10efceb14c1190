"""The hub's side: pages, routes, and what all spawners share.

Configuration files import `launch_notices` from here.
"""

from slurm_ssh_spawner.hub.shared import launch_notices

__all__ = ["launch_notices"]
