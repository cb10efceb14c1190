"""Whatever a site says is parsed in a time that grows as its length does."""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from profiles.catalogue.site import Site
from slurm_ssh.jobs import log as job_log
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import nodes, refusals
from slurm_ssh.ssh import transport
from slurm_ssh.ssh.transport import ConnectionLost
from tests.support import builders

_MARKER = "answer-0011223344556677"
_SMALL = 250_000
_ROUNDS = 3
_HEAD = "normal|normal*|up|8:00:00|all|NO|n1\n== nodes\n"
_TAIL = "\n== reservations\n"


def _node(gres: str) -> str:
    return f"{_HEAD}   1 normal|idle|0/8/0/8|1000|0|{gres}|{gres}{_TAIL}"


def _site() -> Site:
    return builders.catalogue(sites={"geneva": builders.site()}).sites["geneva"]


def _filled(unit: str, size: int) -> str:
    return unit * (size // len(unit))


def _snapshot(text: str) -> object:
    return nodes.parse_snapshot(text, datetime(2026, 1, 1, tzinfo=UTC))


_SAID: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "markers": (lambda text: transport.unwrap(text, "", _MARKER), lambda size: _filled(f"\n{_MARKER}\n", size)),
    "marker ends": (
        lambda text: transport.unwrap(text, "", _MARKER),
        lambda size: _filled(f"\n{_MARKER} 1", size),
    ),
    "parentheses": (_snapshot, lambda size: _node(_filled("(", size))),
    "pairs of them": (_snapshot, lambda size: _node(_filled("(()", size))),
    "unlike nodes": (
        _snapshot,
        lambda size: _HEAD + "\n".join(f"1 p{n}|idle|0/8/0/8|{n}|0|g|g" for n in range(size // 30)) + _TAIL,
    ),
    "reservations": (_snapshot, lambda size: _node("gpu:1") + "ReservationName=a " + _filled("a=", size)),
    "rows": (slurm_jobs.parse_queue, lambda size: _filled("1|RUNNING|n1|alice|None|m\n", size)),
    "bars": (slurm_jobs.parse_queue, lambda size: _filled("|", size)),
    "digits": (slurm_jobs.parse_submit, lambda size: _filled("9", size)),
    "numbers": (slurm_jobs.parse_submit, lambda size: _filled("Submitted batch job 1 batch job ", size)),
    "accounts": (lambda text: slurm_jobs.parse_projects(_site(), text), lambda size: _filled("a|b\n", size)),
    "refusals": (
        lambda text: refusals.refusal("Geneva", text, None, None),
        lambda size: _filled("error: no\n", size),
    ),
    "errors": (
        lambda text: refusals.refusal("Geneva", text, None, None),
        lambda size: _filled("sbatch: error: invalid partition\n", size),
    ),
    "advice": (refusals.advice, lambda size: _filled("sbatch: \n", size)),
    "colours": (job_log.readable, lambda size: _filled("\x1b[1;", size)),
    "carriage returns": (job_log.readable, lambda size: _filled("\r", size)),
}


def _seconds(parse: Callable[[str], object], text: str) -> float:
    """Return the shortest of some rounds: what the machine does besides only makes one longer."""
    took = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        with contextlib.suppress(ConnectionLost, slurm_jobs.UnreadableAnswer):
            parse(text)
        took.append(time.process_time() - began)
    return min(took)


@pytest.fixture
def _no_collection() -> Iterator[None]:
    """Leave out Python's search for garbage, whose share depends on all that other tests have left."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize("what", _SAID)
def test_four_times_the_text_takes_no_more_than_four_times_as_long(what: str) -> None:
    parse, text = _SAID[what]
    small, large = _seconds(parse, text(_SMALL)), _seconds(parse, text(4 * _SMALL))
    # Sixteen times would be quadratic; what is too short to be measured is no risk.
    assert large < 9 * max(small, 0.005)
