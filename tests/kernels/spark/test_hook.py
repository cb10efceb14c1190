"""Two jobs that begin and end together: real shells, with stand-ins for Slurm's commands and for Spark."""

import contextlib
import os
import shlex
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from kernels.hook import find
from kernels.spark.hook import InitCluster, Spark
from tests.support.spark import CLUSTER, NOTEBOOK, Node, kill

SPARK = Spark(workers=2, partition="cloud", project="proj3", check_seconds=1)
TWICE = f"--user=alice --name={NOTEBOOK}\n"


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.fixture
def jobs() -> Iterator[list["subprocess.Popen[str]"]]:
    """Jobs to be killed at the end, whatever happened."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for job in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        job.communicate(timeout=60)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def run(node: Node, hook: Spark | InitCluster, server: str = "", **environ: str) -> str:
    """Run a job to its end and return what it printed."""
    return node.start(hook.fragment(node.context()), server, **environ).communicate(timeout=60)[0]


class TestTheSubmission:
    def test_the_cluster_is_a_second_job_that_carries_the_launch_in_its_name(self, node: Node) -> None:
        node.tell("left", "1-02:03:04\n")
        printed = run(node, SPARK)
        assert f"spark: The Spark cluster {CLUSTER} is submitted; workers: 2.\n" in printed
        options = node.told("sbatch.arguments").splitlines()
        assert options[:14] == [
            "--parsable",
            "--export=ALL",
            f"--job-name={CLUSTER}",
            f"--comment={NOTEBOOK}",
            f"--output={node.folder}/cluster.out",
            "--no-requeue",
            "--nodes=2",
            "--ntasks-per-node=1",
            "--cpus-per-task=1",
            "--mem=2048M",
            "--time=1-02:03:04",
            "--account=proj3",
            "--partition=cloud",
            f"{node.folder}/cluster.sh",
        ]
        assert options[14:] == [str(node.folder), "2", "1", "1536", "1"]

    def test_left_out_project_and_partition_are_the_notebooks(self, node: Node) -> None:
        run(node, Spark(workers=1))
        assert {"--account=physics", "--partition=normal"} <= set(node.told("sbatch.arguments").splitlines())

    def test_what_is_nobodys_choice_is_left_to_slurm(self, node: Node) -> None:
        fragment = Spark(workers=1).fragment(node.context(partition=None, project=None))
        node.start(fragment, "").communicate(timeout=60)
        told = node.told("sbatch.arguments")
        assert told
        assert not any(option in told for option in ("--account", "--partition", "--time"))

    def test_nothing_that_somebody_has_set_for_slurm_bends_it_and_no_secret_of_the_hub_goes_along(
        self, node: Node
    ) -> None:
        odd = {"SBATCH_PARTITION": "x", "SLURM_CPUS_PER_TASK": "9", "SQUEUE_STATES": "CD", "SLURM_CONF": "/conf"}
        run(node, SPARK, **odd, JUPYTERHUB_API_TOKEN="5ec4e7", JPY_API_TOKEN="5ec4e7", MODULES_SAY="yes")
        seen, asked = node.environ_of("sbatch"), node.environ_of("squeue")
        assert seen["SLURM_CLUSTERS"] == asked["SLURM_CLUSTERS"] == "a b"
        assert seen["SLURM_CONF"] == asked["SLURM_CONF"] == "/conf"
        assert seen["MODULES_SAY"] == "yes"
        assert {"SPARK_HOME", "PATH", "HOME", "USER"} <= seen.keys()
        gone = {
            *odd,
            "JUPYTERHUB_API_TOKEN",
            "JPY_API_TOKEN",
            "SLURM_JOB_ID",
            "SPARK_MASTER_URL",
            "SPARK_CONF_DIR",
        } - {"SLURM_CONF"}
        assert not gone & seen.keys()
        assert not {"SBATCH_PARTITION", "SQUEUE_STATES", "JUPYTERHUB_API_TOKEN"} & asked.keys()

    @pytest.mark.parametrize("has_auks", [True, False])
    def test_where_auks_gives_each_job_a_ticket_the_cluster_gets_its_own(self, node: Node, has_auks: bool) -> None:
        around = {"KRB5CCNAME": "FILE:/tmp/krb5cc_41", **({"SLURM_SPANK_AUKS": "done"} if has_auks else {})}
        run(node, SPARK, **around)
        assert ("--auks=done" in node.told("sbatch.arguments").splitlines()) is has_auks
        assert ("KRB5CCNAME" in node.environ_of("sbatch")) is not has_auks

    def test_a_refusal_ends_the_launch_with_slurms_reason(self, node: Node) -> None:
        node.tell("refusal", "sbatch: hm\nsbatch: error: invalid partition specified: cloud\n")
        printed = run(node, SPARK, "echo the server")
        reason = "Slurm did not accept the Spark cluster: sbatch: error: invalid partition specified: cloud"
        assert f"gave up: {reason}\n" in printed
        assert "the server" not in printed
        # Slurm may have taken it all the same.
        assert node.told("cancelled") == f"--user=alice --name={CLUSTER}\n"

    def test_an_answer_that_was_lost_is_looked_for_by_name(self, node: Node) -> None:
        node.tell("refusal", "sbatch: error: Batch job submission failed: Socket timed out\n")
        node.queue(CLUSTER, "PENDING|Priority")
        assert "is submitted" in run(node, SPARK)

    def test_without_a_spark_the_admin_is_told_what_is_missing(self, node: Node) -> None:
        assert "SPARK_HOME contains no Spark: the profile must load a module that provides it." in run(
            node, SPARK, SPARK_HOME=""
        )

    def test_its_own_module_is_loaded_first(self, node: Node) -> None:
        assert "load_modules spark/3\n" in run(node, Spark(workers=1, module="spark/3"))


class TestTheSettings:
    def test_only_the_owner_can_read_the_secret_and_every_launch_has_another(
        self, node: Node, tmp_path: Path
    ) -> None:
        run(node, SPARK, "umask")
        other = Node(tmp_path / "other")
        run(other, SPARK)
        secrets = {
            one.settings(of)["spark.authenticate.secret"] for one in (node, other) for of in ("conf", "cluster")
        }
        assert len(secrets) == 2
        assert all(len(secret) == 64 for secret in secrets)
        for of in ("conf", "cluster"):
            assert stat.S_IMODE((node.folder / of / "spark-defaults.conf").stat().st_mode) == 0o600
            assert stat.S_IMODE((node.folder / of).stat().st_mode) == 0o700

    def test_master_and_notebook_want_the_secret_and_offer_no_other_way_in(self, node: Node) -> None:
        run(node, SPARK)
        for of in ("conf", "cluster"):
            settings = node.settings(of)
            assert settings["spark.authenticate"] == "true"
            assert settings["spark.network.crypto.enabled"] == "true"
            assert settings["spark.master.rest.enabled"] == "false"
            assert settings["spark.ui.killEnabled"] == "false"
            assert settings["spark.master.ui.decommission.allow.mode"] == "DENY"

    def test_memory_is_bounded_by_what_both_jobs_have(self, node: Node) -> None:
        run(node, Spark(workers=1, memory_per_worker="4G"))
        assert node.settings("conf")["spark.driver.memory"] == "2048m"
        assert node.settings("conf")["spark.executor.memory"] == "2150m"
        assert node.told("sbatch.arguments").splitlines()[-2] == "3584"

    def test_the_sites_own_settings_hold_where_ours_say_nothing(self, node: Node) -> None:
        site = node.root / "spark/conf"
        site.mkdir()
        (site / "spark-defaults.conf").write_text("spark.eventLog.dir /logs")
        run(node, SPARK)
        assert node.settings("conf")["spark.eventLog.dir"] == "/logs"
        assert node.settings("cluster")["spark.authenticate"] == "true"

    def test_a_server_finds_conf_and_master_and_the_files_of_its_user_stay_public(self, node: Node) -> None:
        printed = run(node, SPARK, 'printf "%s\\n" "$SPARK_CONF_DIR" "$SPARK_MASTER_URL"; umask')
        conf, url, umask = printed.splitlines()[-3:]
        assert conf == str(node.folder / "conf")
        assert url.startswith("spark://127.0.0.1:")
        assert node.settings("conf")["spark.master"] == url
        assert umask == "0022"


class TestTheCommand:
    def start(self, node: Node, line: str) -> "subprocess.CompletedProcess[str]":
        """Run a kernel script in a bash of its own, as a profile's is."""
        job = node.start(InitCluster().fragment(node.context()), f"bash -c '{line}'; echo status $?")
        return subprocess.CompletedProcess([], 0, job.communicate(timeout=60)[0])

    def test_the_line_of_the_talk(self, node: Node) -> None:
        said = self.start(node, "true && init-cluster proj3 cloud 5")
        assert "status 0" in said.stdout
        options = node.told("sbatch.arguments").splitlines()
        assert {"--account=proj3", "--partition=cloud", "--nodes=5", "--mem=2048M"} <= set(options)
        assert options[-1] == "60"

    def test_cores_and_memory_can_be_said(self, node: Node) -> None:
        self.start(node, "init-cluster p c 1 --cores 4 --memory 8192 --check-seconds 5")
        assert {"--cpus-per-task=4", "--mem=8192M"} <= set(node.told("sbatch.arguments").splitlines())

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("", "Usage: init-cluster PROJECT PARTITION NODES"),
            ("proj3 cloud", "Usage: init-cluster PROJECT PARTITION NODES"),
            ("proj3 cloud 0", "0 is not a whole number of at least 1"),
            ("proj3 cloud five", "five is not a whole number of at least 1"),
            ("proj3 cloud 1 --memory 900", "A worker needs --memory 1536"),
            ("proj3 cloud 1 --colour red", "There is no option --colour"),
            ("proj3 cloud 1 --cores", "--cores is not expected here"),
            ('"proj3 --uid=0" cloud 1', "proj3 --uid=0 is not a valid project name"),
            ("proj3 --wrap=id 1", "--wrap=id is not a valid partition name"),
        ],
    )
    def test_what_it_cannot_do_it_says(self, node: Node, words: str, said: str) -> None:
        printed = self.start(node, f"init-cluster {words}").stdout
        assert f"init-cluster: {said}" in printed
        assert "status 1" in printed
        assert not node.told("sbatch.arguments")

    def test_a_launch_has_one_cluster(self, node: Node) -> None:
        said = self.start(node, "init-cluster a b 1; init-cluster a b 1")
        assert "This launch already has a Spark cluster." in said.stdout
        assert "status 1" in said.stdout

    def test_after_a_refusal_it_may_be_tried_again(self, node: Node) -> None:
        node.tell("refusal", "sbatch: error: no\n")
        said = self.start(node, f'init-cluster a b 1; rm "{node.slurm}/refusal"; init-cluster a b 1')
        assert "is submitted" in said.stdout

    def test_a_script_that_says_the_command_brings_it_and_no_other_does(self) -> None:
        def asks(*scripts: str) -> bool:
            return InitCluster.implied(scripts, ()) == InitCluster()

        assert asks("make.sh", "/gpfs/home/beche/make_pyspark-venv.sh && init-cluster proj3 cloud 5")
        assert asks("init-cluster a b 1;init-cluster a b 1")
        assert not asks("make.sh", "/opt/init-cluster a b 1", "init-clusters", "my-init-cluster")
        assert not asks()

    def test_a_profile_that_has_the_hook_gets_nothing_twice(self) -> None:
        for own in (SPARK, InitCluster()):
            assert InitCluster.implied(["init-cluster a b 1"], [own]) is None

    def test_what_a_killed_job_leaves_is_cancelled_by_name_and_owner(self, node: Node) -> None:
        for hook in (SPARK, InitCluster()):
            command = shlex.split(hook.release(node.context()))
            assert command == [f"{node.slurm}/scancel", "--user=alice", f"--name={CLUSTER}"]

    def test_a_site_of_several_clusters_is_told_which(self, node: Node) -> None:
        assert "--clusters=alps" in shlex.split(SPARK.release(node.context(slurm_cluster="alps")))


