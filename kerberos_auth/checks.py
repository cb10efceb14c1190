"""What can be said of the settings of logins without asking anybody: the machine's files are looked at."""

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from languages import for_log

from . import keytab_file, krb5_conf, names, pam, pam_file, sentences
from .errors import AuthFailed
from .keytab_file import Key, NoKeytab
from .outcome import Outcome, State

_LONGEST_QUOTE = 200
# libkrb5 reads "0", "0s" and "0h" as no time at all.
_NO_TIME = re.compile(r"0*[smhd]?")


@dataclass(frozen=True)
class Told:
    """What the configuration says; see the settings of these names.  `owner` is the authenticator's class."""

    owner: str = "KerberosPAMAuthenticator"
    realm: str = ""
    pam_service: str = ""
    keytab: str = ""
    verify_kdc: str = "auto"
    sign_on_keytab: str = ""
    username_map: bool = False


def enforce(outcomes: Iterable[Outcome], log: logging.Logger) -> None:
    """Log what has a flaw.  Raises AuthFailed with the first thing that cannot work."""
    for each in outcomes:
        if each.state is State.FAIL:
            raise AuthFailed(each.text)
        if each.state is State.WARN:
            log.warning("%s", for_log(each.text))


def kerberos(told: Told, environ: Mapping[str, str]) -> Iterator[Outcome]:
    """Yield what is so, the most general first: nothing behind something that cannot work need be true."""
    yield _environment(environ)
    yield from _pam(told)
    realm = list(_realm(told))
    yield from realm
    # Keys of a realm that is wrong are not to blame.
    is_wrong = any(each.state is State.FAIL for each in realm)
    yield from _keytabs(told, "" if is_wrong else told.realm)
    if told.username_map:
        setting = (told.owner, "username_map")
        yield Outcome("B1", State.FAIL, sentences.NO_USERNAME_MAP, setting=setting)


def _environment(environ: Mapping[str, str]) -> Outcome:
    if "KRB5CCNAME" in environ:
        return Outcome("A5", State.FAIL, sentences.CCACHE_IS_SET)
    return Outcome("A5", State.OK, sentences.CCACHE_IS_NOT_SET)


def _pam(told: Told) -> Iterator[Outcome]:
    setting = (told.owner, "pam_service")
    if not told.pam_service:
        yield Outcome("A6", State.OK, sentences.PAM_NOT_ASKED, setting=setting)
        return
    if not pam.has_service(told.pam_service):
        named = {"service": told.pam_service, "setting": ".".join(setting)}
        yield Outcome("A6", State.FAIL, sentences.NO_PAM_SERVICE.format(**named), setting=setting)
        return
    found = [*_pam_lines(told.pam_service)]
    yield from found or [Outcome("A6", State.OK, sentences.PAM_COMPLETE.format(service=told.pam_service))]


def _pam_lines(service: str) -> Iterator[Outcome]:
    path = f"/etc/pam.d/{service}"
    lines = pam_file.lines(service)
    for kind in ("auth", "account"):
        of_kind = [each for each in lines if each.kind == kind]
        if not of_kind:
            yield Outcome("A6", State.FAIL, sentences.PAM_WITHOUT.format(path=path, kind=kind))
        for each in of_kind:
            if not each.may_be_missing and not pam_file.is_installed(each.module):
                state = State.FAIL if each.control in ("required", "requisite") else State.WARN
                said = sentences.NO_PAM_MODULE.format(path=path, module=each.module[:_LONGEST_QUOTE])
                yield Outcome("A6", state, said)
            if kind == "auth" and each.module.endswith("pam_krb5.so"):
                missing = [option for option in ("no_ccache", "defer_pwchange") if option not in each.options]
                if missing:
                    said = sentences.PAM_KRB5_WITHOUT.format(path=path, options=" ".join(missing))
                    yield Outcome("A6", State.WARN, said)


def _keytabs(told: Told, realm: str) -> Iterator[Outcome]:
    setting = (told.owner, "keytab")
    if told.verify_kdc == "require" and not told.keytab:
        yield Outcome("B4", State.FAIL, sentences.KEYTAB_NEEDED, setting=setting)
    elif told.verify_kdc == "off" or not told.keytab:
        fix = sentences.VERIFY_KDC
        yield Outcome("B4", State.WARN, sentences.KDC_NOT_VERIFIED, fix, setting=setting)
    else:
        yield from _keytab("B4", told.keytab, "host", realm, setting)
    if told.sign_on_keytab:
        yield from _keytab("B6", told.sign_on_keytab, "HTTP", realm, ("SingleSignOn", "keytab"))
        if told.keytab:
            yield from _older(told)


def _older(told: Told) -> Iterator[Outcome]:
    """Yield which key is older than the same one in the hub's other keytab: the KDC does not use it any more."""
    hosts, sign_on = _newest(told.keytab), _newest(told.sign_on_keytab)
    for principal in sorted(hosts.keys() & sign_on.keys()):
        if hosts[principal] == sign_on[principal]:
            continue
        is_first = hosts[principal] < sign_on[principal]
        check, setting = ("B4", (told.owner, "keytab")) if is_first else ("B6", ("SingleSignOn", "keytab"))
        old, new = (told.keytab, told.sign_on_keytab) if is_first else (told.sign_on_keytab, told.keytab)
        versions = sorted((hosts[principal], sign_on[principal]))
        named = {"path": old, "other": new, "principal": principal, "old": versions[0], "new": versions[1]}
        said, fix = sentences.KEYTAB_OLD.format(**named), sentences.RENEW_KEYTAB.format(**named)
        yield Outcome(check, State.WARN, said, fix, setting=setting)


