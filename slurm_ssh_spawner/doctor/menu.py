"""D: the catalogue and this machine; that it can be read at all is D1."""

from collections.abc import Iterator
from pathlib import Path

from kerberos_auth.outcome import Outcome, State
from profiles.catalogue.visibility import Visibility
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh import signing
from slurm_ssh.ssh.by_certificate import wanted_of
from slurm_ssh.ssh.ca_program import NoCertificate
from slurm_ssh.ssh.login import Login
from slurm_ssh.text import one_line
from slurm_ssh_spawner.checks.catalogue import catalogue, is_group
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
# For whom a key signs, if nobody was named: what it signs is thrown away.
_NOBODY = "nobody"


def _on_this_machine(examined: Examined) -> Iterator[Outcome]:
    files = examined.loaded.sources.files if examined.loaded else ()
    has_groups = examined.configured.manage_groups
    found = catalogue(examined.catalogue, [*map(Path, files)], examined.where, has_groups=has_groups)
    yield from (each for each in found if each.check != "B7")


def _seen(examined: Examined) -> Iterator[Outcome]:
    """Yield profiles that nobody sees: all groups that may are unknown here."""
    for section, entries in (
        ("profiles", examined.catalogue.profiles),
        ("job_types", examined.catalogue.job_types),
    ):
        for key, entry in entries.items():
            if (may := entry.visible_to) is not None and _is_for_nobody(may):
                text = sentences.FOR_NOBODY.format(entry=f"{section}.{key}")
                place = examined.where((section, key, "visible_to"))
                yield Outcome("D4", State.WARN, text, sentences.CORRECT_VISIBLE, place=place)


def _is_for_nobody(may: Visibility) -> bool:
    return not may.users and not may.projects and not any(map(is_group, may.groups))


async def _authorities(examined: Examined) -> list[Outcome]:
    """Return at which sites nobody gets in, because no certificate can be signed for them."""
    outcomes = []
    for key, site in examined.catalogue.sites.items():
        if site.login.needs_ticket:
            continue
        name = "command" if site.login.command else "ca_key"
        place = examined.where(("sites", key, "login", name))
        fix = (
            sentences.MEND_COMMAND if site.login.command else sentences.MEND_CA_KEY.format(path=site.login.ca_key)
        )
        if reason := signing.problem(site.login) or await _signed(examined, key):
            text = sentences.NOT_SIGNED.format(site=key, reason=one_line(reason, _LONGEST))
            outcomes.append(Outcome("D5", State.FAIL, text, fix, place=place))
    return outcomes


async def _signed(examined: Examined, key: str) -> str:
    """Return why no certificate can be had; a program is asked only for somebody who was named."""
    site = examined.catalogue.sites[key]
    if site.login.command and not examined.person:
        return ""
    user = examined.person or _NOBODY
    try:
        await signing.certified(wanted_of(Login(user, site.login_of(user), key), site), site.login)
    except NoCertificate as error:
        return str(error)
    except LaunchError as error:
        return f"{error} ({error.detail})"
    return ""


def _has_authorities(examined: Examined) -> bool:
    return examined.loaded is None or any(
        not site.login.needs_ticket for site in examined.catalogue.sites.values()
    )


CHECKS = (
    Check(("D1", "D2"), _on_this_machine, needs=("D1",)),
    Check(("D3",), _on_this_machine, needs=("D1",), applies=lambda examined: examined.configured.manage_groups),
    Check(("D4",), _seen, needs=("D1",), applies=lambda examined: examined.configured.manage_groups),
    Check(("D5",), _authorities, needs=("A3", "D1"), applies=_has_authorities),
)
