"""PBS's spellings of what is done to jobs, and asked about them: command lines to send.  Pure."""

import re
from collections.abc import Iterable

from kernels.hook import JobLookup
from kernels.shell import Shell, join
from profiles.catalogue.site import Site
from slurm_ssh.job_request import JobRequest
from slurm_ssh.scheduler import UnreadableAnswer

IDS, JOBS, SAID = "== ids", "== jobs", "== said"
"""Before the numbers of the jobs that were selected, what qstat printed of them, and what went wrong."""

# `123.server`, of a server that may be named with its domain.
_JOB_ID = re.compile(r"[0-9]{1,18}\.[A-Za-z0-9][A-Za-z0-9.-]{0,253}")
# qsub takes words apart as a shell does, but nothing escapes a quote in them.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=,@+-]+")
# Handed on as such: qstat shows everybody the variables that a job was submitted with.
_VARIABLES = "JUPYTERHUB_SITES_UMASK"
_END = "END_OF_SECRET"

# Its stdin is the script.  What is secret goes into it there, below its directives: the server keeps a script to
# itself and the nodes.
_WITH_SECRETS = """\
{{
while IFS= read -r line && [ -n "$line" ]; do printf '%s\\n' "$line"; done
{secrets}printf '\\n'; cat
}} | {submit}"""
_TO_SET = "printf 'IFS= read -r {name} <<\\\\{end}\\n%s\\n{end}\\nexport {name}\\n' \"${name}\"\n"

# A number may have brackets.  What one program says of an error stands on both outputs.
_LIST = """\
set -f; history=; ids=; s=0; errors=
{select}
printf '\\n%s\\n' '{ids}'; [ -z "$ids" ] || printf '%s\\n' $ids
printf '\\n%s\\n' '{jobs}'
if [ $s -eq 0 ] && [ -n "$ids" ]; then exec 3>&1; errors=$({qstat} $history -f -F json $ids 2>&1 >&3); s=$?; fi
printf '\\n%s %s\\n%s\\n' '{said}' "$s" "$errors"; printf '%s\\n' "$errors" >&2"""
# Where there is no history, the first succeeds and selects nothing.
_SELECT = """\
some=$({past} 2>/dev/null)
if [ -n "$some" ]; then history=-x; else some=$({live}) || s=$?; fi
ids="$ids $some"
"""

_SELECT_ALL = """\
live=$({live}) || s=$?
past=$({past} 2>/dev/null | sort -n | tail -n {last})
[ -z "$past" ] || history=-x
ids=$(printf '%s\\n' $live $past | sort -u)
"""
_LAST = 20
_GONE = ("Unknown Job Id", "Job has finished")

# What has ended meanwhile, or is about to, need not be cancelled.
_CANCEL = """\
set -f; ids=$({select}) || exit; [ -n "$ids" ] || exit 0
said=$({qdel} $ids 2>&1) && exit
case $said in *'Unknown Job'*|*'Job has finished'*|*'invalid for state of job'*) exit 0 ;; esac
printf '%s\\n' "$said" >&2; exit 1"""


def script(site: Site, request: JobRequest) -> str:
    """Return what qsub reads at a site.  Raises ValueError for a value that no #PBS line can hold."""
    lines = [f"#PBS {option} {_word(option, value)}" for option, value in directives(site, request)]
    return "\n".join(("#!/bin/bash", *lines, "", request.script))


def directives(site: Site, request: JobRequest) -> tuple[tuple[str, str], ...]:
    """Return qsub's options for a request, each with its value.

    The log is written where it stays while the job runs (`-k doe`), so that it can be read; no mail is sent.
    Raises ValueError for what PBS does not have, which the catalogue refuses.
    """
    if request.directives or request.reservation or request.qos or request.gpu_type or request.has_task_per_core:
        raise ValueError("PBS has no reservations by name, no qos, no types of GPUs, and no options of sbatch")
    gpus = f":ngpus={request.gpus}" if request.gpus else ""
    chunk = f"{request.nodes}:ncpus={request.cores}:mem={request.memory_mib}mb{gpus}"
    hours, minutes = divmod(request.time_minutes, 60)
    pairs = [
        ("-N", request.name),
        ("-j", "oe"),
        ("-o", request.log_path),
        ("-k", "doe"),
        ("-r", "y" if request.may_begin_again else "n"),
        ("-m", "n"),
        ("-S", "/bin/bash"),
        ("-W", "umask=077"),
        ("-l", f"select={chunk}"),
        ("-l", f"walltime={hours:02}:{minutes:02}:00"),
    ]
    pairs += [("-l", "place=scatter")] if request.nodes > 1 else []
    pairs += [("-q", request.partition)] if request.partition else []
    return (*pairs, (site.scheduler.project_option, request.project)) if request.project else tuple(pairs)


