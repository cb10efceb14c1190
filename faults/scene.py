"""One run of a row: the lab and the people in it, what is broken or held up, and what is expected of whom."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any, Self, TypeVar

from faults.count import Expected
from faults.crowd import Answer, Crowd, people_at
from faults.row import Outcome
from faults.seen import look, records_of
from lab import Lab, LabError
from lab.plan import FRONT_ENDS, SITE_OF
from lab.quirks import Hold, held

Kept = TypeVar("Kept")

STUB = "stub"
_ASKED_SECONDS = 180
_MOMENT_SECONDS = 300
_PAUSE_SECONDS = 0.3
"""A look runs programs: it is not free."""

_MEND = {"kill": "start", "stop": "start", "freeze": "thaw", "cut": "join"}


class Scene:
    """What the steps of a row work on.  `servers` people have a server at each of `sites`.

    A context manager: at its end whatever is broken is mended, and everybody has their answer.
    """

    def __init__(self, lab: Lab, crowd: Crowd, sites: tuple[str, ...], servers: int) -> None:
        self.lab = lab
        self.crowd = crowd
        self.sites = sites
        self.servers = servers
        self.old = frozenset(records_of(lab))
        self.expected: dict[tuple[str, str], Expected] = {}
        self.told: list[Answer] = []
        self._asked: list[tuple[tuple[str, str], Future[Answer], bool]] = []
        self._broken: dict[tuple[str, str], str] = {}
        self._held: dict[str, ExitStack] = {}
        self._came: dict[str, list[Callable[[], int]]] = {}
        self._last = ExitStack()

    # -- who takes part --------------------------------------------------------------------------------------

    @property
    def people(self) -> list[tuple[str, str]]:
        """Name and site of everybody whose server is there from the beginning."""
        return [(name, site) for site in self.sites for name in people_at(site, self.servers)]

    def others(self, number: int) -> list[tuple[str, str]]:
        """Name and site of as many others at each site."""
        return [
            (name, site) for site in self.sites for name in people_at(site, self.servers + number)[self.servers :]
        ]

    def start(
        self, name: str, site: str, outcome: Outcome, profile: str = STUB, server: str = ""
    ) -> Future[Answer]:
        """Let somebody press Start and go on; that server is expected to be as `outcome` says."""
        key = (name, server)
        self.expected[key] = Expected(name, server, site, outcome)
        return self._ask(key, self.crowd.start(name, server, {"profile": profile, "site": site}))

    def start_again(self, name: str, server: str = "") -> Future[Answer]:
        """Let somebody press Start for a server of which something is expected already."""
        key = (name, server)
        choices = {"profile": STUB, "site": self.expected[key].site}
        return self._ask(key, self.crowd.start(name, server, choices))

    def stop(self, name: str, server: str = "", outcome: Outcome = Outcome.GONE) -> Future[Answer]:
        """Let somebody press Stop and go on."""
        key = (name, server)
        self.expected[key] = replace(self.expected[key], outcome=outcome)
        return self._ask(key, self.crowd.stop(name, server), starts=False)

    def expect(self, outcome: Outcome) -> None:
        """Expect another outcome of every server that had to be there."""
        for key, each in self.expected.items():
            if each.outcome is Outcome.THERE:
                self.expected[key] = replace(each, outcome=outcome)

    def note_jobs(self) -> None:
        """From now on expect each server to go on in the job that it has, if it has one."""
        jobs = {(job.owner, job.site): job.job_id for job in look(self.lab).jobs if job.launch_id not in self.old}
        for key, each in self.expected.items():
            if each.outcome is Outcome.THERE:
                self.expected[key] = replace(each, job_id=jobs.get((each.user, each.site), ""))

    def _ask(self, key: tuple[str, str], answer: Future[Answer], *, starts: bool = True) -> Future[Answer]:
        self._asked.append((key, answer, starts))
        return answer

    def answered(self) -> None:
        """Return when everybody has their answer."""
        asked, self._asked = self._asked, []
        until = time.monotonic() + _ASKED_SECONDS
        for key, future, starts in asked:
            answer = future.result(timeout=max(0.0, until - time.monotonic()))
            self.told.append(answer)
            if starts and answer.is_accepted:
                self.expected[key] = replace(self.expected[key], accepted=True)

    # -- what is broken --------------------------------------------------------------------------------------

    def fault(self, verb: str, host: str, daemon: str = "") -> None:
        """Break something until `mend`."""
        self.lab.fault(verb, host, daemon)
        self._broken[host, daemon] = _MEND[verb]

    def mend(self, host: str, daemon: str = "") -> None:
        """Mend something that is broken."""
        self.lab.fault(self._broken.pop((host, daemon)), host, daemon)

    def mend_all(self) -> None:
        """Mend and let go on whatever is broken or held up: one that cannot be mended holds no other up."""
        with ExitStack() as stack:
            stack.callback(self._last.close)
            # The hub comes last: what it needs is there then.
            for host, daemon in sorted(self._broken, key=lambda place: place[0] != "hub"):
                stack.callback(self.mend, host, daemon)
            for name in self._held:
                stack.callback(self._held[name].close)
        self._held.clear()

    def at_the_end(self, mend: Callable[[], object]) -> None:
        """Have something called when all is mended."""
        self._last.callback(mend)

    def hold(self, program: str, hold: Hold) -> None:
        """Hold up every call of one of Slurm's programs on the sites' front ends."""
        front_ends = [host.name for host in FRONT_ENDS if SITE_OF[host.name].name in self.sites]
        self._came[program] = [self.keep(program, held(self.lab, name, program, hold)) for name in front_ends]

    def keep(self, name: str, block: AbstractContextManager[Kept]) -> Kept:
        """Stay in a block until `let_go` of this name."""
        return self._held.setdefault(name, ExitStack()).enter_context(block)

    def let_go(self, name: str) -> None:
        """Leave the blocks of that name."""
        self._held.pop(name).close()

    def came(self, program: str) -> int:
        """Return how many calls are held up."""
        return sum(count() for count in self._came[program])

    # -- what is waited for ----------------------------------------------------------------------------------

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = _MOMENT_SECONDS) -> None:
        """Return when the condition holds; raise LabError if it does not come about."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise LabError(f"Not within {seconds:g} s: {what}.")
            time.sleep(_PAUSE_SECONDS)

    def records(self) -> list[Mapping[str, Any]]:
        """Return the launch records of this run."""
        return [record for launch_id, record in records_of(self.lab).items() if launch_id not in self.old]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.mend_all()
