"""What a job costs its node before the server runs, counted in processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import loopback, processes
from tests.support.whole_job import WAIT_SECONDS, WholeJob

pytestmark = pytest.mark.skipif(not processes.can_be_counted(), reason="no pid namespace can be had")
_SERVER = ["sh", "-c", "echo $$ >pid"]
_MODULES = "module() { LOADEDMODULES=$LOADEDMODULES:$2; }\n"
_SITE = {"jupyter": {"module_paths": ["/opt/modulefiles"], "modules": ["jupyterlab"]}}
_KERNELS = [{"script": "true"}, {"script": ":"}]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[WholeJob]:
    with loopback.listening(loopback.Hub()) as hub:
        yield WholeJob(tmp_path, hub)


def _init(job: WholeJob) -> str:
    """Return a module system without programs."""
    path = job.home / "init.sh"
    path.write_text(_MODULES)
    return str(path)


def _started(job: WholeJob, **more: Any) -> int:
    """Return how many processes were started from the beginning of the script up to and with the server."""
    for number in range(6):
        (job.jobs / f"{number:012x}.log").touch()
    running = job.start(job.text(_SERVER, **more), alone=True)
    assert running.wait(WAIT_SECONDS) == 0, job.said
    return int((job.home / "pid").read_text()) - 1


def test_a_job_starts_few_processes_before_its_server(job: WholeJob) -> None:
    """In their order: mkdir, mkfifo, the shell that reports, rm of an old log, mktemp, Python, the server."""
    assert _started(job) == 7


def test_modules_start_none_of_ours(job: WholeJob) -> None:
    assert _started(job, site={**_SITE, "module_init": _init(job)}, profile={"modules": ["gcc"]}) == 7


def test_a_container_starts_none_of_ours(job: WholeJob) -> None:
    assert _started(job, site={"container": ["env", "IMAGE={image}"]}, profile={"container": "/x"}) == 7


def test_what_copies_notebooks_starts_none(job: WholeJob) -> None:
    assert _started(job, copy_from={"folders": ["/gpfs"]}) == 7


def test_what_makes_kernels_is_one_program_and_a_shell_for_each(job: WholeJob) -> None:
    """And a folder for that program."""
    assert _started(job, site={"module_init": _init(job)}, profile={"kernels": _KERNELS}) == 9 + len(_KERNELS)
