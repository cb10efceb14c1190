import functools
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.catalogue.site import Site
from slurm_ssh.job import JobReport, JobState
from slurm_ssh.scheduler import UnreadableAnswer, observe
from slurm_ssh.slurm import jobs as slurm_jobs
from tests.support import builders
from tests.support.folders import DATA

_DATA = DATA / "slurm"


def _recorded(name: str) -> str:
    return (_DATA / f"{name}.txt").read_text(encoding="utf-8")


def _site(**changed: object) -> Site:
    return builders.catalogue(sites={"geneva": builders.site(**changed)}).sites["geneva"]


def test_a_plain_job_asks_for_its_resources_in_slurms_units() -> None:
    options = dict(slurm_jobs.directives(builders.request()))
    assert options == {
        "job-name": "jupyter-hub-1",
        "output": "/logs/1.log",
        "no-requeue": None,
        "nodes": "1",
        "ntasks-per-node": "1",
        "cpus-per-task": "1",
        "mem": "1024M",
        "time": "60",
        "propagate": "NONE",
    }


def test_what_was_chosen_and_what_the_site_adds_become_options() -> None:
    request = builders.request(
        partition="normal",
        project="physics",
        reservation="school",
        qos="high",
        gpus=2,
        directives={"exclusive": True, "constraint": "ib"},
    )
    options = dict(slurm_jobs.directives(request))
    assert (options["partition"], options["account"]) == ("normal", "physics")
    assert (options["gres"], options["qos"], options["reservation"]) == ("gpu:2", "high", "school")
    assert (options["exclusive"], options["constraint"]) == (None, "ib")


def test_gpus_are_written_with_their_type_if_one_was_asked_for() -> None:
    assert slurm_jobs.gres(0, None) is None
    assert slurm_jobs.gres(2, None) == "gpu:2"
    assert slurm_jobs.gres(2, "a100") == "gpu:a100:2"


def test_a_script_has_its_options_before_its_text() -> None:
    script = slurm_jobs.batch_script(builders.request(script="hostname\n", directives={"comment": "a 'b' \\"}))
    first, *options, empty, text = script.splitlines()
    assert (first, empty, text) == ("#!/bin/bash", "", "hostname")
    assert options[-1] == "#SBATCH --comment='a '\"'\"'b'\"'\"' \\\\'"


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x85", "\u2028"])
def test_a_control_character_in_an_option_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match="job-name cannot hold control characters"):
        slurm_jobs.batch_script(builders.request(name=f"mark{character}#SBATCH --x"))


def test_a_job_gets_the_whole_environment_of_its_submission() -> None:
    assert shlex.split(slurm_jobs.submit(_site())) == ["/usr/bin/sbatch", "--parsable", "--export=ALL"]


def test_every_command_names_the_cluster_of_the_site_and_the_folder_of_its_slurm() -> None:
    site = _site(slurm_cluster="alps", slurm_path="/opt/slurm/bin")
    commands = (
        slurm_jobs.submit(site),
        slurm_jobs.queue(site, "alice", ("m",)),
        slurm_jobs.cancel(site, "alice", "m"),
    )
    words = [shlex.split(command) for command in commands]
    assert [each[0] for each in words] == [f"/opt/slurm/bin/{name}" for name in ("sbatch", "squeue", "scancel")]
    assert [each[1] for each in words] == ["--clusters=alps"] * 3


def test_a_job_is_cancelled_by_its_mark_and_its_owner() -> None:
    assert shlex.split(slurm_jobs.cancel(_site(), "alice", "jupyter-hub-1"))[1:] == [
        "--user=alice",
        "--name=jupyter-hub-1",
    ]


def test_the_queue_is_asked_for_jobs_in_every_state_by_mark_and_owner() -> None:
    words = shlex.split(slurm_jobs.queue(_site(), "alice", {"b", "a"}))
    assert words[1:] == ["-h", "-t", "all", "-u", "alice", "--name=a,b", "-o", "%i|%T|%B|%u|%r|%j"]


