"""Whatever a site says is parsed in a time that grows as its length does."""

import base64
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from profiles.catalogue.site import Site
from profiles.catalogue.ticket import Auks
from slurm_ssh.delivery import AuksDelivery
from slurm_ssh.delivery import command as command_delivery
from slurm_ssh.errors import Broken, Refused
from slurm_ssh.jobs import log as job_log
from slurm_ssh.jobs import steps
from slurm_ssh.pbs import jobs as pbs_jobs
from slurm_ssh.pbs import refusals as pbs_refusals
from slurm_ssh.pbs import rows as pbs_rows
from slurm_ssh.scheduler import UnreadableAnswer
from slurm_ssh.slurm import forecast, nodes, refusals, survey, waiting
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh import transport
from slurm_ssh.ssh.transport import Completed, ConnectionLost
from tests.support import builders

# What is compared is how long our code takes, not how long it takes to count its lines.
pytestmark = pytest.mark.uncounted

_MARKER = "answer-0011223344556677"
_SMALL = 62_500
_TRIES = 3
_HEAD = "normal|normal*|up|8:00:00|all|NO|n1\n== nodes\n"
_TAIL = "\n== reservations\n"
_TAIL2 = f"\n== nodes{_TAIL}"
_RESERVATION = (
    "ReservationName=a StartTime=2026-01-01T00:00:00 EndTime=2026-01-02T00:00:00 Duration=1-00:00:00 Nodes=n1 "
    "PartitionName=normal Flags=MAINT Groups=(null) Accounts=(null) Users=alice\n"
)


def _node(gres: str) -> str:
    return f"{_HEAD}   1 normal|idle|0/8/0/8|1000|0|{gres}|{gres}{_TAIL}"


_OWN = "ClusterName = a\n"


def _site() -> Site:
    return builders.catalogue(sites={"geneva": builders.site()}).sites["geneva"]


