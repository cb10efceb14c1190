from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from profiles.facts import Capacity, Nodes, PartitionFacts, Pause, Reservation, SiteFacts, free_nodes
from slurm_ssh.scheduler import UnreadableAnswer
from slurm_ssh.slurm import nodes
from tests.support import builders
from tests.support.folders import DATA

SLURM = DATA / "slurm"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
NORMAL = "normal|normal*|up|8:00:00|all|NO|n[1-9]"
IDLE = "idle|0/16/0/16|4000|0|(null)|gpu:0"


def _read(text: str) -> SiteFacts:
    return nodes.parse_snapshot(text, NOW)


def _recorded(name: str) -> SiteFacts:
    return _read((SLURM / f"snapshot-{name}-22.05.txt").read_text())


def _answer(
    *nodes: str, partitions: tuple[str, ...] = (NORMAL,), reservations: str = "No reservations in the system"
) -> str:
    """Return an answer about nodes, each as `sinfo` says it: the front end drops their names and counts them."""
    counted = Counter(node.partition("|")[2] or node for node in nodes)
    rows = [f"{number:7} {row}" for row, number in sorted(counted.items())]
    return "\n".join([*partitions, "== nodes", *rows, "== reservations", reservations, ""])


def _partitions(facts: SiteFacts) -> dict[str, PartitionFacts]:
    assert facts.partitions is not None
    return dict(facts.partitions)


def _only(node: str, partition: str = NORMAL) -> Nodes:
    """Return the nodes of a partition with one node that has these fields."""
    (nodes,) = _partitions(_read(_answer(f"n1|normal|{node}", partitions=(partition,))))["normal"].nodes
    return nodes


class TestProgram:
    def test_it_is_one_program_for_the_sites_cluster(self) -> None:
        site = builders.catalogue(
            sites={"a": builders.site(slurm_cluster="big", slurm_path="/opt/slurm/bin")}
        ).sites["a"]
        first, *_, last, arrays = nodes.snapshot(site).split(" && ")
        assert "nodes=$(/opt/slurm/bin/sinfo --clusters=big -a " in nodes.snapshot(site)
        assert first.startswith("/opt/slurm/bin/sinfo --clusters=big -a ")
        assert last == "/opt/slurm/bin/scontrol --clusters=big -a -o show reservation"
        assert "/opt/slurm/bin/scontrol --clusters=big show config |" in arrays


