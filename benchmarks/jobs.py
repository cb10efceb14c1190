"""`jobs`: what batch jobs cost and how fast they are, next to the same by hand."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import httpx
import psutil

from benchmarks import counters, job_lists, job_people, room
from benchmarks.job_files import Carried, carry
from benchmarks.job_people import CONTROLLER, FRONT_END
from benchmarks.samples import Aim, Table, in_ms, percentile95, ratio
from lab import Lab
from lab.people import HUNDRED
from lab.plan import HUB

AT_ONCE = 500
LIVE = (1, 100, 1_000, 5_000)
WINDOW_SECONDS = 60
# Longer than the service asks often for, after the last change.
_SETTLE_SECONDS = 75
_ENDS = 60
_LOOK_SECONDS = 0.2
_LIST_AIM, _START_AIM = 0.05, 3.0
_BY_HAND = "cat >job.sh; for i in $(seq {count}); do sbatch --parsable job.sh >/dev/null || exit; done"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sent:
    """Seconds until all jobs of one person were accepted, and until Slurm had them; and by hand."""

    accepted: float
    queued: float
    by_hand: float


@dataclass(frozen=True)
class Minute:
    """What was counted in a minute with so many live jobs: what Slurm was asked, seconds of the service's CPU."""

    rpcs: float
    cpu: float


@dataclass(frozen=True)
class Measured:
    """All: `ends` are seconds from Slurm's end of a job to its stage, `restart` until the service answers."""

    sent: Sent
    minutes: dict[int, Minute]
    ends: list[float]
    restart: float
    carried: Carried
    lists: job_lists.Seconds


def measure(lab: Lab, say: Say, people: int) -> Measured:
    """Measure it with so many people.  Raises LabError, NotLetIn or httpx.HTTPError."""
    names = [person.name for person in HUNDRED[:people]]
    room.make(lab, cores=job_people.nodes() * _ENDS)
    tokens = job_people.prepare(lab, names)
    say(f"jobs: {_ENDS} end")
    ends = asyncio.run(_ends(lab, tokens[names[0]]))
    say("jobs: a file there and back")
    carried = carry(lab, names[0], tokens[names[0]])
    job_people.close(lab)
    say(f"jobs: {AT_ONCE} of one person")
    sent = asyncio.run(_sent(lab, names[0], tokens[names[0]]))
    job_people.reopen(lab)
    job_people.close(lab)
    minutes = {}
    live = 0
    for count in LIVE:
        say(f"jobs: {count} wait")
        asyncio.run(_more(lab, list(tokens.values()), count - live))
        live = count
        time.sleep(_SETTLE_SECONDS)
        minutes[count] = _minute(lab)
    restart = job_people.again(lab, "kill")
    job_people.reopen(lab)
    say(f"jobs: lists of {job_lists.MANY}")
    return Measured(sent, minutes, ends, restart, carried, job_lists.measure())


async def _sent(lab: Lab, name: str, token: str) -> Sent:
    async with job_people.client(lab) as http:
        began = time.monotonic()
        ids = await job_people.send(http, [token] * AT_ONCE, "true")
        accepted = time.monotonic()
        queued = await job_people.until_queued(lab, AT_ONCE)
        script = (await http.get(f"/jobs/{ids[0]}/script", headers=job_people.by(token))).raise_for_status().text
    by_hand = time.monotonic()
    said = _BY_HAND.format(count=AT_ONCE)
    await asyncio.to_thread(lab.run, FRONT_END, ["bash", "-c", f"cd && {said}"], user=name, input=script)
    return Sent(accepted - began, queued - began, time.monotonic() - by_hand)


async def _more(lab: Lab, tokens: Sequence[str], count: int) -> None:
    """Send so many more jobs, everybody in turn; return when Slurm has them."""
    before = await asyncio.to_thread(job_people.queued, lab)
    async with job_people.client(lab) as http:
        await job_people.send(http, [tokens[number % len(tokens)] for number in range(count)], "true")
    await job_people.until_queued(lab, before + count)


def _minute(lab: Lab) -> Minute:
    before, cpu, began = counters.count(lab), _cpu(lab), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    times = 60 / (time.monotonic() - began)
    return Minute(counters.count(lab).since(before, times).rpcs, (_cpu(lab) - cpu) * times)


