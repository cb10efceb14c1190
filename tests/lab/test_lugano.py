"""How lugano differs from geneva, and what a site of today refuses or asks for.

Sites, people and partitions are tables in lab/plan.py, people.py and slurm.py.  What can be broken for a test:

- a new host key, a second factor, ForceCommand, a maintenance sentence: context managers in lab/quirks.py
- a shell that lets nobody in: nora at lugano; an account past its date: erin; no account: heidi at lugano
- an sbatch that gives advice and succeeds: the partition `scavenge` at lugano
- a slow slurmctld: `lab.fault("freeze", "lugano-ctl", "slurmctld")`, and `thaw`; slurmdbd and mariadbd likewise
- a project that may not be charged: bob has none, everybody but alice has proj3 alone
- 30 people at once: `lab.people.CROWD`
"""

import subprocess
from collections.abc import Callable

import pytest

from lab import Lab
from lab.quirks import MENUS_ONLY, SECOND_FACTOR, maintenance, new_host_key, sshd_config

LUGANO, GENEVA = "lugano-login", "geneva-login1"
FRONT_ENDS = pytest.mark.parametrize("front_end", [LUGANO, GENEVA])
NO_PROJECT = "Invalid account or account/partition combination specified"
SPEAK = "id -un; hostname; klist"


def ssh(
    lab: Lab, name: str, front_end: str, login: str = "", command: str = SPEAK
) -> subprocess.CompletedProcess[str]:
    """Log in to a front end with a new ticket of `name`."""
    lab.run("hub", ["kinit"], user=name, input=f"{name}-pw\n")
    strict = ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"]
    target = f"{login or name}@{front_end}.lab.test"
    try:
        return lab.run("hub", ["ssh", "-K", *strict, target, command], user=name, check=False)
    finally:
        lab.run("hub", ["kdestroy"], user=name)


