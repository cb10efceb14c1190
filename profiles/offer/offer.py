"""Offer: a menu and facts as one person sees them now: who sees what, and where it can be started.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from languages import timed
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.identity import Identity, account
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.maintenance import Maintenance
from profiles.catalogue.menu import Menu
from profiles.catalogue.visibility import Visibility
from profiles.catalogue.work import Work
from profiles.conditions import Values
from profiles.facts import UNKNOWN, Facts, PartitionFacts, Pause, Reservation, SiteFacts
from profiles.sentences import either, refusals
from profiles.sentences import show as say


@dataclass(frozen=True)
class Person:
    """A person: name and groups on the hub, and how many servers of each profile (by key) they have besides."""

    name: str
    groups: frozenset[str] = frozenset()
    running: Mapping[str, int] = field(default_factory=dict)

    def is_among(self, to: Visibility) -> bool:
        """Return whether they are named there, or one of their groups is."""
        return self.name in to.users or not self.groups.isdisjoint(to.groups)


def sites_for(menu: Menu, person: Person, identity: Identity = "person") -> frozenset[str]:
    """Return the sites where somebody may be offered something, whatever projects they have.

    That is what runs there as the person, or else as the account of the site.
    """
    offerings = [(key, site, menu.offering(key, site)) for key in menu.entries for site in menu.sites_of(key)]
    return frozenset(
        site
        for key, site, what in offerings
        if runs_as(what) == identity and all(to.projects or person.is_among(to) for to in menu.seen_by(key, site))
    )


def runs_as(what: Work) -> Identity:
    """Return as whom something runs."""
    return what.identity if isinstance(what, JobOffering) else "person"


@dataclass(frozen=True)
class Offer:
    """What one person may start; `now` has a zone, in which people read times.

    Entries of the menu (profiles) and sites are named by their keys.  `datasets` are those that are chosen, each
    by its parameters; some parameters of an entry are offered for some datasets alone.  `accounts` are facts of
    sites as the account there sees them, as which some job types run.  `served_at` is a site about which all here
    is as that account: the person's own login and projects there have no part in it.
    """

    menu: Menu
    facts: Facts
    person: Person
    now: datetime
    datasets: tuple[Values, ...] = ()
    accounts: Facts = field(default_factory=dict)
    served_at: str | None = None

    def as_run(self, site: str, what: Work) -> "Offer":
        """Return the offer as it is for whoever runs this at a site: the person, or the site's account."""
        if runs_as(what) == "person" or self.served_at == site:
            return self
        return self.as_account(site)

    def as_account(self, site: str) -> "Offer":
        """Return the offer as it is for the account of a site."""
        seen = replace(self.accounts.get(site, UNKNOWN), projects=None)
        return replace(self, facts={**self.facts, site: seen}, served_at=site)

    def is_shared(self, key: str, site: str) -> bool:
        """Return whether an entry runs at a site as an account that people share."""
        return isinstance(self.menu.sites[site], Gateway) or runs_as(self.menu.offering(key, site)) == "service"

    def offering(self, key: str, site: str) -> Work:
        """Return what an entry is for the person at a site (keys; the site offers it)."""
        return self.menu.offering_for(key, site, self.person.groups)

    def facts_of(self, site: str) -> SiteFacts:
        """Return what is known of a site."""
        return self.facts.get(site, UNKNOWN)

    def owner(self, site: str) -> str:
        """Return the person's login at a site, or the account's there if it is as that."""
        if site == self.served_at:
            return self.menu.sites[site].login_of(account(site))
        return self.menu.sites[site].login_of(self.person.name)

    def projects(self, site: str) -> tuple[str, ...] | None:
        """Return the projects that the person may charge at a site, the default first; None while not known."""
        told = self.menu.sites[site].projects
        if told == "none" or site == self.served_at:
            return ()
        return self.facts_of(site).projects if told == "accounting" else told

    def reservations(self, site: str, what: Work) -> Mapping[str, str]:
        """Return the reservations that they may ask for there for this, with their titles.

        Those that the site lists, those of what runs, then those known to be theirs.
        """
        listed = {**self.menu.sites[site].reservations, **what.reservations}
        found = {
            name: each.title or name
            for name, each in listed.items()
            if each.visible_to is None or self._is_for_them(each.visible_to, site)
        }
        for own in self.own_reservations(site):
            found.setdefault(own.name, own.name)
        return found

    def own_reservations(self, site: str) -> tuple[Reservation, ...]:
        """Return what is known of the reservations at a site that name them, or a project of theirs."""
        owner, projects = self.owner(site), set(self.projects(site) or ())
        return tuple(
            each
            for each in self.facts_of(site).reservations or ()
            if each.ends > self.now
            and f"-{owner}" not in each.users
            and (owner in each.users or not projects.isdisjoint(each.accounts))
        )

    def identities(self, site: str) -> frozenset[Identity]:
        """Return as whom what the person sees would run at a site."""
        seen = (key for key in self.menu.entries if site in self.sites(key))
        return frozenset(runs_as(self.menu.offering(key, site)) for key in seen)

    def entries(self) -> tuple[str, ...]:
        """Return the entries that the person sees, the default first."""
        return tuple(key for key in self.menu.entries if self.sites(key))

    def sites(self, key: str) -> tuple[str, ...]:
        """Return the sites where the person sees an entry, the default first, also those in maintenance.

        None for an entry that they do not see, and for one that there is not.
        """
        if key not in self.menu.entries:
            return ()
        return tuple(site for site in self.menu.sites_of(key) if self._is_visible(key, site))

    def why_not(self, key: str, site: str) -> str | None:
        """Return the sentence why the person cannot start an entry at a site now, or None.

        For an administrator: it tells of entries that the person must not know of.
        """
        menu = self.menu
        if key not in menu.entries:
            return say.NO_ENTRY[menu.field].format(key=key)
        if site not in menu.sites:
            return say.NO_SITE.format(site=site)
        if site not in menu.sites_of(key):
            return say.NOT_OFFERED.format(name=menu.entries[key].name, site=menu.sites[site].title)
        for to in menu.seen_by(key, site):
            if not self._is_for_them(to, site):
                return self._hidden(key, site, to)
        return self.closed(site)

    def closed(self, site: str) -> str | None:
        """Return the sentence why nothing can be started at a site now, or None."""
        pause = self.maintenance(site)
        if pause is None:
            return None
        sentence = refusals.IN_MAINTENANCE_FOR if pause.text else refusals.IN_MAINTENANCE
        title, time = self.menu.sites[site].title, self.moment(pause.ends)
        return sentence.format(site=title, time=time, reason=pause.text.rstrip("."))

    def maintenance(self, site: str) -> Maintenance | None:
        """Return the maintenance of a site that is under way; of several the one that ends last."""
        pauses = [each for each in self.menu.sites[site].maintenance if each.begins <= self.now < each.ends]
        return max(pauses, key=lambda each: each.ends, default=None)

    def announced(self, site: str) -> Maintenance | None:
        """Return the next maintenance of a site that has not begun."""
        pauses = [each for each in self.menu.sites[site].maintenance if each.begins > self.now]
        return min(pauses, key=lambda each: each.begins, default=None)

    def pauses(self, site: str, partition: str | None) -> tuple[Pause, ...]:
        """Return what Slurm has announced for a partition, or its default one for None, the next first.

        Also what is under way, and nothing that is over.
        """
        real = self.real_partition(site, partition)
        pauses = [each for each in (real.pauses if real else ()) if each.ends > self.now]
        return tuple(sorted(pauses, key=lambda each: each.begins))

    def real_partition(self, site: str, partition: str | None) -> PartitionFacts | None:
        """Return what Slurm says of a partition, of its default one for None; None while not known."""
        known = self.facts_of(site).partitions or {}
        if partition is not None:
            return known.get(partition)
        return next((each for each in known.values() if each.is_default), None)

    def clock(self, moment: datetime) -> str:
        """Return a moment as people read it in a few words: the time, for another day with its date."""
        local = moment.astimezone(self.now.tzinfo)
        return f"{local:%H:%M}" if local.date() == self.now.date() else f"{local:%Y-%m-%d %H:%M}"

    def moment(self, moment: datetime) -> str:
        """Return the same with its zone, for a sentence; in a page a script shows it in the reader's."""
        return timed(f"{self.clock(moment)} {self.now.tzname()}", moment)

    def _is_visible(self, key: str, site: str) -> bool:
        return all(self._is_for_them(to, site) for to in self.menu.seen_by(key, site))

    def _is_for_them(self, to: Visibility, site: str) -> bool:
        # While their projects are not known, nobody can say that one of them is among these.
        mine = set(self.projects(site) or ())
        return self.person.is_among(to) or not mine.isdisjoint(to.projects)

    def _hidden(self, key: str, site: str, to: Visibility) -> str:
        text = {
            (True, True): say.FOR_GROUPS_OR_PROJECTS,
            (True, False): say.FOR_GROUPS,
            (False, True): say.FOR_PROJECTS,
            (False, False): say.FOR_USERS,
        }[bool(to.groups), bool(to.projects)]
        sentence = text.format(
            user=self.person.name,
            name=self.menu.entries[key].name,
            site=self.menu.sites[site].title,
            groups=either(to.groups) if to.groups else "",
            projects=either(to.projects) if to.projects else "",
            users=either(to.users) if to.users else "",
        )
        if to.users and (to.groups or to.projects):
            sentence = f"{sentence} {say.FOR_USERS_TOO.format(users=either(to.users))}"
        if to.projects and self.projects(site) is None:
            return f"{sentence} {say.PROJECTS_UNKNOWN.format(user=self.person.name)}"
        return sentence
