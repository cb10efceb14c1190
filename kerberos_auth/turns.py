"""Many who could all go on at the same moment, and a loop that has more to do than them."""

import asyncio


class Turns:
    """Lets those who wait for the same thing go on one by one; in between the loop does what else there is.

    Woken all at once, a hundred would each do their next piece of work before anybody's page is answered.
    """

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def mine(self) -> None:
        """Return when it is the caller's turn, in the order of calls."""
        async with self._one:
            # The loop goes round once.
            await asyncio.sleep(0)
