"""What every other test in the lab stands on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab import Lab, LabError, stand_ins
from lab.daemons import KDC_PORT, SSH_PORT
from lab.folders import TREE
from lab.people import PEOPLE
from lab.plan import (
    GATEWAYS,
    NSG_APPKEY,
    NSG_APPLICATION,
    NSG_PORT,
    ROBOT,
    ROBOT_PASSWORD,
    SITES,
    UNICORE_PORT,
    Site,
)
from tests.lab.faults import broken, broken_gateway

TICKET_SERVICE = "nfs/storage.lab.test"


@pytest.fixture
def alice_on_hub(lab: Lab) -> Iterator[Lab]:
    """The lab, with a ticket of alice in her default cache on the host hub."""
    lab.run("hub", ["kinit"], user="alice", input="alice-pw\n")
    yield lab
    lab.run("hub", ["kdestroy"], user="alice")


def ssh(lab: Lab, target: str, command: str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    strict = ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}"]
    return lab.run("hub", ["ssh", "-K", *strict, target, command], user="alice", check=False)


def mounts() -> str:
    """Everything mounted in any mount namespace."""
    seen = []
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            seen.append(path.read_text())
        except OSError:
            # The process has just ended.
            continue
    return "\n".join(seen)


def network_devices() -> str:
    return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout


def hub_answers(lab: Lab) -> bool:
    try:
        return httpx.get(f"{lab.url}/hub/api/", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def processes(lab: Lab) -> list[int]:
    return [daemon.pid for daemons in lab.status().values() for daemon in daemons]


class TestSites:
    @pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
    def test_a_job_runs_as_the_person(self, lab: Lab, site: Site) -> None:
        out = "/scratch/alice/job.out"
        wrap = "--wrap=hostname; id -un; pwd"
        front_end = site.hosts[1].name
        lab.run(front_end, ["sbatch", "--wait", f"--output={out}", wrap], user="alice")
        node, user, folder = lab.run(front_end, ["cat", out], user="alice").stdout.split()
        assert node in {host.fqdn for host in site.hosts}
        assert (user, folder) == ("alice", "/home/alice")

    def test_homes_are_shared_within_a_site_only(self, lab: Lab) -> None:
        lab.run("geneva-login1", ["touch", "here"], user="bob")
        assert lab.run("geneva-n2", ["ls"], user="bob").stdout == "here\n"
        assert lab.run("lugano-login", ["ls"], user="bob").stdout == ""
        lab.run("geneva-login1", ["rm", "here"], user="bob")

    def test_a_gpu_job_lands_where_the_gpus_are(self, lab: Lab) -> None:
        srun = ["srun", "--partition=gpu", "--gres=gpu:1", "hostname"]
        assert lab.run("geneva-login1", srun, user="alice").stdout.strip() == "geneva-n1.lab.test"

    @pytest.mark.parametrize(("node", "init"), [("geneva-n2", "modules.sh"), ("lugano-n1", "lmod.sh")])
    def test_the_module_brings_jupyterlab(self, lab: Lab, node: str, init: str) -> None:
        program = f". /etc/profile.d/{init}; module load jupyterlab; command -v jupyterhub-singleuser"
        done = lab.run(node, ["sh"], user="alice", input=program)
        assert done.stdout.strip() == "/opt/jupyterlab/bin/jupyterhub-singleuser"

    def test_a_front_end_has_the_public_key_of_its_own_sshd(self, lab: Lab) -> None:
        public = lab.run("geneva-login1", ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.split()
        shown = lab.run("hub", ["ssh-keyscan", "-t", "ed25519", "geneva-login1.lab.test"]).stdout.split()
        assert shown[1:3] == public[:2]

    def test_site_hosts_have_nothing_of_ours(self, lab: Lab) -> None:
        assert lab.run("geneva-n1", ["ls", "-A", str(TREE)], check=False).stdout == ""

    def test_a_lab_that_was_not_asked_for_it_has_no_third_site(self, lab: Lab) -> None:
        assert not [host for host in lab.status() if host.startswith("zurich")]
        with pytest.raises(LabError, match=r"This lab has no zurich-login\. Start it with it: .* up --zurich"):
            lab.run("zurich-login", ["true"])
        assert "zurich" not in lab.run("hub", ["cat", "/etc/jupyterhub/catalogue.yaml"]).stdout

    def test_hosts_cannot_write_to_the_machine(self, lab: Lab) -> None:
        lab.run("geneva-n1", ["touch", "/usr/written-by-a-host", "/etc/written-by-a-host"])
        assert not Path("/usr/written-by-a-host").exists()
        assert not Path("/etc/written-by-a-host").exists()


class TestTickets:
    def test_ssh_with_a_ticket_delegates_it(self, alice_on_hub: Lab) -> None:
        done = ssh(alice_on_hub, "geneva-login1.lab.test", f"id -un; hostname; klist; kvno {TICKET_SERVICE}")
        assert done.stdout.startswith("alice\ngeneva-login1.lab.test\n")
        assert "Default principal: alice@LAB.TEST" in done.stdout
        assert f"{TICKET_SERVICE}@LAB.TEST: kvno = 1" in done.stdout

    def test_without_a_ticket_ssh_is_refused(self, lab: Lab) -> None:
        done = ssh(lab, "geneva-login2.lab.test", "true")
        assert done.returncode == 255
        assert "Permission denied" in done.stderr

    @pytest.mark.parametrize(
        ("name", "says"),
        [("carol", "Password expired"), ("dave", "credentials have been revoked")],
    )
    def test_who_gets_no_ticket(self, lab: Lab, name: str, says: str) -> None:
        done = lab.run("hub", ["kinit"], user=name, input=f"{name}-pw\n", check=False)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr

    def test_tickets_are_renewable_and_forwardable(self, alice_on_hub: Lab) -> None:
        listing = alice_on_hub.run("hub", ["klist", "-f"], user="alice").stdout
        flags = listing.split("Flags: ")[1].split()[0]
        assert {"F", "R"} <= set(flags)
        alice_on_hub.run("hub", ["kinit", "-R"], user="alice")


class TestPeople:
    def test_the_hub_knows_them_by_name_only(self, lab: Lab) -> None:
        for person in PEOPLE:
            entry = lab.run("hub", ["getent", "passwd", person.name]).stdout.strip()
            assert entry.endswith("/nonexistent:/usr/sbin/nologin")

    def test_the_shell_of_frank_talks(self, lab: Lab) -> None:
        assert lab.run("geneva-login1", ["getent", "passwd", "frank"]).stdout.strip().endswith("/bin/tcsh")
        done = lab.run("geneva-login1", ["tcsh", "-c", "echo $SQUEUE_STATES"], user="frank")
        assert "Welcome" in done.stdout
        assert "Mind the gap" in done.stderr
        assert done.stdout.endswith("CD\n")

    @pytest.mark.parametrize("host", ["geneva-login1", "geneva-n2", "lugano-n1"])
    def test_the_home_of_grace_is_full(self, lab: Lab, host: str) -> None:
        done = lab.run(host, ["sh", "-c", "echo x > more"], user="grace", check=False)
        assert done.returncode != 0


class TestHub:
    def test_it_answers_on_the_machine(self, lab: Lab) -> None:
        assert hub_answers(lab)

    def test_it_is_not_root_and_owns_its_folders(self, lab: Lab) -> None:
        listing = lab.run("hub", ["ps", "-C", "python", "-o", "user:20=,args="]).stdout
        assert [line.split()[0] for line in listing.splitlines() if "-m jupyterhub" in line] == ["jupyterhub"]
        show = ["stat", "--format=%U %a", "/run/jupyterhub", "/var/lib/jupyterhub"]
        assert lab.run("hub", show).stdout == "jupyterhub 700\njupyterhub 700\n"
        lab.run("hub", ["klist", "-k", "/etc/jupyterhub/krb5.keytab"], user="jupyterhub")
        assert lab.run("hub", ["cat", "/etc/jupyterhub/krb5.keytab"], user="alice", check=False).returncode

    def test_the_proxy_takes_routes_from_the_hub_alone(self, lab: Lab) -> None:
        listening = lab.run("hub", ["ss", "-Hltn", "sport", "=", ":8001"]).stdout
        assert [line.split()[3] for line in listening.splitlines()] == ["127.0.0.1:8001"]
        ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8001/api/routes"]
        assert lab.run("hub", ask).stdout == "403"

    def test_it_keeps_its_database_over_a_restart(self, lab: Lab) -> None:
        service = {"Authorization": "token lab-service-token"}
        bob = f"{lab.url}/hub/api/users/bob"
        httpx.post(bob, headers=service, timeout=60)
        lab.fault("kill", "hub", "jupyterhub")
        lab.fault("start", "hub", "jupyterhub")
        lab.wait("the restarted hub answers", lambda: hub_answers(lab))
        assert httpx.get(bob, headers=service, timeout=60).json()["name"] == "bob"
        httpx.delete(bob, headers=service, timeout=60)


class TestGateways:
    GATEWAYS = pytest.mark.parametrize("kind", stand_ins.KINDS)

    @staticmethod
    def ask(lab: Lab, kind: str) -> subprocess.CompletedProcess[str]:
        """Ask the stand-in as the job service does: from its host, trusting the lab's authority alone."""
        headers = {"cipres-appkey": NSG_APPKEY, "cipres-eu": "alice", "cipres-eu-email": "alice@lab.test"}
        nsg = f":{NSG_PORT}/cipresrest/v1/job/{NSG_APPLICATION}.alice"
        path = {"unicore": f":{UNICORE_PORT}/LAB/rest/core", "nsg": nsg}[kind]
        given = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        curl = ["curl", "-sSf", "--max-time", "120", "--cacert", "/etc/jupyterhub/gateways-ca.pem", *given]
        command = [*curl, "-u", f"{ROBOT}:{ROBOT_PASSWORD}", f"https://{GATEWAYS.fqdn}{path}"]
        return lab.run("hub", command, user="jupyterhub", check=False)

    @GATEWAYS
    def test_they_answer_the_hub_behind_tls(self, lab: Lab, kind: str) -> None:
        answer = self.ask(lab, kind)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert {"unicore": ROBOT, "nsg": "joblist"}[kind] in answer.stdout

    @GATEWAYS
    def test_they_are_broken_like_any_daemon_and_in_ways_of_their_own(self, lab: Lab, kind: str) -> None:
        with broken(lab, ("kill", GATEWAYS.name, kind)):
            assert self.ask(lab, kind).returncode == 7, "curl's word for a refused connection"
        with broken_gateway(lab, kind, away="busy"):
            assert "503" in self.ask(lab, kind).stderr
        with broken_gateway(lab, kind, certificate=stand_ins.STRANGE_CERTIFICATE):
            assert "certificate" in self.ask(lab, kind).stderr
        assert self.ask(lab, kind).returncode == 0

    def test_they_are_no_root_and_see_no_home(self, lab: Lab) -> None:
        listing = lab.run(GATEWAYS.name, ["ps", "-C", "python", "-o", "user:20=,args="]).stdout.splitlines()
        owners = [line.split()[0] for line in listing if "lab.gateways" in line]
        assert owners == ["gateways", "gateways"]
        assert lab.run(GATEWAYS.name, ["ls", "-A", "/home"]).stdout == ""


