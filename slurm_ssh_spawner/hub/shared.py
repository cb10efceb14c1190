"""What all spawners of one hub share: the catalogue, the launcher, and the gate in front of it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from profiles.errors import ChoiceRefused
from profiles.form import kept, page, told
from profiles.loading.live import LiveCatalogue
from profiles.offer import launch
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer, Person, sites_for
from slurm_ssh.core import Core
from slurm_ssh.errors import FrontEndRefused, Refused, SubmitRefused, Unavailable
from slurm_ssh.facts.availability import Availability
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh_spawner.hub import form_scripts, links, onlookers
from slurm_ssh_spawner.hub.recent import recent
from slurm_ssh_spawner.hub.refusals import Refusals
from slurm_ssh_spawner.hub.restored import Looker
from slurm_ssh_spawner.hub.taught import Taught
from slurm_ssh_spawner.launch.endings import EndNotice
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import DatabaseAway
from slurm_ssh_spawner.launch.records.last_read import LastRead
from slurm_ssh_spawner.launch.seen import Seen

SETTING = "slurm_ssh_hub"
"""Where a JupyterHub application keeps its Hub, among the settings that its users carry."""

# Only the first form that a person sees may wait for their projects, and not for long (docs/adr/0006).
_FIRST_FACTS_SECONDS = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StartRequest:
    """A server that somebody is about to start: its name, whose it is, and their groups.

    `others` says of which profile each other server of theirs is, by its name.
    """

    user: str
    server: str = ""
    groups: frozenset[str] = frozenset()
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, user: Any, server: str) -> Self:
        """Return the request of a user, as JupyterHub has them, for one of their servers."""
        others = {
            each.name: getattr(each, "profile_key", "")
            for each in user.spawners.values()
            if each.name != server and each.active
        }
        return cls(user.name, server, frozenset(group.name for group in user.groups), others)

    def beside(self, others: Mapping[str, str]) -> Self:
        """Return the request with those of these servers that are not among the others yet."""
        added = {name: profile for name, profile in others.items() if name != self.server}
        return replace(self, others={**added, **self.others})


@dataclass
class _Sent:
    """A form as somebody sent it, for which server, and the refusal, of a field or by the site.

    Tasks of one request share it: the start says in it what the form has to show.
    """

    request: StartRequest
    typed: Mapping[str, str]
    refused: ChoiceRefused | None = None


# The form that the request under way has brought.  When no start comes of it, JupyterHub shows the form again in
# the same request, that of the default server also for a named one.
_SENT: ContextVar[_Sent | None] = ContextVar("sent", default=None)


@dataclass
class Hub:
    """One for each JupyterHub application, made when that starts (see composition)."""

    catalogue: LiveCatalogue
    launcher: Launcher
    availability: Availability
    reconciliation: Reconciliation
    watch: JobWatch
    core: Core
    seen: Seen = field(default_factory=Seen)
    looker: Looker = field(default_factory=Looker)
    taught: Taught = field(default_factory=Taught)
    refusals: Refusals = field(default_factory=Refusals)

    @cached_property
    def last_read(self) -> LastRead:
        """What was read of the records since the last write, for pages."""
        return LastRead(self.launcher.records)

    async def close(self) -> None:
        """End what is under way, in order; jobs go on."""
        await self.reconciliation.close()
        await self.catalogue.close()
        self.looker.close()
        await self.launcher.close()

    async def render_form(self, request: StartRequest, base_url: str) -> str:
        """Return the form for a server, filled with its last accepted choices, or by the link that was opened.

        In a request that brought a form, it holds what was typed, and why it was refused.  `base_url`: the hub's.
        """
        await self.catalogue.refreshed()
        sent, (link, note) = _SENT.get(), links.filled_in()
        if sent and sent.request.user == request.user:
            request, link, note = sent.request, {}, ""
        else:
            sent = None
        await self._know(request)
        sent = sent or _Sent(request, link or await self._shown_first(request), self._refusal(request, link))
        return kept.render(self.offer(request), sent.typed, sent.refused, _addresses(base_url, request), note)

    def _refusal(self, request: StartRequest, link: Mapping[str, str]) -> ChoiceRefused | None:
        """Return why what a link says cannot be had, or None."""
        try:
            if link:
                self.resolve(request, Choices(link))
        except ChoiceRefused as error:
            return error
        return None

    async def offered(self, request: StartRequest) -> dict[str, Any]:
        """Return what the form's script needs to know of all that is offered for a server, as JSON values."""
        await self.catalogue.refreshed()
        await self._know(request)
        return {**kept.data(self.offer(request)), "recent": await recent(self.last_read, request.user)}

    async def looked_at(self, request: StartRequest, choices: Choices) -> dict[str, Any]:
        """Return the same of the profile chosen, and what would come of a start with these choices."""
        await self.catalogue.refreshed()
        await self._know(request, choices.get("site"))
        return told.looked_at(self.offer(request), choices)

    async def decided(self, request: StartRequest, choices: Choices) -> launch.NotebookLaunch:
        """Return what these choices mean for somebody now; nothing is noted of it.  Raises ChoiceRefused."""
        await self.catalogue.refreshed()
        await self._know(request, choices.get("site"))
        return self.resolve(request, choices)

    async def look_again(self, user: str) -> None:
        """Begin to ask for what is old of what is free: monitors, and as the user where they are connected.

        A page that only shows what is free is no reason for a person's ticket to go where it is not yet.
        """
        await self.catalogue.refreshed()
        self.availability.refresh_by_monitors()
        connected = {login.site_key for login in self.core.pool.logins() if login.user == user}
        self.availability.refresh_as(user, connected)

    async def _shown_first(self, request: StartRequest) -> Mapping[str, str]:
        try:
            return await self.last_read.accepted(request.user, request.server)
        except DatabaseAway as error:
            _log.warning("the form shows the catalogue's defaults: %s", error)
            return {}

    async def _know(self, request: StartRequest, site: str | None = None) -> None:
        """Have the person's projects known, if they choose one already at that site."""
        # Others, such as those that were taken out of the catalogue, would get their ticket for nothing.
        offered = sites_for(self.catalogue.current.notebooks, Person(request.user, request.groups))
        among = offered & {site} or offered
        known = self.availability
        ask = known.refreshed_by_monitors if onlookers.looks_on() else known.refreshed
        await ask(request.user, _FIRST_FACTS_SECONDS, among)

    async def accept(
        self,
        ask: Callable[[], StartRequest],
        options: Mapping[str, Any],
        take: Callable[[launch.NotebookLaunch], None],
    ) -> dict[str, str]:
        """Pass the gate with what JupyterHub was told, in whatever way, and note the choices as accepted.

        Returns those that were the last accepted ones before.
        `take` gets what was accepted; from then on the answers of `ask` to other starts have to count it.
        `{}` means the last accepted choices, or the catalogue's defaults if they cannot be had any more.
        Raises ChoiceRefused, and DatabaseAway.
        """
        choices, request = Choices.of(options), ask()
        # A profile for some projects stays hidden while the person's are not known, as after a restart of the hub.
        await self._know(request, choices.values.get("site"))
        before = await self.last_accepted(request)
        # JupyterHub does not know yet of those that an earlier hub began and that still wait.
        begun = await self.launcher.records.going_on(request.user)
        # Nothing is awaited from here to `take`: of two starts at once, the second has to see the first.
        request = ask().beside(begun)
        try:
            accepted = self.resolve(request, choices) if choices.values else self._as_last_time(request, before)
        except ChoiceRefused:
            self.launcher.tally.refused_choice()
            raise
        take(accepted)
        await self.launcher.records.accept(request.user, request.server, accepted.choices.values)
        return before

    async def last_accepted(self, request: StartRequest) -> dict[str, str]:
        """Return the choices with which the server was last allowed to start, `{}` if there are none.

        Raises DatabaseAway.
        """
        return await self.launcher.records.accepted(request.user, request.server)

    async def refused(
        self, request: StartRequest, site: str, error: Refused | Unavailable, before: Mapping[str, str]
    ) -> bool:
        """Have the form know why a site takes no job; return whether that is because of what was chosen.

        Then the choices of `before` are the last accepted ones again.
        """
        choice = error.choice if isinstance(error, SubmitRefused) else ""
        if sent := _SENT.get():
            sent.refused = ChoiceRefused(choice or "site", error.message)
        if isinstance(error, FrontEndRefused):
            self.taught.learn(request.user, site, error.message)
        elif not choice:
            return False
        try:
            await self.launcher.records.accept(request.user, request.server, before)
        except DatabaseAway as away:
            _log.warning("what was refused stays as the last choices: %s", away)
            return False
        return True

    def resolve(self, request: StartRequest, choices: Choices) -> launch.NotebookLaunch:
        """Pass the gate.  Raises ChoiceRefused."""
        return launch.resolve(self.offer(request), choices)

    def _as_last_time(self, request: StartRequest, last: dict[str, str]) -> launch.NotebookLaunch:
        try:
            return self.resolve(request, Choices(last))
        except ChoiceRefused:
            return self.resolve(request, Choices())

    def offer(self, request: StartRequest) -> Offer:
        """Return what is offered for a server, as far as is known now."""
        person = Person(request.user, request.groups, Counter(request.others.values()))
        facts = self.taught.added(request.user, self.availability.facts(request.user))
        return Offer(self.catalogue.current.notebooks, facts, person, datetime.now().astimezone())

    def read_form(self, request: StartRequest, sent: Mapping[str, Any]) -> dict[str, str]:
        """Return the choices in a sent form, as `user_options` keeps them; never `{}`.  Raises ChoiceRefused."""
        typed = {name: values[0] for name, values in sent.items() if values and isinstance(values[0], str)}
        try:
            choices = page.parse(sent)
            resolved = self.resolve(request, choices)
        except ChoiceRefused as error:
            self.launcher.tally.refused_choice()
            _SENT.set(_Sent(request, typed, error))
            raise
        _SENT.set(_Sent(request, typed))
        # An empty form asks for the defaults, not for the last time's choices.
        return dict(choices.values) or {"profile": resolved.profile_key}


def _addresses(base_url: str, request: StartRequest) -> page.Addresses:
    whose = urlencode({"user": request.user, "server": request.server})
    return page.Addresses(f"{base_url}{form_scripts.MAIN}", f"{base_url}api/offer?{whose}")


def launch_notices(user: Any) -> tuple[str | EndNotice, ...]:
    """Return what the page's banner tells a user about their jobs and about starts that they asked for others.

    Admins are told of the catalogue too.

    For `c.JupyterHub.template_vars`.
    """
    hub = getattr(user, "settings", {}).get(SETTING)
    if not isinstance(hub, Hub):
        return ()
    problem = hub.catalogue.problem
    for_admins = (*((problem,) if problem and user.admin else ()), *hub.refusals.notices(user.name))
    return (*for_admins, *hub.launcher.notices(user.name))
