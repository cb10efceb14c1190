"""What a job prints is given whole, by its last lines, or as it comes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from job_service.files import programs
from job_service.files.files import Files
from job_service.record import JobRecord
from slurm_ssh.ssh import transfer
from tests.support.waiting import until


async def _log(files: Files, record: JobRecord, tail: int | None = None) -> bytes:
    async with files.log(record, "stdout", tail) as (_, said):
        return b"".join([piece async for piece in said])


async def test_a_log_is_given_whole_or_its_last_lines(files: Files, record: JobRecord, folder: Path) -> None:
    assert await _log(files, record) == b""
    (folder / "stdout").write_bytes(b"1\n2\n\0;.\n4\n5")
    assert await _log(files, record) == b"1\n2\n\0;.\n4\n5"
    assert await _log(files, record, 2) == b"4\n5"
    assert await _log(files, record, 99) == b"1\n2\n\0;.\n4\n5"
    assert await _log(files, record, 0) == b""
    async with files.log(record, "stderr") as (_, said):
        assert [piece async for piece in said] == []


async def test_a_log_is_followed_from_before_it_is_there_until_the_job_is_over(
    files: Files, record: JobRecord, folder: Path
) -> None:
    over = asyncio.Event()
    async with files.log(record, "stdout", follow=over) as (_, said):
        (folder / "stdout").write_bytes(b"1\n")
        # With its line end, though nothing follows.
        assert await _read(said, 2) == b"1\n"
        with (folder / "stdout").open("ab") as log:
            log.write(b"2\n")
            log.flush()
            assert await _read(said, 2) == b"2\n"
            log.write(b"3")
        over.set()
        assert b"".join([piece async for piece in said]) == b"3"


async def test_of_a_job_that_is_over_or_never_begins_following_ends_at_once(
    files: Files, record: JobRecord, folder: Path
) -> None:
    over = asyncio.Event()
    over.set()
    async with files.log(record, "stdout", 1, over) as (_, said):
        assert [piece async for piece in said] == []
    (folder / "stdout").write_bytes(b"1\n2\n")
    async with files.log(record, "stdout", 1, over) as (_, said):
        assert b"".join([piece async for piece in said]) == b"2\n"


async def test_a_log_that_the_job_begins_anew_is_followed_from_its_beginning(
    files: Files, record: JobRecord, folder: Path
) -> None:
    (folder / "stdout").write_bytes(b"1234\n")
    async with files.log(record, "stdout", follow=asyncio.Event()) as (_, said):
        assert await _read(said, 5) == b"1234\n"
        (folder / "stdout").write_bytes(b"5\n")
        assert await _read(said, 2) == b"5\n"


@pytest.mark.parametrize(("tail", "first"), [(1, b"2\n3\n"), (0, b"3\n")])
async def test_following_begins_with_the_last_lines(
    files: Files, record: JobRecord, folder: Path, tail: int, first: bytes
) -> None:
    over = asyncio.Event()
    (folder / "stdout").write_bytes(b"1\n2\n")
    async with files.log(record, "stdout", tail, over) as (_, said):
        came = await _read(said, 2) if tail else b""
        with (folder / "stdout").open("ab") as log:
            log.write(b"3\n")
        over.set()
        assert came + b"".join([piece async for piece in said]) == first


async def test_a_log_is_followed_from_where_it_was_left(files: Files, record: JobRecord, folder: Path) -> None:
    over = asyncio.Event()
    (folder / "stdout").write_bytes(b"1234\n")
    async with files.log(record, "stdout", 1, over, 3) as (begins, said):
        assert (begins, await _read(said, 2)) == (3, b"4\n")
        with (folder / "stdout").open("ab") as log:
            log.write(b"5")
        over.set()
        assert b"".join([piece async for piece in said]) == b"5"
    for offset, begins in ((6, 6), (7, 0)):
        async with files.log(record, "stdout", offset=offset) as (found, said):
            assert (found, b"".join([piece async for piece in said])) == (begins, b"1234\n5"[begins:])
    async with files.log(record, "stdout", 1) as (found, _):
        assert found == 5


async def test_a_log_that_is_silent_for_long_is_followed_on(
    files: Files, record: JobRecord, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "STALL_SECONDS", 3)
    monkeypatch.setattr(programs, "_FOLLOWED", programs._FOLLOWED.replace("% 15", "% 1"))
    (folder / "stdout").touch()
    async with files.log(record, "stdout", follow=asyncio.Event()) as (_, said):
        following = asyncio.create_task(_read(said, 2))
        await asyncio.wait((following,), timeout=6)
        assert not following.done()
        (folder / "stdout").write_bytes(b"1\n")
        assert await following == b"1\n"


async def _read(said: AsyncIterator[bytes], count: int) -> bytes:
    """Return the next bytes, in whatever pieces they come."""
    came = b""
    while len(came) < count:
        came += await anext(said)
    return came


async def test_whoever_follows_no_more_leaves_nothing_that_runs(
    files: Files, record: JobRecord, folder: Path
) -> None:
    (folder / "stdout").write_bytes(b"1\n")
    async with files.log(record, "stdout", follow=asyncio.Event()) as (_, said):
        assert await _read(said, 2) == b"1\n"
        assert _users(folder / "stdout")
    await until(lambda: not _users(folder / "stdout"))


def _users(path: Path) -> list[str]:
    """Return which processes of this machine have a file open."""
    return [str(each) for each in Path("/proc").glob("[0-9]*/fd/*") if _leads_to(each, path)]


def _leads_to(link: Path, path: Path) -> bool:
    try:
        return link.readlink() == path
    except OSError:
        return False