def _word(option: str, value: str) -> str:
    if _PLAIN_WORD.fullmatch(value):
        return value
    mark = "'" if "'" not in value else '"'
    if mark in value or "\\" in value or not value.isprintable():
        raise ValueError(f"qsub's option {option} cannot hold {value[:200]!r}")
    return f"{mark}{value}{mark}"


def submit(site: Site, options: tuple[str, ...], secrets: Iterable[str]) -> Shell:
    """Return the program that submits the script on its stdin, which sets these variables at its beginning.

    `-f`: else qsub leaves a program behind that keeps the connection open.
    """
    named = Shell("".join(_TO_SET.format(name=name, end=_END) for name in secrets))
    qsub = command(site, "qsub", "-f", "-v", _VARIABLES, *options)
    return Shell(_WITH_SECRETS.format(secrets=named, submit=qsub))


def parse_submit(stdout: str) -> str:
    """Return the number in the answer of qsub, `123.server`; a site's wrapper may say more above and below.

    Raises UnreadableAnswer if no line is one, or several are different ones.
    """
    found = {words for line in stdout.splitlines() if is_job_id(words := line.strip())}
    if len(found) != 1:
        raise UnreadableAnswer(f"qsub answered {stdout.strip()[-200:]!r} instead of a job id")
    return found.pop()


def is_job_id(text: str) -> bool:
    """Return whether a text is PBS's number of a job, and not of an array or of a part of one."""
    return _JOB_ID.fullmatch(text) is not None


def queue(site: Site, owner: str, marks: Iterable[str]) -> Shell:
    """Return the program that lists the owner's jobs with these marks, finished ones too where PBS keeps them."""
    select = ""
    for mark in sorted(marks):
        named = ("-u", owner, "-N", mark)
        past, live = command(site, "qselect", "-x", *named), command(site, "qselect", *named)
        select += _SELECT.format(past=past, live=live)
    return _listed(site, select)


def listing(site: Site, owner: str | None) -> Shell:
    """Return the program that lists jobs that wait or run, everybody's or one owner's, and the last finished ones.

    PBS cannot choose by a part of a name.  Of the finished ones, where PBS keeps them, there may be thousands.
    """
    whose = ("-u", owner) if owner else ()
    live, past = command(site, "qselect", *whose), command(site, "qselect", "-x", *whose)
    return _listed(site, _SELECT_ALL.format(live=live, past=past, last=_LAST))


def _listed(site: Site, select: str) -> Shell:
    program = _LIST.format(select=select, qstat=command(site, "qstat"), ids=IDS, jobs=JOBS, said=SAID)
    return Shell(f"(\n{program}\n)")


def cancel(site: Site, owner: str, mark: str) -> Shell:
    """Return the program that cancels the owner's job with this mark; succeeds if there is none."""
    select = command(site, "qselect", "-u", owner, "-N", mark)
    return Shell(f"(\n{_CANCEL.format(select=select, qdel=command(site, 'qdel'))}\n)")


def ending(site: Site, job_id: str) -> Shell:
    """Return the program that prints what PBS knows of a job that is over; nothing where it keeps no history."""
    return Shell(f"{command(site, 'qstat', '-x', '-f', '-F', 'json', job_id)} 2>/dev/null\ntrue")


def lookup(site: Site) -> JobLookup:
    """Return how a program in a job asks qstat whether another one is over.

    Without `-x` it knows only jobs that go on; of one that another server has taken over it says nothing at all.
    """
    command = (f"{site.scheduler_path}/qstat", "{job_id}")
    return JobLookup("PBS_JOBID", command, gone=_GONE, silence_is_over=False)


def command(site: Site, program: str, *arguments: str) -> Shell:
    """Return the command line of one of PBS's programs."""
    return join((f"{site.scheduler_path}/{program}", *arguments))
