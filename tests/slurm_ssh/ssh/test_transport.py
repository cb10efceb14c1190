import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.shell import Shell, quote
from slurm_ssh.ssh.exchange import read_all
from slurm_ssh.ssh.transport import STOOD_IN, Completed, ConnectionLost, InputTaken, Sent, unwrap, wrap
from tests.support import shells

_MARKER = "answer-0011223344556677"
_NOISE = "echo welcome; echo motd >&2"


class _Login:
    """An account whose login shell runs a command as sshd does, after an rc file that prints."""

    def __init__(self, shell: str, home: Path) -> None:
        self.shell = shell
        self._environ = {"HOME": str(home), "USER": "alice", "SHELL": f"/bin/{shell}"}
        self._environ |= {"SQUEUE_STATES": "CD", "LD_DEBUG_X": "1"}
        if shell == "tcsh":
            (home / ".tcshrc").write_text(
                "echo welcome\nsh -c 'echo motd >&2'\nsetenv SBATCH_WRAP x\nset noclobber\n"
            )
        elif shell == "bash":
            (home / "rc").write_text(f"{_NOISE}\nexport SBATCH_WRAP=x\nset -o noclobber\n")
            self._environ["BASH_ENV"] = str(home / "rc")

    def begins_with(self, lines: str) -> None:
        """Have the start-up file end with these lines."""
        path = Path(self._environ["HOME"]) / (".tcshrc" if self.shell == "tcsh" else "rc")
        path.write_text(f"{path.read_text()}{lines}\n")

    def set(self, **environ: str) -> None:
        self._environ.update(environ)

    def send(self, sent: Sent) -> shells.Ended:
        return shells.run([self.shell, "-c", sent.command], sent.stdin, self._environ, cwd=self._environ["HOME"])

    def run(self, program: str, data: bytes = b"", **environ: str) -> Completed:
        answer = self.send(wrap(Shell(program), data, environ, _MARKER))
        return unwrap(answer.stdout.decode("utf-8", "replace"), answer.stderr.decode("utf-8", "replace"), _MARKER)


@pytest.fixture(params=["sh", "bash", "tcsh"])
def login(request: pytest.FixtureRequest, tmp_path: Path) -> _Login:
    return _Login(request.param, tmp_path)


_with_start_up_files = pytest.mark.parametrize("login", ["bash", "tcsh"], indirect=True)


def test_the_answer_is_what_the_program_printed_and_nothing_else(login: _Login) -> None:
    assert login.run("echo out; echo err >&2") == Completed(0, "out\n", "err\n")


@pytest.mark.parametrize("text", ["", "no newline", "\n\nnewlines\n\n", "é'\"$HOME`id`!"])
def test_output_is_kept_as_it_is(login: _Login, text: str) -> None:
    program = f"printf %s {quote(text)}; printf %s {quote(text)} >&2"
    assert login.run(program) == Completed(0, text, text)


@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_the_status_comes_back(login: _Login, status: int) -> None:
    assert login.run(f"exit {status}").status == status


def test_a_program_that_is_killed_has_a_status_too(login: _Login) -> None:
    assert login.run("kill -KILL $$").status == 128 + 9


def test_data_arrives_byte_by_byte(login: _Login, tmp_path: Path) -> None:
    data = bytes(range(256)) * 300 + b"\n%d\n'no end"
    login.run("cat > data", data)
    assert (tmp_path / "data").read_bytes() == data


def test_a_program_can_read_lines_before_the_rest(login: _Login, tmp_path: Path) -> None:
    answer = login.run('IFS= read -r first; echo "$first"; cat > rest', b" a b\\ \n\0rest")
    assert answer.stdout == " a b\\ \n"
    assert (tmp_path / "rest").read_bytes() == b"\0rest"


def test_data_that_the_program_does_not_read_does_no_harm(login: _Login) -> None:
    assert login.run("echo done", b"x" * 200_000) == Completed(0, "done\n", "")


def test_data_is_never_run(login: _Login, tmp_path: Path) -> None:
    login.run("true", b"touch hole\n")
    assert not (tmp_path / "hole").exists()


