"""Logs somebody in as the hub does, and says as whom each site is looked at.  Part of B."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from kerberos_auth import groups, tickets
from kerberos_auth.errors import AuthFailed, LoginRefused, LoginServersUnreachable, PasswordExpired
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.passwords import Attempt
from kerberos_auth.store import TicketStore
from kerberos_auth.threads import LoginThreads
from kerberos_auth.tickets import Ticket
from kernels.units import say_minutes
from languages import for_log
from profiles.catalogue.accounts import Monitor
from slurm_ssh.text import one_line
from slurm_ssh_spawner.checks.catalogue import monitor as of_monitor
from slurm_ssh_spawner.doctor.check import Wrong
from slurm_ssh_spawner.doctor.examined import Examined, Whom
from slurm_ssh_spawner.hub.configured import Logins
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
_NEEDED_BY_LOGINS = ("A3", "A6", "A7", "B1")
_GROUPS_SECONDS = 5
# The KDC counts whole seconds, and a renewed ticket has to end later.
_SECOND = 1.1


@dataclass(frozen=True)
class Entered:
    """As whom the sites can be looked at, and what was found on the way."""

    examined: Examined
    outcomes: list[Outcome] = field(default_factory=list)


async def enter(examined: Examined, password: str, wrong: Wrong) -> Entered:
    """Log the person in, take tickets for monitors, and say of each site as whom it can be looked at."""
    logins, outcomes = examined.configured.logins, list[Outcome]()
    if examined.person and logins:
        if because := next((each for each in _NEEDED_BY_LOGINS if each in wrong), ""):
            outcomes.append(Outcome("B5", State.SKIP, sentences.BECAUSE.format(check=because)))
        else:
            found = await _person(examined, logins, password)
            examined, outcomes = found.examined, found.outcomes
    if examined.person and examined.configured.manage_groups:
        examined = replace(examined, groups=await _groups(examined.person))
    if examined.loaded is None:
        return Entered(examined, outcomes)
    said, monitors = await _monitors(examined, wrong)
    return Entered(_with_whom(examined, monitors), [*outcomes, *said])


async def _groups(person: str) -> frozenset[str]:
    """Return the person's groups; none while the machine's database does not answer, of which A7 tells."""
    try:
        return frozenset(await LoginThreads(1).run(partial(groups.of, person), _GROUPS_SECONDS))
    except (TimeoutError, OSError):
        return frozenset()


async def _monitors(examined: Examined, wrong: Wrong) -> tuple[list[Outcome], dict[str, Whom]]:
    """Return what is wrong with sites' monitors, and those that have a ticket, by site."""
    there = {key: site.monitor for key, site in examined.catalogue.sites.items() if site.monitor}
    if there and (because := next((each for each in ("A3", "B1") if each in wrong), "")):
        return [Outcome("B7", State.SKIP, sentences.BECAUSE.format(check=because))], {}
    store = KeytabTickets(examined.folder)
    found = await asyncio.gather(*(_monitor(key, each, store, examined) for key, each in there.items()))
    whom = {key: each for key, (_, each) in zip(there, found, strict=True) if each}
    return [outcome for said, _ in found for outcome in said], whom


def nobody(examined: Examined, outcomes: list[Outcome]) -> Entered:
    """Return that nobody could log in."""
    return Entered(_with_whom(examined, {}) if examined.loaded else examined, outcomes)


def _with_whom(examined: Examined, monitors: dict[str, Whom]) -> Examined:
    whom, why_nobody = {}, {}
    ticket = _ticket(examined)
    for key, site in examined.catalogue.sites.items():
        if not examined.person:
            if key in monitors:
                whom[key] = monitors[key]
            else:
                why_nobody[key] = sentences.MONITOR_NOT_IN if site.monitor else sentences.NAME_SOMEBODY
        elif ticket or not site.login.needs_ticket:
            owner = site.login_of(examined.person)
            whom[key] = Whom(examined.person, owner, ticket if site.login.needs_ticket else None)
        else:
            why_nobody[key] = sentences.BECAUSE.format(check="B5")
            if examined.configured.logins is None:
                why_nobody[key] = sentences.NO_TICKETS_HERE
    return replace(examined, whom=whom, why_nobody=why_nobody)


def _ticket(examined: Examined) -> Ticket | None:
    try:
        return examined.credentials.get(examined.person or "")
    except AuthFailed:
        return None