class TestNodes:
    def test_nodes_that_differ_are_told_apart_and_reserved_ones_are_not_free(self) -> None:
        partitions = _partitions(_recorded("geneva"))
        first = Nodes(1, Capacity(16, 4000, (("a100", 2),)), Capacity(13, 3500, (("a100", 1),)))
        second = Nodes(1, Capacity(16, 8000), None)
        assert set(partitions) == {"normal", "debug", "gpu", "staff", "maint", "scavenge"}
        assert partitions["normal"].nodes == partitions["staff"].nodes == (second, first)
        assert partitions["gpu"].nodes == (first,)
        assert partitions["debug"].nodes == partitions["maint"].nodes == (second,)

    def test_a_node_may_have_two_types(self) -> None:
        (node,) = _partitions(_recorded("two-types"))["gpu"].nodes
        assert node.whole == node.free == Capacity(16, 4000, (("a100", 1), ("v100", 1)))
        assert node.whole.gpus_of(None) == 2

    def test_drained_and_down_nodes_stay_what_they_are(self) -> None:
        nodes = _partitions(_recorded("drained-and-down"))["normal"].nodes
        assert [(each.whole.gpus_of("v100"), each.free) for each in nodes] == [(0, None), (1, None)]

    @pytest.mark.parametrize(
        "state",
        ["idle", "mixed", "idle~", "idle#", "IDLE+CLOUD+POWERED_DOWN", "mixed+completing", "idle+powering_up"],
    )
    def test_open_states(self, state: str) -> None:
        assert _only(f"{state}|4/12/0/16|4000|1000|(null)|gpu:0").free == Capacity(12, 3000)

    @pytest.mark.parametrize(
        "state",
        [
            *("down", "down*", "idle*", "mixed*", "drained", "draining", "idle+drain", "mixed+drain", "inval"),
            *("idle+planned", "idle-", "planned", "reserved", "mixed+reserved", "idle+maintenance+reserved"),
            *("maint", "idle$", "mixed@", "idle^", "idle!", "idle%", "idle+reboot_requested", "future", "unknown"),
            *("idle+not_responding", "mixed+blocked", "idle+a_word_of_tomorrow", ""),
        ],
    )
    def test_closed_states(self, state: str) -> None:
        assert _only(f"{state}|0/16/0/16|4000|0|(null)|gpu:0") == Nodes(1, Capacity(16, 4000), None)

    def test_an_allocated_node_is_up_and_full(self) -> None:
        assert _only("allocated|16/0/0/16|4000|4000|(null)|gpu:0").free == Capacity(0, 0)

    def test_more_memory_may_be_promised_than_there_is(self) -> None:
        assert _only("mixed|4/12/0/16|4000|5000|(null)|gpu:0").free == Capacity(12, 0)

    def test_what_is_used_is_taken_from_its_type(self) -> None:
        nodes = _only("mixed|1/15/0/16|9|0|gpu:a100:4(S:0-1),gpu:v100:2|gpu:a100:3(IDX:0,2-3),gpu:v100:0(IDX:N/A)")
        assert nodes.free is not None
        assert nodes.free.gpus == (("a100", 1), ("v100", 2))

    def test_gpus_without_a_type_among_other_things(self) -> None:
        nodes = _only("mixed|1/15/0/16|9|0|shard:8,gpu:4(S:0),gpu:1,mps:no_consume:200|gpu:3(IDX:0-2),shard:0")
        assert nodes.whole.gpus == (("", 5),)
        assert nodes.free is not None
        assert nodes.free.gpus == (("", 2),)

    def test_used_ones_without_a_type_may_be_of_any(self) -> None:
        nodes = _only("mixed|1/15/0/16|9|0|gpu:a100:2,gpu:v100:1|gpu:1")
        assert nodes.free is not None
        assert nodes.free.gpus == (("a100", 1), ("v100", 0))

    def test_where_a_job_gets_whole_nodes_only_empty_ones_are_free(self) -> None:
        whole = NORMAL.replace("NO", "EXCLUSIVE")
        assert _only("mixed|1/15/0/16|4000|200|(null)|gpu:0", whole).free == Capacity(0, 0)
        assert _only(IDLE, whole).free == Capacity(16, 4000)

    def test_five_thousand_nodes_in_two_partitions_are_few_entries(self) -> None:
        partitions = (NORMAL, "all|all|up|infinite|all|NO|n[1-9]")
        rows = [f"n{n}|{name}|{IDLE}" for n in range(4000) for name in ("normal", "all")]
        rows += [f"g{n}|all|mixed|{n % 9}/16/0/64|900|0|gpu:h100:8|gpu:h100:2(IDX:0-1)" for n in range(1000)]
        read = _partitions(_read(_answer(*rows, partitions=partitions)))
        assert read["normal"].nodes == (Nodes(4000, Capacity(16, 4000), Capacity(16, 4000)),)
        assert [each.count for each in read["all"].nodes] == [4000, 1000]
        assert free_nodes(read["all"], 16, 800, 6, "h100") == 1000

    def test_a_site_without_nodes_is_one(self) -> None:
        assert _partitions(_read(_answer("")))["normal"].nodes == ()

    def test_a_node_of_no_partition_is_nobodys(self) -> None:
        assert _partitions(_read(_answer(f"n1||{IDLE}", f"n2|normal|{IDLE}")))["normal"].nodes[0].count == 1


class TestPartitions:
    def test_limits_groups_and_whether_it_is_up(self) -> None:
        partitions = _partitions(_recorded("geneva"))
        assert [name for name, each in partitions.items() if each.is_default] == ["normal"]
        assert [name for name, each in partitions.items() if not each.is_up] == ["maint"]
        assert partitions["normal"].time_max_minutes == 480
        assert partitions["debug"].time_max_minutes == 10
        assert partitions["staff"].groups == ("staff-geneva",)
        assert partitions["gpu"].groups is None

    @pytest.mark.parametrize(
        ("limit", "minutes"),
        [("infinite", None), ("2-00:00:00", 2880), ("1-12:30:00", 2190), ("8:00:00", 480), ("10:00", 10)],
    )
    def test_time_limits(self, limit: str, minutes: int | None) -> None:
        (partition,) = _partitions(_read(_answer(partitions=(f"p|p|up|{limit}|all|NO|n[1-9]",)))).values()
        assert partition.time_max_minutes == minutes

    @pytest.mark.parametrize("state", ["down", "drain", "inactive"])
    def test_a_partition_that_starts_no_jobs_is_not_up(self, state: str) -> None:
        (partition,) = _partitions(_read(_answer(partitions=(f"p|p|{state}|10:00|a,b|NO|",)))).values()
        assert (partition.is_up, partition.groups, partition.nodes) == (False, ("a", "b"), ())


