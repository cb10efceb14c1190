"""A job that is sent, perhaps after a restart, is the one that was accepted."""

from datetime import timedelta
from typing import Any

import pytest

from job_service import layout
from job_service.accepting import again
from job_service.spec import JobSpec
from profiles.catalogue.menu import Jobs
from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, Nodes, PartitionFacts, Reservation, SiteFacts
from profiles.offer.offer import Offer, Person
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import comparable, decided, project, record
from tests.support import builders

_ID = builders.LAUNCH_ID


def _menu(types: dict[str, Any] | None = None, **site: Any) -> Jobs:
    sites = {**deciding.SITES, "geneva": {**deciding.SITES["geneva"], **site}}
    return deciding.catalogue(sites, types).jobs


_EVERYTHING = JobSpec(
    "recon",
    "geneva",
    "chemistry",
    choices={
        "time": "2h",
        "cores": "8",
        "nodes": "2",
        "partition": "normal",
        "reservation": "school",
        "qos": "high",
        "param.method": "full",
        "param.quality": "9",
    },
)


@pytest.mark.parametrize("spec", [JobSpec("recon"), _EVERYTHING, JobSpec("command", "zurich", command="x")])
def test_what_is_sent_is_what_was_accepted(spec: JobSpec) -> None:
    job = decided(spec, deciding.offer(person=Person("judy")))
    assert comparable(again.launch(_menu(), record(job))) == comparable(job.launch)


def test_the_account_of_a_project_is_charged() -> None:
    own = project("p1", 1, account="special")
    job = decided(JobSpec("recon", "geneva", "p1"), projects=(own,), theirs=(1,))
    assert again.launch(_menu(), record(job)).project == job.launch.project == "special"


def test_it_goes_on_when_the_catalogue_offers_less_or_nothing_at_present() -> None:
    job = decided(_EVERYTHING)
    less = builders.job_type(resources={"cores": 1, "time": "1h"}, visible_to={"groups": ["staff"]})
    pause = {"begins": builders.NOW - timedelta(hours=1), "ends": builders.NOW + timedelta(hours=1)}
    closed = [{name: each.isoformat() for name, each in pause.items()}]
    menu = _menu({"recon": less}, maintenance=closed, reservations=[], qos=[], projects=["others"], partitions={})
    assert comparable(again.launch(menu, record(job))).cores == 8
    later = again.launch(menu, record(job))
    assert (later.time_minutes, later.project, later.reservation, later.qos, later.partition) == (
        120,
        "chemistry",
        "school",
        "high",
        "normal",
    )


def test_the_partition_that_was_decided_by_what_was_known_is_kept() -> None:
    small, large = (_partition(cores) for cores in (2, 8))
    facts = {"geneva": SiteFacts(partitions={"normal": small, "debug": large})}
    needs = builders.job_type(resources={"cores": {"default": 4, "min": 4, "max": 8}, "time": "5m"})
    catalogue = deciding.catalogue(types={"recon": needs})
    job = decided(JobSpec("recon"), Offer(catalogue.jobs, facts, Person("alice"), builders.NOW))
    assert job.launch.partition == "debug"
    assert again.launch(catalogue.jobs, record(job)).partition == "debug"


def _partition(cores: int) -> PartitionFacts:
    return PartitionFacts(True, False, None, None, (Nodes(4, Capacity(cores, 8192), None),))


def test_a_reservation_that_slurm_told_of_is_kept() -> None:
    ends = builders.NOW + timedelta(days=1)
    own = Reservation("beam", None, ("alice",), (), builders.NOW, ends)
    offered = Offer(
        deciding.CATALOGUE.jobs, {"geneva": SiteFacts(reservations=(own,))}, Person("alice"), builders.NOW
    )
    job = decided(JobSpec("recon", "geneva", choices={"reservation": "beam"}), offered)
    assert again.launch(_menu(), record(job)).reservation == "beam"


def test_its_folder_stays_where_it_was_made() -> None:
    kept = record(decided(JobSpec("recon")))
    moved = again.launch(_menu(jobs={"folder": "/elsewhere/{owner}/x"}), kept)
    assert layout.folder(moved.jobs, moved.owner, _ID) == kept.folder == f"/scratch/alice/jobs/{_ID}"


@pytest.mark.parametrize(
    ("types", "site", "field"),
    [
        ({"command": deciding.COMMAND}, {}, "type"),
        ({"recon": builders.job_type(sites=["lugano"])}, {}, "site"),
        (None, {"jobs": None}, "site"),
        ({"recon": builders.job_type(parameters={}, run=["/opt/recon"])}, {}, "param.method"),
    ],
)
def test_what_is_not_offered_any_more_cannot_be_sent(
    types: dict[str, Any] | None, site: dict[str, Any], field: str
) -> None:
    kept = record(decided(_EVERYTHING))
    with pytest.raises(ChoiceRefused) as found:
        again.launch(_menu(types, **site), kept)
    assert found.value.field == field
