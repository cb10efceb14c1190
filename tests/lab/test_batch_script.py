"""The script of a batch job under a real Slurm: what it leaves in its folder, and what Slurm says of it."""

import pytest

from job_service import layout, script
from job_service.layout import End
from lab import Lab
from profiles.offer.launch import BatchLaunch
from slurm_ssh.job import mark, marks, new_launch_id
from slurm_ssh.scheduler import Row
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import survey
from tests.support import golden

FRONT_END, OWNER = "geneva-login1", "alice"


def _launch(time: str) -> BatchLaunch:
    return golden.batch_launch(
        {"jobs": {"folder": "/scratch/{owner}/batch"}, "partitions": {}, "projects": "none"},
        resources={"memory": {"default": "50M", "max": "50M"}, "time": {"default": time, "max": time}},
    )


LAUNCH = _launch("5m")
SITE = LAUNCH.site


def _as_owner(lab: Lab, command: str, data: str = "") -> str:
    return lab.run(FRONT_END, ["/bin/sh", "-c", command], user=OWNER, input=data).stdout


def _submitted(lab: Lab, line: str, launch: BatchLaunch = LAUNCH) -> tuple[str, str]:
    """Submit a job that runs this line; return its folder and Slurm's number."""
    job_id = new_launch_id()
    folder = layout.folder(LAUNCH.jobs, OWNER, job_id)
    _as_owner(lab, f"mkdir -p {folder}/{layout.OURS} && cat >{folder}/{layout.COMMAND}", f"{line}\n")
    request = script.build(launch, job_id, mark("job", "hub", job_id), "a job title", ())
    answer = _as_owner(lab, slurm_jobs.submit(SITE), slurm_jobs.batch_script(request))
    return folder, slurm_jobs.parse_submit(answer)


def _row(lab: Lab, native_id: str) -> Row:
    ours = marks("job", "hub")
    status, listing = survey.parse(_as_owner(lab, survey.listing(SITE, ours, OWNER)), ours)
    assert (status, listing.odd) == (0, frozenset())
    (row,) = [each for each in listing.rows if each.job_id == native_id]
    return row


def _text(lab: Lab, path: str) -> str:
    return _as_owner(lab, f"cat {path} 2>/dev/null || :")


def _end(lab: Lab, folder: str) -> End | None:
    return End.of(_text(lab, f"{folder}/{layout.END}"))


@pytest.mark.parametrize(("line", "word", "status"), [("echo 5", "COMPLETED", 0), ("exit 7", "FAILED", 7)])
def test_slurm_and_the_folder_say_alike_how_a_job_has_ended(lab: Lab, line: str, word: str, status: int) -> None:
    folder, native_id = _submitted(lab, line)
    lab.wait("the job is over", lambda: _row(lab, native_id).report.state.is_over)
    report, end = _row(lab, native_id).report, _end(lab, folder)
    assert (report.word, report.wait_status) == (word, status * 256)
    assert end is not None
    assert (end.native_id, end.status) == (native_id, status)
    assert report.nodes == report.node
    assert _text(lab, f"{folder}/stdout") == ("5\n" if word == "COMPLETED" else "")


def test_a_job_that_is_cancelled_writes_its_end_and_its_twin_does_nothing(lab: Lab) -> None:
    folder, native_id = _submitted(lab, "echo up >up; sleep 300")
    lab.wait("the job runs", lambda: _text(lab, f"{folder}/up") != "")
    row = _row(lab, native_id)
    assert (row.report.word, row.report.wait_status, row.task) == ("RUNNING", None, None)
    twin = slurm_jobs.parse_submit(_as_owner(lab, slurm_jobs.submit(SITE), _again(lab, native_id)))
    lab.wait("the twin is over", lambda: _row(lab, twin).report.state.is_over)
    assert _row(lab, twin).report.wait_status == 0
    assert f"twin of job {native_id}" in _text(lab, f"{folder}/stderr")
    assert _end(lab, folder) is None
    _as_owner(lab, slurm_jobs.cancel(SITE, OWNER, row.mark))
    lab.wait("the job is over", lambda: _row(lab, native_id).report.state.is_over)
    end = _end(lab, folder)
    assert _row(lab, native_id).report.word == "CANCELLED"
    assert end is not None
    assert (end.native_id, end.status) == (native_id, 143)


_STAYS = "trap {what} TERM; echo up >up; while :; do sleep 0.1; done"
_LINES = ("echo up >up; sleep 300", *(_STAYS.format(what=what) for what in ("''", "'exit 0'", "'exit 3'")))


@pytest.mark.long
@pytest.mark.parametrize("word", ["CANCELLED", "TIMEOUT"])
def test_a_job_that_is_told_to_end_says_so_whatever_its_program_makes_of_it(lab: Lab, word: str) -> None:
    launch = _launch("1m" if word == "TIMEOUT" else "5m")
    jobs = [_submitted(lab, line, launch) for line in _LINES]
    for folder, native_id in jobs:
        lab.wait("the job runs", lambda folder=folder: _text(lab, f"{folder}/up") != "")
        if word == "CANCELLED":
            _as_owner(lab, f"scancel {native_id}")
    for folder, native_id in jobs:
        lab.wait("the job is over", lambda each=native_id: _row(lab, each).report.state.is_over)
        end = _end(lab, folder)
        assert _row(lab, native_id).report.word == word
        assert end is not None
        assert (end.native_id, end.status) == (native_id, 143)


def _again(lab: Lab, native_id: str) -> str:
    """Return the script of a job that runs, as Slurm has it."""
    return _as_owner(lab, f"scontrol write batch_script {native_id} -")