class TestReservations:
    def test_who_may_use_them_and_when(self) -> None:
        begins, pause = datetime(2026, 11, 22, 0, 19, 38, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC)
        hour = timedelta(hours=1)
        assert _recorded("geneva").reservations == (
            Reservation("course", None, ("alice", "bob"), (), begins, begins + hour),
            Reservation("pause", "normal", ("root",), (), pause, pause + 2 * hour),
        )

    def test_none_is_known_too(self) -> None:
        assert _recorded("two-types").reservations == ()

    def test_a_comment_says_nothing_about_users(self) -> None:
        line = (
            "ReservationName=r StartTime=2026-11-22T00:00:00 EndTime=2026-11-23T00:00:00 TRES=cpu=1,mem=2 "
            "Users=-alice Groups=physics,maths Accounts=p Comment=not for Users=bob Accounts=q"
        )
        (read,) = _read(_answer(reservations=line)).reservations or ()
        assert (read.users, read.accounts) == (("-alice",), ("p",))


class TestArrays:
    @pytest.mark.parametrize(
        ("said", "most"),
        [
            ("MaxArraySize            = 1001\n", 1001),
            ("MaxArraySize            = 0\n", 0),
            ("", None),
            ("MaxArraySize            = many\n", None),
        ],
    )
    def test_how_many_tasks_one_may_have_is_read_or_not_known(self, said: str, most: int | None) -> None:
        read = _read(f"{_answer()}== arrays\n{said}")
        assert (read.array_most, read.reservations) == (most, ())


class TestAnswers:
    def test_when_it_was_asked_is_kept_and_projects_are_unknown(self) -> None:
        facts = _recorded("geneva")
        assert (facts.asked_at, facts.projects, facts.is_stale) == (NOW, None, False)

    def test_the_heading_of_a_cluster_is_no_row(self) -> None:
        assert _read(_answer("CLUSTER: big", f"n1|normal|{IDLE}", partitions=("CLUSTER: big", NORMAL))) == _read(
            _answer(f"n1|normal|{IDLE}")
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            NORMAL,
            f"{NORMAL}\n== nodes\n      1 normal|{IDLE}\n",
            f"{NORMAL}\n== nodes\nn1|normal|{IDLE}\n== reservations\n",
            _answer("n1|normal|idle|0/16/0/16"),
            _answer("n1|normal|idle|0/16/0|4000|0|(null)|gpu:0"),
            _answer("n1|normal|idle|0/16/0/16|4000+|0|(null)|gpu:0"),
            _answer(partitions=("p|p|up|soon|all|NO|n[1-9]",)),
            _answer(reservations="ReservationName=r StartTime=soon EndTime=later"),
            _answer(reservations="ReservationName=r"),
        ],
    )
    def test_another_shape_is_refused(self, text: str) -> None:
        with pytest.raises(UnreadableAnswer):
            _read(text)


def _maintenance(nodes: str, flags: str = "MAINT,SPEC_NODES") -> str:
    return (
        f"ReservationName=disks StartTime=2026-11-22T08:00:00 EndTime=2026-11-22T10:00:00 Nodes={nodes} "
        f"PartitionName=(null) Flags={flags} Users=root Groups=(null) Accounts=(null)"
    )


class TestMaintenance:
    """A reservation with MAINT on all nodes of a partition is an announced pause of it."""

    _OTHER = "other|other|up|8:00:00|all|NO|n[08-10],gpu1"

    def _paused(self, line: str) -> list[str]:
        partitions = _partitions(_read(_answer(partitions=(NORMAL, self._OTHER), reservations=line)))
        return [name for name, each in partitions.items() if each.pauses]

    @pytest.mark.parametrize(
        ("nodes", "paused"),
        [
            ("n[1-9]", ["normal"]),
            ("n[1-12]", ["normal"]),
            ("n[1-8]", []),
            ("n[01-10],gpu1", ["other"]),
            ("gpu[1-2],n[1-6,7-9],n[08-10]", ["normal", "other"]),
            ("(null)", []),
            ("", []),
            ("n[1-999999999]", []),
            ("n[1-9", []),
        ],
    )
    def test_it_takes_the_partitions_whose_nodes_are_all_in_it(self, nodes: str, paused: list[str]) -> None:
        assert self._paused(_maintenance(nodes)) == paused

    def test_all_nodes_are_those_of_every_partition(self) -> None:
        line = _maintenance("n[1-999999999]", "MAINT,IGNORE_JOBS,SPEC_NODES,ALL_NODES")
        assert self._paused(line) == ["normal", "other"]

    def test_a_reservation_for_other_things_pauses_nothing(self) -> None:
        assert self._paused(_maintenance("n[1-9]", "SPEC_NODES,MAINTENANCE")) == []

    def test_a_partition_without_nodes_is_not_paused(self) -> None:
        (partition,) = _partitions(
            _read(_answer(partitions=(NORMAL.removesuffix("n[1-9]"),), reservations=_maintenance("n1")))
        ).values()
        assert partition.pauses == ()

    def test_its_name_and_its_times(self) -> None:
        (pause,) = _partitions(_recorded("geneva"))["debug"].pauses
        begins = datetime(2026, 12, 1, 8, tzinfo=UTC)
        assert pause == Pause("pause", begins, begins + timedelta(hours=2))
