"""Hands out SiteFacts: each site's snapshot and each person's projects, which it collects in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from profiles.catalogue.site import Site
from profiles.facts import UNKNOWN, SiteFacts
from slurm_ssh.facts import snapshots

FRESH_SECONDS = 600.0
RETRY_SECONDS = 60.0

AskProjects = Callable[[str, str], Awaitable[SiteFacts | None]]
"""Asks the site with this key for a user's projects (hub name); None if it could not be asked.

Where the site has a monitor it is the monitor who says it, else the user.
"""


@dataclass
class _Projects:
    """One person's projects at one site, and until when nobody needs to ask again (loop time)."""

    facts: SiteFacts
    until: float


class Availability:
    """Owner of the facts and of the questions under way.

    `sites` may change at any time.  Projects are asked for by `ask`, snapshots are taken by `take`.
    """

    def __init__(self, sites: Mapping[str, Site], ask: AskProjects, take: snapshots.TakeSnapshot) -> None:
        self._sites = sites
        self._ask = ask
        self._snapshots = snapshots.Snapshots(sites, take)
        self._known: dict[tuple[str, str], _Projects] = {}
        self._waited: set[tuple[str, str]] = set()
        self._questions: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End the questions under way."""
        questions = list(self._questions.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        await self._snapshots.close()

    def forget_person(self, user: str) -> None:
        """Drop what is known of somebody: a later person of that name may be another."""
        self._known = {whose: known for whose, known in self._known.items() if whose[0] != user}
        self._waited = {whose for whose in self._waited if whose[0] != user}
        self._snapshots.forget_person(user)

    def facts(self, user: str) -> dict[str, SiteFacts]:
        """Return what is known for a user now, by site; asks nobody."""
        return {key: self._of(user, key) for key in self._sites}

    def not_let_in(self, user: str, key: str) -> str:
        """Return why a site did not let a user in that was last asked as them, "" if it did, or was not asked."""
        return self._snapshots.not_let_in(user, key)

    def health(self) -> Mapping[str, snapshots.Health]:
        """Return how sites answered last, by site; one of which nobody asked is missing.

        Those with a monitor are asked again soon, if that is due.
        """
        self.refresh_by_monitors()
        return self._snapshots.health

    def refresh_by_monitors(self) -> None:
        """Start to ask for what is old at sites with a monitor; waits for nothing."""
        self._snapshots.refresh_by_monitors()

    def refresh_as(self, user: str, among: Collection[str]) -> None:
        """Start to ask these sites, as the user where there is no monitor, what is free; waits for nothing."""
        self._snapshots.refresh(user, [key for key in self._sites if key in among])

    async def refreshed(
        self, user: str, patience_seconds: float, among: Collection[str] | None = None
    ) -> dict[str, SiteFacts]:
        """Return what is known, having started to ask for what is old `among` these sites, all for None.

        A site that is asked as the user gets their ticket: leave out those that they are not offered.

        Waits at most `patience_seconds`, and only for the projects of a user at sites for whose first answer they
        have not yet waited so long.
        """
        wanted = [key for key in self._sites if among is None or key in among]
        self._snapshots.refresh(user, wanted)
        await self._projects_known(user, patience_seconds, wanted)
        return self.facts(user)

    async def refreshed_by_monitors(self, user: str, patience_seconds: float, among: Collection[str]) -> None:
        """Start to ask for the same, but nobody except monitors; waits as `refreshed`."""
        self.refresh_by_monitors()
        wanted = [key for key, site in self._sites.items() if key in among and site.monitor]
        await self._projects_known(user, patience_seconds, wanted)

    async def _projects_known(self, user: str, patience_seconds: float, wanted: Collection[str]) -> None:
        new = [self._question(user, key) for key in wanted if self._is_due(user, key, self._sites[key])]
        if first := {key: task for key, task in new if (user, key) not in self._waited}:
            await asyncio.wait(first.values(), timeout=patience_seconds)
            # Not before: who asks while somebody waits needs the answer as well.
            self._waited.update((user, key) for key in first)

    def _of(self, user: str, key: str) -> SiteFacts:
        return replace(self._snapshots.of(user, key), projects=self._projects(user, key).projects)

    def _projects(self, user: str, key: str) -> SiteFacts:
        known = self._known.get((user, key))
        return known.facts if known else UNKNOWN

    def _is_due(self, user: str, key: str, site: Site) -> bool:
        if site.projects != "accounting":
            return False
        known = self._known.get((user, key))
        return known is None or asyncio.get_running_loop().time() > known.until

    def _question(self, user: str, key: str) -> tuple[str, asyncio.Task[None]]:
        task = self._questions.get((user, key))
        if task is None:
            task = self._questions[user, key] = asyncio.create_task(self._collect(user, key))
            task.add_done_callback(lambda _: self._questions.pop((user, key)))
        return key, task

    async def _collect(self, user: str, key: str) -> None:
        facts, now = await self._ask(user, key), asyncio.get_running_loop().time()
        if facts is not None:
            self._known[user, key] = _Projects(facts, now + FRESH_SECONDS)
        else:
            # A site where they have no account must not see a failed login for every page they open.
            self._known[user, key] = _Projects(self._projects(user, key), now + RETRY_SECONDS)