def _filled(unit: str, size: int) -> str:
    return unit * (size // len(unit))


def _snapshot(text: str) -> object:
    return nodes.parse_snapshot(text, datetime(2026, 1, 1, tzinfo=UTC))


def _foreseen(text: str) -> object:
    return forecast.parse(_site(), builders.request(), Completed(0, text, text))


def _counted(text: str) -> object:
    return waiting.parse(f"{text}{waiting.END}\n")


def _kept(text: str) -> object:
    with contextlib.suppress(Broken):
        return AuksDelivery("Geneva", Auks())._kept(text)


_SURVEYED = "17|COMPLETED|n1|alice|N/A|N/A|N/A|0:07|0|17|N/A|n1|"


def _surveyed(text: str) -> object:
    return survey.parse(f"JOBID|STATE|\n{text}END|0\n", "job-hub-")


_OF_PBS = '"Job_Name":"m","job_state":"R","exec_host":"n1/0"'


def _listed(text: str, more: str = "") -> object:
    return pbs_rows.parse_listing(f"\n== ids\n\n== jobs\n{{{text}\n}}\n\n== said 0\n{more}\n", "jupyter-hub-")


_SAID: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "markers": (lambda text: transport.unwrap(text, "", _MARKER), lambda size: _filled(f"\n{_MARKER}\n", size)),
    "marker ends": (
        lambda text: transport.unwrap(text, "", _MARKER),
        lambda size: _filled(f"\n{_MARKER} 1", size),
    ),
    "words of steps": (
        lambda text: steps.parse(Completed(1, text, text)),
        lambda size: _filled("\n== sbatch\n", size),
    ),
    "parentheses": (_snapshot, lambda size: _node(_filled("(", size))),
    "pairs of them": (_snapshot, lambda size: _node(_filled("(()", size))),
    "unlike nodes": (
        _snapshot,
        lambda size: _HEAD + "\n".join(f"1 p{n}|idle|0/8/0/8|{n}|0|g|g" for n in range(size // 30)) + _TAIL,
    ),
    "reservations": (_snapshot, lambda size: _node("gpu:1") + "ReservationName=a " + _filled("a=", size)),
    "reservations of many": (_snapshot, lambda size: _node("gpu:1") + _filled(_RESERVATION, size)),
    "users of one": (_snapshot, lambda size: _node("gpu:1") + _RESERVATION.strip() + _filled(",u", size)),
    "groups": (_snapshot, lambda size: _HEAD.replace("|all|", f"|{_filled('g,', size)}|") + _TAIL),
    "partitions": (
        _snapshot,
        lambda size: "\n".join(f"p{n}|p|up|1:00|all|NO" for n in range(size // 20)) + _TAIL2,
    ),
    "words of a state": (_snapshot, lambda size: _node("g").replace("|idle|", f"|idle{_filled('+cloud', size)}|")),
    "signs of a state": (_snapshot, lambda size: _node("g").replace("|idle|", f"|idle{_filled('~', size)}|")),
    "a limit": (_snapshot, lambda size: _HEAD.replace("8:00:00", _filled("1:", size)) + _TAIL),
    "a number": (_snapshot, lambda size: _HEAD + _filled("1", size) + _TAIL),
    "headings": (_snapshot, lambda size: _filled("== nodes\n", size)),
    "clusters": (_snapshot, lambda size: _HEAD + _filled("1 CLUSTER: a\n", size) + _TAIL),
    "many GPUs": (_snapshot, lambda size: _node(_filled("gpu:a:1,", size))),
    "parts of a GPU": (_snapshot, lambda size: _node(_filled("gpu:", size))),
    "rows": (slurm_jobs.parse_queue, lambda size: _filled("1|RUNNING|n1|alice|None|m\n", size)),
    "bars": (slurm_jobs.parse_queue, lambda size: _filled("|", size)),
    "clusters of rows": (slurm_jobs.parse_queue, lambda size: _filled("CLUSTER: a\n", size)),
    "a job's reason": (slurm_jobs.parse_queue, lambda size: f"1|PENDING|n/a|alice|{_filled(chr(0), size)}|m\n"),
    "a job's node": (slurm_jobs.parse_queue, lambda size: f"1|RUNNING|{_filled('n.', size)}|alice|None|m\n"),
    "surveyed rows": (_surveyed, lambda size: _filled(f"{_SURVEYED}None|job-hub-0123456789ab\n", size)),
    "surveyed bars": (_surveyed, lambda size: f"{_filled('|', size)}job-hub-0123456789ab\n"),
    "a surveyed reason": (_surveyed, lambda size: f"{_SURVEYED}{_filled('| ', size)}|job-hub-0123456789ab\n"),
    "surveyed times": (
        _surveyed,
        lambda size: _SURVEYED.replace("0:07", _filled("1-0", size)) + "None|job-hub-0123456789ab\n",
    ),
    "surveyed tasks": (
        _surveyed,
        lambda size: (
            _SURVEYED.replace("N/A|n1", f"{_filled('0,', size)}|{_filled('n[', size)}")
            + "None|job-hub-0123456789ab\n"
        ),
    ),
    "lines before a number": (slurm_jobs.parse_submit, lambda size: _filled("\n", size) + "1"),
    "digits": (slurm_jobs.parse_submit, lambda size: _filled("9", size)),
    "numbers": (slurm_jobs.parse_submit, lambda size: _filled("Submitted batch job 1 batch job ", size)),
    "accounts": (
        lambda text: slurm_jobs.parse_projects(_site(), text),
        lambda size: _filled("a|b\n", size) + _OWN,
    ),
    "refusals": (
        lambda text: refusals.refusal("Geneva", text, None, None),
        lambda size: _filled("error: no\n", size),
    ),
    "errors": (
        lambda text: refusals.refusal("Geneva", text, None, None),
        lambda size: _filled("sbatch: error: invalid partition\n", size),
    ),
    "moments": (
        _foreseen,
        lambda size: _filled(
            "sbatch: Job 1 to start at 2026-11-27T00:00:00 on cluster a using 1 processors ", size
        ),
    ),
    "refused forecasts": (
        lambda text: forecast.parse(_site(), builders.request(), Completed(1, "", text)),
        lambda size: _filled("sbatch: error: allocation failure: ", size),
    ),
    "what waits": (
        lambda text: waiting.parse(f"{text}{waiting.END}\n"),
        lambda size: _filled("7 a,b|Priority\n", size),
    ),
    "what waits in many": (
        lambda text: waiting.parse(f"7 {text}|\n{waiting.END}\n"),
        lambda size: _filled("a,", size),
    ),
    "advice": (refusals.advice, lambda size: _filled("sbatch: \n", size)),
    "colours": (job_log.readable, lambda size: _filled("\x1b[1;", size)),
    "a long account": (
        lambda text: slurm_jobs.parse_projects(_site(), text),
        lambda size: f"a|{_filled('b.', size)}\n{_OWN}",
    ),
    "silence": (refusals.is_unreachable, lambda size: _filled("Unable to contact slurm contro", size)),
    "taken data": (
        lambda text: transport.unwrap(text, "", _MARKER),
        lambda size: _filled(f"\n{_MARKER} unr", size),
    ),
    "messages": (
        lambda text: transport.unwrap(f"\n{_MARKER}\n\n{_MARKER} 0\n", text, _MARKER),
        lambda size: _filled(f"\n{_MARKER}\n", size),
    ),
    "a detail": (lambda text: Refused(text[:9], text, quoted=text), lambda size: _filled("\x1b\n", size)),
    "what a push says": (
        lambda text: command_delivery._said(Completed(1, "", text)),
        lambda size: _filled(" \n", size),
    ),
    "why a home is full": (
        lambda text: steps._last_line(Completed(1, "", text)),
        lambda size: _filled("a\r", size),
    ),
    "base64 of a ticket": (_kept, lambda size: _filled("BQQA", size)),
    "parts of a ticket": (_kept, lambda size: base64.b64encode(b"\5\4\0\0" + b"\0" * size).decode()),
    "jobs of PBS": (_listed, lambda size: '"Jobs":{' + _filled(f'"1.a":{{{_OF_PBS}}},', size) + '"2.a":{}}'),
    "jobs that are no JSON": (_listed, lambda size: _filled(f'\n"Jobs":{{\n"1.a":{{\n{_OF_PBS}', size)),
    "parts that end": (_listed, lambda size: _filled("\n}}}}}}", size)),
    "names of PBS": (_listed, lambda size: _filled('\n"', size)),
    "escapes": (_listed, lambda size: f'\n"a":"{_filled(chr(92), size)}"'),
    "brackets": (_listed, lambda size: _filled("[", size)),
    "digits of PBS": (_listed, lambda size: f'"Jobs":{{"1.a":{{"Exit_status":{_filled("7", size)}}}}}'),
    "nodes of PBS": (_listed, lambda size: f'"Jobs":{{"1.a":{{"exec_host":"{_filled("n/0+", size)}"}}}}'),
    "errors of qstat": (lambda text: _listed("", text), lambda size: _filled("qstat: Unknown Job Id 1.a\n", size)),
    "numbers of qsub": (pbs_jobs.parse_submit, lambda size: _filled("1.a\n", size)),
    "a long number of qsub": (pbs_jobs.parse_submit, lambda size: f"1.{_filled('a.', size)}"),
    "refusals of qsub": (
        lambda text: pbs_refusals.refusal("Geneva", text, None, None),
        lambda size: _filled("qsub: no\n", size),
    ),
    "carriage returns": (job_log.readable, lambda size: _filled("\r", size)),
}


def _seconds(parse: Callable[[str], object], text: str) -> float:
    """Return how long a processor was busy with it here: what other threads and processes do is not counted."""
    began = time.thread_time()
    with contextlib.suppress(ConnectionLost, UnreadableAnswer):
        parse(text)
    return time.thread_time() - began


@pytest.fixture
def _no_collection() -> Iterator[None]:
    """Leave out Python's search for garbage, whose share depends on all that other tests have left."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize("what", _SAID)
def test_sixteen_times_the_text_takes_nothing_like_its_square_as_long(what: str) -> None:
    parse, text = _SAID[what]
    small, large = text(_SMALL), text(16 * _SMALL)
    # Quadratic would be 256 times. A busy machine makes one try longer, not each of them; what is too short to be
    # measured is no risk.
    assert any(64 * max(_seconds(parse, small), 0.0005) > _seconds(parse, large) for _ in range(_TRIES))
