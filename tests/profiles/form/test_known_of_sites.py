"""What the form says of what is known of the sites."""

import re
from datetime import timedelta
from typing import Any

import pytest

from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, Facts, Nodes, PartitionFacts, Pause, Reservation, SiteFacts
from profiles.form import page as form
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from tests.profiles.form.shown import OFFER, PAUSE, Page, opened
from tests.support import builders


def _nodes(count: int, cores: int, free: int | None) -> Nodes:
    return Nodes(count, Capacity(cores, 4096), None if free is None else Capacity(free, 4096))


def _facts(*nodes: Nodes, minutes: int = 0, **more: Any) -> Facts:
    partition = PartitionFacts(True, True, None, None, nodes)
    asked_at = builders.NOW - timedelta(minutes=minutes)
    return {"geneva": SiteFacts(partitions={"normal": partition}, asked_at=asked_at, **more)}


_TO_COME = [{"begins": "2026-03-02 12:00+00:00", "ends": "2026-03-03 18:30+00:00", "text": "New disks."}]


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({}, "Geneva"),
        (
            _facts(_nodes(8, 4, 4), _nodes(2, 4, 1), _nodes(1, 4, None)),
            "Geneva (starts at once: 34 of 44 cores free)",
        ),
        (_facts(_nodes(1, 4, 2)), "Geneva (starts at once: 2 of 4 cores free)"),
        (_facts(_nodes(3, 4, 1)), "Geneva (likely to wait: 3 of 12 cores free)"),
        (_facts(_nodes(3, 1, 1)), "Geneva (no node is large enough)"),
        (_facts(_nodes(2, 4, 4), minutes=3), "Geneva (starts at once: 8 of 8 cores free, 3 min ago)"),
        (
            _facts(_nodes(2, 4, 4), minutes=40, is_stale=True),
            "Geneva (starts at once: 8 of 8 cores free, no news since 09:20)",
        ),
        (
            _facts(_nodes(2, 4, 4), unreachable_since=builders.NOW - timedelta(minutes=5)),
            "Geneva (unreachable since 09:55)",
        ),
    ],
)
def test_a_cluster_says_whether_the_profile_would_start_at_once(facts: Facts, label: str) -> None:
    profile = builders.profile(resources={"cores": {"default": 2, "min": 2, "max": 4}})
    what = builders.catalogue(
        sites={"geneva": builders.site(partitions={"normal": {}})}, profiles={"one": profile}
    )
    (text,) = Page(form.render(builders.offer(what, facts), {})).texts("site")
    closed = " disabled" if "large enough" in label else ""
    assert text == f'value="geneva" selected{closed}>{label}'


def test_the_nodes_that_count_are_those_of_the_partition_that_is_asked() -> None:
    nodes = {"normal": _nodes(2, 4, 4), "debug": _nodes(9, 4, 0)}
    real = {name: PartitionFacts(True, False, None, None, (each,)) for name, each in nodes.items()}
    facts = {"geneva": SiteFacts(partitions=real)}
    page = Page(form.render(builders.offer(builders.catalogue(), facts), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (starts at once: 8 of 8 cores free)']


def test_a_cluster_in_maintenance_says_until_when_and_another_is_picked() -> None:
    sites = {"geneva": builders.site(maintenance=PAUSE), "bern": builders.site(title="Bern")}
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites), _facts(_nodes(8, 4, 4))), {}))
    assert page.texts("site") == [
        'value="geneva" disabled>Geneva (in maintenance until 18:30)',
        'value="bern" selected>Bern',
    ]


def test_a_coming_maintenance_is_announced_with_its_dates() -> None:
    sites = {"geneva": builders.site(maintenance=_TO_COME)}
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites)), {}))
    assert "Geneva will be in maintenance from 12:00 UTC to 2026-03-03 18:30 UTC. New disks." in page.text
    assert "1 min to 2 h. The maintenance of Geneva begins at 12:00 UTC." in page.text
    assert "because" not in opened().text


