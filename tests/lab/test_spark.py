"""Spark with the notebook: a second Slurm job of the same person, which lives exactly as long."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from lab import Lab
from lab.demo import SPARK_CELL as CELL
from lab.person import NotStarted, Person
from tests.lab.faults import broken
from tests.lab.look import FRONT_END, closed, jobs_of, logged_in

ANSWER = "[(0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0), (7, 1), (8, 0), (9, 1)]"
HOSTS = """
import socket, time
def where(x):
    time.sleep(0.1)
    return socket.getfqdn()
end = time.time() + 60
seen = set()
while len(seen) < 2 and time.time() < end:
    seen |= set(sc.parallelize(range(20), 20).map(where).collect())
print("hosts", *sorted(seen))
"""
TICKETS = """
import subprocess
def holder(x):
    said = subprocess.run(["klist"], capture_output=True, text=True).stdout
    return [line.split()[-1] for line in said.splitlines() if "principal" in line][0]
print("tickets of", sorted(set(sc.parallelize(range(4), 4).map(holder).collect())))
"""
# As on the slide of the talk.
SLIDE = """
import os, time
from pyspark import SparkConf, SparkContext
path = os.path.expanduser("~/.spark/master")
while not os.path.exists(path):
    time.sleep(0.2)
with open(path, "r") as f:
    master = f.read().strip()
conf = SparkConf()
conf.setMaster("spark://" + master + ":7077")
conf.setAppName("spark-basic")
sc = SparkContext(conf=conf)
def mod(x):
    import numpy as np
    return (x, int(np.mod(x, 2)))
rdd = sc.parallelize(range(1000)).map(mod).take(10)
print(rdd)
"""
NODES = {site: (f"{site}-n1", f"{site}-n2") for site in ("geneva", "lugano")}


@pytest.fixture(autouse=True)
def nothing_left(lab: Lab) -> Iterator[None]:
    """Whatever a test does, no job and no process of it is left."""
    yield
    for site, nodes in NODES.items():
        lab.wait(f"no job of alice is left at {site}", lambda site=site: jobs_of(lab, "alice", site) == [], 90)
        for node in nodes:
            lab.wait(f"no Spark runs on {node}", lambda node=node: not spark_processes(lab, node), 30)
            assert "spark" not in lab.run(node, ["find", "/tmp", "-user", "alice"]).stdout


def spark_processes(lab: Lab, node: str) -> list[str]:
    listed = lab.run(node, ["ps", "-eo", "user,args", "--no-headers"]).stdout.splitlines()
    return [line for line in listed if line.startswith("alice") and "spark" in line]


def listening(command: list[str]) -> "subprocess.Popen[str]":
    """Start a program that says when it is there and ends with its stdin."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "there\n"
    return server


def names(lab: Lab, site: str = "geneva") -> list[str]:
    """Return `state name` of alice's jobs, sorted by name."""
    return sorted((job.split(" ", 1)[1] for job in jobs_of(lab, "alice", site)), key=lambda job: job.split()[1])


def job_id(lab: Lab, prefix: str, site: str = "geneva") -> str:
    (found,) = [job.split()[0] for job in jobs_of(lab, "alice", site) if job.split()[2].startswith(prefix)]
    return found


def notebook_node(lab: Lab) -> str:
    return lab.run("geneva-login1", ["squeue", "-h", "-j", job_id(lab, "jupyter"), "-o", "%B"]).stdout.strip()


def home(lab: Lab, path: str, site: str = "geneva") -> str:
    return lab.run(FRONT_END[site], ["sh", "-c", f"cat ~/{path} 2>/dev/null"], user="alice", check=False).stdout


def has_workers(lab: Lab, count: int, site: str = "geneva") -> None:
    lab.wait(
        f"{count} workers are there",
        lambda: home(lab, ".spark/status", site).startswith(f"Spark: {count} of 2 workers"),
        90,
    )


def start(lab: Lab, alice: Person, **choices: str) -> str:
    """Start alice's notebook with Spark at geneva, wait for the workers, and return the launch id."""
    alice.start({"profile": "spark", "site": "geneva", **choices})
    has_workers(lab, 2)
    return names(lab)[0].rsplit("-", 1)[1]


