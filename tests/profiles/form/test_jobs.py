"""What a form for batch jobs is told: the same as one for notebooks, of the other menu."""

from dataclasses import replace
from typing import Any

from profiles.form import page, told
from profiles.form.preview import preview
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.offer import Offer, Person
from tests.support import builders

_SITES = {
    "geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"}),
    "bern": builders.site(title="Bern"),
    "lugano": builders.site(title="Lugano", jobs={"folder": "/scratch/{owner}/jobs"}),
}
_TYPES = {
    "recon": builders.job_type(description="From *scans*."),
    "command": builders.job_type(name="Command", command="any", run=None, sites=["lugano"], parameters={}),
}
_MENU = builders.catalogue(sites=_SITES, job_types=_TYPES).jobs
_OFFER = Offer(_MENU, {}, Person("alice", running={"recon": 9}), builders.NOW)


def _preview(**chosen: str) -> dict[str, Any]:
    return preview(_OFFER, Choices.of(chosen, JOB_FIELDS))


def test_each_type_has_its_sites_and_fields() -> None:
    data = told.data(_OFFER)
    assert {key: list(each["sites"]) for key, each in data["profiles"].items()} == {
        "recon": ["geneva", "lugano"],
        "command": ["lugano"],
    }
    _, indexes = data["profiles"]["recon"]["sites"]["geneva"]
    names = [data["fields"][index]["name"] for index in indexes]
    assert names == [
        "partition",
        "project",
        "time",
        "cores",
        "nodes",
        "reservation",
        "qos",
        "param.method",
        "param.quality",
    ]
    assert data["profiles"]["recon"]["full"] == ""
    assert data["elsewhere"]["geneva"]["news"] == "does not offer this job type"
    assert set(data["elsewhere"]) == {"geneva", "lugano"}


def test_the_one_that_is_looked_at_is_the_type_chosen() -> None:
    looked_at = told.looked_at(_OFFER, Choices.of({"type": "command"}, JOB_FIELDS))
    assert list(looked_at["profiles"]) == ["command"]
    assert looked_at["preview"]["summary"].startswith("Command on Lugano, normal: 1 core, 1 GB, 1 h, until ")


def test_what_would_be_run_is_one_sentence() -> None:
    said = _preview(nodes="2", time="2h")
    assert said["summary"] == (
        "Reconstruction on Geneva, normal: 1 core, 1 GB, on each of 2 nodes, 2 h, until {end}, charged to physics."
    )
    assert said["problems"] == {}


def test_a_refused_type_stops_it_all() -> None:
    assert _preview(type="none")["stop"] == "Job type: none is not offered. Choose one of: recon, command."
    assert _preview(nodes="3")["problems"] == {"nodes": "Nodes: 3 is not offered. Choose 1 to 2."}


def test_where_a_type_cannot_be_had_now_is_told_with_the_reason() -> None:
    pause = [{"begins": "2026-03-02 09:00+00:00", "ends": "2026-03-02 18:30+00:00"}]
    sites = {**_SITES, "lugano": {**_SITES["lugano"], "maintenance": pause}}
    offer = replace(_OFFER, menu=builders.catalogue(sites=sites, job_types=_TYPES).jobs)
    said = ("Lugano (in maintenance until 18:30)",)
    assert [page.of_entry(offer, key, {}).closed for key in ("recon", "command")] == [said, said]
    assert page.of_entry(_OFFER, "recon", {}).closed == ()
