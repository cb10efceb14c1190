"""The gate for jobs: everything that is wrong is told at once, and what was decided stays decided."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job_service import layout
from job_service.errors import Invalid, NotAMember
from job_service.files import paths
from job_service.spec import JobSpec
from profiles.offer.offer import Person
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import decided, fields, project, refused
from tests.support import builders

_RECON = JobSpec("recon")
_LINE = JobSpec("command", command="sh run.sh")

NEEDS_LINE = "Command needs a command: the line that it runs. With hubjobs it stands behind --."


def test_a_type_alone_means_its_defaults_and_the_first_project() -> None:
    job = decided(_RECON)
    assert (job.launch.type_key, job.launch.site_key, job.launch.owner) == ("recon", "geneva", "alice")
    assert job.launch.program == ("/opt/recon", "--method=fast", "5")
    assert (job.title, job.limit_s) == ("Reconstruction", 3600)
    assert (job.charged.name, job.charged.account, job.charged.project) == ("physics", "physics", None)


def test_what_is_asked_for_is_what_the_job_is() -> None:
    choices = {"time": "2h", "cores": "8", "param.quality": "7"}
    asked = JobSpec("recon", "geneva", "chemistry", "  a job title ", choices)
    job = decided(asked)
    assert (job.launch.time_minutes, job.launch.cores, job.launch.program) == (
        120,
        8,
        ("/opt/recon", "--method=fast", "7"),
    )
    assert (job.title, job.launch.project) == ("a job title", "chemistry")


def test_everything_that_is_wrong_is_told_at_once_as_the_api_names_it() -> None:
    spec = JobSpec(
        "recon",
        "geneva",
        "physics\n",
        "x" * 201,
        {"time": "for ever", "cores": "99", "speed": "9", "site": "geneva", "param.x": "1", "qos": "a\0b"},
        command="rm \0",
        arguments=("--more",),
        inputs=("../x",),
        start="never",  # type: ignore[arg-type]
    )
    error = refused(spec)
    assert isinstance(error, Invalid)
    assert list(error.fields) == [
        "title",
        "command",
        "inputs",
        "start",
        "project",
        "choices.speed",
        "choices.site",
        "choices.qos",
        "choices.time",
        "choices.cores",
        "choices.param.x",
        "arguments",
    ]
    assert error.message.startswith("12 things are wrong. The title must be one line of")
    assert all(sentence.isprintable() and sentence.endswith(".") for sentence in error.fields.values())
    assert error.fields["choices.site"] == "This is not among the choices. Send it as system."
    assert error.fields["choices.time"].startswith("Time: 'for ever' is not a time")


@pytest.mark.parametrize(
    ("spec", "field", "sentence"),
    [
        (JobSpec(" "), "type", "Say which job type it is."),
        (JobSpec("nope"), "type", "Job type: nope is not offered. Choose one of: recon, command."),
        (JobSpec("recon\n"), "type", "The choice type must be one line of text with at most 200 characters."),
        (
            JobSpec("recon", "bern"),
            "system",
            "Cluster: bern is not offered. Choose one of: geneva, lugano, zurich.",
        ),
        (JobSpec("command"), "command", NEEDS_LINE),
        (JobSpec("command", command=" \n"), "command", NEEDS_LINE),
        (JobSpec("recon", command="x"), "command", "Reconstruction runs a program of its own. Omit the command."),
        (
            JobSpec("recon", choices={str(n): "" for n in range(301)}),
            "choices",
            "At most 300 choices can be made.",
        ),
        (
            replace(_LINE, arguments=("-x",)),
            "arguments",
            "Command takes no arguments of its own. Write them into the command.",
        ),
        (
            replace(_LINE, inputs=("a.zip",)),
            "start",
            "The job would start before its inputs are there. Choose when-complete, or later, or name no inputs.",
        ),
    ],
)
def test_one_thing_that_is_wrong_is_one_sentence(spec: JobSpec, field: str, sentence: str) -> None:
    error = refused(spec)
    assert (fields(error), error.message) == ({field: sentence}, sentence)


def test_a_title_is_printable_and_a_command_may_have_many_lines() -> None:
    line = 'cd "a b"\n\tsh run.sh $(id) # ü\n'
    job = decided(JobSpec("command", title="Läuft 𝕏 'gut' $(id)", command=line))
    assert (job.title, job.spec.command) == ("Läuft 𝕏 'gut' $(id)", line)
    for title in ("a\nb", "a\0", "\u202e", "\ud800"):
        assert list(fields(refused(JobSpec("recon", title=title)))) == ["title"]


@pytest.mark.parametrize("command", ["x\0", "x\r\n", "\x1b[2J", "\x85", "\ud800", "x" * 65537, "ü" * 32769])
def test_a_command_is_text_of_a_bounded_length(command: str) -> None:
    assert list(fields(refused(replace(_LINE, command=command)))) == ["command"]


def test_the_longest_command_is_taken() -> None:
    assert decided(replace(_LINE, command="x" * 65536)).spec.command == "x" * 65536


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        ".",
        "..",
        "a/../b",
        "./a",
        ".job/command",
        ".job",
        "a\0",
        "a\nb",
        "a\\b",
        "a" * 256,
        "ü" * 128,
        "a/" * 500 + "b",
        "\ud800",
    ],
)
def test_an_input_stays_in_the_folder_and_out_of_ours(name: str) -> None:
    wrong = fields(refused(replace(_LINE, inputs=("ok", name), start="later")))
    assert list(wrong) == ["inputs"]
    assert wrong["inputs"].isprintable()


@settings(max_examples=200)
@given(st.text(st.sampled_from("a./\\é\0\n\x85\udc80 j'ob$"), max_size=12))
def test_an_input_that_can_be_named_can_be_sent(name: str) -> None:
    if layout.is_path(name):
        assert paths.parts(name) == tuple(name.split("/"))


def test_inputs_are_few_and_each_is_named_once() -> None:
    most = tuple(f"a b/{n}.job" for n in range(100))
    assert decided(replace(_LINE, inputs=most, start="when-complete")).spec.inputs == most
    assert "100" in fields(refused(replace(_LINE, inputs=(*most, "x"), start="later")))["inputs"]
    assert fields(refused(replace(_LINE, inputs=("a", "b", "a"), start="later"))) == {
        "inputs": "The input a is named twice."
    }


def test_a_type_that_somebody_does_not_see_is_one_that_there_is_not() -> None:
    hidden = builders.job_type(name="Secret", visible_to={"groups": ["staff"]})
    offered = deciding.offer(deciding.catalogue(types={**deciding.TYPES, "secret": hidden}))
    there, gone = (fields(refused(JobSpec(key), offered)) for key in ("secret", "gone"))
    assert there["type"].replace("secret", "gone") == gone["type"]
    staff = replace(offered, person=Person("ruth", frozenset({"staff"})))
    assert decided(JobSpec("secret"), staff).launch.type_key == "secret"


def test_a_system_in_maintenance_takes_no_job() -> None:
    now = builders.NOW
    pause = {"begins": now - timedelta(hours=1), "ends": now + timedelta(hours=1), "text": "new disks"}
    sites = {**deciding.SITES, "geneva": {**deciding.SITES["geneva"], "maintenance": [_written(pause)]}}
    offered = deciding.offer(deciding.catalogue(sites))
    wrong = fields(refused(JobSpec("recon", "geneva", title="\n"), offered))
    assert list(wrong) == ["title", "system"]
    assert wrong["system"].startswith("Geneva is in maintenance until 11:00 UTC (new disks).")
    assert decided(_RECON, offered).launch.site_key == "lugano"


def _written(pause: dict[str, Any]) -> dict[str, str]:
    return {name: each if isinstance(each, str) else each.isoformat() for name, each in pause.items()}


def test_what_was_decided_for_somebody_stays_so_in_what_is_kept() -> None:
    resources = {"gpus": {"default": 0, "max": 2}, "gpu_types": ["a100", "h100"]}
    offered = deciding.offer(deciding.catalogue(types={"recon": builders.job_type(resources=resources)}))
    kept = decided(JobSpec("recon", choices={"gpus": "2"}), offered).spec
    assert (kept.system, kept.project) == ("geneva", None)
    assert kept.choices == {"gpus": "2", "partition": "normal", "gpu_type": "a100"}
    assert decided(kept, offered).spec == kept


def test_a_job_is_no_larger_than_its_project_lets_one_be() -> None:
    small = project("small", 1, limits={"nodes": 1, "cores": 4, "time": 3600})
    wrong = fields(
        refused(
            JobSpec("recon", "geneva", "small", choices={"nodes": "2", "cores": "8", "time": "61m"}),
            projects=(small,),
            theirs=(1,),
        )
    )
    assert wrong == {
        "choices.nodes": "A job of the project small may have at most this many nodes: 1.",
        "choices.cores": "A job of the project small may have at most this many cores on a node: 4.",
        "choices.time": "A job of the project small may run for at most 1 h.",
    }
    assert decided(JobSpec("recon", "geneva", "small"), projects=(small,), theirs=(1,)).charged.project == small


def test_a_project_that_is_not_theirs_is_a_refusal_of_its_own_unless_more_is_wrong() -> None:
    others = (project("secret", 1),)
    for name in ("secret", "gone"):
        error = refused(JobSpec("recon", "geneva", name), projects=others)
        assert isinstance(error, NotAMember)
        assert error.message == f"You have no project {name} at Geneva. Yours there: physics, chemistry."
        both = refused(JobSpec("recon", "geneva", name, title="\n"), projects=others)
        assert list(fields(both)) == ["title", "project"]
        assert fields(both)["project"] == error.message


def test_a_project_that_no_project_can_be_named_is_told_as_that_also_to_who_has_none() -> None:
    error = refused(JobSpec("recon", "zurich", "a\nb"), projects=(project("p", 9, "zurich"),))
    assert list(fields(error)) == ["project"]
    assert "one line of text" in error.message


def test_what_is_kept_is_what_was_understood() -> None:
    kept = decided(
        JobSpec(" recon ", " geneva", choices={"param.method": " full ", "time": "2h ", "qos": " "})
    ).spec
    assert (kept.type, kept.system) == ("recon", "geneva")
    assert kept.choices == {"param.method": "full", "time": "2h", "partition": "normal"}


def test_all_of_two_hundred_parameters_can_be_chosen_at_once() -> None:
    many = {
        f"p{number}": {"title": f"P{number}", "min": 1, "max": 9, "argument": f"--p{number}"}
        for number in range(200)
    }
    offered = deciding.offer(
        deciding.catalogue(types={"large": builders.job_type(run=["/opt/large"], parameters=many)})
    )
    chosen = {"time": "1h", "cores": "1", "nodes": "1", **{f"param.{name}": "7" for name in many}}
    program = decided(JobSpec("large", "geneva", choices=chosen), offered).launch.program
    assert program is not None
    assert (len(program), program.count("7")) == (401, 200)
