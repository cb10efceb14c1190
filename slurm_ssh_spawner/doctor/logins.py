"""B: Kerberos; and as whom the sites are looked at."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from kerberos_auth import groups, keytab_file, krb5_conf, tickets
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
from slurm_ssh_spawner.doctor import kdc, srv, web
from slurm_ssh_spawner.doctor.check import Check, Wrong
from slurm_ssh_spawner.doctor.examined import Examined, Whom
from slurm_ssh_spawner.hub.configured import Logins
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
# libkrb5 tolerates five minutes; what a person sees of times is odd before.
_MOST_SKEW, _SKEW = 300, 30
# An account may be in a thousand groups: the ticket is then 48 KiB in a browser's header.
_HEADER_BYTES = 48 * 1024
_TOO_LARGE = (400, 413, 431)
_NO_KEY = ("Preauthentication failed", "Password incorrect", "Cannot find key", "no support for encryption type")
# The KDC counts whole seconds, and a renewed ticket has to end later.
_SECOND = 1.1
_NEEDED_BY_LOGINS = ("A3", "A6", "A7", "B1")
# Names have to be found too.
_KDC_SECONDS = 6
_GROUPS_SECONDS = 5


@dataclass(frozen=True)
class Entered:
    """As whom the sites can be looked at, and what was found on the way."""

    examined: Examined
    outcomes: list[Outcome] = field(default_factory=list)


def _logins(examined: Examined) -> Logins:
    return cast(Logins, examined.configured.logins)


def _realm(logins: Logins) -> str:
    said = krb5_conf.read(logins.realm)
    return logins.realm or (said.default_realm if said else "")


def _setting(logins: Logins, name: str) -> tuple[str, str]:
    return type(logins.authenticator).__name__, name


def _settings(examined: Examined) -> Iterator[Outcome]:
    yield from _logins(examined).outcomes


# -- the KDCs --------------------------------------------------------------------------------------------


async def _kdcs(examined: Examined) -> list[Outcome]:
    """Return whether each KDC of the realm answers, and whether its clock is this machine's."""
    realm = _realm(_logins(examined))
    said = krb5_conf.read(realm)
    listed = [kdc.place(each) for each in said.kdcs] if said else []
    there = [each for each in listed if each]
    if not listed and said and said.kdcs_by_dns:
        there = [*await _found_by_dns(realm)]
    if not there and listed:
        skipped = sentences.CLOCK_NOT_COMPARED.format(realm=realm)
        return [
            Outcome("B1", State.OK, sentences.KDCS_BY_PROXY.format(realm=realm)),
            Outcome("B3", State.SKIP, skipped),
        ]
    if not there:
        text = sentences.NO_KDC.format(realm=realm)
        skipped = sentences.BECAUSE.format(check="B1")
        fix = sentences.LIST_KDCS.format(realm=realm)
        return [Outcome("B1", State.FAIL, text, fix), Outcome("B3", State.SKIP, skipped)]
    threads = LoginThreads(len(there))
    answers = await asyncio.gather(*(_answer(threads, each, realm) for each in there))
    return [*_silent(realm, dict(zip(there, answers, strict=True)))]


async def _found_by_dns(realm: str) -> tuple[kdc.Kdc, ...]:
    """Return the KDCs that name servers know; none if they do not answer."""
    threads = LoginThreads(1)
    for by in ("udp", "tcp"):
        try:
            found = await threads.run(partial(srv.hosts, f"_kerberos._{by}.{realm}"), _KDC_SECONDS)
        except TimeoutError:
            return ()
        if found:
            return tuple(kdc.Kdc(host, port) for host, port in found)
    return ()


async def _answer(threads: LoginThreads, each: kdc.Kdc, realm: str) -> float | str:
    """Return how far this machine's clock is ahead of a KDC's, or why that does not answer."""
    try:
        return await threads.run(partial(kdc.ahead_seconds, each, realm), _KDC_SECONDS)
    except kdc.NoAnswer as error:
        return str(error)
    except TimeoutError:
        return kdc.in_time(_KDC_SECONDS)


def _silent(realm: str, answers: Mapping[kdc.Kdc, float | str]) -> Iterator[Outcome]:
    silent = {each: answer for each, answer in answers.items() if isinstance(answer, str)}
    state = State.FAIL if len(silent) == len(answers) else State.WARN
    for each, reason in silent.items():
        named = {"host": each.host, "port": str(each.port), "realm": realm}
        text = sentences.KDC_SILENT.format(**named, reason=reason)
        yield Outcome("B1", state, text, sentences.OPEN_KDC.format(**named))
    ahead = {each.host: answer for each, answer in answers.items() if isinstance(answer, float)}
    if not ahead:
        yield Outcome("B3", State.SKIP, sentences.BECAUSE.format(check="B1"))
    for host, seconds in ahead.items():
        if abs(seconds) >= _SKEW:
            yield _clock(host, seconds)


