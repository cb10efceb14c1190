"""Jobs in homes as people have them: run whole, with all that people and Slurm put around them."""

import json
import socket
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernels.fragment import Fragment
from kernels.shell import Shell
from tests.support import loopback
from tests.support.whole_job import WAIT_SECONDS, WholeJob, stub

_MODULES = ("random", "email", "http", "json", "tempfile", "urllib", "socket", "subprocess", "glob", "types", "re")


@pytest.fixture
def hub() -> Iterator[loopback.Hub]:
    with loopback.listening(loopback.Hub()) as hub:
        yield hub


@pytest.fixture
def job(tmp_path: Path, hub: loopback.Hub) -> WholeJob:
    return WholeJob(tmp_path, hub)


def _by(text: str, client: str) -> str:
    """Return the script with a client alone that it can report with."""
    text = text if client == "bash" else text.replace('[ -z "$way" ] && post_from_here', "false")
    return text.replace("command -v curl", "false") if client == "python3" else text


class TestPython:
    """What people keep in their homes and environments is for their own programs."""

    @pytest.fixture(autouse=True)
    def _home_full_of_homework(self, job: WholeJob) -> None:
        for name in _MODULES:
            (job.home / f"{name}.py").write_text('print("my homework")\n')

    @pytest.mark.parametrize("kernels", [[], [{"script": "echo made"}]])
    def test_files_named_like_modules_are_not_run_in_their_place(
        self, job: WholeJob, hub: loopback.Hub, kernels: list[dict[str, str]]
    ) -> None:
        text = job.text(stub("serve", "fail", "0"), profile={"kernels": kernels})
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert "starting" in [report["stage"] for report in hub.reports if "stage" in report]
        assert "homework" not in job.said

    def test_reports_by_python_do_not_run_them_either(self, job: WholeJob, hub: loopback.Hub) -> None:
        text = _by(job.text(stub("serve", "fail", "0")), "python3")
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert "homework" not in job.said
        assert [report["stage"] for report in hub.reports if "stage" in report] == ["job", "starting"]


class TestPrologue:
    """Lines of the site's own."""

    def test_what_they_set_holds_for_modules_and_the_server(self, job: WholeJob) -> None:
        profile = {"kernels": [{"script": 'echo "kernels of $SITE"'}]}
        text = job.text(stub("serve", "fail", "0"), {"prologue": 'export SITE="it\'s geneva"'}, profile)
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert (job.environ["SITE"], "kernels of it's geneva" in job.said) == ("it's geneva", True)

    def test_a_failure_is_told_and_the_server_starts(self, job: WholeJob, hub: loopback.Hub) -> None:
        text = job.text(stub("serve", "fail", "0"), {"prologue": "source /nonexistent/site.sh"})
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert [each["text"] for each in hub.reports if each.get("stage") == "notice"] == [
            "The lines that this site runs first ended with status 1. See the log."
        ]

    def test_they_may_end_the_job_with_a_sentence(self, job: WholeJob, hub: loopback.Hub) -> None:
        text = job.text(stub("serve", "fail", "0"), {"prologue": 'give_up "No scratch here."'})
        assert job.start(text).wait(WAIT_SECONDS) == 1, job.said
        assert [each["text"] for each in hub.reports if each.get("stage") == "failed"] == ["No scratch here."]


class TestHttps:
    """A hub whose API has TLS."""

    @pytest.fixture
    def hub(self, tmp_path: Path) -> Iterator[loopback.Hub]:
        with loopback.listening(loopback.Hub(certificate=loopback.certificate(tmp_path))) as hub:
            yield hub

    def test_a_job_reports_to_it(self, job: WholeJob, hub: loopback.Hub) -> None:
        stages = (Fragment(before=Shell("stage one")),)
        running = job.start(
            job.text(stub("serve", "until-term"), fragments=stages), SSL_CERT_FILE=str(hub.certificate)
        )
        port = hub.reported_port()
        running.terminate()
        assert running.wait(WAIT_SECONDS) == 143, job.said
        assert [each.get("stage", each.get("port")) for each in hub.reports] == ["job", "one", "starting", port]

    def test_one_whose_certificate_is_not_known_sees_no_token(self, job: WholeJob, hub: loopback.Hub) -> None:
        running = job.start(job.text(stub("serve", "until-term")))
        while "CERTIFICATE_VERIFY_FAILED" not in job.said:
            time.sleep(0.02)
        running.terminate()
        assert running.wait(WAIT_SECONDS) == 143
        assert hub.requests == []


