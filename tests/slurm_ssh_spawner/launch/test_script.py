import os
import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from kernels.shell import Shell, quote
from slurm_ssh.errors import Broken
from slurm_ssh.jobs import folders
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh_spawner.hub.bodies import SmallBody
from slurm_ssh_spawner.launch import script
from tests.support import builders, golden, loopback, shells

_END = "END_OF_STARTER"


def _build(*fragments: Fragment, **process: object) -> str:
    site = builders.site(jupyter={}, partitions={}, projects="none")
    launch = builders.launch(builders.catalogue(sites={"geneva": site}))
    request = script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", builders.process(**process), fragments)
    return slurm_jobs.batch_script(request)


def _run(text: str, tmp_path: Path, server: str = "exit 0") -> shells.Ended:
    """Run a job script in a real bash, with a shell line in place of the starter's Python."""
    stub = tmp_path / "python3"
    stub.write_text(f"#!/bin/sh\ncat > starter.py\n{server}\n")
    stub.chmod(0o755)
    (tmp_path / "job.sh").write_text(text.replace("/scratch/alice/jupyter", str(tmp_path)))
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    return shells.run(["bash", str(tmp_path / "job.sh")], environ=environ, cwd="/")


@pytest.mark.parametrize("name", golden.SCRIPTS)
def test_a_script_is_as_it_was_read_and_accepted(name: str) -> None:
    """If the change is meant: `python -m tests.support.golden`, and read the difference."""
    assert golden.text(name) == golden.path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", golden.SCRIPTS)
def test_bash_and_shellcheck_accept_a_script(name: str) -> None:
    for command in (["bash", "-n"], ["shellcheck", "-e", "SC1091,SC2016,SC2317"]):
        answer = shells.run([*command, str(golden.path(name))])
        assert (answer.status, answer.stdout, answer.stderr) == (0, b"", b"")


def _cuts(text: str) -> list[int]:
    """Return places after the directives to cut a script at: some anywhere, all near the end."""
    body = text.index("\n\n") + 2
    return [*range(body, len(text) - 20, 211), *range(len(text) - 20, len(text.rstrip()))]


@pytest.mark.parametrize("name", golden.SCRIPTS)
def test_a_script_that_was_cut_off_on_its_way_does_nothing(name: str, tmp_path: Path) -> None:
    text = golden.path(name).read_text(encoding="utf-8")
    stub = 'echo "$0 $*"; touch "$HOME/hole"'
    for end in _cuts(text):
        answer = _run(text[:end], tmp_path, stub)
        assert (answer.stdout, (tmp_path / "hole").exists()) == (b"", False), text[:end][-200:]


def test_the_cut_scripts_do_something_when_they_are_whole(tmp_path: Path) -> None:
    answer = _run(golden.path("plain").read_text(encoding="utf-8"), tmp_path, 'echo "$0 $*"')
    assert answer.lines[0].endswith("jupyterhub-singleuser --notebook-dir=~ --ServerApp.default_url=/lab")


def test_what_was_chosen_and_what_the_site_adds_is_asked_for() -> None:
    site = builders.site(directives={"exclusive": True})
    asked = {"gpus": "2", "qos": "high", "reservation": "school", "project": "chemistry", "cores": "4"}
    launch = builders.launch(builders.catalogue(sites={"geneva": site}), asked)
    request = script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", builders.process(), ())
    assert (request.gpus, request.qos, request.reservation) == (2, "high", "school")
    assert (request.project, request.cores, request.directives) == ("chemistry", 4, {"exclusive": True})
    assert request.log_path == f"/scratch/alice/jupyter/{builders.LAUNCH_ID}.log"


