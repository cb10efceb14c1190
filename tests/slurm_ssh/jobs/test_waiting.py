import pytest

from slurm_ssh.jobs.waiting import is_known, why_waits
from tests.support.folders import DATA

ALL = DATA.joinpath("slurm", "reasons-25.11.txt").read_text().split()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Resources", "No node of Lugano has enough free for this job now. (Resources)"),
        (
            "ReqNodeNotAvail, UnavailableNodes:n[1-2]",
            "The nodes that this job could use are down, drained or reserved",
        ),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "The nodes that this job could use are down, drained or reserved",
        ),
        (
            "QOSMaxCpuPerUserLimit",
            "Your jobs together use as much as this quality of service lets you: cores. This one starts",
        ),
        ("AssocGrpCPURunMinutesLimit", "All jobs of your project together use as much as they may: cores."),
        ("AssocMaxJobsLimit", "Your jobs together use as much as your project lets you: jobs at once."),
        ("QOSMaxWallDurationPerJobLimit", "The job asks for more than this quality of service lets one job have"),
        ("QOSMinGRES", "The job asks for less than this quality of service wants: GPUs and the like."),
        ("SomethingNew", "The job waits in the queue of Lugano. (SomethingNew)"),
        ("{site} {0}", "The job waits in the queue of Lugano. ({site} {0})"),
        ("", "The job waits in the queue of Lugano."),
    ],
)
def test_a_reason_is_said_in_words_with_slurms_own_in_brackets(reason: str, said: str) -> None:
    sentence = why_waits(reason, "Lugano")
    assert sentence.startswith(said)
    assert sentence.endswith(f"({reason})" if reason else ".")


def test_every_reason_of_slurm_has_a_sentence() -> None:
    assert [each for each in ALL if not is_known(each)] == []
    assert len(ALL) > 180