def sbatch(
    lab: Lab, front_end: str, name: str, *options: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Submit a job that would run for minutes."""
    argv = ["sbatch", "--parsable", "--output=/dev/null", *options]
    return lab.run(front_end, argv, user=name, input="#!/bin/sh\nsleep 300\n", check=check)


def submit(lab: Lab, front_end: str, name: str, *options: str) -> str:
    return sbatch(lab, front_end, name, *options).stdout.strip()


def refusal(lab: Lab, front_end: str, name: str, *options: str) -> str:
    done = sbatch(lab, front_end, name, *options, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr


def state(lab: Lab, front_end: str, job: str) -> str:
    argv = ["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T %r"]
    return lab.run(front_end, argv).stdout.strip()


def has_state(lab: Lab, front_end: str, job: str, expected: str) -> Callable[[], bool]:
    return lambda: state(lab, front_end, job) == expected


def cancel_all(lab: Lab, front_end: str, name: str) -> None:
    lab.run(front_end, ["scancel", f"--user={name}"])
    squeue = ["squeue", "--noheader", f"--user={name}"]
    lab.wait(f"the end of {name}'s jobs", lambda: lab.run(front_end, squeue).stdout == "")


def can_connect(lab: Lab, host: str, target: str, port: int, seconds: int = 60) -> bool:
    probe = ["timeout", f"{seconds}", "bash", "-c", f"exec 3<>/dev/tcp/{target}.lab.test/{port}"]
    return lab.run(host, probe, user="alice", check=False).returncode == 0


class TestAccounting:
    def test_people_see_their_own_projects(self, lab: Lab) -> None:
        def projects(name: str) -> list[str]:
            show = ["sacctmgr", "-nP", "show", "assoc", f"user={name}", "format=account,partition"]
            return sorted(lab.run(LUGANO, show, user="alice").stdout.split())

        assert projects("alice") == ["proj12|", "proj3|"]
        assert projects("jmeier") == ["proj3|"]
        assert projects("bob") == []

    def test_a_job_is_charged_to_the_default_project_or_to_the_one_asked_for(self, lab: Lab) -> None:
        jobs = [submit(lab, LUGANO, "alice"), submit(lab, LUGANO, "alice", "--account=proj12")]
        cancel_all(lab, LUGANO, "alice")
        sacct = ["sacct", "-nPX", f"--jobs={','.join(jobs)}", "--format=account"]
        lab.wait(
            "both jobs in the data base",
            lambda: lab.run(LUGANO, sacct, user="alice").stdout.split() == ["proj3", "proj12"],
        )

    @pytest.mark.parametrize(("name", "project"), [("bob", "proj3"), ("frank", "proj12"), ("alice", "proj99")])
    def test_who_may_not_charge_a_project_is_refused(self, lab: Lab, name: str, project: str) -> None:
        assert NO_PROJECT in refusal(lab, LUGANO, name, f"--account={project}")

    def test_geneva_keeps_no_accounts(self, lab: Lab) -> None:
        done = lab.run(GENEVA, ["sacct"], user="alice", check=False)
        assert "Slurm accounting storage is disabled" in done.stderr

    def test_without_slurmdbd_questions_fail_and_jobs_are_taken(self, lab: Lab) -> None:
        show = ["sacctmgr", "-nP", "show", "assoc", "user=alice"]
        lab.fault("kill", "lugano-ctl", "slurmdbd")
        try:
            assert "Connection refused" in lab.run(LUGANO, show, user="alice", check=False).stderr
            submit(lab, LUGANO, "alice")
        finally:
            lab.fault("start", "lugano-ctl", "slurmdbd")
        cancel_all(lab, LUGANO, "alice")
        lab.wait("slurmdbd is back", lambda: lab.run(LUGANO, show, check=False).returncode == 0)


class TestModules:
    def load(self, lab: Lab, module: str) -> subprocess.CompletedProcess[str]:
        script = f". /etc/profile.d/lmod.sh\nmodule load {module} || exit 3\njupyterhub-singleuser --version\n"
        return lab.run("lugano-n1", ["bash"], user="alice", input=script, check=False)

    def test_the_newer_environment_is_the_default(self, lab: Lab) -> None:
        assert self.load(lab, "jupyterlab").stdout == self.load(lab, "jupyterlab/new").stdout

    def test_the_older_environment_takes_its_place(self, lab: Lab) -> None:
        assert self.load(lab, "jupyterlab && module load jupyterlab/old").stdout.startswith("4.0.")

    def test_a_module_that_is_not_there_is_noticed(self, lab: Lab) -> None:
        done = self.load(lab, "nosuch/9")
        assert done.returncode == 3
        assert "unknown" in done.stderr

    def test_each_site_has_one_module_system(self, lab: Lab) -> None:
        assert lab.run("lugano-n1", ["ls", "/etc/profile.d"]).stdout == "lmod.sh\n"
        assert lab.run("geneva-n1", ["ls", "/etc/profile.d"]).stdout == "modules.sh\n"


class TestNetwork:
    @pytest.mark.parametrize("node", ["lugano-n1", "lugano-n2"])
    def test_the_hub_cannot_connect_to_a_node_which_reaches_the_hubs_api(self, lab: Lab, node: str) -> None:
        assert not can_connect(lab, "hub", node, 6818, 2)
        assert can_connect(lab, node, "hub", 8081)
        assert not can_connect(lab, node, "hub", 8000, 2)

    def test_the_front_end_reaches_both(self, lab: Lab) -> None:
        assert can_connect(lab, LUGANO, "lugano-n1", 6818)
        assert can_connect(lab, LUGANO, "hub", 8081)
        assert can_connect(lab, "hub", LUGANO, 22)

    def test_geneva_hides_nothing(self, lab: Lab) -> None:
        assert can_connect(lab, "hub", "geneva-n1", 6818)


@FRONT_ENDS
class TestPartitions:
    def test_staff_is_for_a_group(self, lab: Lab, front_end: str) -> None:
        member = {LUGANO: "frank", GENEVA: "alice"}[front_end]
        submit(lab, front_end, member, "--partition=staff")
        cancel_all(lab, front_end, member)
        assert "group not permitted" in refusal(lab, front_end, "ivan", "--partition=staff")

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (["--partition=maint"], "PartitionDown"),
            (["--partition=debug", "--time=1:00:00"], "PartitionTimeLimit"),
        ],
    )
    def test_what_waits_for_ever(self, lab: Lab, front_end: str, options: list[str], reason: str) -> None:
        job = submit(lab, front_end, "alice", *options)
        lab.wait("the reason", has_state(lab, front_end, job, f"PENDING {reason}"))
        cancel_all(lab, front_end, "alice")

    def test_more_gpus_than_there_are_is_refused(self, lab: Lab, front_end: str) -> None:
        said = refusal(lab, front_end, "alice", "--partition=gpu", "--gres=gpu:3")
        assert "node configuration is not available" in said

    def test_scavenge_gives_way(self, lab: Lab, front_end: str) -> None:
        whole = ["--nodes=2", "--exclusive", "--no-requeue"]
        first = submit(lab, front_end, "frank", "--partition=scavenge", *whole)
        lab.wait("the first runs", has_state(lab, front_end, first, "RUNNING None"))
        second = submit(lab, front_end, "alice", *whole)
        lab.wait("the second runs", has_state(lab, front_end, second, "RUNNING None"))
        assert state(lab, front_end, first) == "PREEMPTED None"
        cancel_all(lab, front_end, "alice")


class TestPeople:
    def test_judy_is_jmeier(self, lab: Lab) -> None:
        said = ssh(lab, "judy", LUGANO, "jmeier").stdout
        assert said.startswith("jmeier\nlugano-login.lab.test\n")
        assert "Default principal: judy@LAB.TEST" in said
        assert ssh(lab, "judy", GENEVA).stdout.startswith("judy\n")

    @pytest.mark.parametrize(("name", "login"), [("alice", "jmeier"), ("judy", "judy"), ("heidi", "heidi")])
    def test_nobody_else_gets_in(self, lab: Lab, name: str, login: str) -> None:
        done = ssh(lab, name, LUGANO, login)
        assert done.returncode == 255
        assert "Permission denied" in done.stderr

    def test_heidi_has_an_account_at_geneva(self, lab: Lab) -> None:
        assert ssh(lab, "heidi", GENEVA).stdout.startswith("heidi\n")

    @FRONT_ENDS
    def test_erin_is_told_that_her_account_has_expired(self, lab: Lab, front_end: str) -> None:
        done = ssh(lab, "erin", front_end)
        assert done.returncode == 255
        assert "Your account has expired; please contact your system administrator." in done.stderr

    def test_nora_may_not_log_in(self, lab: Lab) -> None:
        done = ssh(lab, "nora", LUGANO)
        assert (done.stdout, done.returncode) == ("This account is currently not available.\n", 1)


class TestQuirks:
    def test_a_new_host_key(self, lab: Lab) -> None:
        with new_host_key(lab, LUGANO):
            assert "Host key verification failed" in ssh(lab, "alice", LUGANO).stderr
        assert ssh(lab, "alice", LUGANO).returncode == 0

    def test_a_second_factor(self, lab: Lab) -> None:
        with sshd_config(lab, LUGANO, SECOND_FACTOR):
            assert "Permission denied (keyboard-interactive)" in ssh(lab, "alice", LUGANO).stderr

    def test_a_forced_command(self, lab: Lab) -> None:
        with sshd_config(lab, LUGANO, MENUS_ONLY):
            assert ssh(lab, "alice", LUGANO).stdout == "only menus here\n"

    def test_maintenance(self, lab: Lab) -> None:
        with maintenance(lab, LUGANO, "Closed until Monday 8:00."):
            done = ssh(lab, "alice", LUGANO)
        assert done.returncode == 255
        assert "Closed until Monday 8:00." in done.stderr

    def test_advice_of_sbatch(self, lab: Lab) -> None:
        done = sbatch(lab, LUGANO, "alice", "--partition=scavenge")
        assert done.stdout.strip().isdigit()
        assert "sbatch: Jobs in scavenge may be ended at any time." in done.stderr
        cancel_all(lab, LUGANO, "alice")

    def test_a_job_whose_sbatch_gave_up_is_there_when_slurmctld_answers_again(self, lab: Lab) -> None:
        lab.fault("freeze", "lugano-ctl", "slurmctld")
        try:
            assert "timed out" in refusal(lab, LUGANO, "alice", "--job-name=late")
        finally:
            lab.fault("thaw", "lugano-ctl", "slurmctld")
        squeue = ["squeue", "--noheader", "--name=late", "--format=%u"]
        lab.wait("the job is there", lambda: lab.run(LUGANO, squeue, check=False).stdout == "alice\n")
        cancel_all(lab, LUGANO, "alice")