def _newest(path: str) -> dict[str, int]:
    """Return the newest version of each principal's key; none of a keytab of no use, which is told elsewhere."""
    try:
        keys = keytab_file.read(Path(path))
    except (OSError, NoKeytab):
        return {}
    return {each.principal: each.kvno for each in sorted(keys, key=lambda each: each.kvno)}


def _keytab(check: str, path: str, service: str, realm: str, setting: tuple[str, str]) -> Iterator[Outcome]:
    """Yield how a keytab stands that has to have a key of a service of this realm ("": of any)."""
    named = {"path": path, "service": service, "uid": os.geteuid()}
    try:
        keys = keytab_file.read(Path(path))
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        yield Outcome(check, State.FAIL, sentences.KEYTAB_MISSING.format(**named), setting=setting)
        return
    except OSError as error:
        said = sentences.KEYTAB_UNREADABLE.format(**named, reason=error.strerror)
        yield Outcome(check, State.FAIL, said, setting=setting)
        return
    except NoKeytab:
        yield Outcome(check, State.FAIL, sentences.NO_KEYTAB.format(**named), setting=setting)
        return
    if not any(each.service == service and realm in ("", each.realm) for each in keys):
        text = sentences.KEYTAB_OF_OTHERS if keys else sentences.KEYTAB_EMPTY
        said = text.format(**named, keys=_listed(keys))
        yield Outcome(check, State.FAIL, said, sentences.KEYTAB_OF.format(**named), setting=setting)
        return
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        said = sentences.KEYTAB_OPEN.format(**named, mode=f"{stat.S_IMODE(mode):04o}")
        yield Outcome(check, State.WARN, said, sentences.CLOSE_KEYTAB.format(**named), setting=setting)
        return
    yield Outcome(check, State.OK, sentences.KEYTAB_GOOD.format(**named), setting=setting)


def _listed(keys: tuple[Key, ...]) -> str:
    listed = ", ".join(dict.fromkeys(each.principal for each in keys))
    return "".join(letter if letter.isprintable() else "?" for letter in listed[:_LONGEST_QUOTE])


def _realm(told: Told) -> Iterator[Outcome]:
    setting = (told.owner, "realm")
    if told.realm and not names.REALM.fullmatch(told.realm):
        yield Outcome("B1", State.FAIL, sentences.NO_REALM_NAME.format(realm=told.realm), setting=setting)
        return
    said = krb5_conf.read(told.realm)
    if said is None:
        yield Outcome("B1", State.SKIP, sentences.NO_KRB5_CONF)
        return
    if not told.realm and not said.default_realm:
        yield Outcome("B1", State.FAIL, sentences.NO_DEFAULT_REALM, setting=setting)
        return
    yield _known(told, said)
    yield from _tickets(told.realm or said.default_realm, said)


def _known(told: Told, said: krb5_conf.Krb5Conf) -> Outcome:
    setting, known = (told.owner, "realm"), tuple(dict.fromkeys((said.default_realm, *said.realms)))
    realm = told.realm or said.default_realm
    if realm not in known:
        text = sentences.REALM_UNKNOWN.format(realm=realm, known=", ".join(filter(None, known)))
        return Outcome("B1", State.FAIL, text, sentences.SET_REALM, setting=setting)
    if told.pam_service and realm != said.default_realm:
        text = sentences.PAM_IN_ANOTHER_REALM.format(realm=realm, default=said.default_realm)
        return Outcome("B1", State.WARN, text, sentences.SET_DEFAULT_REALM.format(realm=realm), setting=setting)
    return Outcome("B1", State.OK, sentences.REALM_KNOWN.format(realm=realm), setting=setting)


def _tickets(realm: str, said: krb5_conf.Krb5Conf) -> Iterator[Outcome]:
    """Yield whether tickets of the realm may be passed on and renewed, as far as krb5.conf decides that."""
    if said.forwardable:
        yield Outcome("B2", State.OK, sentences.ASKS_FORWARDABLE.format(realm=realm))
    else:
        yield Outcome("B2", State.WARN, sentences.ASKS_NOT_FORWARDABLE, sentences.ADD_FORWARDABLE)
    if _NO_TIME.fullmatch(said.renew_lifetime.strip()):
        yield Outcome("B2", State.WARN, sentences.ASKS_NOT_RENEWABLE, sentences.ADD_RENEW_LIFETIME)
    else:
        yield Outcome("B2", State.OK, sentences.ASKS_RENEWABLE.format(time=said.renew_lifetime[:40]))
    if said.names_by_dns:
        yield Outcome("B2", State.WARN, sentences.NAMES_BY_DNS, sentences.NOT_BY_DNS)
