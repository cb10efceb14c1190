"""Datasets that were chosen, in a file at a site: what is in it, and where it lies for a server.  Pure."""

import json
from collections.abc import Sequence

from job_service.sentences import datasets as say
from kernels.shell import Shell, quote
from profiles.catalogue.dataset import Dataset
from slurm_ssh import private_folder, sentences
from slurm_ssh.errors import LaunchError, Refused
from slurm_ssh.ssh.transport import Completed

OURS = ".servers"
"""The folder of such files for servers, in that of a person's jobs."""

MOST = 100
"""How many of them a person has at a site; the oldest go first."""

_WRONG_FOLDER = {
    private_folder.FOREIGN: sentences.FOLDER_FOREIGN,
    private_folder.OPEN: sentences.FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.FOLDER_REPLACEABLE,
}
_STRANGE = 20
# None is younger than a minute, in which a server that was just asked for has not begun.
_LEAST_MINUTES = 1


def text(datasets: Sequence[Dataset]) -> bytes:
    """Return what a file has in it: a list, each with `id name type location parameters system`."""
    return json.dumps([each.to_json() for each in datasets], indent=1).encode() + b"\n"


def place(folder: str, name: str) -> str:
    """Return the path of a file, by the folder of its owner's jobs."""
    return f"{folder}/{OURS}/{name}.json"


def writing(path: str, size: int, keep_minutes: int) -> Shell:
    """Return the program that makes such a file of the data, whole or not at all, and may run again.

    Those that are older, or are more than MOST, are removed.
    """
    folder, _, name = path.rpartition("/")
    jobs = folder.rpartition("/")[0]
    old = max(_LEAST_MINUTES, keep_minutes)
    return Shell(
        f"{private_folder.enter(jobs, True)}"
        f"[ -d {OURS} ] || mkdir -- {OURS} || [ -d {OURS} ] || exit 1\n"
        f"[ ! -L {OURS} ] && [ -O {OURS} ] || exit {_STRANGE}\n"
        f"CDPATH= cd -P -- {OURS} && chmod 700 . || exit 1\n"
        f"new=$(mktemp new.XXXXXXXX) || exit 1\n"
        f'head -c {size} >"$new" && [ $(wc -c <"$new") = {size} ] && mv -f -- "$new" {quote(name)} '
        f'|| {{ rm -f -- "$new"; exit 1; }}\n'
        f"find . -mindepth 1 -maxdepth 1 -type f -mmin +{old} -delete 2>/dev/null\n"
        # Names are ours: nobody else's could be one of this shape by chance.
        f"ls -t 2>/dev/null | grep -x '[0-9a-f]*\\.json' | tail -n +{MOST + 1} | "
        'while IFS= read -r old; do rm -f -- "./$old"; done\n'
        "exit 0\n"
    )


def not_written(folder: str, title: str, answer: Completed) -> LaunchError:
    """Return what to tell if a file could not be written into the folder of somebody's jobs at a site."""
    if answer.status == _STRANGE:
        return Refused(sentences.FOLDER_FOREIGN.format(folder=f"{folder}/{OURS}", site=title))
    if wrong := _WRONG_FOLDER.get(answer.status):
        return Refused(wrong.format(folder=private_folder.named(answer.stderr), site=title))
    said = answer.stderr.strip()
    reason = private_folder.named(said).rstrip(".") or sentences.EXIT_STATUS.format(status=answer.status)
    return Refused(say.NOT_WRITTEN.format(folder=folder, site=title, reason=reason), said)
