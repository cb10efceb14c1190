"""Files on this machine, as they are sent."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from hubjobs import sentences, text
from hubjobs.calls import Upload
from hubjobs.errors import WrongFile

_CHUNK_BYTES = 256 * 1024


def upload(path: Path) -> Upload:
    """Return a file as it is to be sent: it is read once for its digest, and again for each time it is sent.

    Raises WrongFile for what is no file, OSError.
    """
    if not path.is_file():
        raise WrongFile(sentences.NO_FILE.format(path=text.one_line(str(path), 500)))
    digest, length = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        length += len(chunk)
    return Upload(lambda: _chunks(path), length, base64.b64encode(digest.digest()).decode())


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
