"""When what somebody is about to start would start, for the options form that is open, and for programs."""

import asyncio
from typing import Any

from languages import for_reader
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch
from profiles.offer.offer import Offer
from slurm_ssh.facts.forecasts import Known
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.hub import onlookers
from slurm_ssh_spawner.hub.offer_api import OfferHandler
from slurm_ssh_spawner.hub.shared import SETTING, Hub, StartRequest
from slurm_ssh_spawner.launch import forecast, script

# Nobody waits for it but a script: then that asks once more.
_PATIENCE_SECONDS = 10.0
# No launch has it: of one that is not made, nothing is ever found.
_NONE = LaunchId("000000000000")


class ForecastHandler(OfferHandler):
    """`GET /hub/api/forecast?profile=KEY&site=KEY...`, with the choices, `user`, `server` and scope of the offer.

    With `open=0` no connection is opened to any site.  The answer is
    `{"sites": {KEY: {"said": "", "begins": null, "ends": null, "refused": false}}, "again": false}`: of the site
    chosen, and of others to which the person has a connection.  Whoever asks about somebody else hears what that
    person was told.  `{begins}` in what is said is that moment, `ends` when the job's time would be up (ISO 8601).
    A site of which nothing is known is missing; `again`: ask in some seconds, it may be known then.
    """

    others = frozenset({"user", "server", "open"})

    async def get(self) -> None:
        """Answer, within ten seconds; 400, 403 and 404 as the offer."""
        request, choices, hub = self.request_of(), self.choices(), self.settings[SETTING]
        may_open = self.get_query_argument("open", "1") != "0"
        self.write(await forecasts(hub, request, choices, may_open=may_open))


async def forecasts(hub: Hub, request: StartRequest, choices: Choices, *, may_open: bool) -> dict[str, Any]:
    """Return what is known of a start with these choices, as JSON values."""
    await hub.catalogue.refreshed()
    offer = hub.offer(request)
    connected = hub.core.forecasts.connected(request.user)
    found = forecast.launches(offer, choices, connected)
    asked = [launch for launch in found if may_open or launch.site_key in connected]
    known = await asyncio.gather(*(_known(hub, launch) for launch in asked))
    return {
        "sites": {
            launch.site_key: _told(offer, launch, each)
            for launch, each in zip(asked, known, strict=True)
            if each.forecast
        },
        "again": any(each.is_due for each in known),
    }


async def _known(hub: Hub, launch: NotebookLaunch) -> Known:
    login = Login(launch.user, launch.owner, launch.site_key)
    request = script.asked(launch, _NONE, mark("jupyter", hub.launcher.hub_name, _NONE), ":\n")
    try:
        if onlookers.looks_on():
            return hub.core.forecasts.known(login, request)
        return await hub.core.forecasts.of(login, launch.site, request, _PATIENCE_SECONDS)
    except ValueError:
        # A start says what is wrong with the profile.
        return Known()


def _told(offer: Offer, launch: NotebookLaunch, known: Known) -> dict[str, Any]:
    said = forecast.said(offer, launch, known.forecast)
    return {
        # It may be what somebody asked for who reads another language.
        "said": for_reader(said.text),
        "begins": said.begins.isoformat() if said.begins else None,
        "ends": said.ends.isoformat() if said.ends else None,
        "refused": said.is_refused,
    }
