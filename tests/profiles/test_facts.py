from dataclasses import replace

from profiles.facts import Capacity, Nodes, PartitionFacts, could_hold, free_nodes

LARGE = Capacity(64, 256000, (("a100", 4),))
SMALL = Capacity(16, 32000)
PARTITION = PartitionFacts(
    is_up=True,
    is_default=True,
    time_max_minutes=None,
    groups=None,
    nodes=(
        Nodes(3, LARGE, LARGE),
        Nodes(2, LARGE, Capacity(8, 200000, (("a100", 0),))),
        Nodes(10, SMALL, SMALL),
        Nodes(5, SMALL, None),
    ),
)


def test_nodes_that_can_start_a_share_are_counted() -> None:
    assert free_nodes(PARTITION, 8, 1000, 0, None) == 15
    assert free_nodes(PARTITION, 9, 1000, 0, None) == 13
    assert free_nodes(PARTITION, 1, 100000, 0, None) == 5


def test_one_node_must_have_it_all() -> None:
    assert free_nodes(PARTITION, 1, 1000, 1, None) == free_nodes(PARTITION, 1, 1000, 4, "a100") == 3
    assert free_nodes(PARTITION, 1, 1000, 5, "a100") == free_nodes(PARTITION, 1, 1000, 1, "v100") == 0
    assert free_nodes(PARTITION, 32, 300000, 0, None) == 0


def test_a_partition_that_starts_no_jobs_has_no_free_nodes() -> None:
    assert free_nodes(replace(PARTITION, is_up=False), 1, 1, 0, None) == 0


def test_what_could_ever_fit_does_not_depend_on_what_runs_now() -> None:
    full = replace(PARTITION, is_up=False, nodes=(Nodes(1, LARGE, None),))
    assert could_hold(full, 64, 256000, 4, "a100")
    assert not could_hold(full, 65, 1000, 0, None)
    assert not could_hold(full, 1, 1000, 1, "v100")


def test_nodes_are_not_added_up() -> None:
    assert not could_hold(PARTITION, 128, 1000, 0, None)
    assert not could_hold(PARTITION, 1, 1000, 8, None)
