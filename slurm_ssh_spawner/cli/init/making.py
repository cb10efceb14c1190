"""Makes what is not there yet; what is there stays as it is."""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.init.files import New
from slurm_ssh_spawner.sentences import command_line as sentences


@dataclass(frozen=True)
class Made:
    """One thing that `init` looked at: where it is, whether it was made now, and if not, that it stayed."""

    new: New
    path: Path
    is_new: bool


def make(new: Sequence[New], root: Path, account: str) -> tuple[Made, ...]:
    """Make files and folders below a root; those of the hub are given to its account, if there is one and we may.

    Raises Failed with what was made before.
    """
    made: list[Made] = []
    try:
        # What is made before an error stays in the list.
        made.extend(_one(each, root, account) for each in new)
    except OSError as error:
        before = ", ".join(str(each.path) for each in made if each.is_new) or sentences.NOTHING
        # Writing to a file names none.
        path = error.filename or root / new[len(made)].path.lstrip("/")
        said = sentences.NOT_MADE.format(path=path, reason=error.strerror, made=before)
        raise Failed(said) from error
    return tuple(made)


def _one(new: New, root: Path, account: str) -> Made:
    path = root / new.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    if new.text is None:
        is_new = not path.is_dir()
        if is_new:
            path.mkdir(mode=0o700)
            # Whatever the umask is.
            path.chmod(new.mode)
    else:
        is_new = _written(path, new.text, new.mode)
    if is_new and new.is_hubs and os.geteuid() == 0 and root == Path("/") and (uid := _uid(account)) is not None:
        os.chown(path, uid, -1)
    return Made(new, path, is_new)


def _written(path: Path, text: str, mode: int) -> bool:
    """Return False for what is there already, were it a link that leads nowhere."""
    try:
        to = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError:
        return False
    try:
        with os.fdopen(to, "w", encoding="utf-8") as file:
            os.fchmod(to, mode)
            file.write(text)
    except BaseException:
        # The next `init` would keep a part of it.
        path.unlink()
        raise
    return True


def _uid(account: str) -> int | None:
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError:
        return None
