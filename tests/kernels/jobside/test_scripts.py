"""Kernel scripts, run as in a job."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kernels import preparation
from kernels.hook import JobContext
from kernels.kernel import KernelScript
from tests.support.kernel_job import WAIT_SECONDS, Job

# Installs a kernelspec as ipykernel does.
_INSTALL = (
    'mkdir -p ~/.local/share/jupyter/kernels/{0}; echo "{{}}" > ~/.local/share/jupyter/kernels/{0}/kernel.json'
)


def _script(text: str, **more: Any) -> KernelScript:
    return KernelScript(script=text, **more)


def _made(home: Path) -> dict[str, list[str]]:
    manifests = [json.loads(path.read_text()) for path in home.glob(".local/share/jupyterhub-sites/made/*.json")]
    return {each["script"]: each["kernelspecs"] for each in manifests}


class TestScripts:
    def test_a_script_runs_as_it_is_written_before_the_server(self, tmp_path: Path) -> None:
        (tmp_path / "a.sh").write_text("#!/bin/sh\necho from a\n")
        (tmp_path / "a.sh").chmod(0o755)
        job = Job(tmp_path, 1)
        assert job.run(_script("""source /dev/null && ./a.sh && echo "it's $SLURM_JOB_ID" """)) == 0
        lines = job.said.splitlines()
        assert lines[1:3] == ["from a", "it's 1"]
        assert lines[-1].startswith("server with")

    def test_a_script_that_fails_ends_the_launch_and_says_how(self, tmp_path: Path) -> None:
        job = Job(tmp_path, 1)
        assert job.run(_script("echo no space >&2; exit 3"), _script("echo never")) == 1
        assert "no space\n" in job.said
        assert "failed: The kernel script `echo no space >&2; exit 3` failed: it ended with status 3." in job.said
        assert not {"never", "server"} & set(job.said.split())

    def test_a_script_that_is_not_required_is_missed_with_a_notice(self, tmp_path: Path) -> None:
        job = Job(tmp_path, 1)
        assert job.run(_script("exit 3", required=False), _script("echo next")) == 0
        assert "notice: The kernel script `exit 3` failed: it ended with status 3." in job.said
        assert "Your server starts without it." in job.said
        assert "server with" in job.said

    def test_a_script_over_its_time_is_ended_with_all_it_has_started(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preparation, "_SECONDS", 3)
        job = Job(tmp_path, 1)
        stubborn = "trap '' TERM; (trap '' TERM; echo $BASHPID > child; sleep 1000) & wait; sleep 1000"
        assert job.run(_script(stubborn, time_max=1)) == 1
        assert "it took longer than 1m and was stopped" in job.said
        child = Path("/proc", (tmp_path / "child").read_text().strip())
        assert not child.exists() or "State:\tZ" in (child / "status").read_text()

    def test_the_end_of_the_job_is_the_end_of_the_script_and_gives_the_lock_back(self, tmp_path: Path) -> None:
        job = Job(tmp_path, 1)
        process = job.start(_script("echo $$ > pid; echo begun; sleep 1000"))
        job.says("\nbegun\n")
        (children,) = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")]
        os.kill(int(children.split()[0]), signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 1
        assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
        assert not list(tmp_path.glob(".local/share/jupyterhub-sites/scripts.lock*"))

    def test_a_script_has_a_scratch_folder_and_finds_module_in_other_scripts_too(self, tmp_path: Path) -> None:
        (tmp_path / "init.sh").write_text('module() { echo "module $*"; }\n')
        (tmp_path / "install.sh").write_text("#!/bin/bash\nmodule purge\n")
        (tmp_path / "install.sh").chmod(0o755)
        job = Job(tmp_path, 1)
        job.facts = JobContext(**{**vars(job.facts), "module_init": str(tmp_path / "init.sh")})
        assert job.run(_script('./install.sh; module list; [ -d "$JUPYTERHUB_SITES_SCRATCH" ]')) == 0
        assert "module purge\nmodule list\n" in job.said


class TestManifests:
    def test_what_a_script_installs_is_noted_and_stays_noted_when_it_has_nothing_to_do(
        self, tmp_path: Path
    ) -> None:
        text = f"[ -d venv ] && exit; mkdir venv; {_INSTALL.format('Thalamus_34')}"
        own = tmp_path / ".local/share/jupyter/kernels/mine"
        own.mkdir(parents=True)
        (own / "kernel.json").write_text("{}")
        for number in (1, 2):
            assert Job(tmp_path, number).run(_script(text)) == 0
            assert _made(tmp_path) == {text: ["thalamus_34"]}

    def test_what_a_script_made_before_it_failed_is_noted_too(self, tmp_path: Path) -> None:
        text = f"[ -d venv ] && exit; mkdir venv; {_INSTALL.format('one')}; exit 3"
        assert [Job(tmp_path, number).run(_script(text)) for number in (1, 2)] == [1, 0]
        assert _made(tmp_path) == {text: ["one"]}

    def test_what_is_named_counts_as_made_and_what_is_gone_does_not(self, tmp_path: Path) -> None:
        text = f"[ -d venv ] || {{ mkdir venv; {_INSTALL.format('one')}; }}"
        assert Job(tmp_path, 1).run(_script(text)) == 0
        (tmp_path / ".local/share/jupyter/kernels/one/kernel.json").unlink()
        assert Job(tmp_path, 2).run(_script(text, kernelspecs=("Two",))) == 0
        assert _made(tmp_path) == {text: ["two"]}

    @pytest.mark.parametrize(
        ("own", "allowed"), [(("a",), {"python3", "mine", "one"}), ((), {"python3", "mine"}), (("a", "b"), None)]
    )
    def test_the_server_does_not_show_what_scripts_of_other_profiles_made(
        self, tmp_path: Path, own: tuple[str, ...], allowed: set[str] | None
    ) -> None:
        scripts = {"a": _script(_INSTALL.format("one")), "b": _script(_INSTALL.format("two"))}
        assert Job(tmp_path, 1).run(*scripts.values()) == 0
        mine = tmp_path / ".local/share/jupyter/kernels/mine"
        mine.mkdir(parents=True)
        (mine / "kernel.json").write_text("{}")
        job = Job(tmp_path, 2)
        fragment = preparation.fragment([scripts[name] for name in own], job.facts)
        assert job.run(*[scripts[name] for name in own]) == 0
        assert _allowed(job, fragment.environ["JUPYTERHUB_SITES_KERNEL_SCRIPTS"]) == allowed


def _allowed(job: Job, digests: str) -> set[str] | None:
    """Return what the server's configuration allows, None for everything."""
    program = f"""
import json, os, runpy, sys, types
from traitlets.config import Config
class Manager:
    def find_kernel_specs(self):
        return dict.fromkeys(["python3", *os.listdir(os.path.expanduser("~/.local/share/jupyter/kernels"))])
sys.modules["jupyter_client"] = types.ModuleType("jupyter_client")
sys.modules["jupyter_client.kernelspec"] = types.SimpleNamespace(KernelSpecManager=Manager)
c = Config()
runpy.run_path({str(job.launch / "jupyter_config.py")!r}, {{"get_config": lambda: c}})
allowed = c.KernelSpecManager.get("allowed_kernelspecs")
print(json.dumps(allowed and sorted(allowed)))
"""
    environ = {"HOME": str(job.home), "JUPYTERHUB_SITES_KERNEL_SCRIPTS": digests}
    answer = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=True)
    names = json.loads(answer.stdout)
    return None if names is None else set(names)


