"""Counts what is wrong with what was seen: lost, doubled, orphaned, of the wrong owner, left over.  Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from faults.row import Outcome
from faults.seen import File, Listed, LiveJob, Seen
from lab.people import PEOPLE
from lab.plan import SITES

_LOGINS = {
    (person.name, site.name): person.login_at.get(site.name, person.name) for person in PEOPLE for site in SITES
}
_ENDING = "COMPLETING"


@dataclass(frozen=True)
class Expected:
    """What has to become of a person's server at a site.

    `job_id` is that of the job which has to go on, "" if no job is known of.  `accepted`: the hub has said that
    the server will start.
    """

    user: str
    server: str
    site: str
    outcome: Outcome
    job_id: str = ""
    accepted: bool = False

    def __str__(self) -> str:
        return f"{self.user}{f'/{self.server}' if self.server else ''} at {self.site}"


@dataclass(frozen=True)
class Counts:
    """What is wrong, a line for each."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    wrong_owner: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.lost, self.doubled, self.orphaned, self.wrong_owner, self.left_over))


def count(seen: Seen, expected: Collection[Expected], old: Collection[str] = ()) -> Counts:
    """Return what is wrong while servers are as `expected`; `old` are launches that count no more."""
    seen = _without(seen, old)
    jobs = [job for job in seen.jobs if job.state != _ENDING]
    return Counts(
        lost=tuple(why for each in expected for why in _lost(seen, jobs, each)),
        doubled=tuple(_doubled(seen, jobs)),
        orphaned=tuple(_orphaned(seen, jobs)),
        wrong_owner=tuple(_of_others(seen, jobs)),
    )


def count_left(seen: Seen, old: Collection[str] = ()) -> Counts:
    """Return what is left over after everything was stopped; `old` are launches that count no more."""
    seen = _without(seen, old)
    left = [f"job {job.job_id} of {job.owner} at {job.site}" for job in seen.jobs]
    left += [f"{each.kind} {_place(each)}" for each in seen.files]
    left += [f"the server {each.user}/{each.server}" for each in seen.listed or ()]
    left += [f"a tunnel at port {port}" for port in seen.tunnels]
    left += [f"a program on {process}" for process in seen.processes]
    left += [
        f"the open record of {each} of {row['user']}" for each, row in seen.records.items() if not row["ended"]
    ]
    return Counts(left_over=tuple(left))


def _without(seen: Seen, old: Collection[str]) -> Seen:
    return replace(
        seen,
        jobs=tuple(job for job in seen.jobs if job.launch_id not in old),
        files=tuple(file for file in seen.files if file.launch_id not in old),
        records={launch_id: record for launch_id, record in seen.records.items() if launch_id not in old},
    )


def _lost(seen: Seen, jobs: list[LiveJob], one: Expected) -> Iterator[str]:
    """Yield why a server is not as it is expected."""
    if seen.listed is None:
        yield f"{one}: the hub does not answer"
        return
    listed = next((each for each in seen.listed if (each.user, each.server) == (one.user, one.server)), None)
    match one.outcome:
        case Outcome.THERE:
            yield from _not_there(seen, jobs, one, listed)
        case Outcome.GONE:
            yield from _not_gone(seen, jobs, one, listed)
        case Outcome.EITHER:
            yield from _not_there(seen, jobs, one, listed) if listed else _not_gone(seen, jobs, one, listed)


def _not_there(seen: Seen, jobs: list[LiveJob], one: Expected, listed: Listed | None) -> Iterator[str]:
    if listed is None:
        yield f"{one}: not listed"
        return
    answers = listed.answer.get("job", "")
    if not listed.ready:
        yield f"{one}: listed, not ready"
    elif not answers:
        yield f"{one}: listed, does not answer"
    elif answers not in {job.job_id for job in jobs if job.site == one.site and job.owner == _login(one)}:
        theirs = [f"{job.job_id} ({job.state})" for job in seen.jobs if job.owner == _login(one)]
        yield f"{one}: answers as job {answers}, but their jobs are: {', '.join(theirs) or 'none'}"
    elif one.job_id and answers != one.job_id:
        yield f"{one}: was job {one.job_id}, answers as job {answers}"
    elif seen.records.get(listed.launch_id, {}).get("stop_wanted"):
        yield f"{one}: runs on, though its stop was noted"


