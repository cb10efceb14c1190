"""What somebody is offered: systems, job types, and what their jobs count against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from job_service.accepting import chargeable, offers
from job_service.accepting.chargeable import Chargeable
from job_service.errors import NotFound
from job_service.sentences import accepting as sentences
from job_service.store.accounting import Project, Quota
from job_service.store.store import Store
from kerberos_auth.errors import AuthFailed
from profiles.catalogue.identity import Identity, account
from profiles.catalogue.menu import Jobs
from profiles.conditions import Values
from profiles.facts import Facts, SiteFacts
from profiles.loading.live import LiveCatalogue
from profiles.offer.offer import Offer, Person, sites_for
from profiles.sentences import shown as harmless
from slurm_ssh.credentials import Credentials
from slurm_ssh.facts.availability import Availability

# Only the first answer about a person's accounts is waited for, as by the first form of a hub (docs/adr/0006).
_FIRST_FACTS_SECONDS = 2


class Offered:
    """Tells it; keeps nothing by itself.

    `away` are gateways that do not answer, and since when.  `now` returns the moment, in the zone in which people
    read it.
    """

    def __init__(
        self,
        store: Store,
        catalogue: LiveCatalogue,
        availability: Availability,
        credentials: Credentials,
        away: Mapping[str, datetime],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._availability = availability
        self._credentials = credentials
        self._away = away
        self._now = now

    async def offer(self, person: Person, system: str | None = None) -> Offer:
        """Return what a person is offered as far as is known now, at a system after a first look at it."""
        menu = (await self._catalogue.refreshed()).jobs
        # At others, such as those that take no jobs, they would be asked with their ticket for nothing.
        offered = sites_for(menu, person)
        await self._availability.refreshed(person.name, _FIRST_FACTS_SECONDS, offered & {system} or offered)
        known = self._availability.facts(person.name)
        refusal = partial(self._availability.not_let_in, person.name)
        facts = {key: replace(each, refused=refusal(key)) for key, each in known.items()}
        away = {system: SiteFacts(unreachable_since=since) for system, since in self._away.items()}
        return Offer(menu, {**facts, **away}, person, self._now(), accounts=self._as_accounts(menu, person))

    def _as_accounts(self, menu: Jobs, person: Person) -> Facts:
        """Return what is known of sites as their accounts see them, as which some of this would run there."""
        known = {}
        for site in sites_for(menu, person, "service"):
            if self._has_ticket(account(site)):
                self._availability.refresh_as(account(site), {site})
            known[site] = self._availability.facts(account(site))[site]
        return known

    def _has_ticket(self, name: str) -> bool:
        try:
            self._credentials.get(name)
        except AuthFailed:
            return False
        return True

    async def charged(self, person: Person) -> tuple[Sequence[Project], frozenset[int]]:
        """Return all projects of the service, and the ids of those that a person may use."""
        return await self._store.projects.with_those_of(person.name, person.groups)

    async def systems(self, person: Person) -> list[dict[str, Any]]:
        """Return the systems where somebody may have jobs, the default first, as JSON values; see `offers`."""
        offer = await self.offer(person)
        found = await self._chargeable(person, offer)
        return [offers.system(offer, key, found[key]) for key in found]

    async def system(self, person: Person, key: str) -> dict[str, Any]:
        """Return one of them.  Raises NotFound."""
        offer = await self.offer(person, key)
        return offers.system(offer, key, await self._chargeable_at(person, offer, key))

    async def types(self, person: Person) -> list[dict[str, Any]]:
        """Return the job types that somebody may have, the default first, as JSON values; see `offers`."""
        offer = await self.offer(person)
        charged = await self._chargeable(person, offer)
        return [offers.job_type(offer, key, charged) for key in offer.entries()]

    async def type(self, person: Person, key: str, datasets: tuple[Values, ...] = ()) -> dict[str, Any]:
        """Return one of them, with the choices that there are for some datasets, by their parameters.

        Raises NotFound.
        """
        offer = replace(await self.offer(person), datasets=datasets)
        if key not in offer.entries():
            raise NotFound(sentences.NO_JOB_TYPE.format(type=harmless(key)))
        return offers.job_type(offer, key, await self._chargeable(person, offer))

    async def projects(self, person: Person, system: str | None = None) -> list[dict[str, Any]]:
        """Return what a person's jobs may count against, at each system the default first, as JSON values.

        See `offers.project`.  Raises NotFound for a system that they do not see.
        """
        offer = await self.offer(person, system)
        if system is None:
            found = await self._chargeable(person, offer)
        else:
            found = {system: await self._chargeable_at(person, offer, system)}
        quotas = await self.quotas(person, system)
        return [
            offers.project(key, each, is_default=each == _first(found[key], each.identity), quotas=quotas)
            for key in found
            for each in found[key]
        ]

    async def project(self, person: Person, system: str, name: str) -> dict[str, Any]:
        """Return one of them.  Raises NotFound."""
        found = await self.projects(person, system)
        project = next((each for each in found if each["name"] == name), None)
        if project is None:
            raise NotFound(sentences.NO_PROJECT.format(project=harmless(name), system=harmless(system)))
        return project

    async def quotas(self, person: Person, system: str | None = None) -> tuple[Quota, ...]:
        """Return what a person has left in all projects of the service that they may use."""
        return await self._store.ledger.quotas(person.name, person.groups, system)

    async def _chargeable(self, person: Person, offer: Offer) -> dict[str, tuple[Chargeable, ...]]:
        projects, theirs = await self.charged(person)
        return {key: chargeable.all_of(offer, key, projects, theirs) for key in offers.systems(offer)}

    async def _chargeable_at(self, person: Person, offer: Offer, system: str) -> tuple[Chargeable, ...]:
        found = (await self._chargeable(person, offer)).get(system)
        if found is None:
            raise NotFound(sentences.NO_SYSTEM.format(system=harmless(system)))
        return found


def _first(among: Sequence[Chargeable], identity: Identity) -> Chargeable:
    """Return what jobs of an identity count against that name nothing."""
    return next(each for each in among if each.identity == identity)