class TestLocks:
    _BUILD = "echo begun; echo $SLURM_JOB_ID >> order; while [ ! -e go ]; do sleep 0.02; done; echo end >> order"

    def test_two_launches_of_one_person_do_not_build_at_once(self, tmp_path: Path) -> None:
        first, second = Job(tmp_path, 1), Job(tmp_path, 2)
        one = first.start(_script(self._BUILD))
        first.says("\nbegun\n")
        two = second.start(_script(self._BUILD))
        second.says("waiting: Job 1 is already building kernels; waiting for it")
        (tmp_path / "go").touch()
        assert (one.wait(WAIT_SECONDS), two.wait(WAIT_SECONDS)) == (0, 0)
        assert (tmp_path / "order").read_text().split() == ["1", "end", "2", "end"]
        assert "-h -j 1 -o %T" in (tmp_path / "asked").read_text()

    @pytest.mark.parametrize(
        "answer", ["true", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"]
    )
    def test_the_lock_of_a_job_that_is_over_is_taken_over(self, tmp_path: Path, answer: str) -> None:
        _stale(tmp_path, "geneva@1")
        job = Job(tmp_path, 2, queue=answer)
        assert job.run(_script("echo built")) == 0
        assert "waiting: Job 1 ended before it finished; building again" in job.said
        assert "built\n" in job.said
        assert not list(tmp_path.glob(".local/share/jupyterhub-sites/scripts.lock*"))

    @pytest.mark.parametrize(
        ("holder", "answer"),
        [
            ("geneva@1", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"),
            ("geneva@1", "exit 127"),
            ("geneva@1", "echo COMPLETING"),
            ("lugano@1", "true"),
        ],
    )
    def test_who_cannot_be_asked_about_is_not_dead(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: str, answer: str
    ) -> None:
        monkeypatch.setattr(preparation, "_SECONDS", 1 / 60)
        _stale(tmp_path, holder)
        job = Job(tmp_path, 2, queue=answer)
        assert job.run(_script("echo built", time_max=1)) == 1
        assert "job 1 is already building it and did not finish in time" in job.said

    @pytest.mark.parametrize(
        "answer",
        [
            "echo 'qstat: Unknown Job Id 1.pbs.test' >&2; exit 153",
            "echo 'qstat: 1.pbs.test Job has finished, use -x or -H to obtain historical job' >&2; exit 35",
        ],
    )
    def test_pbs_says_of_a_job_that_it_is_over(self, tmp_path: Path, answer: str) -> None:
        _stale(tmp_path, "geneva@1.pbs.test")
        job = Job(tmp_path, 2, queue=answer, kind="pbs")
        assert job.run(_script("echo built by $PBS_JOBID")) == 0
        assert "waiting: Job 1.pbs.test ended before it finished; building again" in job.said
        assert "built by 2.pbs.test\n" in job.said
        assert (tmp_path / "asked").read_text() == "1.pbs.test\n"
        assert not list(tmp_path.glob(".local/share/jupyterhub-sites/scripts.lock*"))

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            # Of a job that another server has taken over.
            "true",
            "echo 'qstat: cannot connect to server pbs.test (errno=15010)' >&2; exit 255",
            "echo 'qstat: Unauthorized Request 1.pbs.test' >&2; exit 159",
            # Of a program that has not failed, a wrapper's words are not PBS's.
            "echo 'Unknown Job Id' >&2",
            "exit 127",
        ],
    )
    def test_pbs_does_not_say_that_a_job_is_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        monkeypatch.setattr(preparation, "_SECONDS", 1 / 60)
        _stale(tmp_path, "geneva@1.pbs.test")
        job = Job(tmp_path, 2, queue=answer, kind="pbs")
        assert job.run(_script("echo built", time_max=1)) == 1
        assert "job 1.pbs.test is already building it and did not finish in time" in job.said

    def test_of_many_who_find_a_dead_lock_one_builds_at_a_time(self, tmp_path: Path) -> None:
        _stale(tmp_path, "geneva@1")
        alive = 'case "$3" in 1) ;; *) echo RUNNING ;; esac'
        text = "mkdir alone || exit 9; sleep 0.1; rmdir alone"
        running = [Job(tmp_path, number, queue=alive).start(_script(text)) for number in range(2, 7)]
        assert [each.wait(WAIT_SECONDS) for each in running] == [0] * 5


def _stale(home: Path, holder: str) -> None:
    lock = home / ".local/share/jupyterhub-sites/scripts.lock"
    lock.mkdir(parents=True)
    (lock / holder).touch()
