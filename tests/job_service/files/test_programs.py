"""The programs as text: for every shell that may be a site's /bin/sh."""

from pathlib import Path

import pytest

from job_service import layout
from job_service.files import programs
from kernels.shell import Shell
from tests.support import shells

_SHELLS = pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"]], ids=lambda shell: shell[0])


@pytest.mark.parametrize(
    "program",
    [
        programs.listing("/t/j", ()),
        programs.listing("/t/j", ("a", "b c")),
        programs.reading("/t/j", ("a", "é"), -5, 7),
        programs.writing("/t/j", ("a", "é"), "0123"),
        programs.removing("/t/j", ("a",)),
        programs.archiving("/t/j"),
        programs.log("/t/j", "stdout", 5, is_followed=True),
        programs.log("/t/j", "stdout", None, is_followed=False),
        programs.log("/t/j", "stdout", None, is_followed=True, offset=7),
        programs.sweeping("/t/j"),
    ],
)
def test_shellcheck_accepts_a_program(program: Shell, tmp_path: Path) -> None:
    (tmp_path / "program").write_text(f"#!/bin/sh\n{program}")
    # `CDPATH= cd` is meant; what is defined need not be used; `$!` is to be that of now.
    answer = shells.run(["shellcheck", "-e", "SC1007,SC2064,SC2317", str(tmp_path / "program")])
    assert answer.stdout.decode() == ""


@_SHELLS
def test_every_shell_writes_reads_and_logs(shell: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "job"
    (folder / layout.OURS).mkdir(parents=True)
    data = b"4\n1\n\0\n3\n\n;.end 7\n"

    def run(program: Shell, said: bytes = b"") -> tuple[int, bytes]:
        answer = shells.run([*shell, "-c", program], said)
        return answer.status, answer.stdout

    status, said = run(programs.writing(str(folder), ("in", "stdout"), "0123"), data)
    assert (status, said.split()[:1]) == (0, [b"7"])
    assert (folder / "in/stdout").read_bytes() == b"1\n\0\n\n;."
    assert run(programs.writing(str(folder), ("in", "stdout"), "0123"), data[:-6])[0] == programs.SHORT
    assert run(programs.writing(str(folder), ("in", "stdout"), "0123"), data.replace(b"end 7", b"end 8"))[0]
    assert list((folder / layout.OURS).iterdir()) == []
    status, said = run(programs.reading(str(folder), ("in", "stdout"), 1, 3))
    assert (status, said.partition(b";")[2]) == (0, b"\n\0\n")
    (folder / "in/stdout").rename(folder / "stdout")
    logged = (0, b"ok 4;3;\n;..")
    assert run(programs.log(str(folder), "stdout", 2, is_followed=False)) == logged
    # Its stdin is at its end.
    assert run(programs.log(str(folder), "stdout", 2, is_followed=True)) == logged
    for offset, said in ((6, b"ok 6;1;.."), (7, b"ok 7;"), (8, b"ok 0;7;1\n\0\n\n;..")):
        for follows in (False, True):
            program = programs.log(str(folder), "stdout", 1, is_followed=follows, offset=offset)
            assert run(program) == (0, said)
    assert run(programs.listing(str(folder), ()))[0] == 0
    assert run(programs.removing(str(folder), ("stdout",))) == (0, b"")
    assert run(programs.removing(str(folder), ("stdout",)))[0] == programs.ABSENT
    assert run(programs.archiving(str(folder)))[0] == 0
