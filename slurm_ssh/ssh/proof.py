"""What proves to a front end for whom the hub comes; `by_ticket` and `by_certificate` have one each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slurm_ssh.errors import LaunchError


@dataclass(frozen=True)
class Refusal:
    """A login that came to nothing.

    `offered` are the methods by which the front end lets people begin, None if it does not say; `is_asked_more`
    if it put a question; `said` is for the log.
    """

    host: str
    title: str
    offered: frozenset[str] | None
    is_asked_more: bool
    said: str

    @property
    def offers(self) -> str:
        """What it offers, in words."""
        return ", ".join(sorted(self.offered or ())) or "nothing"

    def is_second_factor(self) -> bool:
        """Return whether a question came that is put only after a proof: so that was accepted."""
        return bool(self.is_asked_more and self.offered and "keyboard-interactive" not in self.offered)


class Proof(Protocol):
    """What one person shows to the front ends of one site."""

    def options(self, host: str) -> Mapping[str, Any]:
        """Return the options of a connection that shows it, as asyncssh names them."""

    async def is_held_up(self, host: str) -> str:
        """Return what keeps a front end that has greeted from deciding, for the log; "" for nothing known."""

    async def refused(self, refusal: Refusal) -> LaunchError:
        """Return what to tell of a front end that did not let the person in."""

    async def check(self, ssh: Any, host: str, title: str) -> None:
        """Give a connection of asyncssh's up that was let in and is of no use.  Raises what to tell then."""
