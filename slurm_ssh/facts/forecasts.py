"""Hands out forecasts: when jobs would start that are not submitted, asked as the person who might start them."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from profiles.catalogue.site import Site
from slurm_ssh import delivery
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import queries
from slurm_ssh.slurm.forecast import Forecast
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote

EVERY_SECONDS = 2.0
"""Between two questions to one site, whoever puts them."""

FRESH_SECONDS = 60.0
"""How long an answer is enough, and how long somebody is not asked for who got none."""

KEEP_SECONDS = 600.0
"""How long it is better than none."""

# To one site: a front end that answers nobody holds no more than these up.
_AT_ONCE = 4
# Of sbatch, which gives up on a silent controller after some 9 s, and of a connection.
_ANSWER_SECONDS = 30.0
_MOST = 1000

Key = TypeVar("Key")
Value = TypeVar("Value")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """The last answer, None for none; `is_due`: a newer one is under way, or may be asked for soon."""

    forecast: Forecast | None = None
    is_due: bool = False


@dataclass(frozen=True)
class _Answer:
    """An answer and when it came (loop time)."""

    forecast: Forecast
    at: float


@dataclass
class _Turn:
    """From when on a site may be asked again (loop time), and the questions to it that are under way."""

    after: float = 0.0
    under_way: "dict[Login, tuple[str, asyncio.Task[None]]]" = field(default_factory=dict)


class Forecasts:
    """Owner of the questions under way and of the last answers.

    A person has at most one question under way at a site.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._turns: dict[str, _Turn] = {}
        self._answers: OrderedDict[tuple[Login, str], _Answer] = OrderedDict()
        self._paused: OrderedDict[Login, float] = OrderedDict()

    async def close(self) -> None:
        """End the questions under way."""
        tasks = [task for turn in self._turns.values() for _, task in turn.under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def connected(self, user: str) -> frozenset[str]:
        """Return the sites to which a person has an open connection."""
        return frozenset(login.site_key for login in self._pool.logins() if login.user == user)

    async def of(self, login: Login, site: Site, request: JobRequest, patience_seconds: float) -> Known:
        """Return what is known of a request, asked anew if it is old, and if it is the site's turn.

        Waits at most `patience_seconds`, and only for the answer to this very request.  Raises ValueError for what
        no job can hold.
        """
        script = slurm_jobs.batch_script(request)
        if not self._is_enough(login, script) and (task := self._asked(login, site, request, script)):
            await asyncio.wait((task,), timeout=patience_seconds)
        return self._known(login, script)

    def _known(self, login: Login, script: str) -> Known:
        answer = self._answers.get((login, script))
        is_kept = answer is not None and _now() < answer.at + KEEP_SECONDS
        return Known(answer.forecast if answer and is_kept else None, not self._is_enough(login, script))

    def _is_enough(self, login: Login, script: str) -> bool:
        answer = self._answers.get((login, script))
        is_fresh = answer is not None and _now() < answer.at + FRESH_SECONDS
        return is_fresh or _now() < self._paused.get(login, 0.0)

    def _asked(self, login: Login, site: Site, request: JobRequest, script: str) -> "asyncio.Task[None] | None":
        """Return the question about this request, begun now if it is the site's turn; None if it has to wait."""
        turn = self._turns.setdefault(login.site_key, _Turn())
        if login in turn.under_way:
            about, task = turn.under_way[login]
            return task if about == script else None
        if _now() < turn.after or len(turn.under_way) >= _AT_ONCE:
            return None
        turn.after = _now() + EVERY_SECONDS
        task = asyncio.create_task(self._ask(login, site, request, script))
        turn.under_way[login] = script, task
        task.add_done_callback(lambda _: turn.under_way.pop(login))
        return task

    async def _ask(self, login: Login, site: Site, request: JobRequest, script: str) -> None:
        remote = Remote(self._pool, login, site, Deadline.after(_ANSWER_SECONDS))
        called = delivery.without_ticket(site)
        try:
            forecast = await queries.forecast(remote, request, called.sbatch_options, called.unset)
        except LaunchError as error:
            _log.debug(
                "%s could not be asked for %s when a job would start: %s", login.site_key, login.user, error
            )
            _keep(self._paused, login, _now() + FRESH_SECONDS)
        except Exception:  # noqa: BLE001 - a page must not suffer
            _log.exception("%s: the question when a job would start failed", login.site_key)
            _keep(self._paused, login, _now() + FRESH_SECONDS)
        else:
            _keep(self._answers, (login, script), _Answer(forecast, _now()))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _keep(things: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Add the newest of some things, of which the oldest go when there are too many."""
    things[key] = value
    things.move_to_end(key)
    while len(things) > _MOST:
        things.popitem(last=False)
