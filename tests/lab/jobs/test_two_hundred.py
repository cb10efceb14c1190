"""Two hundred jobs of four people at both sites, while service and hub are killed, frozen and started again."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest

from lab import Lab
from tests.lab.faults import another_hub, wait_for_hub
from tests.lab.jobs.sender import Sender, sender
from tests.lab.jobs.steps import UNTIL_GO, go
from tests.lab.look import FRONT_END, closed, logged_in

pytestmark = pytest.mark.xdist_group("batch jobs of many")

SITES = ("geneva", "lugano")
PEOPLE = ("alice", "frank", "ivan", "judy")
EACH = 25
"""Jobs of each of them at each site."""

GRANTED, HAS = 1_000_000, 10_000_000
"""Seconds of each member of a project, and of the project."""

# One counts the cores of each node, the other one nodes: see `_factor`.
CHARGED_BY = {"geneva": "core", "lugano": "node"}
LIMIT_SECONDS = 3600
_PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 30
_LONG_SECONDS = 900
_COUNTED = "echo $SLURM_JOB_ID >>ran; sleep $((RANDOM % 4 + 1))"
_GATED = "waits for a file"
"""The title of a job that ends when the test says so: one before each fault, and one after the last."""

Job = Mapping[str, Any]


@dataclass
class Sent:
    """Who sends, and the ids of what was accepted."""

    people: Mapping[str, Sender]
    ids: dict[str, str] = field(default_factory=dict)
    """Owners by job id."""

    retried: int = 0

    def jobs(self) -> list[Job]:
        """Return all jobs as the service knows them now."""
        found = [job for each in self.people.values() for job in _all(each, "/v1/jobs")]
        return [job for job in found if job["job_id"] in self.ids]


@pytest.mark.long
def test_two_hundred_jobs_run_once_and_are_charged_what_slurm_says(lab: Lab) -> None:
    with ExitStack() as stack:
        people = {name: stack.enter_context(_person(lab, name)) for name in PEOPLE}
        stack.enter_context(logged_in(lab, "ruth"))
        ruth = stack.enter_context(sender(lab, "ruth", "custom:jobs:admin"))
        stack.enter_context(_remembering(lab))
        for site in SITES:
            stack.enter_context(_project(lab, ruth, site))
        sent = Sent(people)
        with closed(lab, "geneva", "normal"), closed(lab, "lugano", "normal"):
            _submit_under_fire(lab, sent)
            _wait_under_fire(lab, sent)
        _run_under_fire(lab, sent)
        lab.wait("all are over", lambda: all(job["ended"] for job in sent.jobs()), _LONG_SECONDS)
        jobs = sent.jobs()
        assert Counter(job["stage"] for job in jobs) == {"SUCCESSFUL": len(PEOPLE) * len(SITES) * EACH}
        twins = sum(_ran_once(lab, site, [job for job in jobs if job["system"] == site]) for site in SITES)
        for site in SITES:
            _balances(lab, ruth, site, [job for job in jobs if job["system"] == site])
        print(f"{len(jobs)} jobs, {sent.retried} requests repeated, {twins} twins that ended at once")


def _submit_under_fire(lab: Lab, sent: Sent) -> None:
    with ThreadPoolExecutor(len(PEOPLE)) as threads:
        sending = [threads.submit(_send, sent, name) for name in PEOPLE]
        for number, fault in enumerate(_FAULTS, start=1):
            wanted = number * len(PEOPLE) * len(SITES) * EACH // (len(_FAULTS) + 2)
            lab.wait(f"{wanted} are accepted", partial(_has, sent.ids, wanted), _LONG_SECONDS)
            fault(lab)
        for each in sending:
            each.result()
    assert len(sent.ids) == len(PEOPLE) * len(SITES) * EACH


def _has(ids: Mapping[str, str], wanted: int) -> bool:
    return len(ids) >= wanted


def _wait_under_fire(lab: Lab, sent: Sent) -> None:
    for fault in _FAULTS:
        fault(lab)
    lab.wait("Slurm has them all", lambda: all(job["native_id"] for job in sent.jobs()), _LONG_SECONDS)
    _killed(lab)
    assert {job["stage"] for job in sent.jobs()} == {"QUEUED"}


def _run_under_fire(lab: Lab, sent: Sent) -> None:
    *gated, last = [job for job in sent.jobs() if job["title"] == _GATED]
    for fault, one in zip(_FAULTS, gated, strict=True):
        ended = _ended(lab, sent)
        # However fast the others are, this one ends now or later.
        go(lab, one)
        lab.wait("more have ended", partial(_have_ended, lab, sent, ended + 1), _LONG_SECONDS)
        fault(lab)
    assert sent.people[PEOPLE[0]].job(last["job_id"])["stage"] in {"QUEUED", "RUNNING"}
    go(lab, last)


def _have_ended(lab: Lab, sent: Sent, wanted: int) -> bool:
    return _ended(lab, sent) >= wanted


def _ended(lab: Lab, sent: Sent) -> int:
    """Return how many of the jobs have ended at both sites, as Slurm says."""
    rows = [row for site in SITES for row in _slurms(lab, site) if row.job_id in sent.ids]
    return sum(row.state == "COMPLETED" for row in rows)


def _send(sent: Sent, name: str) -> None:
    """Send somebody's jobs one after the other, each with a key, and again while there is no answer."""
    for number in range(EACH):
        for site in SITES:
            asked = {
                "type": "command",
                "system": site,
                "project": _name(site),
                "command": _COUNTED,
                "choices": {"time": f"{LIMIT_SECONDS // 60}m", "cores": number % 2 + 1},
            }
            if (name, site) == (PEOPLE[0], SITES[0]) and number >= EACH - len(_FAULTS) - 1:
                asked |= {"title": _GATED, "command": f"{_COUNTED}; {UNTIL_GO}"}
            sent.ids[_accepted(sent, name, asked, f"{name}-{site}-{number}")] = name