@pytest.mark.parametrize(
    ("answer", "job_id"),
    [
        ("123\n", "123"),
        ("123;alps\n", "123"),
        ("a site's greeting\n\n123;alps\n", "123"),
        ("123\nThis job is charged to physics.\n", "123"),
        ("Submitted batch job 123", "123"),
        ("Submitted batch job 123 on cluster alps\nsee https://help.test/12\n", "123"),
        ("wrapper: Submitted batch job 123.\n123\n", "123"),
    ],
)
def test_the_job_id_is_read_from_the_line_that_has_it(answer: str, job_id: str) -> None:
    assert slurm_jobs.parse_submit(answer) == job_id


@pytest.mark.parametrize(
    "answer",
    ["", "\n", "12a", "-1", ";alps", "²", "123 45", "12345678901", "1\n2\n", "Submitted batch job 1\n2\n"],
)
def test_an_answer_without_a_job_id_or_with_two_is_not_guessed_at(answer: str) -> None:
    with pytest.raises(UnreadableAnswer, match="instead of a job id"):
        slurm_jobs.parse_submit(answer)


def test_a_recorded_queue_is_read() -> None:
    rows = {row.job_id: row for row in slurm_jobs.parse_queue(_recorded("queue-many-22.05"))}
    assert {key: row.report.state for key, row in rows.items()} == {
        "1": JobState.RUNNING,
        "2": JobState.ENDED,
        "3": JobState.RUNNING,
        "4": JobState.PENDING,
        "5": JobState.ENDED,
        "6": JobState.PENDING,
        "7": JobState.RUNNING,
        "8": JobState.PENDING,
        "9": JobState.PENDING,
        "10": JobState.ENDED,
    }
    assert rows["1"].report == JobReport(JobState.RUNNING, "RUNNING", "", "geneva-n1")
    assert rows["4"].report == JobReport(JobState.PENDING, "PENDING", "PartitionTimeLimit", "")
    assert {row.owner for row in rows.values()} == {"alice"}


def test_a_bar_in_a_job_name_does_not_shift_the_fields() -> None:
    (odd,) = [row for row in slurm_jobs.parse_queue(_recorded("queue-many-22.05")) if row.job_id == "5"]
    assert (odd.mark, odd.report.word) == ("odd | name|x", "COMPLETED")


def test_the_heading_of_a_cluster_is_not_a_job() -> None:
    (row,) = slurm_jobs.parse_queue(_recorded("queue-cluster-22.05"))
    assert (row.job_id, row.mark) == ("1", "jupyter-hub-000000000001")


def test_an_unknown_word_is_unknown_and_not_the_end() -> None:
    states = {
        row.report.word: row.report.state for row in slurm_jobs.parse_queue(_recorded("queue-made-up-words"))
    }
    assert states == {
        "POWER_UP_NODE": JobState.UNKNOWN,
        "COMPLETING": JobState.ENDING,
        "SUSPENDED": JobState.RUNNING,
        "CONFIGURING": JobState.PENDING,
        "OUT_OF_MEMORY": JobState.ENDED,
        "NODE_FAIL": JobState.ENDED,
    }


def test_an_empty_queue_has_no_rows() -> None:
    assert slurm_jobs.parse_queue("") == slurm_jobs.parse_queue("\n\n") == ()


@pytest.mark.parametrize(
    "answer",
    [
        "slurm_load_jobs error: Unable to contact slurm controller\n",
        "1|RUNNING|geneva-n1|alice|None\n",
        "x|RUNNING|geneva-n1|alice|None|m\n",
        "|||||\n",
        "1|RUNNING|geneva-n1|alice|None|m\n<html>\n",
    ],
)
def test_an_answer_of_another_shape_is_not_an_empty_queue(answer: str) -> None:
    with pytest.raises(UnreadableAnswer, match="squeue answered"):
        slurm_jobs.parse_queue(answer)


@given(st.text())
def test_any_answer_is_read_or_unreadable(answer: str) -> None:
    for parse in (
        slurm_jobs.parse_queue,
        slurm_jobs.parse_submit,
        functools.partial(slurm_jobs.parse_projects, _site()),
    ):
        try:
            parse(answer)
        except UnreadableAnswer:
            continue


