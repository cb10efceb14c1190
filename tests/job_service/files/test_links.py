"""What leads out of the folder of a job, by a link or in a moment between two looks, is not followed."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from job_service import layout
from job_service.errors import Invalid, JobError, NotFound
from job_service.files.files import Files
from job_service.record import JobRecord
from slurm_ssh.errors import LaunchError

_SECRET = b"the secret"
Ask = Callable[[Files, JobRecord, str], Awaitable[object]]


async def _get(files: Files, record: JobRecord, path: str) -> bytes:
    async with files.get(record, path) as (_, said):
        return b"".join([piece async for piece in said])


async def _put(files: Files, record: JobRecord, path: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data"

    await files.put(record, path, chunks())


async def _log(files: Files, record: JobRecord, _path: str) -> bytes:
    async with files.log(record, "stdout") as (_, said):
        return b"".join([piece async for piece in said])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return a folder beside the jobs, with a secret in it."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "secret").write_bytes(_SECRET)
    return elsewhere


@pytest.fixture
def _links(folder: Path, elsewhere: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/data").write_text("own")
    (folder / "to-folder").symlink_to(elsewhere)
    (folder / "to-file").symlink_to(elsewhere / "secret")
    (folder / "up").symlink_to("..")
    (folder / "out/up").symlink_to("../../../elsewhere")
    (folder / "stdout").symlink_to(elsewhere / "secret")
    (folder / "ours").symlink_to(layout.OURS)
    (folder / "end").symlink_to(f"{layout.OURS}/end")
    (folder / layout.OURS / "end").write_bytes(_SECRET)
    (folder / "nowhere").symlink_to("nothing")
    (folder / "latest").symlink_to("out")
    (folder / "here").symlink_to(".")
    (folder / "out/back").symlink_to("..")
    (folder / "newest").symlink_to("latest/data")


@pytest.mark.usefixtures("_links")
@pytest.mark.parametrize(
    ("ask", "path"),
    [(_get, path) for path in ("to-file", "to-folder/secret", "up/x", "out/up/secret", "ours/end", "end")]
    + [(_put, path) for path in ("to-folder/secret", "to-folder/deep/new", "up/new", "out/up/new", "ours/end")]
    + [(Files.delete, path) for path in ("to-folder/secret", "up/x", "out/up/secret", "ours/end")]
    + [(Files.delete, path) for path in ("here/.job", "out/back/.job", "here/.job/end")]
    + [(Files.list, path) for path in ("to-folder", "up", "out/up/deep", "ours", "here/.job")]
    + [(_log, "stdout")],
)
async def test_what_leads_out_is_refused_and_changes_nothing(
    files: Files, record: JobRecord, folder: Path, elsewhere: Path, ask: Ask, path: str
) -> None:
    with pytest.raises(Invalid, match="leads out of the folder of the job") as refused:
        await ask(files, record, path)
    assert list(refused.value.fields) == ["path"]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["deep", "secret"]
    assert list((elsewhere / "deep").iterdir()) == []
    assert {(elsewhere / "secret").read_bytes(), (folder / layout.OURS / "end").read_bytes()} == {_SECRET}
    assert [path.name for path in (folder / layout.OURS).iterdir()] == ["end"]


@pytest.mark.usefixtures("_links")
async def test_links_that_stay_within_are_followed(files: Files, record: JobRecord, folder: Path) -> None:
    assert await _get(files, record, "latest/data") == b"own"
    assert await _get(files, record, "newest") == b"own"
    assert [each.path for each in (await files.list(record, "latest")).items] == [
        "latest/back",
        "latest/data",
        "latest/up",
    ]
    await _put(files, record, "latest/new")
    assert (folder / "out/new").read_bytes() == b"data"
    with pytest.raises(NotFound):
        await _get(files, record, "nowhere")


@pytest.mark.usefixtures("_links")
async def test_a_file_takes_the_place_of_a_link_and_not_of_what_that_leads_to(
    files: Files, record: JobRecord, folder: Path, elsewhere: Path
) -> None:
    for path in ("to-file", "to-folder", "nowhere"):
        await _put(files, record, path)
        assert (folder / path).read_bytes() == b"data"
        assert not (folder / path).is_symlink()
    assert (elsewhere / "secret").read_bytes() == _SECRET


async def test_our_own_folder_that_is_a_link_is_not_written_to(
    files: Files, record: JobRecord, folder: Path, elsewhere: Path
) -> None:
    (folder / layout.OURS).rmdir()
    (folder / layout.OURS).symlink_to(elsewhere)
    with pytest.raises(Invalid):
        await _put(files, record, "data")
    assert sorted(path.name for path in elsewhere.iterdir()) == ["deep", "secret"]


async def test_a_device_a_pipe_and_a_socket_are_not_read(files: Files, record: JobRecord, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for path in ("pipe", layout.OURS.removeprefix(".")):
        (folder / "job").mkdir(exist_ok=True)
        with pytest.raises(Invalid, match="is a folder or a device"):
            await _get(files, record, path)


@pytest.fixture
def _swaps(folder: Path, elsewhere: Path) -> Iterator[None]:
    """Let a folder and a file be now themselves, now links that lead out, as fast as can be."""
    (folder / "in").mkdir()
    (folder / "in/secret").write_text("own")
    (folder / "data").write_text("own")
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            for name, to in (("in", elsewhere), ("data", elsewhere / "secret")):
                with contextlib.suppress(OSError):
                    (folder / name).rename(folder / f"{name}.own")
                    (folder / name).symlink_to(to)
                    (folder / name).unlink()
                    (folder / f"{name}.own").rename(folder / name)

    swapping = threading.Thread(target=swap)
    swapping.start()
    yield
    is_over.set()
    swapping.join()


@pytest.mark.usefixtures("_swaps")
async def test_what_takes_the_place_of_a_folder_or_a_file_at_any_moment_does_not_lead_out(
    files: Files, record: JobRecord, elsewhere: Path
) -> None:
    async def ask(ask: Ask, path: str) -> object:
        try:
            return await ask(files, record, path)
        except (JobError, LaunchError) as error:
            return error

    for _ in range(12):
        asked = (ask(_get, "in/secret"), ask(_get, "data"), ask(_put, "in/new"), ask(Files.delete, "in/secret"))
        answers = await asyncio.gather(*asked)
        assert _SECRET not in answers
    assert sorted(path.name for path in elsewhere.iterdir()) == ["deep", "secret"]
    assert (elsewhere / "secret").read_bytes() == _SECRET
