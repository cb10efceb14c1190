"""What is sent to PBS, kept in tests/data/golden/pbs, and the number that it answers."""

from pathlib import Path

import pytest

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh.pbs import jobs
from slurm_ssh.scheduler import UnreadableAnswer
from tests.support import builders, golden, shells


@pytest.mark.parametrize("name", golden.PBS)
def test_a_script_is_as_it_was_read_and_accepted(name: str) -> None:
    """If the change is meant: `python -m tests.support.golden`, and read the difference."""
    assert golden.text(name) == golden.path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", golden.PBS)
def test_bash_accepts_a_script(name: str) -> None:
    answer = shells.run(["bash", "-n", str(golden.path(name))])
    assert (answer.status, answer.stderr) == (0, b"")


def _site(**scheduler: str) -> Site:
    site = golden.pbs_site(scheduler={"kind": "pbs", **scheduler})
    return builders.catalogue(sites={"geneva": site}).sites["geneva"]


@pytest.mark.parametrize("option", ["-A", "-P"])
def test_all_that_is_asked_for_is_an_option(option: str) -> None:
    request = builders.request(
        nodes=2, cores=4, memory_mib=2048, gpus=1, time_minutes=1501, partition="short", project="physics"
    )
    assert jobs.directives(_site(project_option=option), request)[8:] == (
        ("-l", "select=2:ncpus=4:mem=2048mb:ngpus=1"),
        ("-l", "walltime=25:01:00"),
        ("-l", "place=scatter"),
        ("-q", "short"),
        (option, "physics"),
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"directives": {"constraint": "ib"}},
        {"reservation": "school"},
        {"qos": "high"},
        {"gpus": 1, "gpu_type": "a100"},
        {"log_path": "/a'b\"c/1.log"},
        {"log_path": "/a\\ b/1.log"},
        {"log_path": "/a\nb/1.log"},
    ],
)
def test_what_no_job_of_pbs_can_hold_is_not_sent(asked: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"PBS has no|qsub's option"):
        jobs.script(_site(), builders.request(**asked))


@pytest.mark.parametrize("value", ["5ec4e7", "", 'it\'s $(id) `id` \\n %s "x" END_OF_SECRET'])
def test_a_secret_is_set_in_the_script_as_it_is(tmp_path: Path, value: str) -> None:
    site = _site(path=str(tmp_path))
    (tmp_path / "qsub").write_text(f"#!/bin/sh\nexec cat >{tmp_path}/sent\n")
    (tmp_path / "qsub").chmod(0o755)
    script = jobs.script(site, builders.request(script="printf '%s|' \"$TOKEN\"; cat\n"))
    program = f"IFS= read -r TOKEN; export TOKEN\n{jobs.submit(site, (), ('TOKEN',))}"
    assert shells.run(["sh", "-c", program], f"{value}\n{script}".encode()).status == 0
    sent = (tmp_path / "sent").read_text()
    head = script.partition("\n\n")[0]
    assert sent.startswith(f"{head}\nIFS= read -r TOKEN <<")
    assert shells.run(["bash", str(tmp_path / "sent")], b"stdin").stdout.decode() == f"{value}|stdin"


def test_the_number_is_found_among_what_a_wrapper_says() -> None:
    assert jobs.parse_submit("Welcome\n 123.pbs.test \nHave fun\n") == "123.pbs.test"


@pytest.mark.parametrize("said", ["", "qsub: 5", "123", "1.a\n2.a", "123[].pbs", "1.$(id)", f"1.{'a' * 300}"])
def test_what_is_no_number_is_none(said: str) -> None:
    with pytest.raises(UnreadableAnswer, match="instead of a job id"):
        jobs.parse_submit(said)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_every_shell_reads_what_is_asked(shell: str) -> None:
    site = _site()
    programs = [
        jobs.queue(site, "it's", ["a", "b"]),
        jobs.listing(site, "alice"),
        jobs.listing(site, None),
        jobs.cancel(site, "alice", "jupyter-hub-1"),
        jobs.ending(site, "1.pbs"),
    ]
    for program in programs:
        assert isinstance(program, Shell)
        assert shells.run([shell, "-n", "-c", program]).stderr == b""