_OF_SLURM = {
    "SLURM_JOB_ID": "17",
    "SLURM_JOBID": "17",
    "SLURM_JOB_NODELIST": "n1",
    "SLURM_JOB_CPUS_PER_NODE": "4",
    "SLURM_NODELIST": "n1",
    "SLURM_NNODES": "1",
    "SLURM_TASKS_PER_NODE": "1",
    "SLURM_CPUS_ON_NODE": "4",
    "SLURM_CLUSTER_NAME": "geneva",
    "SLURM_CONF": "/etc/slurm/slurm.conf",
    "SLURM_SUBMIT_DIR": "/home/alice",
    # What a plug-in of the site says.
    "SLURM_TMPDIR": "/local/17",
}
_OPTIONS = {
    "SLURM_MEM_PER_NODE": "800",
    "SLURM_MEM_PER_CPU": "800",
    "SLURM_MEM_PER_GPU": "800",
    "SLURM_NTASKS_PER_NODE": "1",
    "SLURM_CPUS_PER_TASK": "4",
    "SLURM_GPUS_PER_NODE": "a100:1",
    "SLURM_TRES_PER_TASK": "cpu=4",
    "SLURM_THREADS_PER_CORE": "1",
    "SLURM_NTASKS": "1",
    "SLURM_NPROCS": "1",
    "SLURM_GPUS": "1",
    "SLURM_CPU_BIND": "quiet,mask_cpu:0x1",
    "SLURM_CPU_BIND_TYPE": "mask_cpu:",
    "SLURM_MEM_BIND": "local",
    "SLURM_GPU_BIND": "closest",
    "SLURM_DISTRIBUTION": "cyclic",
    "SLURM_HINT": "nomultithread",
    "SLURM_EXPORT_ENV": "NONE",
    "SLURM_UMASK": "0077",
    "SLURM_RLIMIT_CPU": "120",
    "SLURM_CONSTRAINT": "ib",
    "SLURM_RESERVATION": "school",
    "SBATCH_MEM_BIND": "local",
    "SRUN_CPUS_PER_TASK": "4",
}


