"""How a Spark cluster begins: by a command, after a wait in the queue, or not at all."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from lab import Lab
from lab.demo import SPARK_CELL as CELL
from lab.person import NotStarted
from tests.lab.look import closed, logged_in
from tests.lab.spark import (
    ANSWER,
    HOSTS,
    NODES,
    clean,
    home,
    job_id,
    launch_id,
    names,
    notebook_node,
    spark_processes,
)

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
LOCAL = CELL.replace("builder.getOrCreate()", 'builder.master("local[1]").getOrCreate()')
LISTEN = "import socket; s = socket.create_server(('', 7077)); print('there', flush=True); input()"


@pytest.mark.long
def test_the_line_and_the_code_of_the_talk(lab: Lab) -> None:
    with clean(lab) as alice:
        said = alice.start({"profile": "pyspark", "site": "lugano"})
        assert not [line for line in said if "failed" in line]
        printed = alice.run(SLIDE + HOSTS)
        assert ANSWER in printed
        assert "hosts lugano-n1.lab.test lugano-n2.lab.test" in printed
        account = ["squeue", "-h", "-u", "alice", "-p", "cloud", "-o", "%a %D"]
        assert lab.run("lugano-login", account).stdout == "proj3 2\n"
        assert len(names(lab, "lugano")) == 2
        alice.stop()
        lab.wait("both are over", lambda: names(lab, "lugano") == [])
        assert home(lab, ".spark/master", "lugano") == home(lab, ".spark/status", "lugano") == ""


def test_a_cluster_that_slurm_refuses_is_said_in_its_words(lab: Lab) -> None:
    with logged_in(lab, "frank") as frank, pytest.raises(NotStarted) as caught:
        frank.start({"profile": "spark-refused", "site": "lugano"})
    assert "Slurm did not accept the Spark cluster" in str(caught.value)
    assert "Invalid account" in str(caught.value)


@dataclass(frozen=True)
class Wait:
    """What was seen of a launch whose cluster waited, ran although somebody had its port, and was cancelled."""

    jobs: list[str]
    """`state name` of both while the cluster waited."""

    local: str
    """What a cell in local mode printed meanwhile."""

    printed: str
    """What a cell printed that wanted the cluster while that still waited."""

    master: str
    log: str
    """The notebook's, once both were over."""


@pytest.fixture(scope="class")
def seen(lab: Lab) -> Wait:
    with somebody_has_the_port(lab), clean(lab) as alice, ThreadPoolExecutor(1) as meanwhile:
        with closed(lab, "geneva", "cloud"):
            alice.start({"profile": "spark-small", "site": "geneva"})
            waits = "Spark: the cluster waits in the queue (PartitionDown)"
            lab.wait("the status says so", lambda: waits in home(lab, ".spark/status"))
            jobs, launch, local = names(lab), launch_id(lab), alice.run(LOCAL)
            node, cell = notebook_node(lab), meanwhile.submit(alice.run, CELL)
            lab.wait("a cell starts Spark", lambda: "bin/spark-class" in str(spark_processes(lab, node)))
            assert names(lab) == jobs
        printed = cell.result()
        read = ["cat", f"/scratch/alice/jupyter/{launch}/spark/master"]
        master = lab.run("geneva-login1", read, user="alice").stdout.strip()
        lab.run("geneva-login1", ["scancel", job_id(lab, "spark_cluster")], user="alice")
        lab.wait("both are over", lambda: names(lab) == [])
        log = lab.run("geneva-login1", ["cat", f"/scratch/alice/jupyter/{launch}.log"]).stdout
        return Wait(jobs, local, printed, master, log)


@pytest.mark.xdist_group("spark waits")
class TestTheWait:
    def test_the_notebook_does_not_wait(self, seen: Wait) -> None:
        assert [job.split()[0] for job in seen.jobs] == ["RUNNING", "PENDING"]

    def test_local_mode_waits_for_nothing(self, seen: Wait) -> None:
        assert "Not ready yet" not in seen.local
        assert ANSWER in seen.local

    def test_the_cell_waits_and_says_so(self, seen: Wait) -> None:
        assert "Not ready yet, waiting." in seen.printed
        assert ANSWER in seen.printed

    def test_somebody_elses_port_is_left_to_them(self, seen: Wait) -> None:
        assert seen.master.startswith("geneva-n")
        assert not seen.master.endswith(":7077")

    def test_a_cancelled_cluster_ends_the_notebook(self, seen: Wait) -> None:
        assert "The Spark cluster has ended, and the notebook with it." in seen.log


@contextmanager
def somebody_has_the_port(lab: Lab) -> Iterator[None]:
    """Let bob listen on the port of masters on all of geneva's nodes for the length of a block."""
    with ExitStack() as programs:
        for node in NODES["geneva"]:
            command = lab.command(node, ["/usr/bin/python3", "-c", LISTEN], "bob")
            his = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            programs.callback(his.communicate, "\n")
            assert his.stdout is not None
            assert his.stdout.readline() == "there\n"
        yield
