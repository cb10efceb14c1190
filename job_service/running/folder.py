"""The folder of a job at its site: the programs that make and remove it, and read what jobs have left.  Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from job_service import layout
from job_service.datasets import chosen
from job_service.layout import End
from job_service.record import JobRecord
from job_service.running.places import parent
from job_service.sentences import running as say
from kernels.shell import Shell, quote
from profiles.catalogue.dataset import Dataset
from slurm_ssh import private_folder, sentences
from slurm_ssh.errors import LaunchError, Refused
from slurm_ssh.jobs import log as job_log
from slurm_ssh.ssh.transport import Completed
from slurm_ssh.text import tells_of_no_space

LEFT_AT_ONCE = 50
"""How many jobs' ends are read in one exchange, which must not say more than is read."""

_STRANGE = 20
_LOG_BYTES = 1200
_LACKS = re.compile(r"lacks ([0-9]{1,4})")
_LEFT = re.compile(
    r"([0-9a-f]{12}) (?:(gone)|(-|[0-9_]{1,20});(-|[0-9]{1,11});(-|[0-9_ ]{1,40});([A-Za-z0-9+/=]{0,4000}))"
)
_WRONG_FOLDER = {
    private_folder.FOREIGN: sentences.FOLDER_FOREIGN,
    private_folder.OPEN: sentences.FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.FOLDER_REPLACEABLE,
}


class FolderFull(Refused):
    """There is no space for the folder of a job, as the site says."""


def make(record: JobRecord, awaited: Iterable[str], datasets: Sequence[Dataset] = ()) -> tuple[Shell, bytes]:
    """Return the program that makes a job's folder with what is ours in it, and its data.

    It may run again, and several times at once: files may come while the job is about to be sent.
    Inputs of another job are copied first, where they are still there.  It prints which of the `awaited` files,
    paths in the folder, are not there.
    """
    written = _written(record, datasets)
    steps = [private_folder.enter(parent(record), True), _made(record, written)]
    steps += [f"[ -e {quote('./' + path)} ] || echo lacks {at}\n" for at, path in enumerate(awaited)]
    return Shell("".join((*steps, "exit 0"))), b"".join(written.values())


def make_all(jobs: Sequence[tuple[JobRecord, Sequence[Dataset]]]) -> tuple[Shell, bytes]:
    """Return what does the same for some jobs whose folders lie beside each other, and ends at one that fails.

    If none of the folders is there yet, that takes a few programs in place of eight for each.
    """
    written = [(record, _written(record, datasets)) for record, datasets in jobs]
    each = "".join(f"(\n{_made(record, ours)}) || exit\n" for record, ours in written)
    if not any(record.spec.inputs_of for record, _ in jobs):
        each = f"if {_new_folders(jobs)}; then\n{_filled(written)}else\n{each}fi\n"
    data = b"".join(part for _, ours in written for part in ours.values())
    return Shell(f"{private_folder.enter(parent(jobs[0][0]), True)}{each}"), data


def _new_folders(jobs: Sequence[tuple[JobRecord, object]]) -> str:
    """Return the command that makes all folders, with ours in each, and fails if any is there."""
    names = [quote(record.job_id) for record, _ in jobs]
    are_new = "".join(f"[ ! -e {name} ] && [ ! -L {name} ] && " for name in names)
    return f"{are_new}mkdir -m 700 -- {' '.join(f'{name} {name}/{layout.OURS}' for name in names)} 2>/dev/null"


def _filled(written: Sequence[tuple[JobRecord, Mapping[str, bytes]]]) -> str:
    """Return the steps that write what is ours into new folders, which nobody takes before all of it has come."""
    files = [
        (quote(f"{record.job_id}/{path}"), len(data)) for record, ours in written for path, data in ours.items()
    ]
    if not files:
        return ":\n"
    # One that was left and goes on later leaves alone what somebody else has written meanwhile.
    steps = "".join(f"head -c {size} >{file} || exit 1\n" for file, size in files)
    names, total = " ".join(file for file, _ in files), sum(size for _, size in files)
    return f"set -C\n{steps}[ $(cat -- {names} | wc -c) = {total} ] || exit 1\n"


def _written(record: JobRecord, datasets: Sequence[Dataset]) -> dict[str, bytes]:
    """Return what is written of ours into a job's folder, by its path there."""
    written = {}
    if record.spec.command is not None:
        written[layout.COMMAND] = f"{record.spec.command}\n".encode()
    if datasets:
        written[layout.DATASETS] = chosen.text(datasets)
    return written


def _made(record: JobRecord, written: Mapping[str, bytes]) -> str:
    """Return the steps that make a job's folder in that which was entered, and enter it."""
    name = quote(record.job_id)
    steps = [
        _folder(name),
        f"[ ! -L {name} ] && [ -O {name} ] || exit {_STRANGE}\n",
        f"CDPATH= cd -P -- {name} && chmod 700 . || exit 1\n",
        f"[ ! -L {layout.OURS} ] || exit {_STRANGE}\n{_folder(layout.OURS)}",
        *(_write(path, len(data)) for path, data in written.items()),
    ]
    if record.spec.inputs_of:
        steps += [_copy(record.spec.inputs_of, path) for path in record.spec.inputs]
    return "".join(steps)


def _write(path: str, size: int) -> str:
    """Return the step that makes a file of the next bytes of the data, whole or not at all."""
    # A connection that is lost half way looks like the end of the data.
    return (
        f"new=$(mktemp {path}.XXXXXXXX) || exit 1\n"
        f'head -c {size} >"$new" && [ $(wc -c <"$new") = {size} ] && '
        f'mv -f -- "$new" {path} || {{ rm -f -- "$new"; exit 1; }}\n'
    )


