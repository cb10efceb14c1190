"""What somebody's jobs at a system may count against: projects of the service, accounts of Slurm's.  Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from job_service.errors import NotAMember
from job_service.sentences import accepting as sentences
from job_service.store.accounting import Project
from profiles.catalogue.identity import Identity
from profiles.offer.offer import Offer
from profiles.sentences import shown

DEFAULT = "default"
"""What jobs count against that name no project, where none is known: Slurm's own default account is charged."""


@dataclass(frozen=True)
class Chargeable:
    """What a job may count against: `account` is Slurm's to charge, None for its default.

    `project` is the service's, which has a quota; None for what has none.
    """

    name: str
    account: str | None = None
    project: Project | None = None

    @property
    def identity(self) -> Identity:
        """As whom the jobs run that count against it."""
        return self.project.identity if self.project else "person"


def all_of(
    offer: Offer, site: str, projects: Sequence[Project], theirs: Collection[int]
) -> tuple[Chargeable, ...]:
    """Return what any jobs of a person at a site may count against; see `chargeable`."""
    return tuple(
        each
        for identity in ("person", "service")
        if identity in offer.identities(site)
        for each in chargeable(offer, site, projects, theirs, identity)
    )


def chargeable(
    offer: Offer,
    site: str,
    projects: Sequence[Project],
    theirs: Collection[int],
    identity: Identity = "person",
) -> tuple[Chargeable, ...]:
    """Return what a person's jobs at a site may count against, what counts for those that name none first.

    `projects` are those of the service, `theirs` the ids of those that the person may use.  A project that charges
    an account of Slurm's there, or has its name, stands before it: nobody gets around its quota.  With the
    `identity` "service" they are jobs that run as the site's account: only projects for such are theirs.
    """
    there = [each for each in projects if (each.system, each.identity) == (site, identity)]
    own = [_of(offer, site, each) for each in there if each.id in theirs]
    own.sort(key=lambda each: not (each.project and each.project.is_default))
    if identity == "service":
        return tuple(own)
    accounts, taken = offer.projects(site), _taken(projects, site)
    plain = [Chargeable(each, each) for each in accounts or () if each not in taken]
    is_left_out = own or not _is_default(offer, site, accounts, plain, bool(there))
    unnamed = [] if is_left_out else [Chargeable(DEFAULT)]
    return (*own, *unnamed, *plain)


def _of(offer: Offer, site: str, project: Project) -> Chargeable:
    """Return a project of the service; a site that charges no projects is told no account."""
    account = None if offer.menu.sites[site].projects == "none" else project.account
    return Chargeable(project.name, account, project)


def _is_default(
    offer: Offer, site: str, accounts: Sequence[str] | None, plain: Sequence[Chargeable], has_projects: bool
) -> bool:
    """Return whether a job that names no project is Slurm's to count."""
    if accounts is None:
        return True
    if offer.menu.sites[site].projects == "accounting":
        # Which of several is the default the accounting does not say, and it might be one with a quota.  Who has
        # none there has no jobs there.
        return len(plain) == len(accounts) > 1
    return not plain and not has_projects


def chosen(
    offer: Offer,
    site: str,
    projects: Sequence[Project],
    theirs: Collection[int],
    wanted: str | None,
    identity: Identity = "person",
) -> Chargeable:
    """Return what a job at a site counts against that names the project `wanted`; see `chargeable`.

    While nobody knows which accounts a person has, Slurm decides about those that no project stands before.
    Raises NotAMember.
    """
    among = chargeable(offer, site, projects, theirs, identity)
    if wanted is None and among:
        return among[0]
    found = next((each for each in among if each.name == wanted), None)
    if found is not None:
        return found
    is_known = identity == "service" or offer.projects(site) is not None
    if wanted is not None and not is_known and wanted not in _taken(projects, site):
        return Chargeable(wanted, wanted)
    title = offer.menu.sites[site].title
    if wanted is None or not among:
        raise NotAMember(none_of(identity, title))
    names = ", ".join(each.name for each in among)
    # Which accounts of Slurm's the person has for jobs of their own is not asked for those of the site's account.
    is_of_others = identity == "service" or any(
        (each.system, each.name) == (site, wanted) and each.id in theirs for each in projects
    )
    said = sentences.OF_OTHER_JOBS if is_of_others else sentences.NOT_YOURS
    raise NotAMember(said.format(project=shown(wanted), system=title, projects=names))


def none_of(identity: Identity, title: str) -> str:
    """Return that somebody has nothing at a system that jobs of an identity could count against."""
    lacks = sentences.NONE_YOURS if identity == "person" else sentences.NONE_YOURS_OF_SERVICE
    return lacks.format(system=title)


def _taken(projects: Iterable[Project], site: str) -> frozenset[str]:
    """Return the names that are no account's by itself."""
    there = [each for each in projects if each.system == site]
    # What a job of the site's account charges, people who have an account may charge themselves.
    accounts = (each.account for each in there if each.account and each.identity == "person")
    return frozenset({DEFAULT, *(each.name for each in there), *accounts})