def _cpu(lab: Lab) -> float:
    pid = next(each.pid for each in lab.status()[HUB.name] if each.name == job_people.DAEMON)
    return float(sum(psutil.Process(pid).cpu_times()[:4]))


async def _ends(lab: Lab, token: str) -> list[float]:
    """Return how long after a job's end its stage says so; of Slurm's whole seconds the middle is taken."""
    async with job_people.client(lab) as http:
        ids = await job_people.send(http, [token] * _ENDS, "sleep $((RANDOM % 20 + 2))")
        heard = [await _end(http, token, each) for each in ids]
    said = lab.run(CONTROLLER, ["env", "TZ=UTC", "squeue", "-h", "-t", "all", "-o", "%i %e"]).stdout
    slurms = dict(line.split() for line in said.splitlines())
    return [at.timestamp() - _moment(slurms[number]) - 0.5 for number, at in heard]


async def _end(http: httpx.AsyncClient, token: str, job_id: str) -> tuple[str, datetime]:
    """Return Slurm's number of a job that is over, and when the service said so."""
    while True:
        found = await job_people.job(http, token, job_id)
        if found["stage"] in {"SUCCESSFUL", "FAILED"}:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    events = await http.get(f"/jobs/{job_id}/events", headers=job_people.by(token))
    last = events.raise_for_status().json()["items"][-1]
    return str(found["native_id"]), datetime.fromisoformat(last["at"])


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def aims(found: Measured) -> list[Aim]:
    """Return what was aimed at."""
    sent, carried = found.sent, found.carried
    return [
        Aim(f"jobs, {AT_ONCE} of one person: accepted, s", 10, sent.accepted),
        Aim(f"jobs, {AT_ONCE} of one person: in the queue, x by hand", 2, sent.queued / sent.by_hand),
        *(Aim(f"jobs, {count} live: RPCs a minute", 22, each.rpcs) for count, each in found.minutes.items()),
        Aim(f"jobs, {LIVE[-1]} live: CPU of the service a minute, s", 2, found.minutes[LIVE[-1]].cpu),
        Aim("jobs: end in Slurm -> stage, median, s", 3, median(found.ends)),
        Aim("jobs: end in Slurm -> stage, p95, s", 6, percentile95(found.ends)),
        Aim(f"jobs, {LIVE[-1]} live: the service answers after a start, s", _START_AIM, found.restart),
        *(
            Aim(f"jobs, {job_lists.MANY}: {name}, s", _LIST_AIM, median(by[job_lists.MANY]))
            for name, by in found.lists.items()
        ),
        Aim("jobs, a file in: rate, x scp", 0.5, carried.scp_in / carried.sent, is_least=True),
        Aim("jobs, a file out: rate, x scp", 0.5, carried.scp_out / carried.received, is_least=True),
        Aim("jobs, a file: memory of the service, MB", 140, carried.memory / 1e6),
        Aim("jobs, a file: longest gap of the service's loop, s", 0.1, carried.gap),
    ]


def tables(found: Measured) -> list[Table]:
    """Return what to print."""
    sent = found.sent
    counted = tuple((f"{count} live jobs", _counted(each)) for count, each in found.minutes.items())
    ends = (in_ms(median(found.ends)), in_ms(percentile95(found.ends)), in_ms(max(found.ends)))
    few, many = job_lists.FEW, job_lists.MANY
    return [
        Table(
            f"jobs: {AT_ONCE} of one person, s",
            ("accepted", "queued"),
            (
                ("by the API", (f"{sent.accepted:.1f}", f"{sent.queued:.1f}")),
                ("the same script by sbatch in a loop, at the front end", ("", f"{sent.by_hand:.1f}")),
            ),
        ),
        Table("jobs: a minute", ("RPCs", "CPU, s"), counted, (f"restart with them: {found.restart:.1f} s",)),
        Table("jobs: from Slurm's end to the stage, ms", ("median", "p95", "max"), ((f"{_ENDS} jobs", ends),)),
        found.carried.table(),
        Table(
            f"jobs: lists of {many:,} jobs, ms",
            ("median", "ratio"),
            tuple((name, (in_ms(median(by[many])), ratio(by[many], by[few]))) for name, by in found.lists.items()),
            (f"ratio: to {few:,} jobs",),
        ),
    ]


def _counted(each: Minute) -> tuple[str, str]:
    return f"{each.rpcs:.0f}", f"{each.cpu:.2f}"
