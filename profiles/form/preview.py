"""Preview: what would be started now, and what is wrong with it, while somebody fills in the form.  Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from languages import together
from profiles.errors import ChoiceRefused
from profiles.form.places import place
from profiles.offer import cost
from profiles.offer.choices import Choices
from profiles.offer.launch import Launch, resolved
from profiles.offer.offer import Offer
from profiles.sentences import labels, refusals

# What is wrong with these cannot be mended in any other field.
_DECIDE = ("profile", "type", "site")
_END = "{end}"


def preview(offer: Offer, choices: Choices) -> dict[str, Any]:
    """Return what the form says of these choices, as JSON values.

    `summary` is one sentence, "" if they are refused; `ends` the moment at which the time would be over, which the
    reader's clock says in place of `{end}`; `said` has an echo for each field that was typed; `problems` the
    sentences of the refused fields; `stop` why no start at all can come of it, else "".
    """
    try:
        launch = resolved(offer, choices)
    except ChoiceRefused as refused:
        problems: dict[str, str] = {}
        for each in refused.all:
            problems.setdefault(each.field, each.said)
        stop = next((problems[field] for field in _DECIDE if field in problems), "")
        return {"summary": "", "ends": None, "said": {}, "problems": problems, "stop": stop}
    ends = offer.now + timedelta(minutes=launch.time_minutes)
    return {
        "summary": _summary(offer, launch),
        "ends": ends.isoformat(),
        "said": dict(_echoes(launch)),
        "problems": {},
        "stop": _closed(offer, launch),
    }


def _summary(offer: Offer, launch: Launch) -> str:
    text = labels.SUMMARY_CHARGED if launch.project else labels.SUMMARY
    said = text.format(
        profile=offer.menu.entries[launch.entry_key].name,
        place=_place(launch),
        resources=", ".join(_resources(launch)),
        time=labels.duration(launch.time_minutes),
        project=launch.project,
        end=_END,
    )
    return together((said, costs(launch)))


def costs(launch: Launch, count: int = 1) -> str:
    """Return in a sentence what so many of these cost, "" where nothing is weighed."""
    partition = launch.site.partitions.get(launch.partition or "")
    numbers = {"nodes": launch.nodes, "cores": launch.cores, "memory": launch.memory_mib, "gpus": launch.gpus}
    price = cost.an_hour(partition, numbers)
    if partition is None or price is None:
        return ""
    said = labels.COSTS if count == 1 else labels.COST_TOGETHER
    return said.format(amount=cost.said(price * launch.time_minutes / 60 * count, partition))


def _place(launch: Launch) -> str:
    if launch.partition is None:
        return launch.site.title
    entry = launch.site.partitions.get(launch.partition)
    partition = (entry.title if entry else "") or launch.partition
    return labels.PLACE_WITH_PARTITION.format(site=launch.site.title, partition=partition)


def _resources(launch: Launch) -> Iterator[str]:
    yield refusals.cores(launch.cores)
    yield labels.memory(launch.memory_mib)
    if launch.gpus:
        yield refusals.gpus(launch.gpus, launch.gpu_type)
    if launch.nodes > 1:
        yield labels.nodes(launch.nodes)


def _echoes(launch: Launch) -> Iterator[tuple[str, str]]:
    if launch.choices.get("time"):
        yield "time", labels.ECHO_TIME.format(time=labels.duration(launch.time_minutes), end=_END)
    if launch.choices.get("memory"):
        yield "memory", labels.ECHO.format(value=labels.memory(launch.memory_mib))


def _closed(offer: Offer, launch: Launch) -> str:
    what = offer.offering(launch.entry_key, launch.site_key)
    there = place(offer, launch.site_key, what, launch.choices)
    if there.is_open:
        return ""
    return labels.CANNOT_START.format(site=there.title, reason=there.news)
