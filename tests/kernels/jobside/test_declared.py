"""Declared kernels, built as in a job."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from kernels.hook import JobContext
from kernels.kernel import DeclaredKernel
from tests.support.kernel_job import WAIT_SECONDS, Job

# Stands for an interpreter: `-m venv` makes an environment whose pip says what it would install.
PYTHON = """#!/bin/bash
[ "$1" = -I ] || { echo "what lies in the home would be imported" >&2; exit 9; }
shift
case "$1 $2" in
  "-c "*) case "$2" in *realpath*) echo /opt/python 3.4 ;; esac ;;
  "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo "venv $3" ;;
  "-m pip")
    echo "pip $*" | tee -a "$HOME/installed"
    while [ -e "$HOME/slow" ]; do sleep 0.02; done
    case "$*" in *nowhere*) echo "No matching distribution found" >&2; exit 1 ;; esac ;;
esac
"""


class TestDeclared:
    @pytest.fixture(autouse=True)
    def _python(self, tmp_path: Path) -> None:
        self.python = tmp_path / "python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)

    def _kernel(self, **more: Any) -> DeclaredKernel:
        return DeclaredKernel(
            **{"name": "My Kernel", "python": str(self.python), "requirements": ("six",), **more}
        )

    def _spec(self, job: Job) -> dict[str, Any]:
        spec: dict[str, Any] = json.loads((job.launch / "jupyter/kernels/my_kernel/kernel.json").read_text())
        return spec

    def test_it_is_built_once_and_used_again(self, tmp_path: Path) -> None:
        first, second = Job(tmp_path, 1), Job(tmp_path, 2)
        assert first.run(self._kernel()) == 0
        assert "My Kernel: building" in first.said
        assert second.run(self._kernel()) == 0
        assert "building" not in second.said
        assert "is ready in" in second.said
        assert (tmp_path / "installed").read_text().count("\n") == 1
        assert "six ipykernel" in (tmp_path / "installed").read_text()
        assert self._spec(first) == self._spec(second)

    def test_the_server_finds_its_kernelspec_in_the_launch_folder_alone(self, tmp_path: Path) -> None:
        job = Job(tmp_path, 1)
        assert job.run(self._kernel(), JUPYTER_PATH="/opt/more") == 0
        assert f"server with {job.launch}/jupyter:/opt/more" in job.said
        spec = self._spec(job)
        assert (spec["display_name"], spec["argv"][0]) == ("My Kernel", "bash")
        assert not (tmp_path / ".local/share/jupyter").exists()

    def test_what_is_left_running_when_the_interpreter_is_looked_at_is_not_waited_for(
        self, tmp_path: Path
    ) -> None:
        left = 'sleep 600 & echo $! >"$HOME/left"; echo /opt/python 3.4'
        self.python.write_text(PYTHON.replace("echo /opt/python 3.4", left))
        job = Job(tmp_path, 1)
        try:
            assert job.run(self._kernel()) == 0, job.said
        finally:
            os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)

    @pytest.mark.parametrize(
        "changed", [{"requirements": ("seven",)}, {"modules": ("gcc",)}, {"python": "./python"}]
    )
    def test_other_contents_are_another_build(self, tmp_path: Path, changed: dict[str, Any]) -> None:
        (tmp_path / "init.sh").write_text('module() { LOADEDMODULES="$LOADEDMODULES:$2"; }\n')
        jobs = [Job(tmp_path, number) for number in (1, 2)]
        for job, kernel in zip(jobs, (self._kernel(), self._kernel(**changed)), strict=True):
            job.facts = JobContext(**{**vars(job.facts), "module_init": str(tmp_path / "init.sh")})
            assert job.run(kernel) == 0, job.said
        assert ("building" in jobs[1].said) is ("python" not in changed)

    def test_a_changed_lock_is_another_build(self, tmp_path: Path) -> None:
        lock = tmp_path / "it's.lock"
        kernel = self._kernel(requirements=(), lock=str(lock))
        for number, text in ((1, "six==1\n"), (2, "six==1\n"), (3, "six==2\n")):
            lock.write_text(text)
            job = Job(tmp_path, number)
            assert job.run(kernel) == 0
            assert ("building" in job.said) is (number != 2)
        assert f"-r {lock}\n" in (tmp_path / "installed").read_text()

    def test_a_build_that_fails_leaves_nothing_and_says_why(self, tmp_path: Path) -> None:
        job = Job(tmp_path, 1)
        assert job.run(self._kernel(requirements=("nowhere",))) == 1
        assert "No matching distribution found\n" in job.said
        assert "failed: The kernel My Kernel could not be built: " in job.said
        assert not list((tmp_path / ".local/share/jupyterhub-sites/kernels").iterdir())

    def test_a_build_that_was_killed_is_made_again(self, tmp_path: Path) -> None:
        (tmp_path / "slow").touch()
        first, second = Job(tmp_path, 1), Job(tmp_path, 2, queue="true")
        process = first.start(self._kernel())
        first.says("pip -m pip")
        (children,) = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")]
        os.kill(int(children.split()[0]), signal.SIGKILL)
        process.wait(WAIT_SECONDS)
        (tmp_path / "slow").unlink()
        assert second.run(self._kernel()) == 0
        assert "waiting: Job 1 ended before it finished; building again" in second.said
        assert "My Kernel: building" in second.said

    def test_a_module_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "init.sh").write_text("module() { echo 'ERROR: no such thing' >&2; }\n")
        job = Job(tmp_path, 1)
        job.facts = JobContext(**{**vars(job.facts), "module_init": str(tmp_path / "init.sh")})
        assert job.run(self._kernel(modules=("gcc/99",))) == 1
        assert "ERROR: no such thing The module gcc/99 could not be loaded." in job.said

    def test_the_sites_store_is_used_where_it_can_be_written(self, tmp_path: Path) -> None:
        store = tmp_path / "store"
        store.mkdir()
        assert Job(tmp_path, 1, store=store).run(self._kernel()) == 0
        assert [path.name for path in store.glob("*/complete")] == ["complete"]
        assert not (tmp_path / ".local/share/jupyterhub-sites/kernels").exists()

    def test_what_others_may_write_to_is_not_run(self, tmp_path: Path) -> None:
        store = tmp_path / "store"
        store.mkdir()
        assert Job(tmp_path, 1, store=store).run(self._kernel()) == 0
        (built,) = store.iterdir()
        built.chmod(0o777)
        job = Job(tmp_path, 2, store=store)
        assert job.run(self._kernel()) == 0
        assert "building" in job.said
