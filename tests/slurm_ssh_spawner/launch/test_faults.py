import pytest

from slurm_ssh.errors import Broken, KdcSilent, LaunchError, Refused, SiteUnreachable, SubmitRefused
from slurm_ssh_spawner.launch.faults import (
    Fault,
    HubDatabaseAway,
    JobFailed,
    WaitedTooLong,
    fault_of,
    fault_of_job,
    said_of,
)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (SubmitRefused("a"), Fault.CHOICE),
        (SiteUnreachable("a"), Fault.CLUSTER),
        (WaitedTooLong("a"), Fault.CLUSTER),
        (KdcSilent("a"), Fault.OPEN),
        (HubDatabaseAway("a"), Fault.HUB),
        (Broken("a"), Fault.HUB),
        # Such as a home that is full: its sentence says what to do.
        (Refused("a"), Fault.OPEN),
        (JobFailed("a", quoted="", why="b", log_path="/c", fault=Fault.PROFILE), Fault.PROFILE),
    ],
)
def test_a_failed_start_has_a_fault(error: LaunchError, fault: Fault) -> None:
    assert fault_of(error) is fault


@pytest.mark.parametrize(
    ("word", "gave_up", "unheard", "fault"),
    [
        ("FAILED", True, False, Fault.PROFILE),
        ("FAILED", False, True, Fault.HUB),
        ("FAILED", False, False, Fault.OPEN),
        ("OUT_OF_MEMORY", False, False, Fault.CHOICE),
        ("NODE_FAIL", False, False, Fault.CLUSTER),
    ],
)
def test_a_job_has_failed_by_what_it_said_or_else_by_what_slurm_says(
    word: str, gave_up: bool, unheard: bool, fault: Fault
) -> None:
    assert fault_of_job(word, gave_up=gave_up, unheard=unheard) is fault


def test_whose_fault_it_is_is_a_sentence_unless_nobody_knows() -> None:
    assert [bool(said_of(fault, "Geneva")) for fault in Fault] == [True, True, True, True, False]
    assert said_of(Fault.CLUSTER, "Geneva").startswith("This is up to Geneva, not to what you chose.")
