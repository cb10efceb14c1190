"""What programs read of systems, job types and projects: only what the person may see, with why not the rest."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from job_service.accepting import chargeable, offers
from job_service.store.accounting import Project, Quota
from profiles.facts import Capacity, Nodes, PartitionFacts, SiteFacts
from profiles.offer.offer import Offer
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import project
from tests.support import builders


def _system(offered: Offer, key: str) -> dict[str, Any]:
    return offers.system(offered, key, chargeable.chargeable(offered, key, (), frozenset()))


def _type(offered: Offer, key: str, *projects: Project, theirs: frozenset[int] = frozenset()) -> dict[str, Any]:
    charged = {system: chargeable.all_of(offered, system, projects, theirs) for system in offers.systems(offered)}
    return offers.job_type(offered, key, charged)


def _knowing(**facts: Any) -> Offer:
    return replace(deciding.OFFER, facts={"geneva": SiteFacts(**facts)})


def test_systems_are_those_where_somebody_may_have_a_job() -> None:
    assert offers.systems(deciding.OFFER) == ("geneva", "lugano", "zurich")
    staff = builders.job_type(visible_to={"groups": ["staff"]})
    hidden = deciding.offer(deciding.catalogue(types={"s": staff, "c": {**deciding.COMMAND, "sites": ["lugano"]}}))
    assert offers.systems(hidden) == ("lugano",)


def test_a_system_is_told_in_json_with_its_limits_and_projects() -> None:
    told = _system(deciding.OFFER, "geneva")
    assert json.loads(json.dumps(told)) == told
    assert (told["key"], told["title"], told["state"], told["reason"]) == ("geneva", "Geneva", "open", "")
    assert told["limits"] == {"active_jobs": 200, "upload_bytes": 10 * 1024**3, "keep_s": 28 * 86400}
    assert (told["projects"], told["projects_known"]) == (["physics", "chemistry"], True)
    assert [each["name"] for each in told["partitions"]] == ["normal", "debug"]
    assert told["partitions"][1] == {
        "name": "debug",
        "title": "Debug",
        "is_up": None,
        "time_max_s": 600,
        "nodes": None,
    }
    lugano = _system(deciding.OFFER, "lugano")
    assert (lugano["projects"], lugano["projects_known"]) == (["default"], False)


def test_where_none_can_be_chosen_slurm_s_default_partition_is_told() -> None:
    nodes = (Nodes(3, Capacity(8, 8192), None), Nodes(1, Capacity(4, 4096), None))
    real = {"main": PartitionFacts(True, True, 90, None, nodes), "x": PartitionFacts(True, False, 1, None, ())}
    offered = replace(deciding.OFFER, facts={"zurich": SiteFacts(partitions=real)})
    assert _system(offered, "zurich")["partitions"] == [
        {"name": "main", "title": "main", "is_up": True, "time_max_s": 5400, "nodes": 4}
    ]
    assert _system(deciding.OFFER, "zurich")["partitions"] == []


@pytest.mark.parametrize(
    ("facts", "state", "reason"),
    [
        (
            {"unreachable_since": builders.NOW - timedelta(hours=1)},
            "away",
            "Geneva has not answered since 09:00 UTC. Jobs are accepted, and sent once it does.",
        ),
        ({"refused": "Geneva did not let you in."}, "refused", "Geneva did not let you in."),
        ({"asked_at": builders.NOW, "is_stale": True}, "open", ""),
    ],
)
def test_a_system_says_in_words_how_it_stands(facts: dict[str, Any], state: str, reason: str) -> None:
    told = _system(_knowing(**facts), "geneva")
    assert (told["state"], told["reason"]) == (state, reason)
    assert told["is_stale"] is bool(facts.get("is_stale"))


def test_who_has_no_project_there_is_told_so() -> None:
    told = _system(deciding.offer(accounts=()), "lugano")
    assert told["state"] == "closed"
    assert told["reason"] == "You have no project at Lugano that takes jobs. Ask the administrators for one."


def test_a_maintenance_closes_it_and_the_next_one_is_told() -> None:
    now = builders.NOW
    pauses = [_pause(now - timedelta(hours=1)), _pause(now + timedelta(days=1))]
    sites = {**deciding.SITES, "geneva": {**deciding.SITES["geneva"], "maintenance": pauses}}
    offered = deciding.offer(deciding.catalogue(sites))
    told = _system(offered, "geneva")
    assert (told["state"], told["reason"]) == ("closed", "Geneva is in maintenance until 11:00 UTC.")
    begins, ends = (datetime.fromisoformat(told["maintenance"][name]) for name in ("begins", "ends"))
    assert (begins, ends) == (now + timedelta(days=1), now + timedelta(days=1, hours=2))
    at = _type(offered, "recon")["systems"][0]
    assert (at["state"], at["news"]) == ("closed", "Geneva is in maintenance until 11:00 UTC.")


def _pause(begins: datetime) -> dict[str, str]:
    return {"begins": begins.isoformat(), "ends": (begins + timedelta(hours=2)).isoformat()}


def test_a_type_has_its_fields_at_each_system() -> None:
    told = _type(deciding.OFFER, "recon")
    assert json.loads(json.dumps(told)) == told
    assert (told["key"], told["name"], told["runs"]) == ("recon", "Reconstruction", "program")
    assert [each["system"] for each in told["systems"]] == ["geneva", "lugano", "zurich"]
    found = {each["name"]: each for each in told["systems"][0]["fields"]}
    assert list(found) == [
        "partition",
        "time",
        "cores",
        "nodes",
        "reservation",
        "qos",
        "param.method",
        "param.quality",
    ]
    assert found["param.method"]["options"] == [
        {"value": "fast", "title": "Fast"},
        {"value": "full", "title": "Full"},
    ]
    assert (found["cores"]["least"], found["cores"]["most"], found["cores"]["usual"]) == (1, 8, "1")
    assert _type(deciding.OFFER, "command")["runs"] == "line"


def test_a_type_that_nothing_of_theirs_counts_is_closed_however_much_is_free() -> None:
    visited = deciding.catalogue(deciding.VISITED, {"visit": deciding.VISIT})
    idle = PartitionFacts(True, True, 90, None, (Nodes(3, Capacity(8, 8192), Capacity(8, 8192)),))
    seen = SiteFacts(partitions={"normal": idle, "debug": idle}, asked_at=builders.NOW)
    offered = replace(deciding.offer(visited), accounts={"lugano": seen})
    visitors = project("visitors", 1, "lugano", identity="service")
    (at,) = _type(offered, "visit", visitors, theirs=frozenset({1}))["systems"]
    assert (at["state"], at["news"]) == ("free", "starts at once: 24 of 24 cores free")
    for of_others in (visitors, project("own", 1, "lugano")):
        theirs = frozenset({1}) if of_others.identity == "person" else frozenset[int]()
        (at,) = _type(offered, "visit", of_others, theirs=theirs)["systems"]
        assert at["state"] == "closed"
        assert at["news"].startswith("Jobs of this type run as an account of Lugano and count against a project")
        assert at["age"] == ""


def test_a_type_says_what_each_choice_puts_on_the_command_line() -> None:
    parameters = {
        "quality": {"title": "Quality", "min": 1, "max": 9, "argument": "--quality"},
        "alone": {"title": "Alone", "min": 1, "max": 9, "argument": []},
        "tracks": {"title": "Tracks", "flag": True, "argument": "--no-tracks", "when": "channels > 1"},
        "channel": {"title": "Channel", "options": {"": "None", "r": "Red"}, "words": {"r": ["--reg", "--red"]}},
        "shell": {"title": "Shell", "min": 1, "max": 9, "variable": "SHELL_X"},
    }
    types = {"recon": builders.job_type(run=["/opt/recon"], parameters=parameters)}
    at = _type(deciding.offer(deciding.catalogue(types=types)), "recon")["systems"][0]
    assert at["on_line"] == [
        {"name": "param.quality", "argument": ["--quality"], "words": {}},
        {"name": "param.alone", "argument": [], "words": {}},
        {"name": "param.tracks", "argument": None, "words": {"true": ["--no-tracks"]}},
        {"name": "param.channel", "argument": None, "words": {"r": ["--reg", "--red"]}},
    ]


def test_a_project_of_the_service_says_what_is_left_of_it() -> None:
    own = project("p1", 1, account="special", title="First", charge="node", limits={"nodes": 2})
    quotas = (Quota(7, "alice", project("p0", 9), 1), Quota(8, "alice", own, 1234))
    charged, account, *_ = chargeable.chargeable(deciding.OFFER, "geneva", (own,), {1})
    assert offers.project("geneva", charged, is_default=True, quotas=quotas) == {
        "system": "geneva",
        "name": "p1",
        "title": "First",
        "account": "special",
        "identity": "person",
        "is_default": True,
        "quota": {"charge": "node", "time_left_s": 1234, "project_time_left_s": 36_000, "limits": {"nodes": 2}},
    }
    told = offers.project("geneva", account, is_default=False, quotas=quotas)
    assert (told["name"], told["account"], told["quota"]) == ("physics", "physics", None)
