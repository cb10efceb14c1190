"""Jobs in homes as people have them: run whole, with all that people and Slurm put around them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
        assert hub.reported_port()
        assert "homework" not in job.said

    def test_reports_without_curl_do_not_run_them_either(self, job: WholeJob, hub: loopback.Hub) -> None:
        text = job.text(stub("serve", "fail", "0")).replace("command -v curl", "false")
        assert job.start(text).wait(WAIT_SECONDS) == 0, job.said
        assert "homework" not in job.said
        assert {"stage": "starting"}.items() <= hub.reports[-2].items()


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
