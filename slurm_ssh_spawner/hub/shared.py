"""What all spawners of one hub share: the catalogue, the launcher, and the gate in front of it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from profiles.errors import ChoiceRefused
from profiles.form import page
from profiles.loading.live import LiveCatalogue
from profiles.offer import launch
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer, Person, sites_for
from slurm_ssh.core import Core
from slurm_ssh.facts.availability import Availability
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh_spawner.hub.refusals import Refusals
from slurm_ssh_spawner.hub.restored import Looker
from slurm_ssh_spawner.launch.endings import EndNotice
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import DatabaseAway
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


@dataclass(frozen=True)
class _Sent:
    """A form as somebody sent it, and the refusal if one of its fields was refused."""

    user: str
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
    refusals: Refusals = field(default_factory=Refusals)

    async def close(self) -> None:
        """End what is under way, in order; jobs go on."""
        await self.reconciliation.close()
        await self.catalogue.close()
        self.looker.close()
        await self.launcher.close()

    async def render_form(self, request: StartRequest, addresses: page.Addresses) -> str:
        """Return the form for a server, filled with its last accepted choices.

        In a request that brought a form, it holds what was typed, and why it was refused.
        """
        await self.catalogue.refreshed()
        await self._know(request)
        sent = _SENT.get()
        if sent is None or sent.user != request.user:
            sent = _Sent(request.user, await self._shown_first(request))
        return page.render(self.offer(request), sent.typed, sent.refused, addresses)

    async def offered(self, request: StartRequest) -> dict[str, Any]:
        """Return what the form's script needs to know of all that is offered for a server, as JSON values."""
        await self.catalogue.refreshed()
        await self._know(request)
        return page.data(self.offer(request))

    async def look_again(self, request: StartRequest) -> None:
        """Begin to ask for what is old of what is offered to a person; nobody has to wait for it."""
        await self.catalogue.refreshed()
        await self._know(request)

    async def _shown_first(self, request: StartRequest) -> dict[str, str]:
        try:
            return await self.last_accepted(request)
        except DatabaseAway as error:
            _log.warning("the form shows the catalogue's defaults: %s", error)
            return {}

    async def _know(self, request: StartRequest, site: str | None = None) -> None:
        """Have the person's projects known, if they choose one already at that site."""
        # Others, such as those that were taken out of the catalogue, would get their ticket for nothing.
        offered = sites_for(self.catalogue.current, request.groups)
        if site in offered:
            offered = frozenset((site,))
        await self.availability.refreshed(request.user, _FIRST_FACTS_SECONDS, offered)

    async def accept(
        self, ask: Callable[[], StartRequest], options: Mapping[str, Any], take: Callable[[launch.Launch], None]
    ) -> None:
        """Pass the gate with what JupyterHub was told, in whatever way, and note the choices as accepted.

        `take` gets what was accepted; from then on the answers of `ask` to other starts have to count it.
        `{}` means the last accepted choices, or the catalogue's defaults if they cannot be had any more.
        Raises ChoiceRefused, and DatabaseAway.
        """
        choices, request = Choices.of(options), ask()
        # A profile for some projects stays hidden while the person's are not known, as after a restart of the hub.
        await self._know(request, choices.values.get("site"))
        last = {} if choices.values else await self.last_accepted(request)
        # JupyterHub does not know yet of those that an earlier hub began and that still wait.
        begun = await self.launcher.records.going_on(request.user)
        # Nothing is awaited from here to `take`: of two starts at once, the second has to see the first.
        request = ask().beside(begun)
        try:
            accepted = self.resolve(request, choices) if choices.values else self._as_last_time(request, last)
        except ChoiceRefused:
            self.launcher.tally.refused_choice()
            raise
        take(accepted)
        await self.launcher.records.accept(request.user, request.server, accepted.choices.values)

    async def last_accepted(self, request: StartRequest) -> dict[str, str]:
        """Return the choices with which the server was last allowed to start, `{}` if there are none.

        Raises DatabaseAway.
        """
        return await self.launcher.records.accepted(request.user, request.server)

    def resolve(self, request: StartRequest, choices: Choices) -> launch.Launch:
        """Pass the gate.  Raises ChoiceRefused."""
        return launch.resolve(self.offer(request), choices)

    def _as_last_time(self, request: StartRequest, last: dict[str, str]) -> launch.Launch:
        try:
            return self.resolve(request, Choices(last))
        except ChoiceRefused:
            return self.resolve(request, Choices())

    def offer(self, request: StartRequest) -> Offer:
        """Return what is offered for a server, as far as is known now."""
        person = Person(request.user, request.groups, Counter(request.others.values()))
        facts = self.availability.facts(request.user)
        return Offer(self.catalogue.current, facts, person, datetime.now().astimezone())

    def read_form(self, request: StartRequest, sent: Mapping[str, Any]) -> dict[str, str]:
        """Return the choices in a sent form, as `user_options` keeps them; never `{}`.  Raises ChoiceRefused."""
        typed = {name: values[0] for name, values in sent.items() if values and isinstance(values[0], str)}
        try:
            choices = page.parse(sent)
            resolved = self.resolve(request, choices)
        except ChoiceRefused as error:
            self.launcher.tally.refused_choice()
            _SENT.set(_Sent(request.user, typed, error))
            raise
        _SENT.set(_Sent(request.user, typed))
        # An empty form asks for the defaults, not for the last time's choices.
        return dict(choices.values) or {"profile": resolved.profile_key}


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
