"""What the hub knows of its sites: what nodes have and have free, who asks, how often, and if nobody answers."""

import base64
import pickle
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from lab import Lab
from lab.folders import HUB_PYTHON, TREE
from lab.people import CROWD
from lab.person import Person
from lab.plan import HUB_USER
from profiles.facts import Capacity, Nodes, SiteFacts, free_nodes
from slurm_ssh.facts.snapshots import INTERVAL_SECONDS
from tests.lab.faults import another_hub, broken
from tests.lab.look import logged_in

SITES = ("geneva", "lugano")


def asked(lab: Lab, user: str = "ivan") -> dict[str, SiteFacts]:
    """Ask both sites as the hub does, lugano as `user`."""
    argv = [str(HUB_PYTHON), str(TREE / "tests/lab/asking.py"), user]
    return dict(pickle.loads(base64.b64decode(lab.run("hub", argv, user=HUB_USER).stdout)))  # noqa: S301 - ours


def nodes_of(facts: SiteFacts, partition: str) -> tuple[Nodes, ...]:
    """Return the nodes of a partition, those with most graphics processors first."""
    assert facts.partitions is not None
    return tuple(sorted(facts.partitions[partition].nodes, key=lambda each: -each.whole.gpus_of(None)))


@contextmanager
def told(lab: Lab, host: str, *commands: str) -> Iterator[None]:
    """Have scontrol on a host do the first command, and afterwards the second."""
    do, undo = commands
    lab.run(host, ["scontrol", *do.split()])
    try:
        yield
    finally:
        lab.run(host, ["scontrol", *undo.split()])


def questions(lab: Lab, site: str) -> int:
    """Return how often a site's slurmctld was asked for its reservations, which each snapshot does once."""
    counted = lab.run(f"{site}-ctl", ["sdiag"]).stdout
    found = re.search(r"REQUEST_RESERVATION_INFO .*count:(\d+)", counted)
    return int(found[1]) if found else 0


def log(lab: Lab) -> str:
    return lab.log("hub", "jupyterhub").read_text()


@pytest.fixture
def fresh(lab: Lab) -> Lab:
    """The lab, with a hub that knows nothing yet of any site."""
    another_hub(lab)
    return lab


class TestSnapshot:
    def test_both_sites_are_what_the_lab_is(self, lab: Lab) -> None:
        facts = asked(lab)
        usual, large = Capacity(16, 4000), Capacity(16, 8000)
        with_gpus = Capacity(16, 4000, (("a100", 2),))
        mixed = Capacity(16, 4000, (("a100", 1), ("v100", 1)))
        assert nodes_of(facts["geneva"], "normal") == (Nodes(1, with_gpus, with_gpus), Nodes(1, large, large))
        assert nodes_of(facts["geneva"], "gpu") == (Nodes(1, with_gpus, with_gpus),)
        assert nodes_of(facts["lugano"], "normal") == (Nodes(1, mixed, mixed), Nodes(1, usual, usual))
        for site, known in facts.items():
            partitions = known.partitions or {}
            assert set(partitions) == {"normal", "debug", "gpu", "staff", "maint", "cloud", "scavenge"}
            assert partitions["staff"].groups == (f"staff-{site}",)
            assert (partitions["debug"].time_max_minutes, partitions["normal"].time_max_minutes) == (10, 480)
            assert [name for name, one in partitions.items() if not one.is_up] == ["maint"]
            assert known.reservations == ()
            assert known.asked_at

    def test_a_running_job_takes_from_its_node_alone(self, lab: Lab) -> None:
        sbatch = ["sbatch", "--parsable", "-pgpu", "--gres=gpu:v100:1", "-c5", "--mem=1000", "-o/dev/null"]
        job = lab.run("lugano-login", [*sbatch, "--wrap=sleep 300"], user="alice").stdout.strip()
        running = ["squeue", "-h", "-j", job, "-o", "%T"]
        try:
            lab.wait("the job runs", lambda: lab.run("lugano-login", running).stdout == "RUNNING\n")
            facts = asked(lab)
        finally:
            lab.run("lugano-login", ["scancel", job])
        first, second = nodes_of(facts["lugano"], "normal")
        assert first.free == Capacity(11, 3000, (("a100", 1), ("v100", 0)))
        assert second.free == second.whole
        partition = (facts["lugano"].partitions or {})["gpu"]
        assert free_nodes(partition, 11, 3000, 1, "a100") == 1
        assert free_nodes(partition, 1, 1, 1, "v100") == free_nodes(partition, 12, 1, 0, None) == 0

    def test_a_drained_node_is_not_free(self, lab: Lab) -> None:
        do, undo = ("update nodename=geneva-n2 state=drain reason=x", "update nodename=geneva-n2 state=resume")
        with told(lab, "geneva-ctl", do, undo):
            _, second = nodes_of(asked(lab)["geneva"], "normal")
        assert (second.whole, second.free) == (Capacity(16, 8000), None)

    def test_a_reserved_node_is_not_free_and_the_reservation_is_known(self, lab: Lab) -> None:
        begin = "create reservation reservationname=course users=alice,frank nodes=lugano-n2 start=now duration=60"
        with told(lab, "lugano-ctl", begin, "delete reservationname=course"):
            reserved = ["sinfo", "-h", "-n", "lugano-n2", "-p", "normal", "-o", "%T"]
            lab.wait("it is reserved", lambda: lab.run("lugano-ctl", reserved).stdout == "reserved\n")
            facts = asked(lab)["lugano"]
        assert [each.free for each in nodes_of(facts, "normal")][1] is None
        ((name, users, begins, ends),) = [
            (each.name, each.users, each.begins, each.ends) for each in facts.reservations or ()
        ]
        assert (name, users, (ends - begins).total_seconds()) == ("course", ("alice", "frank"), 3600)
        assert facts.asked_at is not None
        assert begins <= facts.asked_at < ends

    @pytest.mark.parametrize(
        ("nodes", "paused"),
        [
            ("ALL", {"normal", "debug", "gpu", "staff", "maint", "cloud", "scavenge"}),
            ("lugano-n[1-2]", {"normal", "debug", "gpu", "staff", "maint", "cloud", "scavenge"}),
            ("lugano-n2", {"debug", "maint"}),
        ],
    )
    def test_a_maintenance_is_one_of_the_partitions_whose_nodes_it_takes(
        self, lab: Lab, nodes: str, paused: set[str]
    ) -> None:
        when = "starttime=now+2hours duration=60 flags=maint,ignore_jobs users=root"
        begin = f"create reservation reservationname=disks {when} nodes={nodes}"
        with told(lab, "lugano-ctl", begin, "delete reservationname=disks"):
            partitions = asked(lab)["lugano"].partitions or {}
        found = {name: each.pauses for name, each in partitions.items() if each.pauses and each.nodes}
        assert set(found) == paused
        ((pause,),) = set(found.values())
        assert (pause.name, (pause.ends - pause.begins).total_seconds()) == ("disks", 3600)

    def test_a_talkative_shell_and_another_name_change_nothing(self, lab: Lab) -> None:
        for user in ("frank", "judy"):
            assert nodes_of(asked(lab, user)["lugano"], "normal")