def test_only_what_is_meant_to_is_in_the_environment(login: _Login, tmp_path: Path) -> None:
    seen = dict(line.split("=", 1) for line in login.run("env", SLURM_CONF="/etc/a 'b'").stdout.splitlines())
    seen.pop("PWD", None)
    assert seen == {
        "HOME": str(tmp_path),
        "USER": "alice",
        "LOGNAME": "alice",
        "SHELL": f"/bin/{login.shell}",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SLURM_TIME_FORMAT": "standard",
        "SLURM_CONF": "/etc/a 'b'",
    }


def test_the_delegated_ticket_is_kept(login: _Login) -> None:
    login.set(KRB5CCNAME="FILE:/tmp/krb5cc 'x'")
    assert login.run('echo "$KRB5CCNAME"').stdout == "FILE:/tmp/krb5cc 'x'\n"


def test_settings_of_the_rc_file_do_not_bend_the_program(login: _Login, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    assert login.run("echo new > there").status == 0
    assert (tmp_path / "there").read_text() == "new\n"


def test_nothing_of_the_program_or_its_data_is_in_the_list_of_processes(login: _Login) -> None:
    answer = login.run("tr '\\0' ' ' < /proc/$PPID/cmdline; read -r secret", b"5ec4e7\n")
    assert "5ec4e7" not in answer.stdout


@pytest.mark.parametrize("length", [15_000, 200_000])
def test_a_long_program_is_run_whole_and_its_data_arrive(login: _Login, length: int) -> None:
    program = f"cat; : {'x' * length}; echo done"
    assert login.run(program, b"data\n") == Completed(0, "data\ndone\n", "")


@_with_start_up_files
@pytest.mark.parametrize("data", [b"data\n", b""])
def test_a_start_up_file_that_reads_a_line_or_two_does_no_harm(login: _Login, data: bytes) -> None:
    login.begins_with("set a = $<; set b = $<" if login.shell == "tcsh" else "read -r a; read -r b")
    assert login.run("cat", data) == Completed(0, data.decode(), "")


@_with_start_up_files
def test_a_start_up_file_that_reads_all_leaves_programs_without_data_alone(login: _Login) -> None:
    login.begins_with("cat >&2")
    assert login.run("cat; echo done") == Completed(0, "done\n", "")


@_with_start_up_files
def test_a_start_up_file_that_reads_the_data_is_told_from_a_lost_connection(login: _Login) -> None:
    login.begins_with("cat >&2")
    with pytest.raises(InputTaken):
        login.run("cat", b"data\n")


@_with_start_up_files
@pytest.mark.parametrize("other", ["bash", "dash", "tcsh -f"])
def test_a_shell_in_its_place_runs_nothing_of_the_data(login: _Login, tmp_path: Path, other: str) -> None:
    login.begins_with(f"exec env -u BASH_ENV {other}")
    answer = login.send(wrap(Shell("touch program; cat"), b"touch data\n", {}, _MARKER))
    assert answer.status == STOOD_IN
    assert not {"program", "data"} & {path.name for path in tmp_path.iterdir()}


def test_data_that_arrived_in_part_are_not_the_beginning_of_a_program(login: _Login) -> None:
    sent = wrap(Shell("echo begun; echo done"), b"data", {}, _MARKER)
    answer = login.send(Sent(sent.command, sent.stdin[:20]))
    with pytest.raises(InputTaken):
        unwrap(answer.stdout.decode(), answer.stderr.decode(), _MARKER)
    assert "begun" not in answer.stdout.decode()


def test_an_answer_cut_off_before_its_end_is_a_lost_connection(login: _Login) -> None:
    whole = login.send(wrap(Shell("echo out"), b"", {}, _MARKER)).stdout.decode()
    for end in range(len(whole)):
        with pytest.raises(ConnectionLost):
            unwrap(whole[:end], "", _MARKER)


def test_no_answer_at_all_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost):
        unwrap("", "", _MARKER)