def _accepted(sent: Sent, name: str, asked: Mapping[str, Any], key: str) -> str:
    """Return the id of a job that is sent until it is known to be accepted."""
    until = time.monotonic() + _LONG_SECONDS
    while time.monotonic() < until:
        try:
            answer = sent.people[name].http.post(
                "/v1/jobs", json=asked, headers={"Idempotency-Key": key}, timeout=_ANSWER_SECONDS
            )
        except httpx.TransportError:
            pass
        else:
            if answer.status_code in {200, 201}:
                return str(answer.json()["job_id"])
            # The service, or the hub that knows tokens, is away; or the request before is still under way.
            assert answer.status_code in {409, 502, 503, 504}, answer.text
        sent.retried += 1
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError(f"{key} was never accepted")


def _killed(lab: Lab) -> None:
    lab.fault("kill", "hub", "jobs")
    lab.fault("start", "hub", "jobs")
    _wait_for_service(lab)


def _ended_and_begun(lab: Lab) -> None:
    lab.fault("stop", "hub", "jobs")
    lab.fault("start", "hub", "jobs")
    _wait_for_service(lab)


def _frozen(lab: Lab) -> None:
    _freeze(lab, "jobs", "/services/jobs/api/v1/health")
    _wait_for_service(lab)


def _hub_killed(lab: Lab) -> None:
    another_hub(lab)


def _hub_frozen(lab: Lab) -> None:
    _freeze(lab, "jupyterhub", "/hub/api/")
    wait_for_hub(lab)


_FAULTS = (_killed, _hub_killed, _frozen, _hub_frozen, _ended_and_begun)


def _freeze(lab: Lab, daemon: str, path: str) -> None:
    """Freeze a daemon of the hub's host until somebody has waited in vain for an answer of it."""
    lab.fault("freeze", "hub", daemon)
    try:
        with pytest.raises(httpx.TimeoutException):
            httpx.get(f"{lab.url}{path}", timeout=5)
    finally:
        lab.fault("thaw", "hub", daemon)


