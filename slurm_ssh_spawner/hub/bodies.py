"""Requests whose body is small: more than that is never read, whoever sends it."""

from typing import Any


class SmallBody:
    """Goes before a JupyterHub handler whose class is marked with `tornado.web.stream_request_body`.

    A longer body ends the connection with 400 before it is read; tornado itself would keep 100 MB, and ask who
    sent them then.  The body is in `request.body` as usual.
    """

    request: Any
    longest_body = 20_000

    async def prepare(self) -> None:
        """Set the limit; tornado reads the body after this."""
        self.request.connection.set_max_body_size(self.longest_body)
        await super().prepare()  # type: ignore[misc]

    def data_received(self, chunk: bytes) -> None:
        """Take the next part of the body."""
        self.request.body += chunk