class TestTheCell:
    @pytest.mark.long
    def test_it_runs_on_two_nodes_that_a_hook_has_asked_for(self, lab: Lab, alice: Person) -> None:
        said = alice.start({"profile": "spark", "site": "geneva"})
        notebook, cluster = names(lab)
        launch = notebook.rsplit("-", 1)[1]
        assert notebook == f"RUNNING jupyter-hub-{launch}"
        assert cluster.split()[1] == f"spark_cluster-{launch}"
        assert any(f"The Spark cluster spark_cluster-{launch} is submitted" in line for line in said)
        with alice.kernel() as run:
            printed = run(CELL + HOSTS)
            assert ANSWER in printed
            assert "hosts geneva-n1.lab.test geneva-n2.lab.test" in printed
            squeue = lab.run("geneva-login1", ["squeue", "-u", "alice"]).stdout
            assert re.search(r"normal jupyter-", squeue)
            assert re.search(r"cloud spark_cl", squeue)
            has_workers(lab, 2)
            assert "tickets of ['alice@LAB.TEST']" in run(TICKETS)
        alice.stop()
        assert home(lab, ".spark/master") == home(lab, ".spark/status") == ""

    def test_the_line_and_the_code_of_the_talk(self, lab: Lab, alice: Person) -> None:
        said = alice.start({"profile": "pyspark", "site": "lugano"})
        assert not [line for line in said if "failed" in line]
        printed = alice.run(SLIDE + HOSTS)
        assert ANSWER in printed
        assert "hosts lugano-n1.lab.test lugano-n2.lab.test" in printed
        account = ["squeue", "-h", "-u", "alice", "-p", "cloud", "-o", "%a %D"]
        assert lab.run("lugano-login", account).stdout == "proj3 2\n"
        assert len(names(lab, "lugano")) == 2

    def test_somebody_elses_port_is_left_to_him(self, lab: Lab, alice: Person) -> None:
        listen = "import socket; s = socket.create_server(('', 7077)); print('there', flush=True); input()"
        his = [listening(lab.command(node, ["/usr/bin/python3", "-c", listen], "bob")) for node in NODES["geneva"]]
        try:
            alice.start({"profile": "spark", "site": "geneva"})
            assert ANSWER in alice.run(CELL)
            assert alice.run("import os; print(os.environ['SPARK_MASTER_URL'])").startswith("spark://127.0.0.1:")
        finally:
            for server in his:
                server.communicate("\n")

    def test_local_mode_is_still_there(self, alice: Person) -> None:
        alice.start({"profile": "spark", "site": "geneva"})
        local = 'builder.master("local[1]").getOrCreate()'
        assert ANSWER in alice.run(CELL.replace("builder.getOrCreate()", local))


class TestTheWait:
    def test_the_notebook_does_not_wait_and_the_cell_does(self, lab: Lab, alice: Person) -> None:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark", "site": "geneva"})
            waits = "Spark: the cluster waits in the queue (PartitionDown)"
            lab.wait("the status says so", lambda: waits in home(lab, ".spark/status"), 30)
            assert [job.split()[0] for job in names(lab)] == ["RUNNING", "PENDING"]
            assert alice.run("print(6 * 7)").strip() == "42"
        printed = alice.run(CELL)
        assert "Not ready yet, waiting." in printed
        assert ANSWER in printed

    def test_a_cluster_that_slurm_refuses_is_said_in_its_words(self, lab: Lab) -> None:
        with logged_in(lab, "frank") as frank, pytest.raises(NotStarted) as caught:
            frank.start({"profile": "spark-refused", "site": "lugano"})
        assert "Slurm did not accept the Spark cluster" in str(caught.value)
        assert "Invalid account" in str(caught.value)


