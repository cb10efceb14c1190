"""The form that sends a job: its fields, then its one file, as chunks of multipart/form-data."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Form:
    """A form.  Names of fields are ours or an admin's; values, and the name of the file, may be anything."""

    fields: Mapping[str, str]
    file_field: str
    file_name: str
    file: Path
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        """The header of that name."""
        return f"multipart/form-data; boundary={self.boundary}"

    def length(self) -> int:
        """Return how many bytes it has.  Raises OSError, as `chunks` does."""
        return len(self._head()) + self.file.stat().st_size + len(self._tail())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield it, from its file no more at once than a chunk."""
        yield self._head()
        with await asyncio.to_thread(self.file.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield chunk
        yield self._tail()

    def _head(self) -> bytes:
        parts = [self._part(f'name="{name}"', value) for name, value in self.fields.items()]
        file = self._part(f'name="{self.file_field}"; filename="{_quoted(self.file_name)}"', None)
        return "".join([*parts, file]).encode()

    def _part(self, about: str, value: str | None) -> str:
        kind = "\r\nContent-Type: application/octet-stream" if value is None else ""
        ending = "" if value is None else f"{value}\r\n"
        return f"--{self.boundary}\r\nContent-Disposition: form-data; {about}{kind}\r\n\r\n{ending}"

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """Return a file's name as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
