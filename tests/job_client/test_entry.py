"""How `hubjobs` and `ijp` begin and end, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

import hubjobs
from hubjobs import session
from tests.support import entry_points
from tests.support.folders import TREE
from tests.support.job_hub import TOKEN, JobHub, as_json, job

HUBJOBS = "from hubjobs.cli.entry import hubjobs; hubjobs()"
IJP = "from hubjobs.cli.entry import ijp; ijp()"
FULL = "What this command says cannot be written: No space left on device.\n"


@pytest.fixture
def logged_in(hub: JobHub, home: Path) -> dict[str, str]:
    session.keep(session.Session(hub.url, "alice", TOKEN))
    # More than Python, and the kernel in a pipe, hold back.
    many = [job("RUNNING", title="x" * 200, job_id=f"{number:012x}") for number in range(400)]
    hub.gives("GET jobs", as_json({"items": many, "next": None}))
    return {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}


@pytest.mark.parametrize("entry", [HUBJOBS, IJP])
def test_an_interrupt_while_python_loads_ends_with_130_and_says_nothing(entry: str, tmp_path: Path) -> None:
    assert entry_points.of_interrupt(entry, tmp_path) == (130, "")


@pytest.mark.parametrize(
    ("entry", "line", "said"),
    [
        (HUBJOBS, "status >/dev/full", FULL),
        (HUBJOBS, "status --json >/dev/full", FULL),
        (HUBJOBS, "status --json >/dev/full 2>/dev/full", ""),
        (HUBJOBS, "--version >/dev/full", FULL),
        (HUBJOBS, "--version >&-", "What this command says cannot be written: Bad file descriptor.\n"),
        (IJP, "--help >/dev/full", FULL),
    ],
)
def test_output_that_goes_nowhere_is_a_sentence_and_no_success(
    logged_in: dict[str, str], entry: str, line: str, said: str
) -> None:
    assert entry_points.of_redirected(entry, line, **logged_in) == (1, said)


@pytest.mark.parametrize("line", ["status --json", "--version"])
def test_who_reads_no_further_is_told_nothing(logged_in: dict[str, str], line: str) -> None:
    assert entry_points.of_left_alone(HUBJOBS, line, **logged_in) == (1, "")


def test_a_command_that_needs_no_streams_works_without_them() -> None:
    assert entry_points.of_redirected(HUBJOBS, "--version <&- 2>&-") == (0, "")


def test_the_library_gives_all_that_it_names() -> None:
    assert set(hubjobs.__all__) <= set(dir(hubjobs))
    assert [name for name in hubjobs.__all__ if getattr(hubjobs, name).__name__ != name] == []
    with pytest.raises(AttributeError, match="Nothing"):
        _ = hubjobs.Nothing


def test_the_entry_loads_no_library() -> None:
    code = "import sys, hubjobs.cli.entry; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(TREE / "job_client")}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert {"httpx", "typer", "rich", "ssl"}.isdisjoint(ran.stdout.split())
