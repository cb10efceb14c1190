"""Many people at once, over a real OpenSSH: slow clients, one that is silent, and nothing kept in memory."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from job_service import layout
from job_service.errors import TooMany
from job_service.files.files import Files
from job_service.record import JobRecord
from kernels.shell import Shell
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import TransferStalled
from slurm_ssh.ssh import transfer
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.job_service.files.conftest import record_of, site
from tests.support import openssh
from tests.support.openssh import OpenSSH

_PEOPLE, _FILES = 10, 3
_CHUNK = bytes(range(256)) * 256
_CHUNKS = 16
# Less than all files have together: what a client has not taken stays where it is.
_BUFFERS = 24 * 1024 * 1024


class _Pool:
    """A connection for each person, all to one front end."""

    def __init__(self, server: OpenSSH, stack: AsyncExitStack) -> None:
        self._server = server
        self._stack = stack
        self._connections: dict[Login, Connection] = {}
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def connection(self, login: Login, *_: Any) -> AsyncIterator[Connection]:
        async with self._lock:
            if login not in self._connections:
                ssh = await self._server.connect()
                self._stack.callback(ssh.abort)
                self._connections[login] = Connection(f"front-end of {login.user}", ssh)
        yield self._connections[login]


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[_Pool]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(openssh.running(tmp_path / "sshd"))
        yield _Pool(server, stack)


def _files(pool: Any, seconds: float = 120) -> Files:
    return Files(
        lambda record: Remote(pool, Login(record.owner, record.login, "geneva"), site(), Deadline.after(seconds))
    )


def _job(folder: Path, owner: str) -> JobRecord:
    (folder / owner / layout.OURS).mkdir(parents=True)
    return record_of(folder / owner, owner)


async def _slow(pause: float = 0.02) -> AsyncIterator[bytes]:
    for _ in range(_CHUNKS):
        yield _CHUNK
        await asyncio.sleep(pause)


async def _silent() -> AsyncIterator[bytes]:
    yield _CHUNK
    await asyncio.Event().wait()


async def test_thirty_uploads_of_ten_people_go_on_beside_one_that_is_silent(
    pool: _Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "STALL_SECONDS", 10)
    files, people = _files(pool), [f"person{number}" for number in range(_PEOPLE)]
    jobs = {name: _job(tmp_path / "jobs", name) for name in people}
    tracemalloc.start()
    try:
        silent = asyncio.create_task(files.put(jobs["person0"], "silent", _silent(), 2 * len(_CHUNK)))
        sent = [
            files.put(job, f"in/{n}", _slow(), _CHUNKS * len(_CHUNK) if n else None)
            for job in jobs.values()
            for n in range(_FILES)
        ]
        came = await asyncio.gather(*sent)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {each.size for each in came} == {_CHUNKS * len(_CHUNK)}
    for job in jobs.values():
        assert all(path.read_bytes() == _CHUNK * _CHUNKS for path in (Path(job.folder) / "in").iterdir())
    assert most < _BUFFERS
    with pytest.raises(TransferStalled):
        await silent
    assert not (Path(jobs["person0"].folder) / "silent").exists()
    remote = Remote(pool, Login("person0", "person0", "geneva"), site())  # type: ignore[arg-type]
    assert (await remote.run(Shell("echo on"))).stdout == "on\n"


async def test_of_too_many_at_once_the_last_is_told_what_to_do(pool: _Pool, tmp_path: Path) -> None:
    job = _job(tmp_path / "jobs", "alice")
    async with AsyncExitStack() as stack:
        for _ in range(3):
            over = asyncio.Event()
            await stack.enter_async_context(_files(pool).log(job, "stdout", follow=over))
        with pytest.raises(TooMany, match=r"3 of your transfers with .* are under way already") as busy:
            await _files(pool, 1).put(job, "data", _slow())
        assert busy.value.hint == "Wait until one of your transfers with Geneva is done, then try again."
        # What is no transfer goes on.
        assert (await _files(pool).list(job)).items == ()
    await _files(pool).put(job, "data", _slow(0))
