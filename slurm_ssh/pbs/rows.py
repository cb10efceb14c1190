"""What PBS's answers say of jobs.  Pure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.pbs import answers, jobs
from slurm_ssh.pbs.answers import Attributes
from slurm_ssh.scheduler import Ending, Listing, Row, UnreadableAnswer
from slurm_ssh.text import one_line

# What each letter of `job_state` means, and the word for it that people read.
_STATES = {
    "Q": (JobState.PENDING, "QUEUED"),
    "H": (JobState.PENDING, "HELD"),
    "W": (JobState.PENDING, "WAITING"),
    "T": (JobState.PENDING, "IN TRANSIT"),
    "R": (JobState.RUNNING, "RUNNING"),
    "S": (JobState.RUNNING, "SUSPENDED"),
    "U": (JobState.RUNNING, "SUSPENDED"),
    "B": (JobState.RUNNING, "BEGUN"),
    "E": (JobState.ENDING, "EXITING"),
    "F": (JobState.ENDED, "FINISHED"),
    "X": (JobState.ENDED, "EXPIRED"),
}
# By the numbers of PBS's own errors, and by the substate of a job that somebody has deleted.
_KILLED = {-24: "CPU_LIMIT", -25: "CPU_LIMIT", -26: "OUT_OF_MEMORY", -27: "OUT_OF_MEMORY", -29: "TIMEOUT"}
_DELETED = "91"
_SIGNALLED = 256
_NUMBER = re.compile(r"-?[0-9]{1,6}")
_SPAN = re.compile(r"([0-9]{1,6}):([0-9]{2}):([0-9]{2})")
_MOMENT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}([0-9]{1,2}) ([0-9:]{8}) ([0-9]{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_MEBIBYTES = re.compile(r"([0-9]{1,12})(kb|mb|gb)")
_LONGEST_HOSTS, _LONGEST_NODES, _LONGEST_WORDS = 20_000, 200, 200
_BENIGN = ("Unknown Job", "Job has finished", "job history")


def parse_queue(stdout: str) -> tuple[Row, ...]:
    """Return the rows in an answer of `jobs.queue`.  Raises UnreadableAnswer for one of another shape."""
    status, rows = _parse(stdout)
    if status:
        raise UnreadableAnswer(f"qselect or qstat failed with {status}")
    return rows


def parse_listing(stdout: str, marks: str) -> tuple[int, Listing]:
    """Return the status of the program that failed, 0 if none, and the rows of jobs whose marks begin so.

    Raises UnreadableAnswer for an answer of another shape.
    """
    status, rows = _parse(stdout)
    return status, Listing(tuple(row for row in rows if row.mark.startswith(marks)))


def _parse(stdout: str) -> tuple[int, tuple[Row, ...]]:
    """Return the status that counts, and all rows.

    Of a job that was selected and is not shown it has to be said that it has ended: else absence means nothing.
    """
    selected, came, rest = stdout.partition(f"\n{jobs.JOBS}\n")
    shown, ended, said = rest.rpartition(f"\n{jobs.SAID} ")
    _, _, numbers = selected.partition(f"\n{jobs.IDS}\n")
    status, line_end, errors = said.partition("\n")
    if not (came and ended and line_end and re.fullmatch(r"[0-9]{1,3}", status)):
        raise UnreadableAnswer(f"qselect and qstat answered {stdout[:200]!r}")
    if int(status) and not (shown.strip() and _is_benign(errors)):
        return int(status), ()
    found = answers.read(shown, "Jobs") if shown.strip() else {}
    rows = tuple(_row(number, said_of) for number, said_of in found.items() if jobs.is_job_id(number))
    told = set(found) | {word for line in errors.splitlines() if _is_benign(line) for word in line.split()}
    if missing := [number for number in numbers.split() if number not in told]:
        raise UnreadableAnswer(f"qstat says nothing of {missing[0][:100]!r}")
    return 0, rows


def _is_benign(errors: str) -> bool:
    lines = [line for line in errors.splitlines() if line.strip()]
    return all(any(words in line for words in _BENIGN) for line in lines)


def _row(number: str, said: Attributes) -> Row:
    owner = answers.text_of(said, "Job_Owner").partition("@")[0]
    return Row(number, owner, answers.text_of(said, "Job_Name"), _report(said))


def _report(said: Attributes) -> JobReport:
    state, word = _STATES.get(answers.text_of(said, "job_state"), (JobState.UNKNOWN, "UNKNOWN"))
    # Of one that was put back, the start of before is no start.
    begun = None if state is JobState.PENDING else _time(answers.text_of(said, "stime"))
    expected = _time(answers.text_of(said, "estimated", "start_time"))
    nodes = _nodes(said)
    limit = seconds(answers.text_of(said, "Resource_List", "walltime"))
    status = _status(said)
    seen = JobReport(
        state,
        _word(said) if state is JobState.ENDED else word,
        one_line(answers.text_of(said, "comment"), _LONGEST_WORDS) if state is JobState.PENDING else "",
        node=nodes[0] if nodes else "",
        submitted=_time(answers.text_of(said, "qtime")),
        begins=expected if state is JobState.PENDING else begun,
        ends=_later(begun, limit),
        used_seconds=seconds(answers.text_of(said, "resources_used", "walltime")),
        nodes=",".join(nodes)[:_LONGEST_NODES],
    )
    is_exit = state is JobState.ENDED and status is not None and 0 <= status < _SIGNALLED
    return replace(seen, wait_status=status * 256 if is_exit and status is not None else None)


def parse_ending(stdout: str, job: Job) -> Ending:
    """Return what an answer of `jobs.ending` says of a job that is over; of any other, nothing."""
    try:
        said = answers.read(stdout, "Jobs").get(job.job_id, {})
    except UnreadableAnswer:
        return Ending()
    row = _row(job.job_id, said)
    if (row.mark, row.owner) != (job.mark, job.owner) or row.report.state is not JobState.ENDED:
        return Ending()
    status, limit = _status(said) or 0, seconds(answers.text_of(said, "Resource_List", "walltime"))
    is_signal = status > _SIGNALLED
    return Ending(
        word=row.report.word,
        status=status if 0 <= status <= _SIGNALLED else 0,
        signal=status - _SIGNALLED if is_signal else 0,
        nodes=row.report.nodes,
        minutes=limit // 60 if limit else None,
        memory=_memory(answers.text_of(said, "Resource_List", "mem")),
    )


def _word(said: Attributes) -> str:
    """Return why a job ended, in the words of Slurm where those have a sentence."""
    status = _status(said)
    if status is not None and status < 0:
        return _KILLED.get(status, f"NOT_RUN_{-status}")
    if answers.text_of(said, "substate") == _DELETED:
        return "CANCELLED"
    if status is None:
        return "FINISHED"
    return "FAILED" if status else "COMPLETED"


def _status(said: Attributes) -> int | None:
    written = answers.text_of(said, "Exit_status")
    return int(written) if _NUMBER.fullmatch(written) else None


def _nodes(said: Attributes) -> list[str]:
    """Return the names of a job's nodes in `n1/0*4+n2/1*4`, each once; an address is made of the first."""
    hosts = answers.text_of(said, "exec_host")[:_LONGEST_HOSTS]
    names = dict.fromkeys(each.partition("/")[0] for each in hosts.split("+"))
    return [name for name in names if _NODE.fullmatch(name)]


def _time(written: str) -> datetime | None:
    """Return a moment as qstat writes it where TZ is UTC, `Fri Nov 27 18:24:49 2026`."""
    found = _MOMENT.fullmatch(written)
    if not found or found[1] not in _MONTHS:
        return None
    text = f"{found[4]}-{_MONTHS.index(found[1]) + 1:02}-{int(found[2]):02}T{found[3]}+00:00"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _later(moment: datetime | None, span: int | None) -> datetime | None:
    """Return the moment so many seconds later, None if one is not known, or if there is none so late."""
    try:
        return moment + timedelta(seconds=span) if moment and span is not None else None
    except OverflowError:
        return None


def seconds(written: str) -> int | None:
    """Return a span in seconds, which PBS writes as `50:00:00` or as a number, None for anything else."""
    if found := _SPAN.fullmatch(written):
        return (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])
    return int(written) if re.fullmatch(r"[0-9]{1,9}", written) else None


def _memory(written: str) -> str:
    found = _MEBIBYTES.fullmatch(written)
    return f"{found[1]}{found[2][0].upper()}" if found else ""
