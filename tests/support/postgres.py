"""A PostgreSQL of one's own: on a socket in a folder of its own, as an account without rights, gone at its end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

_NOBODY = 65534
_SETTINGS = {"listen_addresses": "", "fsync": "off", "timezone": "America/St_Johns", "max_connections": "20"}


def _programs() -> Path:
    """Return the folder of initdb and pg_ctl, which Debian does not put on PATH."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


@contextmanager
def running() -> Iterator[str]:
    """Give the SQLAlchemy URL of a database whose sessions are not in UTC."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))  # its socket's path must be short
    os.chown(folder, _NOBODY, _NOBODY)
    try:
        _run("initdb", "--auth=trust", "--username=hub", "--encoding=UTF8", "--no-sync", "-D", folder / "data")
        options = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
        told = f"{options} -c unix_socket_directories='{folder}'"
        _run("pg_ctl", "--wait", "-D", folder / "data", "-l", folder / "log", "-o", told, "start")
        try:
            yield f"postgresql+psycopg://hub@/postgres?host={folder}"
        finally:
            _run("pg_ctl", "--wait", "--mode=immediate", "-D", folder / "data", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """Have the server of a database that `running` gave end as in a crash, and back at the end."""
    data = Path(str(sa.make_url(url).query["host"])) / "data"
    _run("pg_ctl", "--wait", "--mode=immediate", "-D", data, "stop")
    try:
        yield
    finally:
        options = (data / "postmaster.opts").read_text().split(maxsplit=1)[1].replace('"', "'")
        _run("pg_ctl", "--wait", "-D", data, "-l", data.parent / "log", "-o", options.strip(), "start")


def _run(program: str, *arguments: str | Path) -> None:
    drop = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    # The server keeps what it inherits: with a pipe, nobody would see the end of its output.
    with tempfile.TemporaryFile() as said:
        ended = subprocess.run(
            [*drop, _programs() / program, *arguments],
            stdout=said,
            stderr=said,
            cwd="/",
            env={"LC_ALL": "C"},
            check=False,
        )
        said.seek(0)
        assert ended.returncode == 0, said.read().decode()
