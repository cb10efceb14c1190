from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from profiles.facts import Capacity, Nodes, PartitionFacts, SiteFacts
from slurm_ssh_spawner.launch.elsewhere import elsewhere
from tests.slurm_ssh_spawner.launch.test_servers import BEGUN
from tests.support import builders

WHOLE = Capacity(8, 8000)
SITES = {"geneva": builders.site(), "lugano": builders.site(title="Lugano")}
PROFILES = {"jupyterlab": builders.profile(sites=["geneva", "lugano"])}
RECORD = replace(BEGUN, choices={"cores": "2", "partition": "debug"})


def _found(free: Capacity | None, **changed: Any) -> dict[str, str] | None:
    nodes = (Nodes(1, WHOLE, free),)
    there = PartitionFacts(True, True, None, None, nodes)
    partitions = dict.fromkeys(("normal", "debug"), there)
    facts = SiteFacts(("physics",), partitions, (), datetime.now(UTC))
    offer = builders.offer(
        builders.catalogue(sites=SITES, profiles=PROFILES), facts={"lugano": replace(facts, **changed)}
    )
    found = elsewhere(offer, RECORD)
    return dict(found.choices) if found and found.site == "Lugano" else None


def test_another_site_that_is_free_is_offered_with_what_may_be_asked_there_too() -> None:
    assert _found(WHOLE) == {"profile": "jupyterlab", "site": "lugano", "cores": "2"}


def test_no_site_is_offered_that_is_full_or_of_which_nothing_is_known_for_certain() -> None:
    assert _found(Capacity(1, 8000)) is None
    assert _found(None) is None
    assert _found(WHOLE, is_stale=True) is None
    assert _found(WHOLE, unreachable_since=datetime.now(UTC)) is None
    assert _found(WHOLE, partitions=None) is None