def test_a_server_is_described_without_its_secrets_and_reports_as_its_nodes_reach_the_hub() -> None:
    environ = {
        "JUPYTERHUB_API_TOKEN": "5ec4e7",
        "JPY_API_TOKEN": "5ec4e7",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
        "JUPYTERHUB_USER": "alice",
    }
    near = script.ServerProcess.of(["--x"], environ, None, "0123456789ab")
    assert near.report_url == "http://127.0.0.1:8081/hub/api/launches/0123456789ab"
    assert (near.secrets, near.arguments) == ({"JUPYTERHUB_API_TOKEN": "5ec4e7"}, ("--x",))
    assert "5ec4e7" not in str(near.environ)
    activity = {**environ, "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:8081/hub/api/users/alice/activity"}
    far = script.ServerProcess.of([], activity, "http://hub.example.org:8081", "0123456789ab")
    assert far.report_url == "http://hub.example.org:8081/hub/api/launches/0123456789ab"
    assert far.environ["JUPYTERHUB_ACTIVITY_URL"] == "http://hub.example.org:8081/hub/api/users/alice/activity"


def test_a_request_shows_no_secrets() -> None:
    request = script.build(builders.launch(), builders.LAUNCH_ID, "m", builders.process(), ())
    assert request.secrets == {"JUPYTERHUB_API_TOKEN": "5ec4e7-t0ken"}
    assert "5ec4e7" not in repr(request)


def test_directives_stand_before_the_first_command() -> None:
    lines = golden.text("odd-values").splitlines()
    directives = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert lines[0] == "#!/bin/bash"
    assert directives == list(range(1, len(directives) + 1))


def test_a_backslash_in_a_directive_is_doubled_because_sbatch_takes_it_for_an_escape() -> None:
    (line,) = [each for each in golden.text("odd-values").splitlines() if "SBATCH --output" in each]
    assert shlex.split(line)[1] == "--output=/scratch/a 'b' #(id)\\\\/alice/0123456789ab.log"


def test_secrets_are_not_in_the_script() -> None:
    assert "5ec4e7" not in _build(secrets={"JUPYTERHUB_API_TOKEN": "5ec4e7"})


def test_a_servers_repr_shows_neither_secrets_nor_environment() -> None:
    shown = repr(builders.process(environ={"A": "5ec4e7"}, secrets={"B": "5ec4e7"}))
    assert "5ec4e7" not in shown
    assert "--notebook-dir" in shown


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=1;id", "A\n", "BASH_FUNC_x%%", "Ä"])
def test_a_name_that_no_variable_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of an environment variable"):
        _build(environ={name: "value"})


def test_the_job_knows_where_to_report() -> None:
    assert f"export JUPYTERHUB_SITES_REPORT_URL={builders.process().report_url}\n" in _build()


_names = st.from_regex(r"V[A-Za-z0-9_]{0,8}", fullmatch=True)
_values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(_names, _values, min_size=1, max_size=6))
def test_no_value_of_a_variable_breaks_out_of_its_quotes(environ: dict[str, str]) -> None:
    text = _build(environ=environ, report_url="http://hub.test/")
    exports = text[text.index("export V") : text.index("\nbegin_reports\n")]
    answer = shells.bash(f"{exports}\nenv -0")
    assert (answer.status, answer.stderr) == (0, b"")
    seen = dict(each.split("=", 1) for each in answer.stdout.decode().split("\0") if each)
    assert {name: seen.get(name) for name in environ} == environ


def test_the_server_is_run_with_its_arguments_as_they_are(tmp_path: Path) -> None:
    arguments = ("a b", "$(touch hole)", "'", "", "*", "--x=;id")
    answer = _run(_build(arguments=arguments), tmp_path, "printf '%s\\0' \"$@\"")
    assert answer.stdout.decode().split("\0")[:-1] == ["-I", "-S", "-", "jupyterhub-singleuser", *arguments]
    assert not list(tmp_path.rglob("hole"))


def test_the_starter_arrives_on_the_servers_stdin_unchanged(tmp_path: Path) -> None:
    _run(_build(), tmp_path)
    source = Path(script.__file__).parent / "jobside" / "starter.py"
    assert (tmp_path / "starter.py").read_text() == source.read_text()
    assert _END not in source.read_text()


def test_a_job_ends_with_the_status_of_its_server(tmp_path: Path) -> None:
    assert _run(_build(), tmp_path, "exit 7").status == 7


def test_fragments_begin_in_their_order_and_end_in_the_opposite_one(tmp_path: Path) -> None:
    fragments = [
        Fragment(before=Shell(f"echo before {number}"), after=Shell(f"echo after {number}")) for number in (1, 2)
    ]
    answer = _run(_build(*fragments), tmp_path, "echo server; exit 7")
    assert answer.lines == ["before 1", "before 2", "server", "after 2", "after 1"]
    assert answer.status == 7


