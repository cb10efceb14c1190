"""Hands out forecasts: when jobs would start that are not submitted, asked as the person who might start them."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from profiles.catalogue.site import Site
from slurm_ssh import delivery, schedulers
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import Forecast
from slurm_ssh.schedulers import queries
from slurm_ssh.slurm import jobs as slurm_jobs
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
# Longer than an open form lets pass until it asks again: who has not come back by then has gone.
_WAITING_SECONDS = 90.0
_MOST = 1000
# Of those, answers to one person: whoever tries many choices takes nobody else's away.
_MOST_OF_ONE = 20

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


@dataclass(frozen=True)
class _Question:
    """What somebody wants to know, and when they asked for it last (loop time)."""

    site: Site
    request: JobRequest
    script: str
    at: float


@dataclass
class _Turn:
    """From when on a site may be asked again (loop time), its questions under way, and who waits for a turn."""

    after: float = 0.0
    under_way: "dict[Login, tuple[str, asyncio.Task[None]]]" = field(default_factory=dict)
    waiting: OrderedDict[Login, _Question] = field(default_factory=OrderedDict)
    next: asyncio.TimerHandle | None = None


class Forecasts:
    """Owner of the questions under way, of those that wait for a turn, and of the last answers.

    A person has at most one question under way at a site, or one that waits, the last one.  Those who wait are
    served in the order in which they came, so that somebody who asks all the time takes one turn in as many as
    there are people.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._turns: dict[str, _Turn] = {}
        self._answers: OrderedDict[tuple[Login, str], _Answer] = OrderedDict()
        self._paused: OrderedDict[Login, float] = OrderedDict()

    async def close(self) -> None:
        """End the questions under way, and ask no more."""
        for turn in self._turns.values():
            turn.waiting.clear()
            if turn.next:
                turn.next.cancel()
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
        if not schedulers.of(site).foresees:
            return Known(None)
        if not self._is_enough(login, script) and (task := self._asked(login, site, request, script)):
            await asyncio.wait((task,), timeout=patience_seconds)
        return self._known(login, script)

    def known(self, login: Login, request: JobRequest) -> Known:
        """Return what is known of a request, and ask nobody.  Raises ValueError for what no job can hold."""
        return Known(self._known(login, slurm_jobs.batch_script(request)).forecast)

    def _known(self, login: Login, script: str) -> Known:
        answer = self._answers.get((login, script))
        is_kept = answer is not None and _now() < answer.at + KEEP_SECONDS
        return Known(answer.forecast if answer and is_kept else None, not self._is_enough(login, script))

    def _is_enough(self, login: Login, script: str) -> bool:
        answer = self._answers.get((login, script))
        is_fresh = answer is not None and _now() < answer.at + FRESH_SECONDS
        return is_fresh or _now() < self._paused.get(login, 0.0)

    def _asked(self, login: Login, site: Site, request: JobRequest, script: str) -> "asyncio.Task[None] | None":
        """Return the question about this request if it is under way, begun now perhaps; None if it has to wait."""
        turn = self._turns.setdefault(login.site_key, _Turn())
        if login not in turn.under_way and (login in turn.waiting or len(turn.waiting) < _MOST):
            turn.waiting[login] = _Question(site, request, script, _now())
            self._serve(turn)
        about, task = turn.under_way.get(login, ("", None))
        return task if about == script else None

    def _serve(self, turn: _Turn) -> None:
        """Put the questions of those whose turn it is; see to it that the others get theirs."""
        while turn.waiting and _now() >= turn.after and len(turn.under_way) < _AT_ONCE:
            login, question = turn.waiting.popitem(last=False)
            has_gone = _now() > question.at + _WAITING_SECONDS
            if not has_gone and not self._is_enough(login, question.script):
                self._begin(turn, login, question)
        if turn.waiting and turn.next is None and len(turn.under_way) < _AT_ONCE:
            turn.next = asyncio.get_running_loop().call_at(turn.after, self._serve_next, turn)

    def _serve_next(self, turn: _Turn) -> None:
        turn.next = None
        self._serve(turn)

    def _begin(self, turn: _Turn, login: Login, question: _Question) -> None:
        turn.after = _now() + EVERY_SECONDS
        task = asyncio.create_task(self._ask(login, question.site, question.request, question.script))
        turn.under_way[login] = question.script, task

        def done(_: "asyncio.Task[None]") -> None:
            del turn.under_way[login]
            self._serve(turn)

        task.add_done_callback(done)

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
            self._keep_answer(login, script, _Answer(forecast, _now()))

    def _keep_answer(self, login: Login, script: str, answer: _Answer) -> None:
        _keep(self._answers, (login, script), answer)
        theirs = [key for key in self._answers if key[0] == login]
        for key in theirs[:-_MOST_OF_ONE]:
            del self._answers[key]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _keep(things: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Add the newest of some things, of which the oldest go when there are too many."""
    things[key] = value
    things.move_to_end(key)
    while len(things) > _MOST:
        things.popitem(last=False)
