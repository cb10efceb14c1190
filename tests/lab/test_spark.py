"""One Spark cluster with its notebook, which all tests here look at: what it does for its owner alone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab import Lab
from lab.demo import SPARK_CELL as CELL
from lab.person import Person
from lab.spark import JAVA_OPTIONS
from tests.lab.look import logged_in
from tests.lab.spark import ANSWER, HOSTS, NODES, clean, has_workers, home, launch_id, names, notebook_node

pytestmark = pytest.mark.xdist_group("spark")

TICKETS = """
import subprocess
def holder(x):
    said = subprocess.run(["klist"], capture_output=True, text=True).stdout
    return [line.split()[-1] for line in said.splitlines() if "principal" in line][0]
print("tickets of", sorted(set(sc.parallelize(range(4), 4).map(holder).collect())))
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster of two workers at geneva, with a program in its notebook that has them."""

    alice: Person
    launch: str
    said: list[str]
    """What the progress page said."""

    printed: str
    """What the cell of the talk printed, and which hosts it ran on."""

    run: Callable[[str], str]
    """Runs another cell in the same kernel."""

    @property
    def name(self) -> str:
        return f"spark_cluster-{self.launch}"

    @property
    def folder(self) -> str:
        return f"/scratch/alice/jupyter/{self.launch}/spark"

    def file(self, lab: Lab, path: str) -> str:
        return lab.run("geneva-login1", ["cat", f"{self.folder}/{path}"], user="alice").stdout

    def secret(self, lab: Lab) -> str:
        (found,) = re.findall(r"spark\.authenticate\.secret (\w{64})", self.file(lab, "conf/spark-defaults.conf"))
        return str(found)

    def log(self, lab: Lab) -> str:
        """Return what master and workers have logged."""
        return home(lab, f".spark/logs/{self.name}.log")


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Cluster]:
    """The one cluster of all tests here; leave it as you found it."""
    with clean(lab) as alice:
        said = alice.start({"profile": "spark", "site": "geneva"})
        with alice.kernel() as run:
            yield Cluster(alice, launch_id(lab), said, run(CELL + HOSTS), run)


class TestTheCell:
    def test_a_hook_has_asked_for_a_second_job(self, lab: Lab, cluster: Cluster) -> None:
        assert names(lab) == [f"RUNNING jupyter-hub-{cluster.launch}", f"RUNNING {cluster.name}"]
        assert any(f"The Spark cluster {cluster.name} is submitted" in line for line in cluster.said)
        squeue = lab.run("geneva-login1", ["squeue", "-u", "alice"]).stdout
        assert re.search(r"normal jupyter-", squeue)
        assert re.search(r"cloud spark_cl", squeue)

    def test_it_runs_on_two_nodes(self, lab: Lab, cluster: Cluster) -> None:
        assert ANSWER in cluster.printed
        assert "hosts geneva-n1.lab.test geneva-n2.lab.test" in cluster.printed
        has_workers(lab, 2)

    def test_it_has_the_persons_ticket_on_the_nodes(self, cluster: Cluster) -> None:
        assert "tickets of ['alice@LAB.TEST']" in cluster.run(TICKETS)


class TestOtherPeople:
    def test_bob_does_not_find_the_secret(self, lab: Lab, cluster: Cluster) -> None:
        secret = cluster.secret(lab)
        for node in NODES["geneva"]:
            for name in ("cluster", "conf"):
                path = f"{cluster.folder}/{name}/spark-defaults.conf"
                assert lab.run(node, ["cat", path], user="bob", check=False).returncode == 1
            listed = lab.run(node, ["ps", "-eo", "args"]).stdout
            assert "CoarseGrainedExecutorBackend" in listed
            assert secret not in listed
        log = cluster.log(lab)
        assert "Worker" in log
        assert secret not in log

    def test_bob_cannot_end_a_program(self, lab: Lab, cluster: Cluster) -> None:
        master = cluster.file(lab, "master").strip()
        assert master == f"{home(lab, '.spark/master').strip()}:7077"
        ask_master(lab, "bob", master, "", "nobody")
        ask_master(lab, "bob", master, "0" * 64, "guess")
        ask_master(lab, "alice", master, cluster.secret(lab), "alice")
        assert re.findall(r"Asked to kill driver (\w+)", cluster.log(lab)) == ["alice"]

    def test_bobs_own_pyspark_is_refused_by_alices_master(self, lab: Lab, cluster: Cluster) -> None:
        code = f"""
from pyspark import SparkConf, SparkContext
conf = SparkConf().setMaster("spark://{cluster.file(lab, "master").strip()}").setAppName("bob")
conf.set("spark.authenticate", "true").set("spark.authenticate.secret", "bobs").set("spark.driver.memory", "512m")
conf.set("spark.ui.enabled", "false")
print(SparkContext(conf=conf).parallelize(range(3)).collect())
"""
        python = ["/usr/bin/env", f"JAVA_TOOL_OPTIONS={JAVA_OPTIONS}", "/opt/spark/bin/python3", "-c", code]
        done = lab.run("geneva-n2", python, user="bob", check=False)
        assert done.returncode != 0
        assert "[0, 1, 2]" not in done.stdout
        # The one that did get in is that of alice's cell.
        assert re.findall(r"Registering app (\S+)", cluster.log(lab)) == ["pyspark-shell"]

    def test_only_the_owner_sees_sparks_pages_by_the_notebooks_proxy(self, lab: Lab, cluster: Cluster) -> None:
        (path,) = re.findall(r"Spark UI: (/user/alice/proxy/\d+/)jobs/", cluster.printed)
        page = cluster.alice.http.get(path)
        assert page.status_code == 200
        assert page.url.path == f"{path}jobs/"
        assert "Spark Jobs" in page.text
        assert "/jobs/job/kill" not in page.text
        assert cluster.alice.http.get(f"{path}static/webui.css").status_code == 200
        with logged_in(lab, "bob") as bob:
            assert bob.http.get(f"{path}jobs/").status_code == 403
        port = path.rstrip("/").rsplit("/", 1)[1]
        node = notebook_node(lab)
        for target, opens in ((f"{node}.lab.test", False), ("127.0.0.1", True)):
            probe = ["timeout", "60" if opens else "2", "bash", "-c", f"exec 3<>/dev/tcp/{target}/{port}"]
            assert (lab.run(node, probe, user="alice", check=False).returncode == 0) == opens


def ask_master(lab: Lab, name: str, master: str, secret: str, program: str) -> None:
    """Ask a master to end a program, as a client of Spark does; a master that listens puts that into its log."""
    settings = ["authenticate=true", f"authenticate.secret={secret}", "network.crypto.enabled=true"]
    options = " ".join(f"-Dspark.{each}" for each in settings) if secret else ""
    script = f"""
. /etc/profile.d/modules.sh
module use /opt/modulefiles
module load spark
JAVA_TOOL_OPTIONS+=' {options}'
timeout 40 spark-class org.apache.spark.deploy.Client kill spark://{master} {program}
"""
    lab.run("geneva-n2", ["bash", "-c", script], user=name, check=False)
