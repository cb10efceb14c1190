"""Whether somebody uses a server: when it was used last, and whether its kernels compute."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slurm_ssh_spawner.hub.moments import minutes_since
from slurm_ssh_spawner.hub.restored import Looker

_LATELY = timedelta(minutes=10)
_MOST_KERNELS = 1000


@dataclass(frozen=True)
class Use:
    """`busy` kernels compute; the server was used so many `minutes` ago, None if that was never told."""

    busy: int
    minutes: int | None

    @property
    def is_worth_a_question(self) -> bool:
        """Whether a person is asked before it is stopped."""
        return self.busy > 0 or (self.minutes is not None and timedelta(minutes=self.minutes) < _LATELY)


async def of(spawner: Any, looker: Looker) -> Use:
    """Return how a JupyterHub's spawner's server is used; one that does not answer computes nothing we know of."""
    url = f"{await spawner.get_url()}api/kernels"
    used = spawner.orm_spawner.last_activity
    return Use(_busy(await looker.read(url, spawner.api_token)), max(0, minutes_since(used)) if used else None)


def _busy(answer: bytes) -> int:
    try:
        kernels = json.loads(answer or b"[]")
    except (ValueError, RecursionError):
        return 0
    kernels = kernels[:_MOST_KERNELS] if isinstance(kernels, list) else []
    return sum(isinstance(each, dict) and each.get("execution_state") == "busy" for each in kernels)