def test_a_time_that_is_refused_for_a_maintenance_is_so_until_a_moment_of_the_readers() -> None:
    offer = builders.offer(builders.catalogue(sites={"geneva": builders.site(maintenance=_TO_COME)}))
    with pytest.raises(ChoiceRefused) as refused:
        resolve(offer, Choices({"time": "4h"}))
    page = Page(form.render(offer, {"time": "4h"}, refused.value))
    assert "Choose 1m to 2h. The maintenance of Geneva begins at 12:00 UTC." in page.text
    problem = re.findall(r'id="time-problem"[^>]*>(.*?)</div>', page.html)
    assert problem[0].endswith('begins at <time datetime="2026-03-02T12:00:00+00:00">12:00 UTC</time>.')


def test_a_maintenance_under_way_says_until_when_and_why_as_text() -> None:
    sites = {"geneva": builders.site(maintenance=[PAUSE[0] | {"text": "New <b>switches</b>."}])}
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites)), {}))
    assert "Geneva is in maintenance until 18:30 UTC (New <b>switches</b>)." in page.text
    assert page.all("time") == [{"datetime": "2026-03-02T18:30:00+00:00"}]
    assert not page.all("b")


def _paused(begins: timedelta, *names: str) -> Facts:
    """Return what Slurm says once `disks` is to take every node of some partitions of Geneva, so long from NOW."""
    pause = Pause("disks", builders.NOW + begins, builders.NOW + timedelta(hours=9))
    real = {
        name: PartitionFacts(
            True, name == "normal", None, None, (_nodes(2, 8, 8),), (pause,) if name in names else ()
        )
        for name in ("normal", "debug")
    }
    return {"geneva": SiteFacts(partitions=real)}


@pytest.mark.parametrize(
    ("names", "notice", "hint"),
    [
        (
            ("normal", "debug"),
            "Geneva will be in maintenance from 10:30 UTC to 19:00 UTC.",
            "1 min to 30 min. The maintenance of the partition normal begins at 10:30 UTC.",
        ),
        (("debug",), "Geneva (Debug) will be in maintenance from 10:30 UTC to 19:00 UTC.", "1 min to 8 h."),
    ],
)
def test_slurms_own_maintenance_is_announced(names: tuple[str, ...], notice: str, hint: str) -> None:
    page = Page(form.render(builders.offer(facts=_paused(timedelta(minutes=30), *names)), {}))
    assert notice in page.text
    assert hint in page.text
    assert page.text.count("will be in maintenance from") == 1


def test_what_the_catalogue_announces_too_is_told_once() -> None:
    pause = {"begins": "2026-03-02 10:00+00:00", "ends": "2026-03-02 19:00+00:00", "text": "New disks."}
    sites = {"geneva": builders.site(maintenance=[pause | {"begins": "2026-03-02 10:29+00:00"}])}
    facts = _paused(timedelta(minutes=30), "normal", "debug")
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites), facts), {}))
    assert page.text.count("will be in maintenance from") == 1
    assert "Geneva will be in maintenance from 10:29 UTC to 19:00 UTC. New disks." in page.text


def test_slurms_own_maintenance_says_until_when() -> None:
    page = Page(form.render(builders.offer(facts=_paused(-timedelta(minutes=30), "normal", "debug")), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (in maintenance until 19:00)']
    page = Page(form.render(builders.offer(facts=_paused(-timedelta(minutes=30), "debug")), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (starts at once: 16 of 16 cores free)']
    assert "Debug (at most 10 min, in maintenance until 19:00)" in page.text


def test_a_cluster_that_does_not_offer_the_picked_profile_says_so() -> None:
    profiles = {"here": builders.profile(sites=["geneva"]), "there": builders.profile(sites=["bern"])}
    sites = {"geneva": builders.site(), "bern": builders.site(title="Bern")}
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites, profiles=profiles)), {}))
    assert page.texts("site")[1] == 'value="bern">Bern (does not offer this profile)'


def test_a_reservation_of_hers_can_be_picked() -> None:
    times = {"begins": builders.NOW, "ends": builders.NOW + timedelta(hours=1)}
    facts = {"geneva": SiteFacts(reservations=(Reservation("course", None, ("alice",), (), **times),))}
    assert Page(form.render(builders.offer(OFFER, facts), {})).options("reservation") == ["", "school", "course"]
