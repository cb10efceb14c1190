"""How `jupyterhub-sites` and `jupyterhub-jobs` begin and end, in processes of their own."""

from pathlib import Path

import pytest

from tests.support import entry_points

SITES = "from slurm_ssh_spawner.cli.entry import main; main()"
JOBS = "from job_service.cli.entry import main; main()"
FULL = "What this command says cannot be written: No space left on device.\n"


@pytest.mark.parametrize("entry", [SITES, JOBS])
def test_an_interrupt_while_python_loads_ends_with_130_and_says_nothing(entry: str, tmp_path: Path) -> None:
    assert entry_points.of_interrupt(entry, tmp_path) == (130, "")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        # More than Python holds back, and less.
        (SITES, "schema >/dev/full"),
        (SITES, "check --json examples/catalogue.yaml >/dev/full"),
        (JOBS, "script --catalogue examples/catalogue.yaml >/dev/full"),
    ],
)
def test_output_that_goes_nowhere_is_a_sentence_and_no_success(entry: str, line: str) -> None:
    assert entry_points.of_redirected(entry, line) == (1, FULL)


@pytest.mark.parametrize(("entry", "line"), [(SITES, "schema"), (JOBS, "--help")])
def test_who_reads_no_further_is_told_nothing(entry: str, line: str) -> None:
    assert entry_points.of_left_alone(entry, line) == (1, "")