class TestServersPython:
    """Python's variables of a profile are for kernels; the server has those of the site."""

    def _environ(self, job: WholeJob, profile: dict[str, Any]) -> dict[str, str]:
        variables = {"PYTHONPATH": "/opt/site", "PYTHONNOUSERSITE": "1", "LICENCE": "site"}
        text = job.text(stub("serve", "fail", "0"), site={"jupyter": {"variables": variables}}, profile=profile)
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        return job.environ

    def _of_kernels(self, environ: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = json.loads(environ["JUPYTERHUB_SITES_PYTHON"])
        return found

    def test_a_profiles_variables_do_not_reach_the_server(self, job: WholeJob) -> None:
        profile = {"environment": {"PYTHONPATH": "/opt/it's\nnew", "PYTHONHOME": "/nowhere", "LICENCE": "own"}}
        environ = self._environ(job, profile)
        assert (environ["PYTHONPATH"], environ["PYTHONNOUSERSITE"]) == ("/opt/site", "1")
        assert "PYTHONHOME" not in environ
        assert environ["LICENCE"] == "own"
        kernels = self._of_kernels(environ)
        assert kernels == {"PYTHONPATH": "/opt/it's\nnew", "PYTHONHOME": "/nowhere", "PYTHONNOUSERSITE": "1"}

    def test_nor_do_those_of_its_modules(self, job: WholeJob, tmp_path: Path) -> None:
        init = tmp_path / "init.sh"
        init.write_text('module() { export PYTHONPATH=/opt/$2:$PYTHONPATH; LOADEDMODULES="$LOADEDMODULES:$2"; }\n')
        text = job.text(
            stub("serve", "fail", "0"),
            site={"jupyter": {"modules": ["jupyterlab"]}, "module_init": str(init)},
            profile={"modules": ["scipy-stack"]},
        )
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert job.environ["PYTHONPATH"] == "/opt/jupyterlab:"
        assert self._of_kernels(job.environ)["PYTHONPATH"] == "/opt/scipy-stack:/opt/jupyterlab:"

    def test_they_are_the_sites_where_the_shell_remembers_no_programs(self, job: WholeJob) -> None:
        switched_off = (Fragment(before=Shell("set +h; export PYTHONPATH=/opt/new")),)
        text = job.text(stub("serve", "fail", "0"), fragments=switched_off)
        assert job.start(text, PYTHONPATH="/opt/site").wait(WAIT_SECONDS) == 0, job.said
        assert job.environ["PYTHONPATH"] == "/opt/site"

    def test_a_server_of_the_profiles_own_has_the_profiles(self, job: WholeJob, tmp_path: Path) -> None:
        (tmp_path / "own" / "bin").mkdir(parents=True)
        (tmp_path / "own" / "bin" / "python3").symlink_to("/usr/bin/python3")
        profile = {"environment": {"PYTHONPATH": "/opt/own"}, "prefix": str(tmp_path / "own")}
        environ = self._environ(job, profile)
        assert environ["PYTHONPATH"] == "/opt/own"
        assert "JUPYTERHUB_SITES_PYTHON" not in environ


_WORK = {"kernels": [{"script": "touch ~/worked"}]}


class TestNobodyWaits:
    """A job asks the hub before it works."""

    @pytest.mark.parametrize("client", ["bash", "curl", "python3"])
    def test_a_job_that_the_hub_does_not_know_does_no_work(
        self, job: WholeJob, hub: loopback.Hub, client: str
    ) -> None:
        hub.statuses = [loopback.UNWANTED]
        text = _by(job.text(stub("serve", "until-term"), profile=_WORK), client)
        assert job.start(text).wait(WAIT_SECONDS) == 3
        assert job.said == "This job ends, because the hub does not know it: nobody waits for it.\n"
        assert not (job.home / "worked").exists()
        assert not job.launch.exists()

    def test_a_hub_that_drops_what_bash_sends_is_asked_by_a_program(self, tmp_path: Path) -> None:
        (tmp_path / "curl").write_text("#!/bin/sh\ncat >/dev/null\necho '{\"unknown_launch\": true}'\n")
        (tmp_path / "curl").chmod(0o755)
        with loopback.full() as port:
            job = WholeJob(tmp_path, loopback.Hub(port=port))
            text = job.text(stub("serve", "until-term"), profile=_WORK)
            assert job.start(text, PATH=f"{tmp_path}:/usr/bin:/bin").wait(WAIT_SECONDS) == 3, job.said

    @pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 502])
    def test_any_other_answer_lets_it_go_on(self, job: WholeJob, hub: loopback.Hub, status: int) -> None:
        hub.statuses = [status]
        text = job.text(stub("serve", "fail", "0"), profile=_WORK)
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert (job.home / "worked").exists()

    def test_it_says_where_it_runs(self, job: WholeJob, hub: loopback.Hub) -> None:
        assert job.run("serve", "fail", "0") == 0, job.said
        assert hub.reports[0] == {"stage": "job", "text": f"Running on {socket.gethostname()}"}


class TestOrder:
    """What the shell and the starter report comes in the order in which it happens, however slow a report is."""

    @pytest.mark.parametrize("client", ["bash", "curl", "python3"])
    def test_the_last_stage_comes_with_the_start(self, job: WholeJob, hub: loopback.Hub, client: str) -> None:
        stages = (Fragment(before=Shell("stage one; stage two 'ä \"it\"'")),)
        text = _by(job.text(stub("serve", "fail", "0"), fragments=stages), client)
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert [each.get("stage") for each in hub.reports][:4] == ["job", "one", "two", "starting"]
        assert hub.reports[2]["text"] == 'ä "it"'
        assert len(hub.requests) < len(hub.reports)
        assert "JUPYTERHUB_SITES_HELD" not in job.environ

    def test_what_a_program_spoils_on_its_way_does_not_end_the_job(self, job: WholeJob, hub: loopback.Hub) -> None:
        spoilt = (Fragment(before=Shell('printf \'{"stage\\n\' 1<>"$JUPYTERHUB_SITES_STAGES"')),)
        assert job.start(job.text(stub("serve", "fail", "0"), fragments=spoilt)).wait(WAIT_SECONDS) == 0, job.said
        assert [each.get("stage") for each in hub.reports][:2] == ["job", "starting"]


