"""How sites stand for this hub, read from those who know it; nobody waits for a site."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.standing import Observed, SiteStanding, standings

DAY = timedelta(days=1)
# What Slurm said of a job that waits holds until it is asked again.
YOUNG_SECONDS = 3600.0


async def standing(hub: Hub) -> tuple[SiteStanding, ...]:
    """Return how each site stands now.  Raises DatabaseAway."""
    history, core, name = hub.launcher.records.history, hub.core, hub.launcher.hub_name
    going_on = await history.going_on()
    sites = hub.catalogue.current.sites
    reports = {each.launch_id: hub.watch.latest(each.job(name), YOUNG_SECONDS) for each in going_on}
    return standings(
        sites,
        going_on,
        Observed(
            health=hub.availability.health(),
            reports=reports,
            ended=await history.ended(datetime.now(UTC) - DAY),
            monitors_end={key: core.monitor_ends(key) for key in sites},
            connections=Counter(login.site_key for login in core.pool.logins()),
            tunnels=Counter(route.login.site_key for route in hub.launcher.routes()),
        ),
    )
