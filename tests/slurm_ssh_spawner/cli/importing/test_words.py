"""Times, sizes and GPUs as Slurm reads them."""

import pytest

from slurm_ssh_spawner.cli.importing import words
from slurm_ssh_spawner.cli.importing.script import apart, options


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30", "30m"),
        ("30:00", "30m"),
        ("0:30", "1m"),
        ("8:00:00", "8h"),
        ("1-0", "1d"),
        ("1-12", "36h"),
        ("0-1:30", "1h30m"),
        ("UNLIMITED", None),
        ("0", None),
        ("", None),
    ],
)
def test_times_are_those_of_sbatch(written: str, meant: str | None) -> None:
    assert words.time(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("4gb", "4G"), ("4096", "4G"), ("900M", "900M"), ("4194304K", "4G"), ("0", None), ("x", None)],
)
def test_sizes_are_those_of_sbatch(written: str, meant: str | None) -> None:
    assert words.size(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gpu", (1, "")),
        ("gpu:2", (2, "")),
        ("gpu:a100", (1, "a100")),
        ("gpu:a100:2", (2, "a100")),
        ("gpu:V100-SXM2-32GB:{}", (None, "V100-SXM2-32GB")),
        ("gpu:0", (0, "")),
        ("shard:1", None),
        ("gpu:a100:2,license:1", None),
    ],
)
def test_gpus(written: str, meant: tuple[int | None, str] | None) -> None:
    assert words.gpus(written) == meant


def test_options_are_read_as_on_a_command_line() -> None:
    assert options("--a=1 --bare -p 'x y' -c4 --mem 4G # why") == [
        ("a", "1"),
        ("bare", True),
        ("partition", "x y"),
        ("cpus-per-task", "4"),
        ("mem", "4G"),
    ]


def test_what_the_shell_fills_in_stays_and_what_batchspawner_does_goes() -> None:
    parts = apart("#SBATCH --mem={{memory}}\n#SBATCH --gres={own}\nexport A=${B}\n{cmd}\nmodule load $X\n")
    assert parts.options == [("gres", "{own}")]
    assert parts.rest == ["export A=${B}", "module load $X"]


@pytest.mark.parametrize(
    "line",
    [
        "cd /scratch/courses",
        "cd $TMPDIR && make",
        "echo c.x = 1 >> ~/.jupyter/config.py",
        "echo $(make)",
        "echo done; make",
        "trap 'rm -rf $TMPDIR' EXIT",
        "which tar && tar xf data.tar",
        "date > started",
    ],
)
def test_a_line_that_does_something_is_left_over(line: str) -> None:
    assert apart(f"{line}\n{{cmd}}\n").rest == [line]


@pytest.mark.parametrize(
    "line",
    [
        "set -euo pipefail",
        "echo hello, $USER",
        'echo "on $SLURM_JOB_NODELIST"',
        "trap 'echo SIGTERM received' TERM",
        "which jupyterhub-singleuser",
        "cd",
        "cd ~",
        'cd "$HOME"',
        "date",
    ],
)
def test_a_line_that_a_job_does_not_need_is_dropped(line: str) -> None:
    assert apart(f"{line}\n{{cmd}}\n").rest == []