def test_messages_cut_off_do_not_spoil_an_answer() -> None:
    assert unwrap(f"\n{_MARKER}\nout\n\n{_MARKER} 0\n", f"\n{_MARKER}\nerr", _MARKER) == Completed(0, "out\n", "")


def test_another_answers_marker_is_not_ours(login: _Login) -> None:
    other = "\\nanswer-ffffffffffffffff 0\\n"
    assert login.run(f"printf '{other}'; exit 3").status == 3


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(at)]


@contextlib.contextmanager
def _shell(command: str) -> Iterator["subprocess.Popen[bytes]"]:
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as shell:
        yield shell


def _hand_over(shell: "subprocess.Popen[bytes]", pieces: list[bytes]) -> None:
    """Send the pieces; a program without data closes its input at once, and what comes later finds nobody."""
    assert shell.stdin
    with contextlib.suppress(BrokenPipeError):
        for piece in pieces:
            shell.stdin.write(piece)


def _heard(shell: "subprocess.Popen[bytes]") -> Completed:
    stdout, stderr = shell.communicate()
    return unwrap(stdout.decode(), stderr.decode(), _MARKER)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 10_000), max_size=6))
def test_any_data_arrive_in_whatever_pieces_they_are_sent(data: bytes, cuts: list[int]) -> None:
    sent = wrap(Shell("od -An -v -tx1"), data, {}, _MARKER)
    with _shell(sent.command) as login:
        _hand_over(login, _pieces(sent.stdin, cuts))
        completed = _heard(login)
    assert (completed.status, bytes.fromhex(completed.stdout)) == (0, data)


def test_a_program_without_data_is_heard_if_it_ends_before_anything_is_sent() -> None:
    sent = wrap(Shell("echo done"), b"", {}, _MARKER)
    with _shell(sent.command) as login:
        login.wait()
        _hand_over(login, [sent.stdin])
        assert _heard(login) == Completed(0, "done\n", "")


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS, st.integers(0, 255))
def test_any_answer_is_what_stands_between_its_markers(
    noise: str, out: str, err: str, more: str, status: int
) -> None:
    stdout = f"{noise}\n{_MARKER}\n{out}\n{_MARKER} {status}\n{more}"
    stderr = f"{noise}\n{_MARKER}\n{err}\n{_MARKER}\n{more}"
    assert unwrap(stdout, stderr, _MARKER) == Completed(status, out, err)


@given(st.lists(st.sampled_from([f"\n{_MARKER}", "\n", " ", "0", "9" * 9, "unread", f"\n{_MARKER} 0\n", "é"])))
def test_whatever_a_login_shell_makes_of_a_marker_is_an_answer_or_none(parts: list[str]) -> None:
    text = "".join(parts)
    with contextlib.suppress(ConnectionLost, InputTaken):
        completed = unwrap(text, text, _MARKER)
        assert 0 <= completed.status <= 999
        assert f"\n{_MARKER}\n{completed.stdout}\n{_MARKER} " in text


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=6), st.integers(0, 300))
async def test_an_answer_is_read_whole_or_refused_in_whatever_pieces_it_comes(
    data: bytes, cuts: list[int], limit: int
) -> None:
    output = asyncio.StreamReader()
    heard = bytearray()
    reading = asyncio.create_task(read_all(output.read, heard, limit))
    for piece in _pieces(data, cuts):
        output.feed_data(piece)
        await asyncio.sleep(0)
    output.feed_eof()
    assert await reading == (len(data) <= limit)
    assert heard == data[: limit + 1]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_any_data_and_any_setting_arrive_unchanged(data: bytes, value: str) -> None:
    sent = wrap(Shell('printf %s "$VALUE" >&2; od -An -v -tx1'), data, {"VALUE": value}, _MARKER)
    answer = shells.run(["sh", "-c", sent.command], sent.stdin, {"HOME": "/", "USER": "alice"})
    completed = unwrap(answer.stdout.decode(), answer.stderr.decode(), _MARKER)
    assert bytes.fromhex(completed.stdout) == data
    assert completed.stderr == value