def test_a_fragment_that_gives_up_ends_the_job_with_its_sentence_and_cleans_up(tmp_path: Path) -> None:
    fragments = [
        Fragment(after=Shell("echo cleaned")),
        Fragment(before=Shell('false || give_up "It did not work."')),
    ]
    answer = _run(_build(*fragments), tmp_path, "echo server")
    assert answer.status == 1
    said, cleaned = answer.lines
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] failed: It did not work\.", said)
    assert cleaned == "cleaned"


def test_a_cancelled_job_cleans_up_too(tmp_path: Path) -> None:
    answer = _run(_build(Fragment(after=Shell("echo cleaned"))), tmp_path, "kill $PPID; exit 1")
    assert (answer.status, answer.lines) == (143, ["cleaned"])


def test_what_a_fragment_attends_is_ended_with_the_job_also_if_it_does_not_want_to(tmp_path: Path) -> None:
    stubborn = 'trap "" TERM; echo $BASHPID; kill $PPID; while :; do sleep 1; done'
    fragment = Fragment(before=Shell(f"attend bash -c {quote(stubborn)}"), after=Shell("echo cleaned"))
    answer = _run(_build(fragment), tmp_path)
    assert (answer.status, answer.lines[1]) == (143, "cleaned")
    assert not Path("/proc", answer.lines[0]).exists()


def test_a_fragment_attends_a_program_with_its_input_and_its_status(tmp_path: Path) -> None:
    before = Shell("attend sh -c 'read -r line; echo got $line; exit 9' <<<hello; echo $?")
    assert _run(_build(Fragment(before=before)), tmp_path).lines[:2] == ["got hello", "9"]


def test_a_hook_contributes_after_the_ticket_and_knows_the_job(tmp_path: Path) -> None:
    class Echo(Hook):
        def fragment(self, job: JobContext) -> Fragment:
            return Fragment(before=Shell(f"echo {quote(f'{job.mark} {job.launch_folder} {job.memory_mib}')}"))

    launch = replace(builders.launch(), environments=(), hooks={"echo": Echo()})
    ticket = Fragment(before=Shell("echo ticket"))
    text = script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", builders.process(), (ticket,)).script
    folder = f"{tmp_path}/{builders.LAUNCH_ID}"
    assert _run(text, tmp_path).lines[:2] == ["ticket", f"jupyter-hub-1 {folder} 1024"]


class _Fails(Hook):
    def fragment(self, job: JobContext) -> Fragment:
        raise LookupError(f"no scratch for {job.owner}")

    def release(self, job: JobContext) -> Shell | None:
        raise AttributeError(job.mark)


def test_a_hook_that_fails_is_named_to_the_person_and_why_to_the_log() -> None:
    launch = replace(builders.launch(), hooks={"scratch": _Fails()})
    with pytest.raises(Broken, match="its hook scratch failed") as failed:
        script.build(launch, builders.LAUNCH_ID, "m", builders.process(), ())
    assert failed.value.detail == "LookupError: no scratch for alice"
    with pytest.raises(Broken, match="its hook scratch failed") as failed:
        script.releases(launch, builders.LAUNCH_ID, "m")
    assert failed.value.detail == "AttributeError: m"


def test_the_launch_folder_is_private_there_before_anything_else_and_gone_at_the_end(tmp_path: Path) -> None:
    fragment = Fragment(
        before=Shell('stat -c %a "$JUPYTERHUB_SITES_LAUNCH_FOLDER"; touch "$JUPYTERHUB_SITES_LAUNCH_FOLDER/x"'),
        after=Shell('ls "$JUPYTERHUB_SITES_LAUNCH_FOLDER/x"'),
    )
    answer = _run(_build(fragment), tmp_path)
    assert answer.lines == ["700", f"{tmp_path}/{builders.LAUNCH_ID}/x"]
    assert not (tmp_path / builders.LAUNCH_ID).exists()