class TestLaunchFolder:
    """It is removed at the end, also from NFS, where a file that is open stays."""

    def test_nothing_in_it_is_open_then(self, job: WholeJob, tmp_path: Path) -> None:
        (tmp_path / "rm").write_text(f'#!/bin/sh\nls -l /proc/$PPID/fd >>{tmp_path}/open\nexec /bin/rm "$@"\n')
        (tmp_path / "rm").chmod(0o755)
        assert job.run("serve", "fail", "0", PATH=f"{tmp_path}:/usr/bin:/bin") == 0, job.said
        assert not job.launch.exists()
        seen = (tmp_path / "open").read_text()
        assert "/log" in seen
        assert "stages" not in seen


class TestRuntimeFolder:
    """Sockets of the server's kernels lie in it."""

    @pytest.mark.parametrize("words", [("until-term",), ("stubborn",)])
    def test_nothing_is_left_on_the_node_however_long_the_server_takes(
        self, job: WholeJob, hub: loopback.Hub, words: tuple[str, ...]
    ) -> None:
        running = job.start(job.text(stub("serve", *words)))
        hub.reported_port()
        folder = Path(job.environ["JUPYTER_RUNTIME_DIR"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        while "waiting for SIGTERM" not in job.said:
            time.sleep(0.02)
        pid = int((job.home / "pid").read_text())
        running.terminate()
        assert running.wait(WAIT_SECONDS) == 143
        assert not folder.exists()
        assert not Path("/proc", str(pid)).exists()

    @pytest.mark.parametrize("name", ["nowhere", "long" * 20])
    def test_its_path_is_short_enough_for_sockets(self, job: WholeJob, tmp_path: Path, name: str) -> None:
        if name != "nowhere":
            (tmp_path / name).mkdir()
        assert job.run("serve", "fail", "0", TMPDIR=str(tmp_path / name)) == 0, job.said
        runtime = job.environ["JUPYTER_RUNTIME_DIR"]
        assert Path(runtime).parent == Path("/tmp")
        assert not Path(runtime).exists()
        assert len(f"{runtime}/kernel-{uuid.uuid4()}-ipc-99") <= 107
        assert not (tmp_path / name).exists() or not list((tmp_path / name).iterdir())


class TestSlurm:
    """Slurm's programs in a notebook do what they do in a login shell."""

    def test_the_allocation_is_known_and_its_options_hold_for_no_other_job(self, job: WholeJob) -> None:
        assert job.run("serve", "fail", "0", **_OF_SLURM, **_OPTIONS) == 0, job.said
        assert _OF_SLURM.items() <= job.environ.items()
        assert not _OPTIONS.keys() & job.environ.keys()

    def test_what_a_profile_sets_for_slurms_programs_stays(self, job: WholeJob) -> None:
        profile = {"environment": {"SBATCH_ACCOUNT": "proj3", "SLURM_EXPORT_ENV": "NONE"}}
        text = job.text(stub("serve", "fail", "0"), profile=profile)
        assert job.start(text, **_OPTIONS).wait(WAIT_SECONDS) == 0, job.said
        assert {"SBATCH_ACCOUNT": "proj3", "SLURM_EXPORT_ENV": "NONE"}.items() <= job.environ.items()

    def test_they_are_on_path_where_they_are_in_a_folder_of_their_own(self, job: WholeJob) -> None:
        text = job.text(stub("serve", "fail", "0"), site={"slurm_path": "/opt/it's slurm/bin"})
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert job.environ["PATH"] == "/usr/bin:/bin:/opt/it's slurm/bin"

    def test_a_folder_that_is_on_path_is_not_named_twice(self, job: WholeJob) -> None:
        assert job.run("serve", "fail", "0") == 0, job.said
        assert job.environ["PATH"] == "/usr/bin:/bin"
