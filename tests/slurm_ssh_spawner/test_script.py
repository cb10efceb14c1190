import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.fragment import Fragment
from kernels.shell import Shell
from slurm_ssh_spawner import script
from slurm_ssh_spawner.script import JobScript
from tests.support import builders, golden, shells

_END = "END_OF_STARTER"


def _build(*fragments: Fragment, **process: object) -> JobScript:
    site = builders.site(jupyter={}, partitions={}, projects="none")
    launch = builders.launch(builders.catalogue(sites={"geneva": site}))
    return script.build(launch, builders.LAUNCH_ID, "jupyter-hub-1", builders.process(**process), fragments)


def _run(text: str, tmp_path: Path, server: str = "exit 0") -> shells.Ended:
    """Run a job script in a real bash, with a shell line in place of the starter's Python."""
    stub = tmp_path / "python3"
    stub.write_text(f"#!/bin/sh\ncat > starter.py\n{server}\n")
    stub.chmod(0o755)
    (tmp_path / "job.sh").write_text(text)
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    return shells.run(["bash", str(tmp_path / "job.sh")], environ=environ, cwd="/")


@pytest.mark.parametrize("name", golden.SCRIPTS)
def test_a_script_is_as_it_was_read_and_accepted(name: str) -> None:
    """If the change is meant: `python -m tests.support.golden`, and read the difference."""
    assert golden.SCRIPTS[name]().text == golden.path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", golden.SCRIPTS)
def test_bash_and_shellcheck_accept_a_script(name: str) -> None:
    for command in (["bash", "-n"], ["shellcheck", "-e", "SC1091,SC2317"]):
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


def test_directives_stand_before_the_first_command() -> None:
    lines = golden.SCRIPTS["odd-values"]().text.splitlines()
    directives = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert lines[0] == "#!/bin/bash"
    assert directives == list(range(1, len(directives) + 1))


def test_a_backslash_in_a_directive_is_doubled_because_sbatch_takes_it_for_an_escape() -> None:
    (line,) = [each for each in golden.SCRIPTS["odd-values"]().text.splitlines() if "--output" in each]
    assert shlex.split(line)[1] == "--output=/scratch/a 'b' $(id)\\\\/alice/0123456789ab.log"


def test_secrets_reach_the_job_by_name_only() -> None:
    built = _build(secrets={"JUPYTERHUB_API_TOKEN": "5ec4e7"})
    assert built.exported == ("HOME", "USER", "LOGNAME", "PATH", "JUPYTERHUB_API_TOKEN")
    assert "5ec4e7" not in built.text


def test_a_servers_repr_shows_neither_secrets_nor_environment() -> None:
    shown = repr(builders.process(environ={"A": "5ec4e7"}, secrets={"B": "5ec4e7"}))
    assert "5ec4e7" not in shown
    assert "--notebook-dir" in shown


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x85", "\u2028"])
def test_a_control_character_in_a_directive_is_refused(character: str) -> None:
    launch = builders.launch()
    with pytest.raises(ValueError, match="job-name cannot hold control characters"):
        script.build(launch, builders.LAUNCH_ID, f"mark{character}#SBATCH --x", builders.process(), ())


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=1;id", "A\n", "BASH_FUNC_x%%", "Ä"])
def test_a_name_that_no_variable_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of an environment variable"):
        _build(environ={name: "value"})


def test_the_job_knows_where_to_report() -> None:
    assert f"export JUPYTERHUB_SITES_REPORT_URL={builders.process().report_url}\n" in _build().text


_names = st.from_regex(r"V[A-Za-z0-9_]{0,8}", fullmatch=True)
_values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(_names, _values, min_size=1, max_size=6))
def test_no_value_of_a_variable_breaks_out_of_its_quotes(environ: dict[str, str]) -> None:
    text = _build(environ=environ, report_url="http://hub.test/").text
    exports = text[text.index("export V") : text.index('cd "$HOME"')]
    answer = shells.bash(f"{exports}\nenv -0")
    assert (answer.status, answer.stderr) == (0, b"")
    seen = dict(each.split("=", 1) for each in answer.stdout.decode().split("\0") if each)
    assert {name: seen.get(name) for name in environ} == environ


def test_the_server_is_run_with_its_arguments_as_they_are(tmp_path: Path) -> None:
    arguments = ("a b", "$(touch hole)", "'", "", "*", "--x=;id")
    answer = _run(_build(arguments=arguments).text, tmp_path, "printf '%s\\0' \"$@\"")
    assert answer.stdout.decode().split("\0")[:-1] == ["-", "jupyterhub-singleuser", *arguments]
    assert not list(tmp_path.rglob("hole"))


def test_the_starter_arrives_on_the_servers_stdin_unchanged(tmp_path: Path) -> None:
    _run(_build().text, tmp_path)
    source = Path(script.__file__).parent / "jobside" / "starter.py"
    assert (tmp_path / "starter.py").read_text() == source.read_text()
    assert _END not in source.read_text()


def test_a_job_ends_with_the_status_of_its_server(tmp_path: Path) -> None:
    assert _run(_build().text, tmp_path, "exit 7").status == 7


def test_fragments_begin_in_their_order_and_end_in_the_opposite_one(tmp_path: Path) -> None:
    fragments = [
        Fragment(before=Shell(f"echo before {number}"), after=Shell(f"echo after {number}")) for number in (1, 2)
    ]
    answer = _run(_build(*fragments).text, tmp_path, "echo server; exit 7")
    assert answer.lines == ["before 1", "before 2", "server", "after 2", "after 1"]
    assert answer.status == 7


def test_a_fragment_that_gives_up_ends_the_job_with_its_sentence_and_cleans_up(tmp_path: Path) -> None:
    fragments = [
        Fragment(after=Shell("echo cleaned")),
        Fragment(before=Shell('false || give_up "It did not work."')),
    ]
    answer = _run(_build(*fragments).text, tmp_path, "echo server")
    assert (answer.status, answer.lines, answer.stderr) == (1, ["cleaned"], b"It did not work.\n")


def test_a_cancelled_job_cleans_up_too(tmp_path: Path) -> None:
    answer = _run(_build(Fragment(after=Shell("echo cleaned"))).text, tmp_path, "kill $PPID; exit 1")
    assert (answer.status, answer.lines) == (143, ["cleaned"])


def test_a_home_that_cannot_be_entered_is_said(tmp_path: Path) -> None:
    text = _build(Fragment(before=Shell('HOME="$HOME/nowhere"'))).text
    answer = _run(text, tmp_path)
    assert answer.status == 1
    assert f"The home directory {tmp_path}/nowhere cannot be entered on" in answer.stderr.decode()


def test_job_steps_get_the_whole_environment(tmp_path: Path) -> None:
    assert b"SLURM_EXPORT_ENV=ALL" in _run(_build().text, tmp_path, "env").stdout


def test_the_log_of_a_job_is_in_the_owners_folder() -> None:
    site = builders.launch().site
    assert script.log_path(site, "alice", "0123456789ab") == "/scratch/alice/jupyter/0123456789ab.log"