def test_the_last_logs_and_those_of_running_launches_are_kept(tmp_path: Path) -> None:
    names = [f"{number:012x}.log" for number in range(9)]
    for age, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    (tmp_path / "000000000001").mkdir()
    (tmp_path / "notes.log").touch()
    os.utime(tmp_path / "notes.log", (0, 0))
    _run(_build(), tmp_path)
    kept = {path.name for path in tmp_path.glob("*.log")}
    assert kept == {*names[-script.KEPT_LOGS :], "000000000001.log", "notes.log"}


class TestStages:
    """What `stage` sends, seen by a real HTTP server in place of the hub."""

    @pytest.fixture
    def hub(self) -> Iterator[loopback.Hub]:
        with loopback.listening(loopback.Hub()) as hub:
            yield hub

    @pytest.mark.parametrize("client", ["", "curl", "python3"])
    def test_stages_reach_the_hub_in_their_order_with_the_token(
        self, hub: loopback.Hub, tmp_path: Path, client: str
    ) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in filter(None, (client, "mkdir", "mkfifo", "rm")):
            (folder / name).symlink_to(str(shutil.which(name, path="/usr/bin:/bin")))
        odd = 'a "b" \\ c\tä'
        before = f"stage one {quote(odd)}; stage two; give_up 'It failed.'"
        text = _build(Fragment(before=Shell(before)), report_url=hub.url).replace(
            "/scratch/alice/jupyter", str(tmp_path)
        )
        text = text.replace('post_from_here "$1" || ', "") if client else text
        environ = {"HOME": str(tmp_path), "PATH": str(folder), "JUPYTERHUB_API_TOKEN": "5ec4e7"}
        answer = shells.run(["/bin/bash", "-c", text], environ=environ, cwd="/")
        assert answer.status == 1
        assert hub.reports[1:] == [
            {"stage": "one", "text": odd.replace("\t", " ")},
            {"stage": "two", "text": ""},
            {"stage": "failed", "text": "It failed."},
        ]
        assert {token for _, token in hub.requests} == {"token 5ec4e7"}

    def test_long_ones_are_sent_in_as_many_reports_as_the_hub_needs(
        self, hub: loopback.Hub, tmp_path: Path
    ) -> None:
        texts = [str(number) * 2999 for number in range(9)]
        before = "\n".join(f"stage long {quote(text)}" for text in texts)
        text = _build(Fragment(before=Shell(f"{before}\nexit")), report_url=hub.url)
        _run(text, tmp_path)
        assert [report["text"] for report in hub.reports[1:]] == texts
        assert max(hub.lengths) < SmallBody.longest_body

    def test_those_that_follow_each_other_at_once_are_one_report(self, hub: loopback.Hub, tmp_path: Path) -> None:
        before = Shell("for n in 1 2 3; do stage n $n; done; exit")
        _run(_build(Fragment(before=before), report_url=hub.url), tmp_path)
        assert [report["text"] for report in hub.reports[1:]] == ["1", "2", "3"]
        assert len(hub.requests) < len(hub.reports)

    def test_a_hub_that_does_not_answer_holds_nothing_up(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            # The server runs while a report is without an answer.
            look = f"ss -Htn state established dst 127.0.0.1:{silent.getsockname()[1]} | wc -l"
            wait = f'until [ "$({look})" -ge 1 ]; do sleep 0.02; done'
            before = Shell(f"for n in $(seq 20); do stage n; done\n{wait}; stage last")
            answer = _run(_build(Fragment(before=before), report_url=url), tmp_path, f"{wait}; echo server")
        assert (answer.status, answer.lines[-1]) == (0, "server")


def test_a_home_that_cannot_be_entered_is_said(tmp_path: Path) -> None:
    text = _build(Fragment(before=Shell('HOME="$HOME/nowhere"')))
    answer = _run(text, tmp_path)
    assert answer.status == 1
    assert f"The home directory {tmp_path}/nowhere cannot be entered on" in answer.stdout.decode()


def test_the_log_of_a_job_is_in_the_owners_folder() -> None:
    site = builders.launch().site
    assert folders.log_path(site, "alice", "0123456789ab") == "/scratch/alice/jupyter/0123456789ab.log"