async def _monitor(
    key: str, monitor: Monitor, tickets_of: KeytabTickets, examined: Examined
) -> tuple[list[Outcome], Whom | None]:
    path = Path(monitor.keytab)
    if found := [*of_monitor(key, path, monitor.principal, examined.where)]:
        return found, None
    try:
        await tickets_of.keep(monitor.principal, monitor.keytab)
        ticket = tickets_of.get(monitor.principal)
    except AuthFailed as error:
        named = {"site": key, "principal": monitor.principal, "path": path}
        reason = one_line(error.detail or str(error), _LONGEST)
        said = sentences.MONITOR_REFUSED.format(**named, reason=reason)
        place = examined.where(("sites", key, "monitor", "principal"))
        return [Outcome("B7", State.WARN, said, sentences.ADD_KEY.format(**named), place=place)], None
    return [], Whom(monitor.principal, monitor.login, ticket, is_monitor=True)


async def _person(examined: Examined, logins: Logins, password: str) -> Entered:
    """Log a person in as the hub does, and look at the ticket that they get."""
    person, folder = str(examined.person), examined.folder / "tickets"
    attempt = Attempt(person)
    try:
        store = TicketStore(folder, logins.realm)
        taken = await logins.passwords(folder).take(attempt, password, logins.denied)
        ticket = store.put(taken.user, taken.cache, taken.principal)
    except AuthFailed as error:
        return Entered(examined, [_refused(attempt, error)])
    examined = replace(examined, person=taken.user, credentials=store)
    outcomes = [*_flags(ticket), *_life(ticket, examined)]
    if ticket.renewable:
        outcomes += await _renewed(ticket, taken.cache, folder)
    return Entered(examined, outcomes or [Outcome("B5", State.OK, _well(ticket))])


def _refused(attempt: Attempt, error: AuthFailed) -> Outcome:
    named = {"name": attempt.typed[:32], "principal": attempt.principal, "step": sentences.STEPS[attempt.step]}
    text, fix = sentences.LOGIN_BROKEN, sentences.SEE_LOGIN_BROKEN
    if isinstance(error, LoginRefused):
        text, fix = sentences.NOT_LOGGED_IN, sentences.LOOK_AT_LOGIN[attempt.step]
    elif isinstance(error, PasswordExpired):
        text, fix = sentences.EXPIRED, sentences.RUN_KPASSWD
    elif isinstance(error, LoginServersUnreachable):
        text, fix = sentences.LOGIN_WITHOUT_ANSWER, ""
    reason = one_line(error.detail or for_log(error.message), _LONGEST)
    return Outcome("B5", State.FAIL, text.format(**named, reason=reason), fix.format(**named))


def _flags(ticket: Ticket) -> Iterator[Outcome]:
    named = {"principal": ticket.principal}
    if not ticket.forwardable:
        fix = sentences.ALLOW_FORWARDABLE.format(**named)
        yield Outcome("B5", State.FAIL, sentences.TICKET_NOT_FORWARDABLE.format(**named), fix)
    if not ticket.renewable:
        fix = sentences.ALLOW_RENEWABLE.format(**named, realm=ticket.principal.rpartition("@")[2])
        yield Outcome("B5", State.WARN, sentences.TICKET_NOT_RENEWABLE.format(**named), fix)


def _life(ticket: Ticket, examined: Examined) -> Iterator[Outcome]:
    """Yield whether the ticket lasts as long as what somebody may start."""
    if examined.loaded is None:
        return
    longest = max(each.resources.time.most for each in examined.catalogue.profiles.values())
    lasts = _minutes(max(ticket.renew_until, ticket.end) - ticket.start)
    if lasts < longest:
        named = {"principal": ticket.principal, "realm": ticket.principal.rpartition("@")[2]}
        said = sentences.TICKET_TOO_SHORT.format(**named, lasts=_said(lasts), longest=_said(longest))
        yield Outcome("B5", State.WARN, said, sentences.LONGER_TICKETS.format(**named, longest=_said(longest)))


async def _renewed(ticket: Ticket, cache: bytes, folder: Path) -> list[Outcome]:
    await asyncio.sleep(max(0.0, min(_SECOND, ticket.start + _SECOND - time.time())))
    try:
        await asyncio.to_thread(partial(tickets.renew, cache, ticket.principal, folder))
    except AuthFailed as error:
        named = {"principal": ticket.principal, "realm": ticket.principal.rpartition("@")[2]}
        reason = one_line(error.detail or str(error), _LONGEST)
        said = sentences.NOT_RENEWED.format(**named, reason=reason)
        return [Outcome("B5", State.WARN, said, sentences.ALLOW_RENEWABLE.format(**named))]
    return []


def _well(ticket: Ticket) -> str:
    lasts, renewable = _minutes(ticket.end - ticket.start), _minutes(ticket.renew_until - ticket.start)
    return sentences.LOGGED_IN.format(principal=ticket.principal, lasts=_said(lasts), renewable=_said(renewable))


def _minutes(seconds: int) -> int:
    # A second may pass between what is asked for and what is given.
    return round(seconds / 60)


def _said(minutes: int) -> str:
    return say_minutes(max(1, minutes))
