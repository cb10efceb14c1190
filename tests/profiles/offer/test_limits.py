"""What the gate takes of what Slurm said about a site, and of its calendar."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, Facts, Nodes, PartitionFacts, Pause, Reservation, SiteFacts
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Person
from tests.support import builders

GIB = 1024


def _nodes(count: int, cores: int, memory_gib: int, *gpus: tuple[str, int]) -> Nodes:
    return Nodes(count, Capacity(cores, memory_gib * GIB, gpus), None)


def _partition(*nodes: Nodes, time: int | None = None, is_default: bool = False) -> PartitionFacts:
    return PartitionFacts(True, is_default, time, None, nodes)


_THIN = _nodes(2, 4, 2)
_FAT = _nodes(1, 2, 4, ("a100", 1), ("t4", 1))
_REAL = {
    "normal": _partition(_THIN, time=90, is_default=True),
    "debug": _partition(_FAT, _THIN),
}
_FACTS = {"geneva": SiteFacts(partitions=_REAL)}


def _launch(
    choices: dict[str, str],
    facts: Facts = _FACTS,
    now: datetime = builders.NOW,
    user: str = "alice",
    profile: dict[str, Any] | None = None,
    **site: Any,
) -> NotebookLaunch:
    catalogue = builders.catalogue(
        sites={"geneva": builders.site(**site), "bern": builders.site(title="Bern", partitions={})},
        profiles={"jupyterlab": builders.profile(**(profile or {}))},
    )
    return resolve(builders.offer(catalogue, facts, Person(user), now), Choices.of(choices))


def _refusal(choices: dict[str, str], *args: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(ChoiceRefused) as refused:
        _launch(choices, *args, **more)
    return refused.value.field, refused.value.message


def _request(**resources: Any) -> dict[str, Any]:
    return {"resources": {**builders.profile()["resources"], **resources}}


_OWN = {
    "normal": {},
    "gpu": {"time_max": "8h", "defaults": {"cores": 4, "memory": "64G", "gpus": 1, "nodes": 3, "time": "2h"}},
}


@pytest.mark.parametrize(
    ("choices", "got"),
    [
        ({}, (1, 1024, 0, 60)),
        ({"partition": "gpu"}, (4, 4096, 1, 120)),
        ({"partition": "gpu", "cores": "2", "time": "3h"}, (2, 4096, 1, 180)),
    ],
)
def test_a_partition_may_have_defaults_of_its_own_within_what_may_be_chosen(
    choices: dict[str, str], got: tuple[int, ...]
) -> None:
    launch = _launch(choices, {}, partitions=_OWN)
    assert (launch.cores, launch.memory_mib, launch.gpus, launch.time_minutes) == got
    # One node is all that this profile has.
    assert launch.nodes == 1


def test_a_default_of_a_partition_that_is_no_option_is_none() -> None:
    profile = _request(memory={"options": ["1G", "64G"]}, cores={"options": [1, 2]})
    launch = _launch({"partition": "gpu"}, {}, profile=profile, partitions=_OWN)
    assert (launch.memory_mib, launch.cores) == (64 * GIB, 1)


def test_a_default_of_a_partition_is_not_more_than_its_nodes_have() -> None:
    facts = {"geneva": SiteFacts(partitions={"normal": _partition(_THIN), "gpu": _partition(_FAT, time=90)})}
    launch = _launch({"partition": "gpu"}, facts, partitions=_OWN)
    assert (launch.cores, launch.memory_mib, launch.time_minutes) == (2, 4 * GIB, 90)


def test_what_is_not_known_is_not_refused() -> None:
    choices = {"cores": "8", "memory": "4G", "gpus": "2", "time": "8h"}
    for facts in ({}, {"geneva": SiteFacts()}, {"geneva": SiteFacts(partitions={})}):
        launch = _launch(choices, facts)
        assert (launch.cores, launch.memory_mib, launch.gpus, launch.time_minutes) == (8, 4096, 2, 480)


@pytest.mark.parametrize(
    ("choices", "field", "said"),
    [
        ({"time": "2h"}, "time", "Choose 1m to 1h30m. The partition normal allows no more."),
        ({"cores": "5"}, "cores", "Choose 1 to 4. No node of the partition normal has more."),
        ({"memory": "3G"}, "memory", "Choose 256M to 2G. No node of the partition normal has more."),
        (
            {"cores": "5", "partition": "debug"},
            "cores",
            "1 to 4. No node of the partition Debug has more.",
        ),
        ({"gpus": "1"}, "gpus", "Choose 0. No node of the partition normal has more."),
        ({"nodes": "3"}, "nodes", "Choose 1 to 2. The partition normal has no more."),
    ],
)
def test_a_number_is_bounded_by_what_a_node_of_the_partition_has(
    choices: dict[str, str], field: str, said: str
) -> None:
    named, message = _refusal(choices, profile=_request(nodes={"default": 1, "max": 4}))
    assert (named, said in message) == (field, True)


def test_a_default_that_the_partition_forbids_is_lowered() -> None:
    launch = _launch({}, profile=_request(cores={"default": 6, "max": 8}, time={"default": "4h", "max": "8h"}))
    assert (launch.cores, launch.time_minutes) == (4, 90)
    options = _request(cores={"options": [8, 2, 4]}, time={"options": ["8h", "1h"]})
    assert (_launch({}, profile=options).cores, _launch({}, profile=options).time_minutes) == (4, 60)


@pytest.mark.parametrize("time", ["1h", {"default": "1h", "max": "8h"}, {"options": ["1h", "8h"]}])
@pytest.mark.parametrize("choices", [{}, {"time": "1h"}])
def test_a_partition_that_allows_less_than_a_minute_starts_nothing(time: object, choices: dict[str, str]) -> None:
    facts = {"geneva": SiteFacts(partitions={"normal": _partition(_THIN, time=0)})}
    assert _refusal(choices, facts, profile=_request(time=time)) == (
        "site",
        "There is not enough time left for this profile. The partition normal allows no more.",
    )


def test_nodes_of_which_slurm_knows_nothing_yet_are_told_as_they_are() -> None:
    facts = {"geneva": SiteFacts(partitions={"normal": _partition(_nodes(1, 0, 1)), "debug": _partition(_THIN)})}
    field, message = _refusal({"partition": "normal"}, facts)
    assert (field, "It has 1 x 0 cores, 1G." in message) == ("partition", True)


def test_what_no_single_node_has_together_is_refused_with_what_there_is() -> None:
    assert _refusal({"partition": "debug", "cores": "4", "memory": "4G"}) == (
        "memory",
        "The partition Debug has no node with 4 cores, 4G. It has 1 x 2 cores, 4G, 2 GPUs; 2 x 4 cores, 2G. "
        "Ask for less, or choose another partition or cluster.",
    )


def test_a_type_of_graphics_processor_must_be_there() -> None:
    profile = _request(gpus={"default": 0, "max": 2})
    profile["resources"]["gpu_types"] = ["a100", "h100"]
    there = {"partition": "debug", "gpus": "1"}
    assert _launch(there, profile=profile).gpu_type == "a100"
    field, message = _refusal({**there, "gpu_type": "h100"}, profile=profile)
    assert (field, "no node with 1 core, 1G, 1 h100 GPU." in message) == ("gpu_type", True)
    assert _launch({**there, "gpu_type": "h100"}, {}, profile=profile).gpu_type == "h100"


def test_a_type_of_graphics_processor_needs_one() -> None:
    profile = _request(gpu_types=["a100"])
    field, message = _refusal({"gpu_type": "a100"}, {}, profile=profile)
    assert (field, message.endswith("Ask for at least one, or omit the type.")) == ("gpu_type", True)
    assert _launch({}, {}, profile=profile).gpu_type is None


def test_a_profile_that_needs_more_takes_the_first_partition_that_has_it() -> None:
    needs_gpu = _request(gpus=1)
    assert _launch({}, profile=needs_gpu).partition == "debug"
    field, message = _refusal({"partition": "normal"}, profile=needs_gpu)
    assert field == "partition"
    assert message.startswith("The partition normal has no node with 1 core, 256M, 1 GPU. It has 2 x 4 cores, 2G.")


def test_a_profile_that_fits_nowhere_is_refused_at_the_site() -> None:
    field, message = _refusal({}, profile=_request(nodes=9))
    assert (field, message.startswith("The partition normal does not have 9 nodes with 1 core")) == ("site", True)


def test_a_site_without_listed_partitions_has_the_limits_of_its_default_one() -> None:
    facts = {"bern": SiteFacts(partitions=_REAL)}
    field, message = _refusal({"site": "bern", "cores": "5"}, facts)
    assert (field, "Choose 1 to 4. No node of Bern has more." in message) == ("cores", True)


# -- maintenance ----------------------------------------------------------------------------------------

_PAUSE = [{"begins": "2026-03-02 13:00+00:00", "ends": "2026-03-03 08:00+00:00", "text": "New disks"}]


def test_a_time_that_would_run_into_a_maintenance_is_refused_with_the_longest_possible() -> None:
    assert _refusal({"time": "4h"}, {}, maintenance=_PAUSE) == (
        "time",
        "Time: 4h is not offered. Choose 1m to 3h. The maintenance of Geneva begins at 13:00 UTC.",
    )
    assert _launch({"time": "3h"}, {}, maintenance=_PAUSE).time_minutes == 180


def test_a_usual_time_that_would_run_into_a_maintenance_is_cut() -> None:
    profile = _request(time={"default": "8h", "max": "8h"})
    assert _launch({}, {}, maintenance=_PAUSE, profile=profile).time_minutes == 180
    assert _launch({}, {}, maintenance=_PAUSE, profile=_request(time="8h")).time_minutes == 180


def test_a_maintenance_that_is_too_near_leaves_no_time() -> None:
    soon = builders.NOW + timedelta(hours=2, minutes=45)
    profile = _request(time={"default": "1h", "min": "30m", "max": "8h"})
    field, message = _refusal({"site": "geneva"}, {}, soon, maintenance=_PAUSE, profile=profile)
    assert field == "site"
    assert message.startswith("There is not enough time left for this profile. The maintenance of Geneva begins")


def test_during_a_maintenance_the_site_is_refused_and_another_is_the_usual_one() -> None:
    during = builders.NOW + timedelta(hours=4)
    assert _launch({}, {}, during, maintenance=_PAUSE).site_key == "bern"
    assert _refusal({"site": "geneva"}, {}, during, maintenance=_PAUSE) == (
        "site",
        "Geneva is in maintenance until 2026-03-03 08:00 UTC (New disks). Choose one of: bern.",
    )


_HOUR = timedelta(hours=1)


def _announced(begins: timedelta, *names: str, ends: timedelta = 9 * _HOUR) -> Facts:
    """Return what Slurm says once `disks` is to take every node of some partitions, so long from NOW."""
    pause = Pause("disks", builders.NOW + begins, builders.NOW + ends)
    real = {name: replace(each, pauses=(pause,) if name in names else ()) for name, each in _REAL.items()}
    return {"geneva": SiteFacts(partitions=real)}


def test_slurms_own_maintenance_of_a_partition_ends_the_time_there() -> None:
    facts = _announced(_HOUR / 2, "normal")
    assert _launch({}, facts).time_minutes == 30
    assert _refusal({"time": "1h"}, facts) == (
        "time",
        "Time: 1h is not offered. Choose 1m to 30m. The maintenance of the partition normal begins at 10:30 UTC.",
    )
    assert _launch({"partition": "debug", "time": "10m"}, facts).time_minutes == 10
    assert _launch({"site": "bern"}, facts).time_minutes == 60


def test_the_earlier_of_two_announcements_counts() -> None:
    facts = _announced(_HOUR, "normal")
    assert _launch({"time": "1h"}, facts, maintenance=_PAUSE).time_minutes == 60
    soon = [{"begins": "2026-03-02 10:20+00:00", "ends": "2026-03-03 08:00+00:00"}]
    assert _launch({}, facts, maintenance=soon).time_minutes == 20


def test_slurms_own_maintenance_that_is_too_near_leaves_no_time() -> None:
    profile = _request(time={"default": "1h", "min": "30m", "max": "8h"})
    field, message = _refusal({}, _announced(_HOUR / 6, "normal", "debug"), profile=profile)
    assert (field, message.startswith("There is not enough time left for this profile. The maint")) == (
        "site",
        True,
    )


def test_who_runs_in_the_reservation_for_maintenance_has_its_time() -> None:
    disks = Reservation("disks", None, ("alice",), (), builders.NOW + _HOUR / 2, builders.NOW + 9 * _HOUR)
    facts = _announced(_HOUR / 2, "normal", "debug")
    facts = {"geneva": replace(facts["geneva"], reservations=(disks,))}
    assert _launch({"reservation": "disks", "time": "1h"}, facts).time_minutes == 60


# -- reservations ---------------------------------------------------------------------------------------


def _reserved(**changed: Any) -> Facts:
    facts = {"name": "course", "partition": "debug", "users": ("ahartman",), "accounts": ("chemistry",)}
    times = {"begins": builders.NOW, "ends": builders.NOW + timedelta(minutes=9)}
    return {"geneva": SiteFacts(reservations=(Reservation(**{**facts, **times, **changed}),))}


def test_a_reservation_for_a_project_of_hers_may_be_asked_for_and_brings_its_partition_and_its_end() -> None:
    launch = _launch({"reservation": "course"}, _reserved())
    assert (launch.reservation, launch.partition, launch.time_minutes) == ("course", "debug", 9)
    field, message = _refusal({"reservation": "course", "time": "10m"}, _reserved())
    assert (field, "The reservation course ends at 10:09 UTC." in message) == ("time", True)


def test_a_reservation_of_later_has_its_whole_time() -> None:
    later = {"begins": builders.NOW + timedelta(hours=1), "ends": builders.NOW + timedelta(hours=1, minutes=9)}
    assert _launch({"reservation": "course", "time": "9m"}, _reserved(**later)).time_minutes == 9
    assert _refusal({"reservation": "course", "time": "10m"}, _reserved(**later))[0] == "time"


def test_a_reservation_of_which_some_is_over_has_only_the_rest() -> None:
    begun = {"begins": builders.NOW - timedelta(hours=1)}
    assert _refusal({"reservation": "course", "time": "10m"}, _reserved(**begun))[0] == "time"


def test_a_reservation_is_for_the_login_at_the_site() -> None:
    facts = _reserved(accounts=())
    assert _launch({"reservation": "course"}, facts, login_name={"alice": "ahartman"}).reservation == "course"
    assert _refusal({"reservation": "course"}, facts)[0] == "reservation"


@pytest.mark.parametrize("changed", [{"accounts": ("proj9",)}, {"ends": builders.NOW}])
def test_a_reservation_of_others_or_of_the_past_is_not_on_offer(changed: dict[str, Any]) -> None:
    field, message = _refusal({"reservation": "course"}, _reserved(**changed))
    assert (field, "Choose one of: school." in message) == ("reservation", True)


# -- visibility -----------------------------------------------------------------------------------------


def test_a_hidden_profile_reads_exactly_as_one_that_there_is_not() -> None:
    profiles = {
        "open": builders.profile(),
        "secret": builders.profile(visible_to={"groups": ["neuro"]}, servers_max=1),
    }
    offer = builders.offer(builders.catalogue(profiles=profiles))

    def said(name: str) -> str:
        with pytest.raises(ChoiceRefused) as refused:
            resolve(offer, Choices.of({"profile": name, "site": "nowhere", "param.x": "1"}))
        return refused.value.message

    assert said("secret") == said("xsecret").replace("xsecret", "secret")
    assert said("secret") == "Profile: secret is not offered. Choose one of: open."


def test_who_sees_nothing_is_told_so() -> None:
    profiles = {"secret": builders.profile(visible_to={"groups": ["neuro"]})}
    with pytest.raises(ChoiceRefused, match="Nothing is offered to you here") as refused:
        resolve(builders.offer(builders.catalogue(profiles=profiles)), Choices())
    assert refused.value.field == "profile"