def _not_gone(seen: Seen, jobs: list[LiveJob], one: Expected, listed: Listed | None) -> Iterator[str]:
    if listed is not None:
        yield f"{one}: is over, and still listed"
    alive = [job.job_id for job in jobs if (job.site, job.owner) == (one.site, _login(one))]
    # With other servers of theirs listed, jobs that belong to none are counted as orphans.
    if alive and not any(each.user == one.user for each in seen.listed or ()):
        yield f"{one}: is over, and job {', '.join(alive)} runs"
    about = (one.user, one.server, one.site)
    records = [each for each in seen.records.values() if (each["user"], each["server"], each["site_key"]) == about]
    last = max(records, key=lambda record: str(record["begun"]), default=None)
    if last is None:
        if one.accepted:
            yield f"{one}: was accepted, and nothing is known of it"
    elif not last["ended"]:
        yield f"{one}: is over, and its record is open"
    elif not last["end_reason"]:
        yield f"{one}: is over without a reason"


def _doubled(seen: Seen, jobs: list[LiveJob]) -> Iterator[str]:
    of_server = defaultdict(list)
    for job in jobs:
        of_server[_server_of(seen, job)].append(job)
    for (user, server), twins in of_server.items():
        if len(twins) > 1:
            alive = ", ".join(f"{job.job_id} ({job.state}) at {job.site}" for job in twins)
            yield f"{user}/{server}: jobs {alive}"


def _server_of(seen: Seen, job: LiveJob) -> tuple[str, str]:
    """Return user and server that a job is about, as far as the hub's list or the launch record knows."""
    for each in seen.listed or ():
        if each.launch_id == job.launch_id:
            return each.user, each.server
    record = seen.records.get(job.launch_id)
    return (record["user"], record["server"]) if record else (job.owner, "?")


def _orphaned(seen: Seen, jobs: list[LiveJob]) -> Iterator[str]:
    if seen.listed is None:
        return
    known = {each.launch_id for each in seen.listed}
    # A server that is being submitted has no job in its state yet.
    unknown_yet = {(each.user, each.server) for each in seen.listed if not each.launch_id}
    for job in jobs:
        if job.launch_id not in known and _server_of(seen, job) not in unknown_yet:
            yield f"job {job.job_id} ({job.state}) of {job.owner} at {job.site}"


def _of_others(seen: Seen, jobs: list[LiveJob]) -> Iterator[str]:
    for job in jobs:
        record = seen.records.get(job.launch_id)
        if record and job.owner != record["owner"]:
            yield f"job {job.job_id} at {job.site} runs as {job.owner}, not as {record['owner']}"
    for each in seen.files:
        if each.owner != each.folder_of:
            yield f"{each.kind} {_place(each)} is owned by {each.owner}"
    for server in seen.listed or ():
        owner = server.answer.get("user", "")
        if owner and owner not in {login for (user, _), login in _LOGINS.items() if user == server.user}:
            yield f"the server of {server.user} answers as {owner}"
    yield from _shared(seen)


def _shared(seen: Seen) -> Iterator[str]:
    """Yield jobs that answer for more than one server."""
    answers = Counter((each.answer["host"], each.answer["job"]) for each in seen.listed or () if each.answer)
    yield from (
        f"job {job} on {host} answers for {times} servers" for (host, job), times in answers.items() if times > 1
    )


def _login(one: Expected) -> str:
    return _LOGINS[one.user, one.site]


def _place(file: File) -> str:
    return f"of {file.launch_id or 'no launch'} in the folder of {file.folder_of} at {file.site}"
