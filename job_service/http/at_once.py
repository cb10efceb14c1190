"""How many requests of a kind one person may have under way at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from job_service.errors import TooMany
from job_service.sentences import http as sentences


class AtOnce:
    """Counts what each person has under way, `most` at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one(self, person: str) -> Iterator[None]:
        """Have one more of a person's under way for the length of a block.  Raises TooMany."""
        if self._under_way[person] >= self._most:
            raise TooMany(sentences.TOO_MANY_AT_ONCE.format(most=self._most), sentences.WAIT_FOR_THEM)
        self._under_way[person] += 1
        try:
            yield
        finally:
            self._under_way[person] -= 1
            if not self._under_way[person]:
                del self._under_way[person]