def _folder(name: str) -> str:
    """Return the step that makes a folder, `name` in shell, where another program may do so in the same moment."""
    return f"[ -d {name} ] || mkdir -- {name} || [ -d {name} ] || exit 1\n"


def _copy(other: str, path: str) -> str:
    """Return the step that copies a file from the folder of another job of the owner's, whole or not at all."""
    there, here = quote(f"../{other}/{path}"), quote(f"./{path}")
    folder = f"mkdir -p -- {quote('./' + path.rpartition('/')[0])} && " if "/" in path else ""
    return (
        f"[ -e {here} ] || [ ! -f {there} ] || [ -L {there} ] || {{\n"
        f"new=$(mktemp {layout.OURS}/copied.XXXXXXXX) || exit 1\n"
        f'cp -p -- {there} "$new" && {folder}mv -f -- "$new" {here} || {{ rm -f -- "$new"; exit 1; }}\n}}\n'
    )


def lacking(answer: Completed, awaited: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the awaited files are not there, from the answer of `make`."""
    found = {int(match[1]) for line in answer.stdout.splitlines() if (match := _LACKS.fullmatch(line.strip()))}
    return tuple(path for at, path in enumerate(awaited) if at in found)


def not_made(record: JobRecord, title: str, answer: Completed) -> LaunchError:
    """Return what to tell if the folder could not be made."""
    if wrong := _WRONG_FOLDER.get(answer.status):
        return Refused(wrong.format(folder=private_folder.named(answer.stderr), site=title))
    said = answer.stderr.strip()
    reason = private_folder.named(said).rstrip(".") or sentences.EXIT_STATUS.format(status=answer.status)
    if tells_of_no_space(reason):
        return FolderFull(say.FOLDER_FULL.format(site=title, reason=reason), said)
    return Refused(sentences.FOLDER_NOT_WRITABLE.format(folder=parent(record), site=title, reason=reason), said)


def remove(record: JobRecord) -> Shell:
    """Return the program that removes a job's folder, and nothing if what is there is no folder of the owner's.

    It never follows a link; what is not there is removed already.
    """
    name = quote(record.job_id)
    inside = (
        private_folder.enter(parent(record), False)
        + f"[ -e {name} ] || [ -L {name} ] || exit 0\n"
        + f"[ -d {name} ] && [ ! -L {name} ] && [ -O {name} ] || exit {_STRANGE}\n"
        + f"{layout.TAKE_AWAY}take_away {name}\n"
    )
    return Shell(f"[ -e {quote(parent(record))} ] || exit 0\n{inside}")


def is_strange(answer: Completed) -> bool:
    """Return whether a folder was left alone, because it is not as the service makes them."""
    return answer.status in {_STRANGE, *_WRONG_FOLDER}


@dataclass(frozen=True)
class Left:
    """What a job has left in its folder: which job has `started` there, how it ended, and what it said last.

    `has_folder`: whether the folder is there at all.  What has started runs `since` then: of one that was put back
    into the queue it is the last time.
    """

    has_folder: bool
    started: str | None = None
    end: End | None = None
    log: str = ""
    since: datetime | None = None


def left(records: Iterable[JobRecord]) -> Shell:
    """Return the program that prints what these jobs, of one owner, have left; at most LEFT_AT_ONCE."""
    look = (
        "look() {\n"
        '  [ -d "$2" ] || { echo "$1 gone"; return; }\n'
        # Of an array it is the first of all tasks that has begun.
        f'  s= e= l=; for f in "$2"/{layout.STARTED}$3; do\n'
        '    { [ -f "$f" ] && IFS= read -r s <"$f"; } 2>/dev/null; [ -z "$s" ] || break\n  done\n'
        '  t=$(stat -L -c %Y -- "$f" 2>/dev/null)\n'
        f'  f="$2"/{layout.END}"$3"; {{ [ -f "$f" ] && IFS= read -r e <"$f"; }} 2>/dev/null\n'
        f'  f="$2"/{layout.STDERR}"$3"\n'
        f'  [ ! -f "$f" ] || l=$(tail -c {_LOG_BYTES} -- "$f" 2>/dev/null | base64 | tr -d "\\n")\n'
        # Its owner may have put anything there.
        "  case $s in *[!0-9_]*) s= ;; esac\n  case $t in *[!0-9]*) t= ;; esac\n"
        "  case $e in *[!0-9_\\ ]*) e= ;; esac\n"
        '  printf \'%s %.20s;%.11s;%.40s;%s\\n\' "$1" "${s:--}" "${t:--}" "${e:--}" "$l"\n'
        "}\n"
    )
    calls = "".join(f"look {quote(each.job_id)} {quote(each.folder)} {quote(_which(each))}\n" for each in records)
    return Shell(f"{look}{calls}exit 0")


def _which(record: JobRecord) -> str:
    """Return what the names of a job's own files end with, a pattern for those of all tasks of an array."""
    return ".*" if record.kind == "array" else layout.of_task("", record.task)


def read_left(stdout: str) -> dict[str, Left]:
    """Return what the answer of `left` says, by job ids; a line of another shape says nothing."""
    found = {}
    for line in stdout.splitlines():
        if match := _LEFT.fullmatch(line):
            job_id, gone, begun, since, end, log = match.groups()
            found[job_id] = (
                Left(False)
                if gone
                else Left(True, layout.started(f"{begun}\n"), End.of(f"{end}\n"), _decoded(log), _moment(since))
            )
    return found


def _moment(seconds: str) -> datetime | None:
    return None if seconds == "-" else datetime.fromtimestamp(int(seconds), UTC)


def _decoded(text: str) -> str:
    try:
        return job_log.readable(base64.b64decode(text).decode(errors="replace"))
    except binascii.Error:
        return ""
