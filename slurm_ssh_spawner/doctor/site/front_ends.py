"""E1 to E6: whether a front end can be found, reached, trusted, and lets the hub in."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast

from kerberos_auth.errors import AuthFailed, LoginServersUnreachable
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.threads import LoginThreads
from kerberos_auth.tickets import Ticket
from kernels.shell import Shell
from profiles.catalogue.site import FrontEnd
from slurm_ssh import sentences as reaching
from slurm_ssh.errors import AnswerTooLong, Broken, FrontEndRefused, LaunchError, Unavailable
from slurm_ssh.ssh import greeting
from slurm_ssh.ssh.greeting import SeenKey
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import SILENCE_BYTES
from slurm_ssh.text import one_line
from slurm_ssh_spawner.doctor.site.visit import LONGEST_QUOTE, Visit, outcome, quoted, skipped, told
from slurm_ssh_spawner.sentences import doctor_sites as sentences

CHECKS = ("E1", "E2", "E3", "E4", "E5", "E6")

_SECONDS = 5
_KDC_SECONDS = 8
_BUSY_PAUSES_SECONDS = (0.3, 1.2)
# What OpenSSH says in place of its greeting, see `drop_connection` in its sshd.c: from 8.2 on the first, for
# MaxStartups; from 9.8 on the second, for MaxStartups and PerSourcePenalties alike.
_TURNED_AWAY = ("Exceeded MaxStartups", "Not allowed at this time")
_AUTHORITY = "@cert-authority "
_IDLE_SECONDS = 60
_TELL_TICKET = Shell('echo "${KRB5CCNAME:+stored}"')
_METHODS = {True: ("gssapi-with-mic", "GSSAPIAuthentication"), False: ("publickey", "PubkeyAuthentication")}


class _Stop(Exception):  # noqa: N818
    """Nothing behind this can be looked at."""

    def __init__(self, found: Outcome) -> None:
        self.found = found
        super().__init__(found.sentence)


@dataclass(frozen=True)
class Entered:
    """A front end that lets in: the look at the site by it alone, and the connections to it."""

    host: str
    visit: Visit
    pool: ConnectionPool


@dataclass(frozen=True)
class Seen:
    """What was found of a front end, and the way in if there is one."""

    outcomes: tuple[Outcome, ...]
    entered: Entered | None = None


@asynccontextmanager
async def looked_at(visit: Visit) -> AsyncIterator[tuple[Seen, ...]]:
    """Give all front ends of a site as they were seen, at the same time; connections are closed afterwards."""
    seen = await asyncio.gather(*(_look(visit, index) for index in range(len(visit.site.front_ends))))
    try:
        yield tuple(seen)
    finally:
        await asyncio.gather(*(each.entered.pool.close() for each in seen if each.entered))


async def _look(visit: Visit, index: int) -> Seen:
    front_end = visit.site.front_ends[index]
    look = _Look(visit.by(front_end), front_end, str(index))
    try:
        await look.all()
    except _Stop as stop:
        look.found.append(stop.found)
    except BaseException:
        await look.pool.close()
        raise
    else:
        return Seen(tuple(look.found), Entered(front_end.host, look.visit, look.pool))
    await look.pool.close()
    made = {each.check for each in look.found}
    left = tuple(each for each in CHECKS if each not in made)
    because = sentences.NOT_AFTER.format(check=look.found[-1].check, host=front_end.host)
    return Seen((*look.found, *skipped(left, because)))


class _Look:
    """A look at one front end, check by check; `found` grows."""

    def __init__(self, visit: Visit, front_end: FrontEnd, index: str) -> None:
        self.visit = visit
        self.found: list[Outcome] = []
        self.pool = ConnectionPool(lambda _: cast(Ticket, visit.ticket), _IDLE_SECONDS)
        self._front_end = front_end
        # Nobody waits in the end for one that got no answer.
        self._threads = LoginThreads(1)
        self._at = {"host": front_end.host, "port": front_end.port}
        self._place: Callable[..., str] = partial(visit.place, "front_ends", index)

    async def all(self) -> None:
        """Make all checks.  Raises _Stop with the first that fails."""
        await self._name()
        async with self.visit.doors.at(self._front_end.host):
            for check in (self._port, self._keys, self._methods, self._service, self._login):
                await check()

    def _ok(self, check: str, sentence: str) -> None:
        self.found.append(outcome(check, State.OK, sentence))

    def _stop(self, check: str, sentence: str, fix: str, *steps: str) -> _Stop:
        return _Stop(outcome(check, State.FAIL, sentence, fix, self._place(*steps)))

    async def _name(self) -> None:
        """E1: the name has addresses, and is no alias, which has no ticket."""
        host = self._front_end.host
        lookup = partial(
            socket.getaddrinfo, host, self._front_end.port, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME
        )
        try:
            rows = await self._threads.run(lookup, _SECONDS)
        except TimeoutError as error:
            raise self._stop("E1", sentences.NAMES_SILENT.format(**self._at), sentences.MEND_NAMES) from error
        except OSError as error:
            said = sentences.NO_SUCH_NAME.format(**self._at, reason=error.strerror)
            raise self._stop("E1", said, sentences.FULL_NAME.format(**self._at), "host") from error
        addresses = sorted({str(address[0]) for *_, address in rows})
        of_v4 = [each for each in addresses if ":" not in each]
        real = rows[0][3] if rows else ""
        if self.visit.site.login.needs_ticket and len(of_v4) > 1:
            said = sentences.NAME_OF_SEVERAL.format(**self._at, addresses=", ".join(of_v4))
            fix = sentences.LIST_HOSTS
            self.found.append(outcome("E1", State.WARN, said, fix, self._place("host")))
        elif self.visit.site.login.needs_ticket and real and real.rstrip(".").lower() != host.lower():
            said = sentences.NAME_OF_ANOTHER.format(**self._at, real=real[:255])
            fix = sentences.WRITE_HOST.format(host=real[:255])
            self.found.append(outcome("E1", State.WARN, said, fix, self._place("host")))
        else:
            self._ok("E1", sentences.HAS_ADDRESS.format(**self._at, addresses=", ".join(addresses)))

    async def _port(self) -> None:
        """E2: somebody answers at the port, and greets as an sshd does."""
        fix = sentences.OPEN_SSH.format(**self._at)
        try:
            said = await self._heard()
        except TimeoutError as error:
            raise self._stop("E2", sentences.PORT_SILENT.format(**self._at, seconds=_SECONDS), fix) from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            said = sentences.PORT_CLOSED.format(**self._at, reason=reason)
            raise self._stop("E2", said, fix, "port") from error
        if not said:
            raise self._stop("E2", sentences.HUNG_UP.format(**self._at), sentences.SEE_MAX_STARTUPS)
        if said.startswith(_TURNED_AWAY):
            text = sentences.TURNED_AWAY.format(**self._at, said=quoted(said))
            raise self._stop("E2", text, sentences.SEE_MAX_STARTUPS)
        if not said.startswith("SSH-2.0-"):
            strange = sentences.NO_SSHD.format(**self._at, said=quoted(said))
            raise self._stop("E2", strange, sentences.PORT_OF_SSHD, "port")
        self._ok("E2", sentences.GREETS.format(**self._at, version=quoted(said.removeprefix("SSH-2.0-"))))

    async def _heard(self) -> str:
        """Return how it greets; one where many log in turns some away."""
        for pause in _BUSY_PAUSES_SECONDS:
            said = await greeting.said_first(self._front_end, _SECONDS)
            if said and not said.startswith(_TURNED_AWAY):
                return said
            await asyncio.sleep(pause)
        return await greeting.said_first(self._front_end, _SECONDS)

    async def _keys(self) -> None:
        """E3: one of the host keys that it shows is in the catalogue."""
        seen = await self._seen_keys()
        known = {" ".join(key.split(" ")[:2]): key for key in self._front_end.host_keys}
        trusts_authority = any(key.startswith(_AUTHORITY) for key in self._front_end.host_keys)
        if not seen:
            raise self._stop(
                "E3", sentences.SHOWS_NO_KEY.format(**self._at), sentences.SEE_KEYS.format(**self._at)
            )
        if ours := [each for each in seen if each.words in known]:
            self._ok("E3", sentences.KEY_KNOWN.format(**self._at, fingerprint=ours[0].fingerprint))
        elif trusts_authority:
            self._ok("E3", sentences.KEY_OF_AUTHORITY.format(**self._at, fingerprint=seen[0].fingerprint))
        else:
            raise self._foreign(seen)

    async def _seen_keys(self) -> tuple[SeenKey, ...]:
        """Return the keys that it shows; one where many log in turns some away."""
        for pause in _BUSY_PAUSES_SECONDS:
            if seen := await greeting.host_keys(self._front_end):
                return seen
            await asyncio.sleep(pause)
        return await greeting.host_keys(self._front_end)

    def _foreign(self, seen: tuple[SeenKey, ...]) -> _Stop:
        said = sentences.KEY_UNKNOWN.format(**self._at, fingerprint=seen[0].fingerprint)
        fix = sentences.PASTE_KEY.format(**self._at, key=seen[0].words)
        return self._stop("E3", said, fix, "host_keys")

    async def _methods(self) -> None:
        """E4: people may begin a login with what the hub has for them."""
        method, setting = _METHODS[self.visit.site.login.needs_ticket]
        offered = await greeting.offered(self._front_end, self.visit.login.owner)
        listed = one_line(", ".join(sorted(offered or ())), LONGEST_QUOTE) or "nothing"
        named = {**self._at, "method": method, "offered": listed}
        if offered is not None and method not in offered:
            fix = sentences.ALLOW_METHOD.format(**self._at, setting=setting)
            raise self._stop("E4", sentences.METHOD_MISSING.format(**named), fix)
        text = sentences.METHODS_NOT_SAID if offered is None else sentences.METHOD_OFFERED
        self._ok("E4", text.format(**named))

    async def _service(self) -> None:
        """E5: the KDC gives a ticket for the host."""
        ticket = self.visit.ticket
        if ticket is None:
            self._ok("E5", sentences.NO_TICKET_NEEDED.format(**self._at))
            return
        # Where nobody has a ticket there need be no libkrb5.
        from kerberos_auth import gss  # noqa: PLC0415

        ask = partial(gss.check_service, ticket, f"host@{self._front_end.host}")
        try:
            await self._threads.run(ask, _KDC_SECONDS)
        except (TimeoutError, LoginServersUnreachable) as error:
            raise self._stop("E5", sentences.KDC_AWAY.format(**self._at), sentences.SEE_KDC) from error
        except AuthFailed as error:
            said = sentences.NO_SERVICE.format(**self._at, reason=quoted(error.detail))
            raise self._stop("E5", said, sentences.ADD_SERVICE.format(**self._at), "host") from error
        self._ok("E5", sentences.SERVICE_KNOWN.format(**self._at))

    async def _login(self) -> None:
        """E6: the front end lets the hub in, and its shell runs commands."""
        owner = self.visit.login.owner
        remote = self.visit.remote(self.pool)
        try:
            answer = await remote.run(_TELL_TICKET)
        except Broken as error:
            # Of a front end with the key of an authority, the login alone tells.
            if error.message == reaching.HOST_KEY_UNKNOWN.format(host=self._front_end.host):
                raise self._stop("E3", told(error), sentences.SEE_KEYS.format(**self._at), "host_keys") from error
            place = self.visit.place("login")
            raise _Stop(outcome("E6", State.FAIL, told(error), sentences.SEE_CA, place)) from error
        except FrontEndRefused as error:
            fix = sentences.SEE_ACCOUNT if self.visit.ticket else sentences.SEE_CERTIFICATE
            said = sentences.NOT_LET_IN.format(**self._at, owner=owner, reason=quoted(_reason(error)))
            raise self._stop("E6", said, fix.format(**self._at, owner=owner)) from error
        except Unavailable as error:
            raise self._stop("E6", told(error), sentences.TRY_AGAIN) from error
        except LaunchError as error:
            raise self._stop("E6", told(error), sentences.SEE_LOGIN.format(**self._at, owner=owner)) from error
        named = {**self._at, "owner": owner}
        if self.visit.ticket and answer.stdout.strip() != "stored" and self._is_needed_there():
            said = sentences.TICKET_NOT_STORED.format(**named)
            raise self._stop("E6", said, sentences.STORE_TICKETS.format(**named))
        self._ok("E6", sentences.LET_IN.format(**named))
        if await self._is_noisy():
            fix = sentences.QUIET_SHELL.format(**named)
            self.found.append(outcome("E6", State.WARN, sentences.NOISY_SHELL.format(**named), fix))

    def _is_needed_there(self) -> bool:
        """Return whether a program at the front end uses the ticket that came with the login."""
        return self.visit.site.ticket.delivery in ("auks", "command") and not self.visit.is_monitor

    async def _is_noisy(self) -> bool:
        """Return whether the login shell prints something around the answers of programs."""
        try:
            await self.visit.remote(self.pool).run_once(Shell(":"), limit_bytes=SILENCE_BYTES)
        except AnswerTooLong:
            return True
        except Exception:  # noqa: BLE001 - what it means is said by others
            return False
        return False


def _reason(error: LaunchError) -> str:
    return error.quoted or error.detail or error.message
