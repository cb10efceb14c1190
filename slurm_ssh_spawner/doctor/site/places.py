"""E10: whether the folders that jobs need can be made, are private, have room, and are the same everywhere."""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from kerberos_auth.outcome import Outcome, State
from kernels.shell import Shell, quote
from slurm_ssh import private_folder
from slurm_ssh.errors import LaunchError
from slurm_ssh.jobs import folders, steps
from slurm_ssh.jobs.steps import Step
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import Completed
from slurm_ssh.text import tells_of_no_space
from slurm_ssh_spawner.doctor.site.front_ends import Entered
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

LEAST_FREE_MIB = 100
"""With less room in a folder it is full soon."""

_WRONG = {
    private_folder.FOREIGN: sentences.FOLDER_FOREIGN,
    private_folder.OPEN: sentences.FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.FOLDER_REPLACEABLE,
}
_PROBE_BYTES = 64 * 1024


@dataclass(frozen=True)
class _Folder:
    """A folder of the catalogue: under which key it stands, and where it is for the person."""

    name: str
    path: str
    is_made: bool

    def probe(self, word: str) -> str:
        return f"{self.path}/.doctor-{word}"

    def written(self, word: str) -> Shell:
        """Return what makes the folder as a start does, and leaves a file there, then says how much is free."""
        look = private_folder.enter(self.path, self.is_made)
        name = quote(f".doctor-{word}")
        return Shell(
            f"{look}\nhead -c {_PROBE_BYTES} /dev/zero >{name} && echo {word} >{name} || exit 1\n"
            "df -Pk . 2>/dev/null | tail -n 1"
        )


def _folders(visit: Visit) -> list[_Folder]:
    site, owner = visit.site, visit.login.owner
    found = [_Folder("job_folder", folders.job_folder(site, owner), "{owner}" in site.job_folder)]
    if site.ticket.delivery == "copy" and site.ticket_folder:
        path = site.ticket_folder.replace("{owner}", owner).rstrip("/")
        found.append(_Folder("ticket_folder", path, "{owner}" in site.ticket_folder))
    return found


async def look(visit: Visit, let_in: Sequence[Entered]) -> list[Outcome]:
    """E10: Return how the home and the folders of jobs are, as the first of these front ends has them."""
    first, *others = let_in
    if wrong := await _home(visit, first.pool):
        return [wrong]
    return [await _of_folder(visit, folder, first.pool, others) for folder in _folders(visit)]


async def _home(visit: Visit, pool: ConnectionPool) -> Outcome | None:
    """Return what is wrong with the home, None if nothing."""
    try:
        answer = await visit.remote(pool).run(Shell("".join(steps.beginning(visit.site, visit.login.owner))))
    except LaunchError as error:
        return outcome("E10", State.FAIL, told(error), sentences.TRY_AGAIN)
    step, said = steps.parse(answer)
    if not answer.status or step is not Step.HOME:
        return None
    named = {"owner": visit.login.owner, "site": visit.key, "said": quoted(said.stderr)}
    return outcome("E10", State.FAIL, sentences.HOME_CLOSED.format(**named), sentences.SEE_HOME.format(**named))


async def _of_folder(visit: Visit, folder: _Folder, pool: ConnectionPool, others: Sequence[Entered]) -> Outcome:
    word = secrets.token_hex(6)
    remote = visit.remote(pool)
    try:
        answer = await remote.run(folder.written(word))
        if answer.status:
            return _wrong(visit, folder, answer)
        seen = await asyncio.gather(*(_has(folder, each, word) for each in others))
    except LaunchError as error:
        return outcome("E10", State.FAIL, told(error), sentences.TRY_AGAIN)
    finally:
        await _removed(visit, folder, pool, word)
    named = {"name": folder.name, "folder": folder.path, "site": visit.key}
    if missing := [each.host for each, has in zip(others, seen, strict=True) if not has]:
        text = sentences.NOT_SHARED.format(**named, hosts=", ".join(missing))
        return outcome("E10", State.FAIL, text, sentences.SHARE_FOLDER, visit.place(folder.name))
    free = _free_mib(answer.stdout)
    if free is not None and free < LEAST_FREE_MIB:
        text = sentences.LITTLE_SPACE.format(**named, megabytes=free)
        return outcome("E10", State.WARN, text, sentences.MAKE_ROOM_THERE)
    return outcome("E10", State.OK, sentences.FOLDER_GOOD.format(**named))


def _wrong(visit: Visit, folder: _Folder, answer: Completed) -> Outcome:
    named = {"name": folder.name, "folder": folder.path, "owner": visit.login.owner, "site": visit.key}
    named["said"] = quoted(answer.stderr.strip().rpartition("\n")[2])
    place = visit.place(folder.name)
    if text := _WRONG.get(answer.status):
        at = private_folder.named(answer.stderr)
        fix = sentences.CLOSE_FOLDER.format(at=at, owner=visit.login.owner)
        return outcome("E10", State.FAIL, text.format(**named, at=at), fix, place)
    if tells_of_no_space(answer.stderr):
        return outcome("E10", State.FAIL, sentences.NO_SPACE.format(**named), sentences.MAKE_ROOM_THERE, place)
    return outcome(
        "E10", State.FAIL, sentences.FOLDER_NOT_MADE.format(**named), sentences.MAKE_PARENT.format(**named), place
    )


async def _has(folder: _Folder, other: Entered, word: str) -> bool:
    """Return whether another front end sees the same file."""
    answer = await other.visit.remote(other.pool).run(Shell(f"cat -- {quote(folder.probe(word))}"))
    return answer.stdout.strip() == word


async def _removed(visit: Visit, folder: _Folder, pool: ConnectionPool, word: str) -> None:
    # Whoever cannot reach it any more has said so.
    with contextlib.suppress(LaunchError):
        await asyncio.shield(visit.remote(pool).run(Shell(f"rm -f -- {quote(folder.probe(word))}")))


def _free_mib(stdout: str) -> int | None:
    fields = stdout.strip().rpartition("\n")[2].split()
    return int(fields[3]) // 1024 if len(fields) >= 6 and fields[3].isdecimal() and len(fields[3]) < 18 else None