class TestFaults:
    def test_a_killed_daemon_is_away_until_it_is_started(self, alice_on_hub: Lab) -> None:
        lab = alice_on_hub
        lab.fault("kill", "geneva-login2", "sshd")
        assert "Connection refused" in ssh(lab, "geneva-login2.lab.test", "true").stderr
        lab.fault("start", "geneva-login2", "sshd")
        lab.wait("sshd is back", lambda: ssh(lab, "geneva-login2.lab.test", "true").returncode == 0)

    def test_a_cut_host_is_out_of_reach_until_it_joins(self, alice_on_hub: Lab) -> None:
        lab = alice_on_hub
        lab.fault("cut", "geneva-login2")
        assert ssh(lab, "geneva-login2.lab.test", "true", 3).returncode == 255
        lab.fault("join", "geneva-login2")
        lab.wait("the host is back", lambda: ssh(lab, "geneva-login2.lab.test", "true").returncode == 0)

    def test_a_frozen_daemon_does_not_answer_until_it_thaws(self, lab: Lab) -> None:
        def condition() -> str:
            return lab.status()["kdc"][0].condition

        def kinit(*before: str) -> int:
            return lab.run("hub", [*before, "kinit"], user="bob", input="bob-pw\n", check=False).returncode

        lab.fault("freeze", "kdc", "krb5kdc")
        assert condition() == "frozen"
        assert kinit("timeout", "2") == 124
        lab.fault("thaw", "kdc", "krb5kdc")
        assert condition() == "running"
        assert kinit() == 0
        lab.run("hub", ["kdestroy"], user="bob")

    def test_a_stopped_daemon_can_be_started_again(self, lab: Lab) -> None:
        lab.fault("stop", "lugano-ctl", "slurmctld")
        assert next(one for one in lab.status()["lugano-ctl"] if one.name == "slurmctld").condition == "stopped"
        lab.fault("start", "lugano-ctl", "slurmctld")
        sinfo = ["sinfo", "--noheader", "--states=idle", "--partition=normal", "--format=%D"]
        lab.wait("lugano is idle", lambda: lab.run("lugano-login", sinfo, check=False).stdout == "2\n")

    @pytest.mark.parametrize(
        ("host", "daemon", "port"), [("kdc", "krb5kdc", KDC_PORT), ("geneva-login2", "sshd", SSH_PORT)]
    )
    def test_a_daemon_that_was_started_answers_at_once(self, lab: Lab, host: str, daemon: str, port: int) -> None:
        for _ in range(10):
            lab.fault("kill", host, daemon)
            lab.fault("start", host, daemon)
            lab.run(host, ["bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}"])

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            (("kill", "nowhere", "sshd"), "no host 'nowhere'"),
            (("kill", "kdc", "sshd"), "no daemon 'sshd' on this host. Its daemons are: krb5kdc"),
            (("burn", "kdc", "krb5kdc"), "no fault 'burn'"),
            (("start", "kdc", "krb5kdc"), "runs already"),
        ],
    )
    def test_a_fault_that_cannot_be_is_explained(self, lab: Lab, fault: tuple[str, str, str], says: str) -> None:
        with pytest.raises(LabError, match=says):
            lab.fault(*fault)

    def test_a_wait_in_vain_says_for_what_and_where_to_read(self, lab: Lab) -> None:
        with pytest.raises(LabError, match=r"the moon is blue.*Read the logs in .*/logs"):
            lab.wait("the moon is blue", lambda: False, 0.1)


