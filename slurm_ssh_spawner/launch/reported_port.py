"""The port that a job says its server listens on."""

import asyncio


class ReportedPort:
    """The first port that was reported, until it is forgotten; `number` is 0 while there is none."""

    def __init__(self, number: int = 0) -> None:
        self.number = 0
        self._came = asyncio.Event()
        self.report(number)

    def report(self, number: int) -> None:
        """Take note of a port; later ones change nothing."""
        if number and not self.number:
            self.number = number
            self._came.set()

    def forget(self) -> None:
        """Wait for another one: this was not the job's."""
        self.number = 0
        self._came.clear()

    async def wait(self) -> None:
        """Return when there is one."""
        await self._came.wait()
