"""Have the hub's patience with a front end end as soon as that has greeted, however slow the machine is."""

import asyncio
from typing import Any

import pytest

from slurm_ssh.ssh import connecting
from tests.support.waiting import until


def given_up_once_greeted(patch: pytest.MonkeyPatch) -> None:
    """Let CONNECT_SECONDS be over once the front end has greeted; what else is waited for takes its time."""
    heard: list[connecting._Hearing] = []

    class Hearing(connecting._Hearing):
        def __init__(self) -> None:
            super().__init__()
            heard.append(self)

    class Asyncio:
        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        async def wait(self, tasks: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - asyncio's name
            if timeout == connecting.CONNECT_SECONDS:
                await until(lambda: heard[-1].is_greeted)
                timeout = 0
            return await asyncio.wait(tasks, timeout=timeout)

    patch.setattr(connecting, "_Hearing", Hearing)
    patch.setattr(connecting, "asyncio", Asyncio())
