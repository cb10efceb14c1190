"""Starts for other people that came to nothing: JupyterHub's admin page does not say why."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slurm_ssh.text import one_line
from slurm_ssh_spawner import sentences

_TOLD = timedelta(minutes=10)
_MOST = 100
_SHOWN = 5
_LONGEST = 500


@dataclass(frozen=True)
class _Refusal:
    asker: str
    sentence: str
    at: datetime


class Refusals:
    """Owner of the last ones."""

    def __init__(self) -> None:
        self._last: deque[_Refusal] = deque(maxlen=_MOST)

    def note(self, asker: str, owner: str, server: str, problem: str) -> None:
        """Keep why the server of its owner was not started for somebody."""
        name = f"{owner}:{server}" if server else owner
        said = sentences.NOT_STARTED_FOR_YOU.format(server=name, problem=one_line(problem, _LONGEST))
        self._last.appendleft(_Refusal(asker, said, datetime.now(UTC)))

    def notices(self, asker: str) -> tuple[str, ...]:
        """Return what somebody is told of what they asked for within ten minutes, the last first."""
        since = datetime.now(UTC) - _TOLD
        mine = [each.sentence for each in self._last if each.asker == asker and each.at >= since]
        return tuple(dict.fromkeys(mine))[:_SHOWN]
