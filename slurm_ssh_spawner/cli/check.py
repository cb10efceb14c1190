"""`jupyterhub-sites check`: everything that is wrong with catalogues."""

import asyncio
import getpass
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from kerberos_auth.errors import AuthFailed
from kerberos_auth.own_ticket import own_ticket
from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.site import Site
from profiles.checks import capacity
from profiles.facts import SiteFacts
from profiles.loading import load
from profiles.loading.include import is_xml
from profiles.loading.load import Loaded
from profiles.loading.problems import CatalogueInvalid, Problem
from slurm_ssh.schedulers.queries import snapshot
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner import sentences

_IDLE_SECONDS = 60


@dataclass(frozen=True)
class Checked:
    """What was found in one file: `said` is printed, in order; `counts` is empty if it cannot be used."""

    file: str
    said: tuple[Problem | str, ...]
    problems: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it for programs: problems and notices have a file, line, column, path and text."""
        found = {name: [asdict(each) for each in getattr(self, name)] for name in ("problems", "notices")}
        return {"file": self.file, **found, **self.counts}


def check(files: Sequence[str], *, with_facts: bool, as_json: bool) -> bool:
    """Print what is wrong with the files; return whether nothing is."""
    found = []
    for file in files:
        found.append(_checked(file, with_facts=with_facts))
        if not as_json:
            for each in found[-1].said:
                print(each)
    if as_json:
        print(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
    return not any(each.problems for each in found)


def _checked(file: str, *, with_facts: bool) -> Checked:
    """Return what is wrong with one catalogue, or with one job type in XML."""
    if is_xml(Path(file)):
        return _type(file)
    try:
        read = load.loaded(file)
    except CatalogueInvalid as error:
        return Checked(file, error.problems, error.problems)
    found = read.catalogue
    counts = {"sites": len(found.sites), "profiles": len(found.profiles), "job_types": len(found.job_types)}
    said: tuple[Problem | str, ...] = (*read.off, *read.notices)
    if read.off:
        return Checked(file, said, read.off, read.notices, counts)
    checked = sentences.CHECKED_TEXT if with_facts else sentences.CHECKED
    said = (*said, checked.format(file=file, **counts))
    problems = _of_facts(read) if with_facts else ()
    if with_facts:
        agrees = sentences.FACTS_AGREE.format(file=file, sites=", ".join(found.sites))
        said = (*said, *(problems or (agrees,)))
    return Checked(file, said, problems, read.notices, counts)


def _type(file: str) -> Checked:
    problems, notices = load.of_type(file)
    said: tuple[Problem | str, ...] = (*problems, *notices)
    if not problems:
        said = (*said, sentences.CHECKED_TYPE.format(file=file))
    return Checked(file, said, tuple(problems), tuple(notices))


def _of_facts(read: Loaded) -> tuple[Problem, ...]:
    """Return what Slurm does not have of it.  Raises AuthFailed without a ticket, if every site needs one."""
    sites = read.catalogue.sites
    ticket, lacking = _ticket(read.catalogue)
    asked = {key: site for key, site in sites.items() if ticket or not site.login.needs_ticket}
    answers = asyncio.run(_ask(asked, ticket))
    facts = {key: said for key, said in answers.items() if said is not None and said.partitions is not None}
    problems = [read.problem(each.path, str(each)) for each in capacity.misfits(read.catalogue, facts)]
    for key, site in sites.items():
        if key not in asked:
            problems.append(read.problem(("sites", key), sentences.NOT_ASKED_WITHOUT.format(reason=lacking)))
        elif key not in facts:
            problems.append(read.problem(("sites", key), sentences.NOT_ASKED.format(site=site.title)))
    return tuple(dict.fromkeys(sorted(problems, key=lambda each: (each.file, each.line, each.column))))


def _ticket(catalogue: Catalogue) -> tuple[Ticket | None, str]:
    """Return the ticket of whoever runs this if a site needs one; None, and why, where some sites do without."""
    needs = [site.login.needs_ticket for site in catalogue.sites.values()]
    if not any(needs):
        return None, ""
    try:
        return own_ticket(), ""
    except AuthFailed as error:
        if all(needs):
            raise
        return None, error.message


async def _ask(sites: Mapping[str, Site], ticket: Ticket | None) -> Mapping[str, SiteFacts | None]:
    """Ask every site at once, as the ticket's owner; without one as the owner of this process, by certificate."""
    answers = await asyncio.gather(*(ask(key, site, ticket) for key, site in sites.items()))
    return dict(zip(sites, answers, strict=True))


async def ask(key: str, site: Site, ticket: Ticket | None) -> SiteFacts | None:
    """Return what a site's Slurm says to the ticket's owner; None, with a line in the log, for no answer."""
    pool = ConnectionPool(lambda _: cast(Ticket, ticket), _IDLE_SECONDS)
    user = ticket.user if ticket else getpass.getuser()
    login = Login(user, site.login_of(user), key)
    try:
        return await snapshot(Remote(pool, login, site))
    finally:
        await pool.close()
