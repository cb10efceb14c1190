"""The shared file systems of a site: `/home` and `/scratch`, fresh at every `up`."""

import errno
import os
from pathlib import Path

from lab.folders import StateFolder
from lab.namespaces import tmpfs
from lab.people import Account, Person, accounts_at
from lab.sites import sites_of

SH_LINES = 'echo "Welcome from {name}"\necho "Mind the gap, says {name}" >&2\nexport SQUEUE_STATES=CD\n'
CSH_LINES = 'echo "Welcome from {name}"\nsh -c \'echo "Mind the gap, says {name}" >&2\'\nsetenv SQUEUE_STATES CD\n'
NOISY_FILES = {
    ".bashrc": SH_LINES,
    ".profile": SH_LINES,
    ".cshrc": CSH_LINES,
    ".tcshrc": CSH_LINES,
    ".login": CSH_LINES,
}


def make_homes(state: StateFolder) -> None:
    """Make everybody's home and scratch folder at every site.

    Call it in the rack's mount namespace: they are mounts that must end with the lab.
    """
    for site in sites_of(state):
        for folder in (state.homes(site.name), state.scratch(site.name)):
            folder.mkdir(parents=True, exist_ok=True)
            # In memory: what kernels leave there is many thousand files, which end with the lab at once.
            tmpfs(str(folder), "mode=755")
            for _, account in accounts_at(site):
                _make_folder(folder / account.login, account)
        for person, account in accounts_at(site):
            _fill_home(state.homes(site.name) / account.login, person)


def _make_folder(folder: Path, owner: Account) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.uid, owner.uid)


def _fill_home(home: Path, person: Person) -> None:
    if person.full_home_kib:
        options = f"size={person.full_home_kib}k,mode=700,uid={person.uid},gid={person.uid}"
        tmpfs(str(home), options)
        _use_up(home / "everything.dat")
        os.chown(home / "everything.dat", person.uid, person.uid)
    if person.noisy_shell:
        for name, text in NOISY_FILES.items():
            (home / name).write_text(text.format(name=name))
            os.chown(home / name, person.uid, person.uid)


def _use_up(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