def _clock(host: str, seconds: float) -> Outcome:
    text = sentences.CLOCK_AHEAD if seconds > 0 else sentences.CLOCK_BEHIND
    state = State.FAIL if abs(seconds) >= _MOST_SKEW else State.WARN
    return Outcome("B3", state, text.format(host=host, seconds=round(abs(seconds))), sentences.SET_CLOCK)


# -- keytabs ---------------------------------------------------------------------------------------------


def _keytab(examined: Examined) -> Iterator[Outcome]:
    logins = _logins(examined)
    found = _not_well(logins, "B4")
    yield from found
    if logins.keytab and all(each.state is State.WARN for each in found):
        yield from _of_kdc("B4", logins.keytab, "host", _setting(logins, "keytab"), examined)


def _not_well(logins: Logins, check: str) -> list[Outcome]:
    """Return what is wrong with files; what the KDC says of a good one is told in its place."""
    return [each for each in logins.outcomes if each.check == check and each.state is not State.OK]


def _sign_on(examined: Examined) -> Iterator[Outcome]:
    logins, setting = _logins(examined), ("SingleSignOn", "keytab")
    found = _not_well(logins, "B6")
    yield from found
    if any(each.state is State.FAIL for each in found):
        return
    host = _public_host(examined)
    held = {each.principal for each in keytab_file.read(Path(logins.sign_on_keytab))}
    named = {"principal": f"HTTP/{host}@{_realm(logins)}", "path": logins.sign_on_keytab}
    if host and named["principal"] not in held:
        fix = sentences.ADD_KEY.format(**named)
        yield Outcome("B6", State.FAIL, sentences.NO_KEY_OF_PAGE.format(**named), fix, setting)
        return
    yield from _of_kdc("B6", logins.sign_on_keytab, "HTTP", setting, examined)
    yield from _long_headers(examined)


def _public_host(examined: Examined) -> str:
    """Return the name by which browsers reach the hub, "" if the configuration does not say it."""
    named = examined.configured.addresses
    host = urlsplit(named.public_url or named.subdomain_host or named.bind_url).hostname or ""
    return host if "." in host and not host.replace(".", "").isdigit() else ""


def _of_kdc(
    check: str, path: str, service: str, setting: tuple[str, str], examined: Examined
) -> Iterator[Outcome]:
    """Yield whether the KDC has the key that is in a keytab: it gives a ticket for it then."""
    realm = _realm(_logins(examined))
    keys = [each for each in keytab_file.read(Path(path)) if (each.service, each.realm) == (service, realm)]
    if not keys:
        return
    named = {"principal": keys[0].principal, "path": path, "kvno": max(each.kvno for each in keys)}
    try:
        tickets.from_keytab(keys[0].principal, path, examined.folder)
    except LoginServersUnreachable:
        # Whoever does not answer is told of already.
        return
    except AuthFailed as error:
        fix = sentences.ADD_KEY.format(**named)
        if any(each in error.detail for each in _NO_KEY):
            yield Outcome(check, State.FAIL, sentences.KEY_IS_OLD.format(**named), fix, setting)
        else:
            reason = one_line(error.detail, _LONGEST)
            yield Outcome(check, State.WARN, sentences.KEY_NOT_PROVEN.format(**named, reason=reason), fix, setting)


def _long_headers(examined: Examined) -> Iterator[Outcome]:
    """Yield whether what is in front of the hub lets through a header as long as a ticket may be."""
    url = public_url(examined)
    try:
        said = web.get(f"{url}hub/api", {"Authorization": "Negotiate " + "A" * _HEADER_BYTES})
    except web.NoAnswer:
        # That nothing answers is told of elsewhere.
        return
    if said.status in _TOO_LARGE:
        yield Outcome("B6", State.WARN, sentences.HEADERS_CUT.format(status=said.status), sentences.LONGER_HEADERS)


def public_url(examined: Examined) -> str:
    """Return where browsers reach the hub, as far as the configuration says, with its base URL."""
    named = examined.configured.addresses
    if url := named.public_url or named.subdomain_host:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}{named.base_url}"
    parts = urlsplit(named.bind_url)
    host = parts.hostname or ""
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - what is listened at
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}{named.base_url}"


# -- getting in ------------------------------------------------------------------------------------------


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


def _has_logins(examined: Examined) -> bool:
    return examined.configured.logins is not None


def _has_sign_on(examined: Examined) -> bool:
    return bool(examined.configured.logins and examined.configured.logins.sign_on_keytab)


CHECKS = (
    Check(("B1", "B2"), _settings, applies=_has_logins),
    Check(("B1", "B3"), _kdcs, needs=("B1",), applies=_has_logins),
    Check(("B4",), _keytab, needs=("A3", "B1"), applies=_has_logins),
    Check(("B6",), _sign_on, needs=("A3", "B1"), applies=_has_sign_on),
)
