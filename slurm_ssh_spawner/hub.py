"""What all spawners of one hub share: the catalogue, the launcher, and forms that were refused."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from kerberos_auth.store import TicketStore
from profiles import form, launch
from profiles.choices import Choices
from profiles.errors import ChoiceRefused
from profiles.offer import Asker, Offer
from slurm_ssh_spawner.job import LaunchId
from slurm_ssh_spawner.launcher import Launcher, Settings
from slurm_ssh_spawner.live import LiveCatalogue

SETTING = "slurm_ssh_hub"
"""Where a JupyterHub application keeps its Hub, among the settings that its users carry."""

_ANSWER_SECONDS = 5
# Only the first form that a person sees may wait for her projects, and not for long (docs/adr/0006).
_FIRST_FACTS_SECONDS = 2
# asyncssh talks to the KDC in the loop's default executor; with its 6 threads on 2 cores, a silent KDC
# would also stop name look-ups for everybody.
_THREADS = 64
# A connect that is given up after 8 s keeps its thread for the 25 s of libkrb5; four begin at once for each site.
_THREADS_PER_SITE = 16


@dataclass
class Hub:
    """One for each JupyterHub application, made when it is first needed."""

    catalogue: LiveCatalogue
    launcher: Launcher
    _refused: dict[str, tuple[Mapping[str, str], ChoiceRefused]] = field(default_factory=dict)

    @classmethod
    def open(cls, catalogue_file: str, settings: Settings, tickets: TicketStore, log: logging.Logger) -> Self:
        """Read the catalogue and make the launcher; the core's log goes to `log`.  Raises CatalogueInvalid."""
        core_log = logging.getLogger("slurm_ssh_spawner")
        core_log.parent = log
        core_log.setLevel(log.getEffectiveLevel())
        catalogue = LiveCatalogue(catalogue_file)
        catalogue.follow()
        threads = max(_THREADS, _THREADS_PER_SITE * len(catalogue.sites))
        executor = ThreadPoolExecutor(threads, thread_name_prefix="hub")
        asyncio.get_running_loop().set_default_executor(executor)
        return cls(catalogue, Launcher(settings, catalogue.sites, tickets))

    async def render_form(self, user: str) -> str:
        """Return the form for a person; after a refusal once with what was typed and why not."""
        await self.catalogue.refreshed()
        # Not those that were taken out of the catalogue: they would get her ticket.
        offered = self.catalogue.current.sites
        await self.launcher.availability.refreshed(user, _FIRST_FACTS_SECONDS, offered)
        # JupyterHub renders the default server's form also after a refusal for a named server, so what
        # was typed is kept for the person, not for the server.
        typed, refused = self._refused.pop(user, ({}, None))
        return form.render(self._offer(user), typed, refused)

    def resolve(self, user: str, choices: Choices, others: Iterable[LaunchId]) -> launch.Launch:
        """Pass the gate, `others` being the person's other running launches.  Raises ChoiceRefused."""
        records = (self.launcher.records.get(launch_id) for launch_id in others)
        running = Counter(record.profile_key for record in records if record)
        return launch.resolve(self._offer(user, running), choices)

    def _offer(self, user: str, running: Mapping[str, int] | None = None) -> Offer:
        asker = Asker(user, running=running or {})
        facts = self.launcher.availability.facts(user)
        return Offer(self.catalogue.current, facts, asker, datetime.now().astimezone())

    def read_form(self, user: str, sent: Mapping[str, Any], others: Iterable[LaunchId]) -> dict[str, str]:
        """Return the choices in a sent form, as `user_options` keeps them.  Raises ChoiceRefused."""
        try:
            choices = form.parse(sent)
            self.resolve(user, choices, others)
        except ChoiceRefused as error:
            typed = {name: values[0] for name, values in sent.items() if values and isinstance(values[0], str)}
            self._refused[user] = (typed, error)
            raise
        return dict(choices.values)

    async def answers(self, url: str) -> bool:
        """Return whether a server answers at `url` now, with whatever status."""
        try:
            await AsyncHTTPClient().fetch(
                url, raise_error=False, follow_redirects=False, request_timeout=_ANSWER_SECONDS
            )
        except (OSError, HTTPClientError):
            return False
        return True


def launch_notices(user: Any) -> tuple[str, ...]:
    """Return what the page's banner tells a user about her jobs, and admins about the catalogue.

    For `c.JupyterHub.template_vars`.
    """
    hub = getattr(user, "settings", {}).get(SETTING)
    if not isinstance(hub, Hub):
        return ()
    problem = hub.catalogue.problem
    return (*((problem,) if problem and user.admin else ()), *hub.launcher.notices(user.name))