class TestHub:
    def test_thirty_people_at_the_form_are_one_question_to_a_monitor_and_one_each_without(
        self, fresh: Lab
    ) -> None:
        with ExitStack() as stack:
            # Home, where a login leads, has the monitor asked already.
            before, began = {site: questions(fresh, site) for site in SITES}, time.monotonic()
            people = [stack.enter_context(logged_in(fresh, person.name)) for person in CROWD]
            with ThreadPoolExecutor(8) as threads:
                pages = list(threads.map(lambda person: person.http.get("/hub/spawn"), people))
            assert [page.status_code for page in pages] == [200] * 30
            for site, earlier in before.items():
                fresh.wait(
                    f"{site} was asked", lambda site=site, earlier=earlier: questions(fresh, site) > earlier
                )
            for site, askers in (("geneva", 1), ("lugano", len(people))):
                since = questions(fresh, site) - before[site]
                further = int((time.monotonic() - began) / INTERVAL_SECONDS)
                assert since <= askers * (1 + further)

    def test_geneva_is_asked_by_its_monitor_with_a_private_ticket(self, fresh: Lab) -> None:
        since, before = len(log(fresh)), questions(fresh, "geneva")
        # They have begun nothing there that the hub would look for as themselves.
        with logged_in(fresh, "ivan") as ivan:
            ivan.http.get("/hub/spawn")
        fresh.wait("geneva was asked", lambda: questions(fresh, "geneva") > before)
        said = log(fresh)[since:]
        assert "lab.test as ivan for ivan" not in said.replace("lugano-login.lab.test", "")
        assert "connected to geneva-login1.lab.test as jmonitor for jmonitor@LAB.TEST" in said
        listed = fresh.run("hub", ["sh", "-c", "stat -c '%a %U' /run/jupyterhub/krb5/.keytab-*"]).stdout
        assert listed == f"600 {HUB_USER}\n"

    def test_the_monitors_keytab_is_the_hubs_alone(self, lab: Lab) -> None:
        assert (
            lab.run("hub", ["stat", "-c", "%a %U", "/etc/jupyterhub/monitor.keytab"]).stdout == "400 jupyterhub\n"
        )

    def test_who_has_no_account_asks_nothing_and_others_ask_for_themselves(
        self, fresh: Lab, alice: Person
    ) -> None:
        before = questions(fresh, "lugano")
        with logged_in(fresh, "heidi") as heidi:
            assert heidi.http.get("/hub/spawn").status_code == 200
        fresh.wait("heidi was refused", lambda: "sacctmgr at lugano for heidi" in log(fresh))
        assert questions(fresh, "lugano") == before
        alice.http.get("/hub/spawn")
        fresh.wait("lugano was asked", lambda: questions(fresh, "lugano") > before)

    @pytest.mark.long
    def test_a_silent_slurm_stops_no_page_and_is_said_once(self, fresh: Lab, alice: Person) -> None:
        since = len(log(fresh))
        away, back = "lugano does not answer", "lugano answers again"
        with broken(fresh, ("freeze", "lugano-ctl", "slurmctld")):
            assert alice.http.get("/hub/spawn").status_code == 200
            # The page was there before anybody knew.
            assert away not in log(fresh)[since:]
            fresh.wait("it is known to be away", lambda: away in log(fresh)[since:])
            for _ in range(3):
                assert alice.http.get("/hub/spawn").status_code == 200
        fresh.wait(
            "it is back", lambda: alice.http.get("/hub/spawn").is_success and back in log(fresh)[since:], 180
        )
        said = log(fresh)[since:]
        assert (said.count(away), said.count(back)) == (1, 1)
