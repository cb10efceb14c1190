import pytest

from slurm_ssh.scheduler import Ending
from slurm_ssh.slurm import ending
from tests.support import builders, shells

_JOB = builders.job(job_id="42")
_SITE = builders.launch().site


def _controller(**changed: str) -> str:
    """Return a line as scontrol 22.05 says it of a job that is over."""
    fields = {
        "JobId": "42",
        "JobName": _JOB.mark,
        "UserId": "alice(20001)",
        "Account": "(null)",
        "JobState": "CANCELLED",
        "Reason": "None",
        "ExitCode": "0:15",
        "RunTime": "00:00:07",
        "TimeLimit": "02:00:00",
        "ReqNodeList": "(null)",
        "NodeList": "geneva-n1",
        "TRES": "cpu=1,mem=200M,node=1,billing=1",
        "WorkDir": "/tmp",
        "StdIn": "/dev/null",
        **changed,
    }
    return " ".join(f"{name}={value}" for name, value in fields.items()) + " \n"


def _accounting(state: str, job_id: str = "42", name: str = _JOB.mark) -> str:
    return f"{job_id}|{name}|{state}|0:15|120|geneva-n1\n"


def test_the_controller_knows_how_a_job_ended() -> None:
    ended = ending.parse(_controller(JobState="FAILED", ExitCode="3:0"), _JOB)
    assert ended == Ending("FAILED", status=3, nodes="geneva-n1", minutes=120, memory="200M")


def test_the_accounting_knows_who_cancelled_a_job() -> None:
    ended = ending.parse(_controller() + _accounting("CANCELLED by 20001"), _JOB)
    assert (ended.word, ended.cancelled_by, ended.memory, ended.is_late) == ("CANCELLED", "20001", "200M", False)


def test_what_the_controller_has_forgotten_the_accounting_knows() -> None:
    ended = ending.parse(_accounting("TIMEOUT"), _JOB)
    assert ended == Ending("TIMEOUT", signal=15, nodes="geneva-n1", minutes=120)


def test_an_accounting_that_has_not_heard_of_the_end_is_late() -> None:
    ended = ending.parse(_controller(JobState="NODE_FAIL") + _accounting("RUNNING"), _JOB)
    assert (ended.word, ended.is_late) == ("NODE_FAIL", True)


@pytest.mark.parametrize(
    ("limit", "minutes"), [("00:30:00", 30), ("1-02:00:00", 1560), ("UNLIMITED", None), ("Partition_Limit", None)]
)
def test_a_time_limit_is_read_in_slurms_spelling(limit: str, minutes: int | None) -> None:
    assert ending.parse(_controller(TimeLimit=limit), _JOB).minutes == minutes


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "slurm_load_jobs error: Invalid job id specified\n",
        "Welcome to Geneva\nJobId=42\n",
        _controller(JobId="43"),
        _controller(JobName="another"),
        _accounting("TIMEOUT", job_id="42.batch"),
        _accounting("TIMEOUT", name="another"),
        "42|a|b\n",
        "JobId=42 " * 20_000,
        "=" * 200_000,
        "JobId=" + "a" * 200_000,
    ],
)
def test_an_answer_about_something_else_says_nothing(answer: str) -> None:
    assert ending.parse(answer, _JOB) == Ending()


def test_what_cannot_be_true_is_passed_over() -> None:
    odd = {"ExitCode": "a:b", "NodeList": "n1;id", "TimeLimit": "99999:99", "TRES": "cpu=1"}
    assert ending.parse(_controller(**odd), _JOB) == Ending("CANCELLED")
    assert ending.parse(_controller(JobState="A" * 300 + "\x1b"), _JOB).word == "A" * 30


def test_one_program_that_says_nothing_does_not_silence_the_other() -> None:
    site = _SITE.model_copy(update={"slurm_path": "/nonexistent"})
    answer = shells.bash(ending.question(site, _JOB))
    assert (answer.status, answer.stdout) == (0, b"")


def test_a_site_that_shares_its_accounting_is_asked_of_its_own_cluster() -> None:
    site = _SITE.model_copy(update={"slurm_cluster": "lugano"})
    assert ending.question(site, _JOB).count("--clusters=lugano") == 2


@pytest.mark.parametrize(
    ("said", "login"), [("alice\n", "alice"), ("", ""), ("a b\n", ""), ("$(id)", ""), ("x" * 100, "")]
)
def test_a_login_name_is_what_can_be_one(said: str, login: str) -> None:
    assert ending.parse_login(said) == login