class TestTheEnd:
    def test_a_cancelled_cluster_ends_the_notebook(self, lab: Lab, alice: Person) -> None:
        launch = start(lab, alice)
        lab.run("geneva-login1", ["scancel", job_id(lab, "spark_cluster")], user="alice")
        lab.wait("both are over", lambda: names(lab) == [], 60)
        log = lab.run("geneva-login1", ["cat", f"/scratch/alice/jupyter/{launch}.log"]).stdout
        assert "The Spark cluster has ended, and the notebook with it." in log

    def test_a_cancelled_notebook_ends_the_cluster(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        lab.run("geneva-login1", ["scancel", job_id(lab, "jupyter")], user="alice")
        lab.wait("both are over", lambda: names(lab) == [], 60)

    def test_a_killed_notebook_ends_the_cluster_also_without_a_hub(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        with broken(lab, ("kill", "hub", "jupyterhub")):
            kill = ["scancel", "--signal=KILL", "--full", job_id(lab, "jupyter")]
            lab.run("geneva-login1", kill, user="alice")
            lab.wait("both are over", lambda: names(lab) == [], 60)
        lab.wait("the hub answers again", lambda: alice.http.get("/hub/api/").status_code == 200, 60)

    def test_a_killed_cluster_ends_the_notebook(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        kill = ["scancel", "--signal=KILL", "--full", job_id(lab, "spark_cluster")]
        lab.run("geneva-login1", kill, user="alice")
        lab.wait("both are over", lambda: names(lab) == [], 60)

    def test_a_cluster_that_waits_ends_with_a_stop(self, lab: Lab, alice: Person) -> None:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark", "site": "geneva"})
            alice.stop()
            lab.wait("both are over", lambda: names(lab) == [], 30)

    def test_a_cluster_that_waits_ends_with_a_killed_notebook(self, lab: Lab, alice: Person) -> None:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark", "site": "geneva"})
            kill = ["scancel", "--signal=KILL", "--full", job_id(lab, "jupyter")]
            lab.run("geneva-login1", kill, user="alice")
            lab.wait("both are over", lambda: names(lab) == [], 90)

    @pytest.mark.long
    def test_a_node_that_fails_ends_both(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        (other,) = [node for node in NODES["geneva"] if node != notebook_node(lab)]
        with broken(lab, ("cut", other)):
            lab.wait("both are over", lambda: names(lab) == [], 180)
        idle = ["sinfo", "-h", "-p", "normal", "-t", "idle", "-o", "%D"]
        lab.wait("the node is back", lambda: lab.run("geneva-login1", idle).stdout.strip() == "2", 120)

    @pytest.mark.long
    def test_the_time_limit_ends_both(self, lab: Lab, alice: Person) -> None:
        start(lab, alice, time="2m")
        lab.wait("both are over", lambda: names(lab) == [], 240)


class TestOtherPeople:
    def test_bob_gets_nowhere(self, lab: Lab, alice: Person) -> None:
        launch = start(lab, alice)
        folder = f"/scratch/alice/jupyter/{launch}/spark"
        master = lab.run("geneva-login1", ["cat", f"{folder}/master"], user="alice").stdout.strip()
        assert master == f"{home(lab, '.spark/master').strip()}:7077"
        conf = lab.run("geneva-login1", ["cat", f"{folder}/conf/spark-defaults.conf"], user="alice").stdout
        secret = re.search(r"spark\.authenticate\.secret (\w{64})", conf)
        assert secret
        for node in NODES["geneva"]:
            for name in ("cluster", "conf"):
                path = f"{folder}/{name}/spark-defaults.conf"
                assert lab.run(node, ["cat", path], user="bob", check=False).returncode == 1
            assert secret[1] not in lab.run(node, ["ps", "-eo", "args"]).stdout
        log = lab.run("geneva-login1", ["sh", "-c", "cat ~/.spark/logs/*"], user="alice").stdout
        assert "Worker" in log
        assert secret[1] not in log
        ask_master(lab, "bob", master, "", "nobody")
        ask_master(lab, "bob", master, "0" * 64, "guess")
        ask_master(lab, "alice", master, secret[1], "alice")
        log = lab.run("geneva-login1", ["sh", "-c", "cat ~/.spark/logs/*"], user="alice").stdout
        assert re.findall(r"Asked to kill driver (\w+)", log) == ["alice"]

    def test_bobs_own_pyspark_is_refused_by_alices_master(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        code = f"""
from pyspark import SparkConf, SparkContext
conf = SparkConf().setMaster("spark://{home(lab, ".spark/master").strip()}:7077").setAppName("bob")
conf.set("spark.authenticate", "true").set("spark.authenticate.secret", "bobs").set("spark.driver.memory", "512m")
print(SparkContext(conf=conf).parallelize(range(3)).collect())
"""
        done = lab.run("geneva-n2", ["/opt/spark/bin/python3", "-c", code], user="bob", check=False)
        assert done.returncode != 0
        assert "[0, 1, 2]" not in done.stdout
        assert "pyspark-shell" not in home(lab, f".spark/logs/{names(lab)[1].split()[1]}.log")

    def test_only_the_owner_sees_sparks_pages_by_the_notebooks_proxy(self, lab: Lab, alice: Person) -> None:
        start(lab, alice)
        with alice.kernel() as run:
            printed = run(CELL)
            (path,) = re.findall(r"Spark UI: (/user/alice/proxy/\d+/)jobs/", printed)
            page = alice.http.get(path)
            assert page.status_code == 200
            assert page.url.path == f"{path}jobs/"
            assert "Spark Jobs" in page.text
            assert "/jobs/job/kill" not in page.text
            assert alice.http.get(f"{path}static/webui.css").status_code == 200
            with logged_in(lab, "bob") as bob:
                assert bob.http.get(f"{path}jobs/").status_code == 403
            port = path.rstrip("/").rsplit("/", 1)[1]
            node = notebook_node(lab)
            for target, opens in ((f"{node}.lab.test", False), ("127.0.0.1", True)):
                probe = ["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{target}/{port}"]
                assert (lab.run(node, probe, user="alice", check=False).returncode == 0) == opens


def ask_master(lab: Lab, name: str, master: str, secret: str, program: str) -> None:
    """Ask a master to end a program, as a client of Spark does; a master that listens puts that into its log."""
    settings = ["authenticate=true", f"authenticate.secret={secret}", "network.crypto.enabled=true"]
    options = " ".join(f"-Dspark.{each}" for each in settings) if secret else ""
    script = f"""
. /etc/profile.d/modules.sh
module use /opt/modulefiles
module load spark
export JAVA_TOOL_OPTIONS='{options}'
timeout 40 spark-class org.apache.spark.deploy.Client kill spark://{master} {program}
"""
    lab.run("geneva-n2", ["bash", "-c", script], user=name, check=False)
