"""Why a job ended: what Slurm says of it, and its log, asked as its owner; a sentence for people."""

import asyncio
import logging
import re
from dataclasses import dataclass, replace
from signal import SIGKILL, Signals

from kernels.units import say_minutes
from slurm_ssh import schedulers, sentences
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job
from slurm_ssh.jobs import log as job_log
from slurm_ssh.scheduler import Ending, Scheduler
from slurm_ssh.slurm import ending as slurm_ending
from slurm_ssh.ssh.remote import Remote

# The accounting may hear of an end later than the controller.
_LOOKS = 3
_LOOK_SECONDS = 2.0
_SHELLS_SIGNALS = 128
_SIGNALS = {int(signal): signal.name for signal in Signals}

# What slurmstepd, or pbs_mom, writes into a job's log: all that is left when the job is forgotten.  Behind its
# name may stand that of its node.
_STEPD = r"^slurmstepd(?:-[\w.-]{1,100})?: .{0,200}\b"
_MEMORY_LINES = (
    (
        re.compile(_STEPD + r"(?:oom[-_ ]kill|out[- ]of[- ]memory|exceeded (?:job )?memory limit)", re.M | re.I),
        "OUT_OF_MEMORY",
    ),
    (re.compile(r"^=>> PBS: job killed: v?mem ", re.M), "OUT_OF_MEMORY"),
)
_SLURMS_LINES = (
    *_MEMORY_LINES,
    (re.compile(_STEPD + r"DUE TO TIME LIMIT\b", re.M), "TIMEOUT"),
    (re.compile(_STEPD + r"DUE TO PREEMPTION\b", re.M), "PREEMPTED"),
    (re.compile(_STEPD + r"DUE TO NODE FAILURE\b", re.M), "NODE_FAIL"),
    (re.compile(_STEPD + r"CANCELLED AT\b", re.M), "CANCELLED"),
    (re.compile(r"^=>> PBS: job killed: walltime ", re.M), "TIMEOUT"),
)
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded")

# For each word what its sentence names, the sentence, and the one for when that is not known.
_IN_WORDS = {
    "TIMEOUT": ("time", sentences.TIME_WAS_UP, sentences.SOME_TIME_WAS_UP),
    "OUT_OF_MEMORY": ("memory", sentences.MEMORY_USED_UP, sentences.SOME_MEMORY_USED_UP),
    "NODE_FAIL": ("node", sentences.NODE_FAILED, sentences.SOME_NODE_FAILED),
    "BOOT_FAIL": ("node", sentences.NODE_FAILED, sentences.SOME_NODE_FAILED),
    "PREEMPTED": ("site", sentences.PREEMPTED, sentences.PREEMPTED),
    "CANCELLED": ("login", sentences.CANCELLED_BY, sentences.CANCELLED_BY_SOMEBODY),
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explained:
    """Why a job ended, as a sentence, and the last lines of its log, "" if there are none.

    `problem` is the sentence that says why the log could not be read, "" if it could.
    """

    sentence: str
    log: str = ""
    problem: str = ""


async def explain(remote: Remote, job: Job, word: str) -> Explained:
    """Return why a job ended that was seen with Slurm's `word` for its state, "" if Slurm knows it no more.

    Never raises a LaunchError: what cannot be found out is said so.
    """
    log, problem = await _log_of(remote, job)
    try:
        ending = await _asked(remote, job)
        by = await _login(remote, ending.cancelled_by)
    except LaunchError as error:
        _log.warning("%s: why it ended cannot be asked: %s", job.mark, error)
        ending, by = Ending(), ""
    scheduler = schedulers.of(remote.site)
    known = ending if scheduler.is_over(ending.word) else replace(ending, word=word)
    sentence = why(remote.site.title, known, by, log, remote.site.scheduler.name)
    return Explained(sentence, log, problem)


async def _log_of(remote: Remote, job: Job) -> tuple[str, str]:
    try:
        answer = await remote.run(job_log.tail(remote.site, job.owner, job.launch_id))
    except LaunchError as error:
        return "", error.message
    return job_log.readable(answer.stdout), ""


async def _asked(remote: Remote, job: Job) -> Ending:
    ending, scheduler = Ending(), schedulers.of(remote.site)
    for look in range(_LOOKS):
        if look:
            await asyncio.sleep(_LOOK_SECONDS)
        answer = await remote.run(scheduler.ending(remote.site, job))
        ending = scheduler.parse_ending(answer.stdout, job)
        if not _may_say_more(ending, scheduler):
            break
    return ending


def _may_say_more(ending: Ending, scheduler: Scheduler) -> bool:
    """Return whether the scheduler may say more a moment later: both may be silent under load."""
    # Only the accounting knows who cancelled a job, and how one ended that the controller has forgotten.
    is_told = scheduler.is_over(ending.word) and ending.word != "CANCELLED"
    return not ending.word or (ending.is_late and not is_told)


async def _login(remote: Remote, uid: str) -> str:
    """Return the login name of a uid at the site, or the uid itself; "" for none."""
    answer = await remote.run(slurm_ending.login_of(uid)) if uid else None
    return (slurm_ending.parse_login(answer.stdout) or uid) if answer else ""


def why(site: str, ending: Ending, login: str, log: str, scheduler: str = "Slurm") -> str:
    """Return why a job ended as a sentence.  `login` cancelled it, "" if nobody knows who did.  Pure.

    `scheduler` is the name of what says so.
    """
    word = ending.word or word_in(log)
    if word in {"FAILED", "COMPLETED"}:
        return _exited(site, ending, log, scheduler)
    if word not in _IN_WORDS:
        said = sentences.END_IN_A_WORD if word else sentences.END_NOT_SAID
        return said.format(scheduler=scheduler, site=site, word=word)
    return _said(word, site, ending, login, scheduler)


def word_in(log: str) -> str:
    """Return Slurm's word for why a job ended, as it wrote into the job's log, "" if it wrote nothing.  Pure."""
    return _in_log(log, _SLURMS_LINES)


def _said(word: str, site: str, ending: Ending, login: str = "", scheduler: str = "") -> str:
    named, known, unknown = _IN_WORDS[word]
    time = say_minutes(ending.minutes) if ending.minutes else ""
    values = {"site": site, "time": time, "memory": ending.memory, "node": ending.nodes, "login": login}
    values["scheduler"] = scheduler
    return (known if values[named] else unknown).format(**values)


def _in_log(log: str, lines: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """Return Slurm's word for what slurmstepd wrote into the log, "" if it wrote nothing."""
    return next((word for pattern, word in lines if pattern.search(log)), "")


def _exited(site: str, ending: Ending, log: str, scheduler: str) -> str:
    if ending.word == "COMPLETED":
        return sentences.ENDED_BY_ITSELF
    if _in_log(log, _MEMORY_LINES):
        return _said("OUT_OF_MEMORY", site, ending)
    if _DISK_FULL.search(log):
        return sentences.DISK_WAS_FULL.format(site=site)
    # A shell ends with 128 and the number of the signal by which its program was killed.
    number = ending.signal or ending.status - _SHELLS_SIGNALS
    if number in _SIGNALS:
        return (sentences.KILLED if number == SIGKILL else sentences.SIGNALLED).format(signal=_SIGNALS[number])
    return (
        sentences.EXITED.format(status=ending.status)
        if ending.status
        else sentences.END_NOT_SAID.format(scheduler=scheduler, site=site)
    )
