"""When what somebody chooses would start, at the cluster that they picked and at others.  Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from languages import together
from profiles.errors import ChoiceRefused
from profiles.facts import SiteFacts
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Offer
from slurm_ssh.scheduler import Forecast
from slurm_ssh_spawner.launch.elsewhere import OF_THE_SITE
from slurm_ssh_spawner.sentences import forecast as sentences

# Clocks of hub and cluster differ by seconds; Slurm itself looks at its queue every half minute.
_AT_ONCE = timedelta(minutes=1)
_FOR_ITS_TURN = ("Priority", "Resources")
# Slurm says "in a year" of what it cannot foresee, such as the end of a job without a limit.
_FORESEEN = timedelta(days=300)


@dataclass(frozen=True)
class Said:
    """What people read of a forecast, "" for nothing; `{begins}` in it is the moment `begins`.

    `ends` is when the job's time would be up then.
    """

    text: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    is_refused: bool = False


def launches(offer: Offer, choices: Choices, connected: Collection[str]) -> Iterator[NotebookLaunch]:
    """Yield what the choices mean at the site picked, and at the others of `connected` that offer the profile.

    There without what belongs to one site alone.  What cannot be had is left out, and sites that do not answer,
    or have not let the person in.
    """
    picked = _resolved(offer, choices)
    if picked:
        yield picked
    profile = picked.profile_key if picked else choices.get("profile") or ""
    here = picked.site_key if picked else choices.get("site")
    kept = {name: value for name, value in choices.values.items() if name not in OF_THE_SITE}
    for site in offer.sites(profile):
        if site != here and site in connected:
            other = _resolved(offer, Choices({"profile": profile, "site": site, **kept}))
            if other:
                yield other


def _resolved(offer: Offer, choices: Choices) -> NotebookLaunch | None:
    try:
        launch = resolve(offer, choices)
    except ChoiceRefused:
        return None
    facts = offer.facts_of(launch.site_key)
    return None if facts.refused or facts.unreachable_since else launch


def said(offer: Offer, launch: NotebookLaunch, forecast: Forecast | None) -> Said:
    """Return what people read of what Slurm said of a launch."""
    if forecast is None:
        return Said()
    if forecast.begins is None:
        return Said(forecast.refused, is_refused=True)
    away = forecast.begins - offer.now
    if away < _AT_ONCE:
        return Said(sentences.AT_ONCE)
    if away > _FORESEEN:
        return Said()
    waiting = _waiting(offer, launch)
    # The moment stays as it is: each reader has a clock of their own.
    text = together((sentences.EXPECTED, sentences.waiting(waiting) if waiting else ""))
    return Said(text, forecast.begins, forecast.begins + timedelta(minutes=launch.time_minutes))


def before(count: int) -> str:
    """Return how many jobs are before somebody's own, as a sentence."""
    return sentences.before(count) if count else sentences.NEXT


def place(facts: SiteFacts, job_id: str, reason: str) -> int | None:
    """Return how many jobs are before one that waits for that reason, None if nobody can tell.

    What waits for something else than its turn has no place.
    """
    if facts.is_stale or facts.queue is None or reason not in _FOR_ITS_TURN:
        return None
    return facts.queue.before.get(job_id)


def _waiting(offer: Offer, launch: NotebookLaunch) -> int:
    """Return how many jobs wait in the partition of a launch, 0 if nobody can tell."""
    facts = offer.facts_of(launch.site_key)
    if facts.is_stale or facts.queue is None:
        return 0
    default = (name for name, each in (facts.partitions or {}).items() if each.is_default)
    return facts.queue.waiting.get(launch.partition or next(default, ""), 0)