def call(lab: Lab, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Use the command line on the lab of the tests."""
    command = [sys.executable, "-m", "lab", "--state", str(lab.state), *arguments]
    return subprocess.run(command, cwd=TREE, input=text, capture_output=True, text=True, check=False)


class TestCommandLine:
    def test_exec_passes_input_output_and_exit_code(self, lab: Lab) -> None:
        done = call(lab, "exec", "geneva-n1", "-u", "alice", "--", "sh", "-c", "cat; exit 7", text="hello")
        assert (done.stdout, done.returncode) == ("hello", 7)

    def test_status_names_the_hub_and_every_daemon(self, lab: Lab) -> None:
        said = call(lab, "status").stdout
        assert lab.url in said
        assert said.count("running") == len(processes(lab))

    def test_up_twice_is_refused(self, lab: Lab) -> None:
        done = call(lab, "up", "--port", "0")
        assert done.returncode == 1
        assert "is up already" in done.stderr

    def test_logs_show_a_daemon(self, lab: Lab) -> None:
        assert "slurmd version" in call(lab, "logs", "geneva-n1").stdout


class TestSideBySide:
    def test_a_second_lab_comes_and_leaves_nothing(self, lab: Lab, tmp_path: Path) -> None:
        devices = network_devices()
        with Lab(state=tmp_path / "other", port=0) as other:
            assert other.url != lab.url
            other.run("lugano-login", ["sinfo"], user="bob")
            pids = processes(other)
            assert all(pids)
            assert str(tmp_path) in mounts()
            assert network_devices() == devices
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        assert str(tmp_path) not in mounts()
        assert network_devices() == devices
        assert lab.run("geneva-login1", ["sinfo"]).returncode == 0
        assert not other.is_up

    def test_a_lab_ends_with_the_process_that_holds_it(self, lab: Lab, tmp_path: Path) -> None:
        program = (
            "import os, sys; from pathlib import Path; from lab import Lab\n"
            "with Lab(Path(sys.argv[1]), hub=False): os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=TREE, check=False)
        lab.wait("the end of the orphaned lab", lambda: not Lab(tmp_path).is_up)
        assert str(tmp_path) not in mounts()

    def test_a_taken_port_is_explained(self, lab: Lab, tmp_path: Path) -> None:
        port = int(lab.url.rpartition(":")[2])
        with pytest.raises(LabError, match=f"Port {port} of 127.0.0.1 is taken"):
            Lab(tmp_path, port=port).up()
        assert not Lab(tmp_path).is_up

    def test_a_lab_that_is_not_up_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="not up"):
            Lab(tmp_path).run("kdc", ["true"])
        Lab(tmp_path).down()