def _wait_for_service(lab: Lab) -> None:
    def answers() -> bool:
        try:
            return httpx.get(f"{lab.url}/services/jobs/api/v1/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    lab.wait("the service answers", answers)


@contextmanager
def _person(lab: Lab, name: str) -> Iterator[Sender]:
    with logged_in(lab, name), sender(lab, name) as person:
        yield person


@contextmanager
def _remembering(lab: Lab) -> Iterator[None]:
    """Let Slurm forget no job for the length of a block."""

    def remember(seconds: int) -> None:
        for site in SITES:
            change = f"s/^MinJobAge=.*/MinJobAge={seconds}/"
            lab.run(f"{site}-ctl", ["sed", "-i", change, "/etc/slurm/slurm.conf"])
            lab.run(f"{site}-ctl", ["scontrol", "reconfigure"])

    remember(7200)
    try:
        yield
    finally:
        remember(300)


def _name(site: str) -> str:
    return f"two-hundred-{site}"


@contextmanager
def _project(lab: Lab, ruth: Sender, site: str) -> Iterator[None]:
    """Have a project at a site that everybody may use, for the length of a block."""
    new = {"system": site, "name": _name(site), "charge": CHARGED_BY[site], "is_open": True}
    account = {"account": "proj3"} if site == "lugano" else {}
    seconds = {"init_time": HAS, "user_time": GRANTED}
    answer = ruth.http.post("/v1/admin/projects", json={**new, **account, **seconds})
    assert answer.status_code == 201, answer.text
    try:
        yield
    finally:
        gone = partial(ruth.http.delete, f"/v1/admin/projects/{site}/{_name(site)}")
        lab.wait(f"the project at {site} is gone", lambda: gone().status_code == 204, _LONG_SECONDS)


def _all(person: Sender, path: str) -> list[dict[str, Any]]:
    """Return all of a list, page after page."""
    items, cursor = [], None
    while True:
        asked = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        found = person.http.get(path, params=asked).raise_for_status().json()
        items += found["items"]
        cursor = found["next"]
        if cursor is None:
            return items


@dataclass(frozen=True)
class _Row:
    """A job as Slurm knows it: `native_id`, the id in its name, and seconds."""

    native_id: str
    job_id: str
    state: str
    seconds: int


def _slurms(lab: Lab, site: str) -> list[_Row]:
    """Return the batch jobs of the service that Slurm has, those of other tests too."""
    asked = ["env", "TZ=UTC", "SLURM_TIME_FORMAT=standard", "squeue", "-h", "-t", "all", "-o", "%i|%j|%T|%S|%e"]
    rows = []
    for line in lab.run(FRONT_END[site], asked).stdout.splitlines():
        native_id, name, state, begun, ended = line.split("|")
        if name.startswith("job-"):
            seconds = _seconds(begun, ended) if state == "COMPLETED" else 0
            rows.append(_Row(native_id, name.rpartition("-")[2], state, seconds))
    return rows


def _seconds(begun: str, ended: str) -> int:
    return int((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())


def _accounted(lab: Lab, site: str) -> dict[str, int]:
    """Return the seconds of each job, by Slurm's number, as the accounting has them."""
    asked = ["sacct", "-n", "-P", "-X", "-a", "-S", "now-1days", "-o", "JobIDRaw,ElapsedRaw"]
    said = lab.run(f"{site}-ctl", asked).stdout.splitlines()
    return {number: int(seconds) for number, seconds in (line.split("|") for line in said)}


def _ran_once(lab: Lab, site: str, jobs: list[Job]) -> int:
    """See that each job ran once, in its folder and to its end; return how many twins ended without running."""
    files = {job["job_id"]: job["folder"] for job in jobs}
    wanted = "".join(f"{job_id} {folder}\n" for job_id, folder in files.items())
    program = "while read -r id at; do echo $id $(cat $at/ran), $(cat $at/.job/end); done"
    said = lab.run(FRONT_END[site], ["sh", "-c", program], input=wanted).stdout.splitlines()
    by_id = dict(line.split(" ", 1) for line in said)
    for job in jobs:
        ran, end = by_id[job["job_id"]].split(", ")
        assert ran == job["native_id"], job
        assert end.split()[:2] == [job["native_id"], "0"], job
    of_slurm = Counter(row.job_id for row in _slurms(lab, site) if row.job_id in files)
    assert of_slurm.keys() == files.keys()
    return of_slurm.total() - len(jobs)


def _balances(lab: Lab, ruth: Sender, site: str, jobs: list[Job]) -> None:
    """See that the ledger of a site's project has of each job what it held, gave back, and used as Slurm says."""
    seconds = {row.native_id: row.seconds for row in _slurms(lab, site)}
    if site == "lugano":
        accounted = _accounted(lab, site)
        seconds = {number: accounted[number] for number in seconds}
    project = f"/v1/admin/projects/{site}/{_name(site)}"
    entries = _all(ruth, f"{project}/ledger")
    left = dict.fromkeys(PEOPLE, GRANTED)
    for job in jobs:
        factor = job["nodes"] * (job["cores"] if CHARGED_BY[site] == "core" else 1)
        used = seconds[job["native_id"]]
        assert job["elapsed_s"] == used, job
        held = LIMIT_SECONDS * factor
        own = sorted((each["kind"], each["seconds"]) for each in entries if each["job_id"] == job["job_id"])
        assert own == sorted([("hold", -held), ("release", held), ("charge", -used * factor)]), job
        left[job["owner"]] -= used * factor
    grants = [each for each in entries if not each["job_id"]]
    assert Counter(each["kind"] for each in grants) == {"grant": len(PEOPLE)}
    assert len(entries) == 3 * len(jobs) + len(grants)
    quotas = {each["user"]: each["time_left"] for each in _all(ruth, f"{project}/quotas")}
    assert quotas == left
    has = ruth.http.get(project).raise_for_status().json()["time_left"]
    assert has == HAS - sum(GRANTED - each for each in left.values())
    print(f"{site}: {len(jobs)} jobs, {HAS - has} s charged, as Slurm says")
