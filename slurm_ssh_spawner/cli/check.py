"""`jupyterhub-sites check`: everything that is wrong with catalogues."""

import argparse
import asyncio
import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from kerberos_auth.own_ticket import own_ticket
from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from profiles.checks import capacity
from profiles.facts import SiteFacts
from profiles.loading import load
from profiles.loading.include import is_xml
from profiles.loading.load import Loaded
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh.slurm.queries import snapshot
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner import sentences

_IDLE_SECONDS = 60


def check(asked: argparse.Namespace) -> int:
    """Print what is wrong with the files asked for; return 1 if anything is."""
    results = [_check_one(file, asked.facts) for file in asked.files]
    return 0 if all(results) else 1


def _check_one(file: str, with_facts: bool) -> bool:
    """Print the problems of one catalogue, or of one job type in XML, or that there are none."""
    if is_xml(Path(file)):
        return _check_type(file)
    try:
        read = load.loaded(file)
    except CatalogueInvalid as error:
        print(error)
        return False
    for each in (*read.off, *read.notices):
        print(each)
    if read.off:
        return False
    found = read.catalogue
    counts = {"sites": len(found.sites), "profiles": len(found.profiles), "job_types": len(found.job_types)}
    checked = sentences.CHECKED_TEXT if with_facts else sentences.CHECKED
    print(checked.format(file=file, **counts))
    return _check_facts(file, read) if with_facts else True


def _check_type(file: str) -> bool:
    problems, notices = load.of_type(file)
    for each in (*problems, *notices):
        print(each)
    if not problems:
        print(sentences.CHECKED_TYPE.format(file=file))
    return not problems


def _check_facts(file: str, read: Loaded) -> bool:
    sites = read.catalogue.sites
    needs_ticket = any(site.login.needs_ticket for site in sites.values())
    answers = asyncio.run(_ask(read.catalogue, own_ticket() if needs_ticket else None))
    facts = {key: said for key, said in answers.items() if said is not None and said.partitions is not None}
    problems = [read.problem(each.path, str(each)) for each in capacity.misfits(read.catalogue, facts)]
    problems += [
        read.problem(("sites", key), sentences.NOT_ASKED.format(site=site.title))
        for key, site in sites.items()
        if key not in facts
    ]
    for problem in dict.fromkeys(sorted(problems, key=lambda each: (each.file, each.line, each.column))):
        print(problem)
    if not problems:
        print(sentences.FACTS_AGREE.format(file=file, sites=", ".join(sites)))
    return not problems


async def _ask(catalogue: Catalogue, ticket: Ticket | None) -> Mapping[str, SiteFacts | None]:
    """Ask every site at once, as the ticket's owner; as the owner of this process where none needs a ticket."""
    pool = ConnectionPool(lambda _: cast(Ticket, ticket), _IDLE_SECONDS)
    user = ticket.user if ticket else getpass.getuser()

    def remote(key: str) -> Remote:
        site = catalogue.sites[key]
        return Remote(pool, Login(user, site.login_of(user), key), site)

    try:
        answers = await asyncio.gather(*(snapshot(remote(key)) for key in catalogue.sites))
    finally:
        await pool.close()
    return dict(zip(catalogue.sites, answers, strict=True))