class TestTheNotebooksJob:
    def test_it_says_how_far_the_cluster_is_and_does_not_wait(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        node.queue(CLUSTER, "PENDING|Resources")
        job = node.start(SPARK.fragment(node.context()), "echo up; sleep 300")
        jobs.append(job)
        status = node.home / ".spark/status"
        until(lambda: read(status) == f"Spark: the cluster waits in the queue (Resources) ({CLUSTER})\n")
        node.queue(CLUSTER, "RUNNING|None")
        until(lambda: read(status) == f"Spark: 0 of 2 workers ({CLUSTER})\n")
        (node.folder / "alive").write_text("1\n")
        until(lambda: read(status) == f"Spark: 1 of 2 workers ({CLUSTER})\n")
        printed = kill(job, signal.SIGTERM)
        assert printed.index("up\n") < printed.index("spark: 1 of 2 workers")
        assert not status.exists()

    @pytest.mark.parametrize("server", ["true", "exit 7", "give_up no", "kill $$"])
    def test_however_it_ends_it_cancels_the_cluster_by_name_and_owner(self, node: Node, server: str) -> None:
        run(node, SPARK, server)
        assert node.told("cancelled") == f"--user=alice --name={CLUSTER}\n"

    @pytest.mark.parametrize("row", ["CANCELLED|None", "NODE_FAIL|None", "TIMEOUT|None", "COMPLETING|None", ""])
    def test_it_ends_with_the_cluster(self, node: Node, jobs: list["subprocess.Popen[str]"], row: str) -> None:
        node.queue(CLUSTER, "RUNNING|None")
        jobs.append(node.start(SPARK.fragment(node.context())))
        until(lambda: read(node.folder / "status"))
        node.queue(CLUSTER, row)
        until(lambda: TWICE in node.told("cancelled"))
        assert "The Spark cluster has ended" in kill(jobs[0], signal.SIGTERM)

    def test_a_question_without_an_answer_ends_nothing(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        node.queue(CLUSTER, "RUNNING|None")
        jobs.append(node.start(SPARK.fragment(node.context())))
        until(lambda: read(node.folder / "status"))
        node.tell("silent", "")
        node.queue(CLUSTER, "")
        asked = node.slurm / "squeue.environ"
        for _ in range(3):
            asked.unlink()
            until(asked.exists)
        assert not node.told("cancelled")

    def test_a_cluster_that_is_missed_once_is_not_over(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        node.queue(CLUSTER, "RUNNING|None")
        jobs.append(node.start(SPARK.fragment(node.context())))
        until(lambda: read(node.folder / "status"))
        asked = node.slurm / "squeue.environ"
        asked.unlink()
        node.queue(CLUSTER, "")
        until(asked.exists)
        node.queue(CLUSTER, "RUNNING|None")
        for _ in range(2):
            asked.unlink()
            until(asked.exists)
        assert not node.told("cancelled")

    def test_no_process_of_it_stays(self, node: Node) -> None:
        job = node.start(SPARK.fragment(node.context()), "true")
        job.communicate(timeout=60)
        until(lambda: not _processes_of(job.pid))


def _processes_of(session: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


class TestTheClustersJob:
    @pytest.fixture
    def cluster(self, node: Node, jobs: list["subprocess.Popen[str]"]) -> "subprocess.Popen[str]":
        """A cluster whose notebook runs, with a master that is up."""
        jobs.append(node.start(SPARK.fragment(node.context())))
        until((node.folder / "submitted").exists)
        node.queue(CLUSTER, "RUNNING|None")
        jobs.append(node.start_cluster())
        until((node.home / ".spark/master").exists)
        return jobs[1]

    @pytest.mark.usefixtures("cluster")
    def test_master_and_workers_are_told_where_and_how_much(self, node: Node) -> None:
        until(lambda: "Worker" in node.told("daemons"))
        master, worker = node.told("daemons").splitlines()
        host = socket.getfqdn() if "." in socket.getfqdn() else socket.gethostname()
        assert read(node.home / ".spark/master").strip() in (host, socket.gethostname())
        assert "--port 7077 --webui-port" in master
        assert "--cores 1 --memory 1536m --work-dir" in worker
        assert worker.rstrip().endswith(":7077")
        seen = node.environ_of("Worker")
        assert seen["SPARK_LOG_DIR"] == f"{node.home}/.spark/logs"
        assert seen["SPARK_PID_DIR"] == f"{node.home}/.spark/pid"
        assert seen["SPARK_WORKER_DIR"] == f"{node.home}/.spark/work"
        assert seen["SPARK_LOCAL_IP"] == "127.0.0.1"
        assert seen["SPARK_CONF_DIR"] == str(node.folder / "cluster")

    @pytest.mark.usefixtures("cluster")
    def test_no_secret_is_in_arguments_or_environment(self, node: Node) -> None:
        until(lambda: "Worker" in node.told("daemons"))
        secret = node.settings("cluster")["spark.authenticate.secret"]
        seen = [node.told(name) for name in ("daemons", "Worker.environ", "Master.environ", "sbatch.environ")]
        assert all(seen)
        assert not any(secret in text for text in (*seen, node.told("sbatch.arguments")))

    def test_a_port_that_somebody_has_is_left_to_her(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        node.tell("taken-7077", "")
        jobs.append(node.start(SPARK.fragment(node.context())))
        until((node.folder / "submitted").exists)
        jobs.append(node.start_cluster())
        until((node.folder / "master").exists)
        port = int(read(node.folder / "master").rsplit(":", 1)[1])
        assert 20000 <= port < 30000

    @pytest.mark.usefixtures("cluster")
    def test_the_number_of_workers_is_passed_on(self, node: Node) -> None:
        until(lambda: read(node.folder / "alive") == "0\n")
        node.tell("alive", "2")
        until(lambda: read(node.home / ".spark/status") == f"Spark: 2 of 2 workers ({CLUSTER})\n")

    def test_cancelled_it_ends_the_notebook_and_leaves_nothing(
        self, node: Node, cluster: "subprocess.Popen[str]"
    ) -> None:
        kill(cluster, signal.SIGTERM)
        assert TWICE in node.told("cancelled")
        assert "It was cancelled, or its time was up." in read(node.folder / "over")
        for folder in (node.root / "tmp", node.home / ".spark/work", node.home / ".spark/pid"):
            until(lambda folder=folder: not list(folder.iterdir()))

    @pytest.mark.usefixtures("cluster")
    def test_a_daemon_that_is_ended_while_its_folder_is_made_leaves_none(self, node: Node) -> None:
        """Slurm ends all processes of a step at once, also that which makes it."""
        for maker in ("mktemp", "mkdir"):
            program = node.root / "bin" / maker
            program.write_text(f'#!/bin/bash\n/usr/bin/{maker} "$@"\nkill -TERM 0\n')
            program.chmod(0o755)
        before = list((node.root / "tmp").iterdir())
        command = ["bash", node.folder / "node.sh", "worker", node.folder, "spark://n1:7077", "1", "512"]
        subprocess.run(command, env=node.environ, start_new_session=True, timeout=60, check=False)
        assert [path for path in (node.root / "tmp").iterdir() if path not in before] == []

    @pytest.mark.parametrize("row", ["CANCELLED|None", "COMPLETED|None", ""])
    def test_it_ends_with_a_notebook_that_could_not_say_so(
        self, node: Node, cluster: "subprocess.Popen[str]", row: str
    ) -> None:
        node.queue(NOTEBOOK, row)
        cluster.communicate(timeout=60)
        assert cluster.returncode == 0

    def test_it_does_not_begin_for_a_notebook_that_is_over(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        jobs.append(node.start(SPARK.fragment(node.context())))
        until((node.folder / "submitted").exists)
        node.queue(NOTEBOOK, "TIMEOUT|None")
        late = node.start_cluster()
        late.communicate(timeout=60)
        assert node.told("daemons") == ""

    def test_it_does_not_begin_for_a_launch_whose_folder_is_gone(self, node: Node) -> None:
        run(node, SPARK)
        script = node.folder / "cluster.sh"
        spooled = node.root / "spooled.sh"
        spooled.write_text(script.read_text())
        late = node.start_cluster(str(spooled), str(node.root / "nowhere"), "2", "1", "1536", "1")
        assert late.communicate(timeout=60)[0] == ""
        assert late.returncode == 0

    def test_a_master_that_dies_ends_both(self, node: Node, cluster: "subprocess.Popen[str]") -> None:
        until(lambda: "Worker" in node.told("daemons"))
        pids = [pid for pid in _processes_of(cluster.pid) if "serve_forever" in read(Path(f"/proc/{pid}/cmdline"))]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        cluster.communicate(timeout=60)
        assert "Its master has ended" in read(node.folder / "over")
        assert TWICE in node.told("cancelled")


class TestWhatSparkReadsInTheNotebook:
    def start(self, node: Node, *words: str) -> "subprocess.Popen[str]":
        text = f'set -- {" ".join(words)}\n. "{node.folder}/conf/spark-env.sh"\nenv; echo go\n'
        environ = {
            **node.environ,
            "SPARK_CONF_DIR": f"{node.folder}/conf",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/a/",
        }
        return subprocess.Popen(
            ["bash", "-c", text], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def test_it_waits_for_the_master_and_says_so(self, node: Node) -> None:
        run(node, SPARK)
        (node.folder / "status").write_text("Spark: the cluster waits in the queue (Priority)\n")
        spark = self.start(node)
        assert spark.stdout is not None
        assert spark.stdout.readline() == (
            "Not ready yet, waiting.  Spark: the cluster waits in the queue (Priority)\n"
        )
        (node.folder / "master").write_text("n1:7077\n")
        printed = spark.communicate(timeout=60)[0]
        assert "SPARK_LOCAL_IP=127.0.0.1\n" in printed
        page = printed.split("-Dspark.ui.port=")[1].split()[0]
        assert f"APPLICATION_WEB_PROXY_BASE=/user/a/proxy/{page}\n" in printed
        assert f"Spark UI: /user/a/proxy/{page}/jobs/\n" in printed

    def test_it_says_that_the_cluster_is_over(self, node: Node) -> None:
        run(node, SPARK)
        (node.folder / "over").write_text("It is over.\n")
        spark = self.start(node)
        assert spark.communicate(timeout=60)[0] == "It is over.\n"
        assert spark.returncode == 1

    def test_it_says_that_nobody_asked_for_a_cluster(self, node: Node) -> None:
        run(node, InitCluster())
        assert "This notebook has no Spark cluster" in self.start(node).communicate(timeout=60)[0]

    @pytest.mark.parametrize("words", [("--conf", "spark.master=local[2]"), ("--master", "local", "x")])
    def test_local_mode_waits_for_nothing(self, node: Node, words: tuple[str, ...]) -> None:
        run(node, InitCluster())
        assert "go\n" in self.start(node, *words).communicate(timeout=60)[0]


class TestTheDoor:
    def test_it_leads_to_the_master_once_there_is_one(
        self, node: Node, jobs: list["subprocess.Popen[str]"]
    ) -> None:
        jobs.append(node.start(SPARK.fragment(node.context()), 'echo "$SPARK_MASTER_URL" > url; sleep 300'))
        until(lambda: read(node.root / "url"))
        port = int(read(node.root / "url").rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), 10) as early:
            assert early.recv(1) == b""
        with socket.socket() as master:
            master.bind(("127.0.0.1", 0))
            master.listen()
            master.settimeout(60)
            (node.folder / "master").write_text(f"127.0.0.1:{master.getsockname()[1]}\n")
            with socket.create_connection(("127.0.0.1", port), 10) as client:
                server, _ = master.accept()
                client.sendall(b"hello")
                client.shutdown(socket.SHUT_WR)
                assert server.recv(9) == b"hello"
                server.sendall(b"back")
                server.close()
                assert client.recv(9) == b"back"

    def test_other_hosts_do_not_see_it(self, node: Node) -> None:
        assert "spark://127.0.0.1:" in run(node, SPARK, 'echo "$SPARK_MASTER_URL"')


class TestTheCatalogue:
    def test_both_are_installed_under_their_names(self) -> None:
        assert (find("spark"), find("init-cluster")) == (Spark, InitCluster)

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"workers": 0},
            {"workers": 1, "partition": "a b"},
            {"workers": 1, "project": "--uid=0"},
            {"workers": 1, "memory_per_worker": "1G"},
            {"workers": 1, "cores_per_worker": 0},
            {"workers": 1, "check_seconds": 0},
            {"workers": 1, "nodes": 2},
        ],
    )
    def test_settings_that_no_cluster_can_have_are_refused(self, settings: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Spark.model_validate(settings)
