"""B: Kerberos: its KDCs and the keytabs; whether somebody can log in is looked at next door."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from kerberos_auth import keytab_file, krb5_conf, tickets
from kerberos_auth.errors import AuthFailed, LoginServersUnreachable
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.threads import LoginThreads
from slurm_ssh.text import one_line
from slurm_ssh_spawner.doctor import kdc, srv, web
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.hub.configured import Logins
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
# Names have to be found too.
_KDC_SECONDS = 6
# libkrb5 tolerates five minutes; what a person sees of times is odd before.
_MOST_SKEW, _SKEW = 300, 30
# An account may be in a thousand groups: the ticket is then 48 KiB in a browser's header.
_HEADER_BYTES = 48 * 1024
_TOO_LARGE = (400, 413, 431)
_NO_KEY = ("Preauthentication failed", "Password incorrect", "Cannot find key", "no support for encryption type")


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
    url = examined.configured.addresses.public
    try:
        said = web.get(f"{url}hub/api", {"Authorization": "Negotiate " + "A" * _HEADER_BYTES})
    except web.NoAnswer:
        # That nothing answers is told of elsewhere.
        return
    if said.status in _TOO_LARGE:
        yield Outcome("B6", State.WARN, sentences.HEADERS_CUT.format(status=said.status), sentences.LONGER_HEADERS)


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