def test_a_job_is_seen_among_others() -> None:
    rows = slurm_jobs.parse_queue(_recorded("queue-two-22.05"))
    job = builders.job(job_id="2", mark="jupyter-hub-000000000002")
    assert observe(job, rows) == JobReport(JobState.ENDED, "FAILED", "NonZeroExitCode", "geneva-n1")


@pytest.mark.parametrize("other", [{"job_id": "1"}, {"owner": "bob"}, {"mark": "jupyter-hub-000000000001"}])
def test_a_row_with_another_number_owner_or_mark_is_another_job(other: dict[str, str]) -> None:
    rows = slurm_jobs.parse_queue(_recorded("queue-two-22.05"))
    job = builders.job(**{"job_id": "2", "mark": "jupyter-hub-000000000002", **other})
    assert observe(job, rows) is None


def test_the_projects_of_an_owner_are_asked_of_the_accounting() -> None:
    words = shlex.split(slurm_jobs.projects(_site(slurm_path="/opt/slurm/bin", slurm_cluster="alps"), "alice"))
    assert words[0] == "/opt/slurm/bin/sacctmgr"
    assert words[1:] == ["-nP", "show", "assoc", "user=alice", "format=cluster,account"]


def test_a_site_that_does_not_name_its_cluster_is_asked_for_it() -> None:
    program = slurm_jobs.projects(_site(slurm_path="/opt/slurm/bin"), "alice")
    assert program.startswith("/opt/slurm/bin/sacctmgr -nP show assoc user=alice format=cluster,account && ")
    assert "/opt/slurm/bin/scontrol show config" in program


_ASSOCIATIONS = "lugano|proj3\nlugano|proj12\nbern|proj5\nlugano|proj3\n\n"


@pytest.mark.parametrize(
    ("cluster", "last", "projects"),
    [
        ("lugano", "", ("proj3", "proj12")),
        ("alps", "", ()),
        (None, "ClusterName             = lugano\n", ("proj3", "proj12")),
        (None, "ClusterName = Bern\n", ("proj5",)),
        (None, "ClusterName = alps\n", ()),
    ],
)
def test_projects_are_those_of_the_cluster_each_once(
    cluster: str | None, last: str, projects: tuple[str, ...]
) -> None:
    assert slurm_jobs.parse_projects(_site(slurm_cluster=cluster), _ASSOCIATIONS + last) == projects


@pytest.mark.parametrize(
    "name", ["", "<b>x</b>", "a b", "-x", "a,b", "Call +41", "$(id)", "\x1b[2J", "é", "x" * 101, "a'b", "a=b"]
)
def test_what_cannot_be_a_project_is_left_out(name: str) -> None:
    site = _site(slurm_cluster="lugano")
    assert slurm_jobs.parse_projects(site, f"lugano|{name}\nlugano|proj_3.x-y\n") == ("proj_3.x-y",)


def test_a_person_may_have_no_project() -> None:
    assert slurm_jobs.parse_projects(_site(slurm_cluster="alps"), "\n") == ()
    assert slurm_jobs.parse_projects(_site(), "ClusterName = alps\n") == ()


@pytest.mark.parametrize("answer", ["proj3\n", "a|b|c\n", "lugano|proj3\n<html>\n"])
@pytest.mark.parametrize("last", ["", "ClusterName = lugano\n"])
def test_projects_of_another_shape_are_not_guessed_at(answer: str, last: str) -> None:
    with pytest.raises(UnreadableAnswer, match="sacctmgr answered"):
        slurm_jobs.parse_projects(_site(), answer + last)


def test_projects_of_nobody_knows_which_cluster_are_none() -> None:
    for answer in ("", _ASSOCIATIONS):
        with pytest.raises(UnreadableAnswer, match="sacctmgr answered"):
            slurm_jobs.parse_projects(_site(), answer)


@pytest.mark.parametrize("state", JobState)
def test_only_ended_and_gone_are_over(state: JobState) -> None:
    assert state.is_over == (state in {JobState.ENDED, JobState.GONE})
