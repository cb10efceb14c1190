"""Who a host knows: its passwd, group and shadow, and what slurmdbd is told about people and projects."""

from pathlib import Path

from lab.people import HUB_GROUPS, PEOPLE, accounts_at
from lab.plan import GATEWAYS_UID, GATEWAYS_USER, SERVICE_ACCOUNTS, SITE_OF, Host, Role, Site

ORDINARY_UIDS = range(1000, 60000)
"""Accounts of the machine's own people, whom no host of the lab knows."""

STAFF_GID = 21000
HUB_GID = 22000

LONG_AGO = 1
"""The day, counted from 1970, on which an expired account ended."""

Entries = tuple[list[str], list[str], list[str]]
"""Lines of passwd, group and shadow."""


def account_lines(host: Host) -> Entries:
    """Return the lines of passwd, group and shadow: the machine's system accounts, then the lab's own."""
    system = (_system_lines("passwd"), _system_lines("group"), _system_lines("shadow"))
    match host.role:
        case Role.KDC:
            own: Entries = ([], [], [])
        case Role.HUB:
            own = _hub_lines()
        case Role.BARE:
            own = _people_lines()
        case Role.GATEWAYS:
            own = _gateways_lines()
        case _:
            own = _site_lines(SITE_OF[host.name])
    passwd, group, shadow = (theirs + ours for theirs, ours in zip(system, own, strict=True))
    return passwd, group, shadow


def _system_lines(name: str) -> list[str]:
    """Return the machine's lines about system accounts in passwd, group or shadow."""
    system = {
        line.split(":")[0]
        for line in Path("/etc/group" if name == "group" else "/etc/passwd").read_text().splitlines()
        if int(line.split(":")[2]) not in ORDINARY_UIDS
    }
    return [line for line in Path("/etc", name).read_text().splitlines() if line.split(":")[0] in system]


def _hub_lines() -> Entries:
    """Return the hub's services, and people."""
    passwd = [f"{name}:x:{uid}:{uid}::/var/lib/{name}:/usr/sbin/nologin" for name, uid in SERVICE_ACCOUNTS.items()]
    group = [f"{name}:x:{uid}:" for name, uid in SERVICE_ACCOUNTS.items()]
    people, groups, _ = _people_lines()
    return passwd + people, group + groups, []


def _people_lines() -> Entries:
    """Return people as sssd shows them on a machine they may not log in to."""
    passwd, group = [], []
    for person in PEOPLE:
        ids = f"{person.uid}:{person.uid}:{person.name.title()}"
        passwd.append(f"{person.name}:x:{ids}:/nonexistent:/usr/sbin/nologin")
        group.append(f"{person.name}:x:{person.uid}:")
    numbered = enumerate(HUB_GROUPS.items(), start=HUB_GID)
    group += [f"{name}:x:{number}:{','.join(members)}" for number, (name, members) in numbered]
    return passwd, group, []


def _gateways_lines() -> Entries:
    ids = f"{GATEWAYS_UID}:{GATEWAYS_UID}:"
    passwd = [f"{GATEWAYS_USER}:x:{ids}:/var/lib/{GATEWAYS_USER}:/usr/sbin/nologin"]
    return passwd, [f"{GATEWAYS_USER}:x:{GATEWAYS_UID}:"], []


def _site_lines(site: Site) -> Entries:
    passwd, shadow = [], []
    group = [f"{site.staff_group}:x:{STAFF_GID}:{','.join(site.staff)}"]
    for person, account in accounts_at(site):
        ids = f"{account.uid}:{account.uid}:{person.name.title()}"
        passwd.append(f"{account.login}:x:{ids}:/home/{account.login}:{account.shell}")
        group.append(f"{account.login}:x:{account.uid}:")
        shadow.append(f"{account.login}:*:19000:0:99999:7::{LONG_AGO if account.expired else ''}:")
    return passwd, group, shadow


def projects_file(site: Site) -> str:
    """Return what `sacctmgr load` reads: the site's projects, and who may charge them."""
    lines = [f"Cluster - '{site.name}'", "Parent - 'root'"]
    lines += [f"Account - '{project}'" for project in site.projects]
    for project in site.projects:
        lines.append(f"Parent - '{project}'")
        lines += [
            f"User - '{account.login}':DefaultAccount='{account.projects[0]}'"
            for _, account in accounts_at(site)
            if project in account.projects
        ]
    return "\n".join([*lines, ""])
