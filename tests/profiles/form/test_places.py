from typing import Any

import pytest

from profiles.facts import Capacity, Nodes, PartitionFacts, SiteFacts
from profiles.form.fields import fields
from profiles.form.page import render
from profiles.form.places import Place, place
from profiles.offer.choices import Choices
from tests.support import builders

_A100 = (("a100", 2),)


def _nodes(free: Capacity | None) -> Nodes:
    return Nodes(2, Capacity(8, 8192, _A100), free)


def _place(
    asked: dict[str, str] | None = None, *, free: Capacity | None, projects: Any = None, support: str = ""
) -> Place:
    """Return what is said of Geneva, whose two nodes are free so far, and where `debug` is empty."""
    whole = PartitionFacts(True, False, None, None, (_nodes(Capacity(8, 8192, _A100)),))
    partitions = {"normal": PartitionFacts(True, True, None, None, (_nodes(free),)), "debug": whole}
    facts = {"geneva": SiteFacts(projects, partitions, asked_at=builders.NOW)}
    sites = {"geneva": builders.site(projects="accounting", support=support)}
    resources = {
        "cores": {"default": 1, "max": 8},
        "gpus": {"default": 0, "max": 2},
        "nodes": {"default": 1, "max": 2},
        "time": "1h",
    }
    profile = builders.profile(resources={**resources, "gpu_types": ["a100"]})
    what = builders.catalogue(sites=sites, profiles={"one": profile})
    return place(
        builders.offer(what, facts), "geneva", what.notebooks.offering("one", "geneva"), Choices(asked or {})
    )


_HALF = Capacity(4, 8192, (("a100", 1),))


@pytest.mark.parametrize(
    ("asked", "state", "news"),
    [
        ({}, "free", "starts at once: 8 of 16 cores, 2 of 4 GPUs free"),
        ({"cores": "5"}, "busy", "likely to wait: 8 of 16 cores, 2 of 4 GPUs free"),
        ({"gpus": "1"}, "free", "starts at once: 8 of 16 cores, 2 of 4 a100 free"),
        ({"gpus": "2"}, "busy", "likely to wait: 8 of 16 cores, 2 of 4 a100 free"),
        ({"nodes": "2"}, "free", "starts at once: 8 of 16 cores, 2 of 4 GPUs free"),
        ({"cores": "5", "partition": "debug"}, "free", "starts at once: 16 of 16 cores, 4 of 4 GPUs free"),
        ({"cores": "nine"}, "free", "starts at once: 8 of 16 cores, 2 of 4 GPUs free"),
    ],
)
def test_a_cluster_says_whether_this_very_choice_would_start_at_once(
    asked: dict[str, str], state: str, news: str
) -> None:
    found = _place(asked, free=_HALF)
    assert (found.state, found.news, found.age) == (state, news, "now")


def test_a_partition_says_what_is_free_in_it_and_whom_it_is_for() -> None:
    nodes = (Nodes(2, Capacity(8, 8192), Capacity(3, 8192)),)
    real = {
        "normal": PartitionFacts(True, True, 60, None, nodes),
        "debug": PartitionFacts(True, False, None, ("staff", "admin"), nodes),
    }
    what = builders.catalogue()
    offer = builders.offer(what, {"geneva": SiteFacts(partitions=real)})
    partition = next(fields(offer, "geneva", what.notebooks.offering("jupyterlab", "geneva")))
    assert partition.options == (
        ("normal", "normal (at most 1 h, 6 of 16 cores free)"),
        ("debug", "Debug (at most 10 min, only for staff, admin, 6 of 16 cores free)"),
    )


def test_nodes_that_take_no_jobs_are_not_free() -> None:
    assert _place(free=None).news == "likely to wait: 0 of 16 cores, 0 of 4 GPUs free"


def test_who_has_no_project_there_cannot_pick_it() -> None:
    found = _place(free=_HALF, projects=())
    assert (found.is_open, found.news) == (False, "you have no project there; ask its support for one")
    found = _place(free=_HALF, projects=(), support="help@geneva")
    assert found.news == "you have no project there; ask for one: help@geneva"
    assert _place(free=_HALF, projects=("proj3",)).is_open


_REFUSED = SiteFacts(refused="Geneva did not let you in.")


def test_where_they_were_not_let_in_last_time_they_may_try_again() -> None:
    what = builders.catalogue()
    offer = builders.offer(what, {"geneva": _REFUSED})
    found = place(offer, "geneva", what.notebooks.offering("jupyterlab", "geneva"))
    assert (found.state, found.is_open, found.news) == ("refused", True, "Geneva did not let you in.")
    helped = builders.catalogue(sites={"geneva": builders.site(support="help@geneva")})
    said = place(
        builders.offer(helped, {"geneva": _REFUSED}), "geneva", helped.notebooks.offering("jupyterlab", "geneva")
    )
    assert said.news == "Geneva did not let you in. Its support: help@geneva"


def test_the_form_does_not_begin_with_a_cluster_that_did_not_let_them_in_but_with_one_that_they_ask_for() -> None:
    sites = {"geneva": builders.site(), "lugano": builders.site(title="Lugano")}
    offer = builders.offer(builders.catalogue(sites=sites), {"geneva": _REFUSED, "lugano": SiteFacts()})
    assert 'value="lugano" selected' in render(offer, {})
    asked_for = render(offer, {"site": "geneva"})
    assert 'value="geneva" selected' in asked_for
    assert "disabled" not in asked_for
    alone = builders.offer(builders.catalogue(), {"geneva": _REFUSED})
    assert 'value="geneva" selected' in render(alone, {})
