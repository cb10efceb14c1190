"""Who looks at which site, and how what is seen there is said."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kerberos_auth.outcome import Outcome, State
from kerberos_auth.tickets import Ticket
from kernels.shell import Shell
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.site import FrontEnd, Site
from profiles.offer.offer import Person
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed
from slurm_ssh.text import one_line
from slurm_ssh_spawner.doctor.doors import Doors
from slurm_ssh_spawner.sentences import doctor_sites as sentences

LONGEST_QUOTE = 200
"""Characters of what a site says in one outcome."""

SLOW_SECONDS = 5
"""A scheduler that takes longer to answer is slow."""

# Of a status.
_DIGITS = 3


@dataclass(frozen=True)
class Visit:
    """A look at one site of a catalogue as one identity.

    `person` is who they are on the hub, `login` who at the site; a monitor is no person, and submits nothing.
    `ticket` is None where none is needed, `ticket_bytes` what jobs are brought.  `where` gives the `file:line` of
    a value in the catalogue, `api_url` is the hub's API as jobs are told it ("" if not known).  `doors` are shared
    by all looks of one examination.
    """

    key: str
    site: Site
    catalogue: Catalogue
    person: Person
    login: Login
    where: Callable[[tuple[str, ...]], str]
    hub_name: str
    api_url: str = ""
    ticket: Ticket | None = None
    ticket_bytes: bytes = field(default=b"", repr=False)
    is_monitor: bool = False
    partition: str = ""
    doors: Doors = field(default_factory=Doors)

    def place(self, *steps: str) -> str:
        """Return where a value of the site is written, or the site itself if the value is not."""
        return self.where(("sites", self.key, *steps))

    def by(self, front_end: FrontEnd) -> "Visit":
        """Return the same look at a site that has this front end alone."""
        return replace(self, site=self.site.model_copy(update={"front_ends": (front_end,)}))

    def remote(self, pool: ConnectionPool) -> Remote:
        """Return access to the site over the connections of a pool."""
        return Remote(pool, self.login, self.site)


def ended(status: str, stderr: str) -> Completed:
    """Return how a program at a site ended, by what stands for its status in an answer; 1 for what is none."""
    return Completed(int(status) if status.isdecimal() and len(status) <= _DIGITS else 1, "", stderr.strip())


async def judged(
    visit: Visit, pool: ConnectionPool, question: Shell, judge: Callable[[Completed, float], Outcome]
) -> Outcome:
    """E7: Return what is thought of a front end's answer about its scheduler, which came within some seconds."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        answer = await visit.remote(pool).run(question)
    except LaunchError as error:
        return outcome("E7", State.FAIL, told(error), sentences.TRY_AGAIN)
    return judge(answer, clock() - began)


def outcome(check: str, state: State, sentence: str, fix: str = "", place: str = "") -> Outcome:
    """Return what a check found."""
    return Outcome(check, state, sentence, fix, place=place)


def skipped(checks: tuple[str, ...], because: str) -> list[Outcome]:
    """Return that some checks were not made, and why."""
    return [Outcome(each, State.SKIP, because) for each in checks]


def told(error: LaunchError) -> str:
    """Return what went wrong as people are told it, with what was seen, which is for administrators."""
    return f"{error.message} ({error.detail})" if error.detail else error.in_one_line


def quoted(text: str) -> str:
    """Return what a site says, printable, in one line, with its last words if it is long, as a quote."""
    said = one_line(text.strip()[-LONGEST_QUOTE:], LONGEST_QUOTE)
    return f"`{said}`"
