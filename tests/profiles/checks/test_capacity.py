"""What `check --facts` finds, once every site has answered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.checks import capacity
from profiles.facts import Capacity, Nodes, PartitionFacts, Reservation, SiteFacts
from tests.support import builders

_WHEN = datetime(2026, 3, 2, tzinfo=UTC)


def _partition(*wholes: Capacity, count: int = 2, **changed: Any) -> PartitionFacts:
    nodes = tuple(Nodes(count, whole, whole) for whole in wholes)
    facts = {"is_up": True, "is_default": False, "time_max_minutes": None, "groups": None, "nodes": nodes}
    return PartitionFacts(**{**facts, **changed})


_SMALL = Capacity(8, 4096)
_LARGE = Capacity(64, 65536, (("a100", 4),))


def _facts(**changed: Any) -> SiteFacts:
    partitions = {"normal": _partition(_SMALL, is_default=True), "debug": _partition(_SMALL)}
    school = Reservation("school", None, (), (), _WHEN, _WHEN)
    return SiteFacts(**{"partitions": partitions, "reservations": (school,), **changed})


def _found(profile: dict[str, Any] | None = None, facts: SiteFacts | None = None, **site: Any) -> dict[str, str]:
    """Return what is wrong, by place."""
    profiles = {"one": builders.profile(**(profile or {"resources": {"cores": 1}}))}
    catalogue = builders.catalogue(sites={"geneva": builders.site(**site)}, profiles=profiles)
    return {".".join(each.path): str(each) for each in capacity.misfits(catalogue, {"geneva": facts or _facts()})}


def test_what_slurm_has_is_no_problem() -> None:
    assert _found() == {}


def test_a_partition_that_slurm_does_not_have() -> None:
    found = _found(partitions={"normall": {}, "debug": {}})
    assert found == {"sites.geneva.partitions.normall": "Slurm has no such partition; did you mean `normal`?"}


def test_what_the_others_have_says_nothing_of_a_partition_that_is_misspelt() -> None:
    short = {"debug": _partition(_SMALL, time_max_minutes=10)}
    found = _found(
        {"resources": {"time": {"default": "1h", "max": "8h"}}},
        _facts(partitions=short),
        partitions=["normall", "debug"],
    )
    assert list(found) == ["sites.geneva.partitions.normall"]


def test_a_partition_that_is_down() -> None:
    partitions = {"normal": _partition(_SMALL), "debug": _partition(_SMALL, is_up=False)}
    (place,) = found = _found(facts=_facts(partitions=partitions))
    assert place == "sites.geneva.partitions.debug"
    assert "is down in Slurm" in found[place]


def test_a_partition_that_only_a_profile_names() -> None:
    found = _found({"partitions": ["normal", "gpu"]}, partitions={})
    assert found["profiles.one.partitions.1"] == "geneva has no partition `gpu`; write one of `normal`, `debug`"


def test_a_longer_time_than_the_partition_allows() -> None:
    partitions = {"normal": _partition(_SMALL, time_max_minutes=240), "debug": _partition(_SMALL)}
    found = _found(facts=_facts(partitions=partitions))
    sentence = "is 8h, but Slurm allows 4h there; write 4h"
    assert found == {"sites.geneva.partitions.normal.time_max": sentence}


def test_a_reservation_that_slurm_does_not_have() -> None:
    found = _found(reservations=["school", "scool"])
    assert found == {"sites.geneva.reservations.scool": "Slurm has no reservation `scool`; did you mean `school`?"}


def test_nothing_is_said_of_reservations_that_are_not_known() -> None:
    assert _found(facts=_facts(reservations=None), reservations=["any"]) == {}


@pytest.mark.parametrize(
    ("resources", "place", "said"),
    [
        ({"cores": 16}, "cores.default", "is 16, but the largest node in normal and debug of geneva has 8"),
        ({"cores": {"default": 1, "max": 16}}, "cores.max", "is 16, but the largest node"),
        ({"cores": {"options": [1, 16]}}, "cores.options.1", "is 16, but the largest node"),
        ({"memory": "8G"}, "memory.default", "is 8G, but the largest node"),
        ({"gpus": 1}, "gpus.default", "is 1, but the largest node"),
        ({"nodes": 3}, "nodes.default", "is 3, but the largest partition in normal and debug of geneva has 2"),
        (
            {"time": {"default": "1h", "max": "3d"}},
            "time.max",
            "is 3d, but the longest in normal and debug of",
        ),
    ],
)
def test_more_than_there_is(resources: dict[str, Any], place: str, said: str) -> None:
    (path,) = found = _found({"resources": resources})
    assert path == f"profiles.one.resources.{place}"
    assert found[path].startswith(said)
    assert "; write " in found[path]


def test_a_short_form_is_named_as_it_is_written() -> None:
    assert list(_found({"resources": {}, "core": 16})) == ["profiles.one.core.default"]


def test_each_can_be_had_but_not_on_one_node() -> None:
    partitions = {"normal": _partition(Capacity(64, 4096), Capacity(8, 65536)), "debug": _partition(_SMALL)}
    asked = {"resources": {"cores": 32, "memory": "32G"}}
    (path,) = found = _found(asked, facts=_facts(partitions=partitions))
    assert path == "profiles.one.resources"
    assert "at once" in found[path]


def test_a_type_of_gpu_that_no_node_has() -> None:
    partitions = {"normal": _partition(_LARGE), "debug": _partition(_SMALL)}
    asked = {"resources": {"gpus": {"default": 1, "max": 4}, "gpu_types": ["a100", "v100"]}}
    found = _found(asked, facts=_facts(partitions=partitions))
    sentence = "no node in normal and debug of geneva has a GPU of type `v100`; did you mean `a100`?"
    assert found == {"profiles.one.resources.gpu_types.1": sentence}


def test_what_a_profile_asks_at_one_site_alone_is_named_there() -> None:
    found = _found({"resources": {"cores": 1}, "sites": {"geneva": {"resources": {"cores": 16}}}})
    assert list(found) == ["profiles.one.sites.geneva.resources.cores.default"]


def _two_sites(resources: dict[str, Any]) -> list[str]:
    sites = {"geneva": builders.site(), "lugano": builders.site()}
    catalogue = builders.catalogue(sites=sites, profiles={"one": builders.profile(resources=resources)})
    large = _facts(partitions={"normal": _partition(_LARGE), "debug": _partition(_LARGE)})
    return [".".join(each.path) for each in capacity.misfits(catalogue, {"geneva": _facts(), "lugano": large})]


def test_the_most_need_not_be_had_everywhere() -> None:
    assert _two_sites({"cores": {"default": 1, "max": 64}}) == []


def test_the_default_must_be_had_everywhere() -> None:
    assert _two_sites({"cores": {"default": 16, "max": 64}}) == ["profiles.one.resources.cores.default"]


def test_a_job_type_that_asks_for_more_than_there_is() -> None:
    site = builders.site(jobs={"folder": "/scratch/{owner}/jobs"})
    types = {"one": builders.job_type(resources={"cores": 1000, "memory": "1G"})}
    profiles = {"small": {"name": "Small", "resources": {"time": "5m"}}}
    catalogue = builders.catalogue(sites={"geneva": site}, profiles=profiles, job_types=types)
    found = [each.path for each in capacity.misfits(catalogue, {"geneva": _facts()})]
    assert found == [("job_types", "one", "resources", "cores", "default")]


def test_a_site_that_was_not_asked_is_not_judged() -> None:
    catalogue = builders.catalogue(profiles={"one": builders.profile(resources={"cores": 1000})})
    assert list(capacity.misfits(catalogue, {})) == []


def test_a_default_that_nobody_wrote_is_named_at_the_profile() -> None:
    short = _partition(_SMALL, time_max_minutes=30, is_default=True)
    found = _found(facts=_facts(partitions={"normal": short}), partitions={})
    sentence = "its default for time is 1h, but the longest in normal of geneva is 30m; write at most 30m"
    assert found == {"profiles.one": sentence}


def test_of_one_site_alone_the_most_counts_where_there_is_no_other() -> None:
    plain = {"job_folder": "/scratch/{owner}/jupyter", "partitions": {"normal": {}}}
    sites = {"geneva": builders.site(**plain), "lugano": builders.site(**plain)}
    asked = {"resources": {"cores": {"default": 1, "max": 500}}}
    profiles = {
        "here": builders.profile(**asked, sites=["geneva"]),
        "both": builders.profile(**asked),
        "there": builders.profile(resources={"cores": {"default": 500, "max": 500}}, sites=["lugano"]),
    }
    catalogue = builders.catalogue(sites=sites, profiles=profiles)
    found = [".".join(each.path) for each in capacity.at_site(catalogue, "geneva", _facts())]
    assert [each for each in found if "cores" in each] == ["profiles.here.resources.cores.max"]
