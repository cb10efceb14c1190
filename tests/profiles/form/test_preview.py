from typing import Any

from profiles.facts import SiteFacts
from profiles.form.preview import preview
from profiles.form.table import Pairs
from profiles.offer.choices import Choices
from profiles.offer.offer import Person
from tests.support import builders


def _preview(asked: dict[str, str], person: Person | None = None, **profile: Any) -> dict[str, Any]:
    what = builders.catalogue(profiles={"one": builders.profile(**profile)})
    return preview(builders.offer(what, person=person), Choices(asked))


def test_what_would_be_started_is_one_sentence() -> None:
    said = _preview({"cores": "2", "memory": "1.5G", "gpus": "1", "time": "1:30", "partition": "normal"})
    assert said["summary"] == (
        "JupyterLab on Geneva, normal: 2 cores, 1536 MB, 1 GPU, 1 h 30 min, until {end}, charged to physics."
    )
    assert said["ends"] == "2026-03-02T11:30:00+00:00"
    assert (said["problems"], said["stop"]) == ({}, "")


_WEIGHED = {
    "normal": {},
    "gpu": {"cost": {"nodes": 1, "cores": 0.5, "memory": 0.25, "gpus": 20, "unit": "CPU hours"}},
    "bare": {"cost": {"gpus": 3}},
}


def _weighed(asked: dict[str, str]) -> str:
    sites = {"geneva": builders.site(partitions=_WEIGHED, projects="none")}
    what = builders.catalogue(sites=sites, profiles={"one": builders.profile(resources=_RESOURCES)})
    return str(preview(builders.offer(what), Choices(asked))["summary"]).partition("{end}. ")[2]


_RESOURCES = {**builders.profile()["resources"], "nodes": {"default": 1, "max": 2}}


def test_what_a_job_costs_is_said_before_it_is_started() -> None:
    asked = {"partition": "gpu", "cores": "4", "memory": "2G", "gpus": "1", "time": "90m"}
    assert _weighed(asked) == "It costs 35.25 CPU hours if it runs for all of its time."
    assert _weighed({**asked, "nodes": "2"}) == "It costs 70.5 CPU hours if it runs for all of its time."
    assert _weighed({"partition": "bare", "gpus": "2"}) == "It costs 6 if it runs for all of its time."
    assert _weighed({"partition": "normal"}) == ""


def test_a_partition_says_from_which_cost_on_it_can_be_had() -> None:
    sites = {"geneva": builders.site(partitions=_WEIGHED)}
    (field,) = Pairs.of(builders.offer(builders.catalogue(sites=sites))).named("partition")
    assert dict(field.options or ()) == {
        "normal": "normal",
        "gpu": "gpu (from 1.56 CPU hours an hour)",
        "bare": "bare (from 0 an hour)",
    }


def test_what_was_typed_is_said_back() -> None:
    assert _preview({})["said"] == {}
    said = _preview({"time": "90 min", "memory": "2048M"})["said"]
    assert said == {"time": "= 1 h 30 min, until {end}", "memory": "= 2 GB"}


def test_every_field_that_cannot_be_had_has_its_sentence() -> None:
    said = _preview({"time": "99h", "memory": "16", "cores": "2"})
    assert list(said["problems"]) == ["time", "memory"]
    assert said["problems"]["memory"] == "Memory: write 16G for gigabytes, or 16M for megabytes."
    assert (said["summary"], said["stop"]) == ("", "")


def test_where_no_field_could_mend_it_no_start_can_come_of_it() -> None:
    said = _preview({"profile": "one"}, Person("alice", running={"one": 2}), servers_max=2)
    assert said["stop"].startswith("You already have 2 servers of JupyterLab")


def test_a_cluster_at_which_nothing_can_be_started_is_said() -> None:
    what = builders.catalogue(sites={"geneva": builders.site(projects="accounting")})
    offer = builders.offer(what, {"geneva": SiteFacts(projects=())})
    assert preview(offer, Choices({}))["stop"] == "Geneva: you have no project there; ask its support for one."
