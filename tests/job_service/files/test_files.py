"""Files of a job, sent and had by programs that run in real shells of this machine."""

import asyncio
import hashlib
import os
import tarfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from job_service import layout
from job_service.errors import Invalid, NoSpace, NotAFile, NotFound, NotMade, TooLarge
from job_service.files import programs
from job_service.files.files import Files
from job_service.files.info import Listing
from job_service.files.upload import Upload
from job_service.record import JobRecord
from slurm_ssh.errors import LaunchError, Refused, Unavailable
from tests.job_service.files.conftest import files_of, site
from tests.support.local import LocalSite
from tests.support.waiting import until

_DATA = bytes(range(256)) * 1000 + b"\nend 5\nno line end"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _put(files: Files, record: JobRecord, path: str, data: bytes = _DATA, **known: object) -> None:
    await files.put(record, path, chunks(data[:7], b"", data[7:]), **known)  # type: ignore[arg-type]


async def _get(files: Files, record: JobRecord, path: str, start: int = 0, length: int | None = None) -> bytes:
    async with files.get(record, path, start, length) as (_, said):
        return b"".join([piece async for piece in said])


def _left(folder: Path) -> list[str]:
    """Return what is in the service's own folder."""
    return sorted(path.name for path in (folder / layout.OURS).iterdir())


# -- in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("data", [_DATA, b"", b"x"])
async def test_a_file_comes_whole_and_is_its_owners_alone(
    files: Files, record: JobRecord, folder: Path, data: bytes, is_known: bool
) -> None:
    known = {"length": len(data), "digest": hashlib.sha256(data).digest()} if is_known else {}
    came = await files.put(record, "in/it's & more/data.bin", chunks(data[:100], data[100:]), **known)  # type: ignore[arg-type]
    path = folder / "in/it's & more/data.bin"
    assert path.read_bytes() == data
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (came.path, came.size, came.modified_ns) == (
        "in/it's & more/data.bin",
        len(data),
        path.stat().st_mtime_ns,
    )
    assert _left(folder) == []


async def test_a_file_of_that_name_is_replaced(files: Files, record: JobRecord, folder: Path) -> None:
    await _put(files, record, "data", b"old")
    old = (folder / "data").open("rb")
    await _put(files, record, "data", b"new")
    assert (folder / "data").read_bytes() == b"new"
    with old:
        assert old.read() == b"old"


@pytest.mark.parametrize(
    ("known", "field"),
    [
        ({"length": len(_DATA) + 1}, "length"),
        ({"length": len(_DATA) - 1}, "length"),
        ({"digest": hashlib.sha256(b"other").digest()}, "digest"),
    ],
)
async def test_what_is_not_what_was_announced_is_not_kept(
    files: Files, record: JobRecord, folder: Path, known: dict[str, object], field: str
) -> None:
    (folder / "data").write_bytes(b"old")
    with pytest.raises(Invalid) as refused:
        await _put(files, record, "data", **known)
    assert list(refused.value.fields) == [field]
    assert (folder / "data").read_bytes() == b"old"
    await until(lambda: _left(folder) == [])


@pytest.mark.parametrize("length", [1024 * 1024, None])
async def test_a_client_that_hangs_up_leaves_nothing(
    files: Files, record: JobRecord, folder: Path, length: int | None
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(300_000)
        await until(lambda: _left(folder) != [])
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.put(record, "in/data", broken(), length)
    await until(lambda: _left(folder) == [])
    assert not (folder / "in").exists()


async def test_a_connection_that_is_lost_leaves_nothing(
    files: Files, record: JobRecord, folder: Path, local: LocalSite
) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield bytes(300_000)
        await until(lambda: _left(folder) != [])
        local.cut()
        yield b"more"

    with pytest.raises(Unavailable):
        await files.put(record, "data", cut(), 300_004)
    await until(lambda: _left(folder) == [])
    assert not (folder / "data").exists()
    await _put(files, record, "data")


async def test_an_upload_that_is_cancelled_leaves_nothing(files: Files, record: JobRecord, folder: Path) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield b"data"
        await asyncio.Event().wait()

    putting = asyncio.create_task(files.put(record, "data", silent(), 100))
    await until(lambda: _left(folder) != [])
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    await until(lambda: _left(folder) == [])
    assert not (folder / "data").exists()


async def test_a_file_that_is_too_large_is_refused_before_any_of_it_is_taken(
    files: Files, record: JobRecord, local: LocalSite
) -> None:
    with pytest.raises(TooLarge, match="Geneva takes files of up to 1 MB"):
        await files.put(record, "data", chunks(b"x"), 1024 * 1024 + 1)
    assert local.exchanges == 0
    await files.put(record, "data", chunks(bytes(1024 * 1024)), 1024 * 1024)


async def test_a_file_that_turns_out_too_large_is_not_kept(files: Files, record: JobRecord, folder: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(64 * 1024)

    with pytest.raises(TooLarge):
        await files.put(record, "data", endless())
    assert taken < 100
    await until(lambda: _left(folder) == [])
    assert not (folder / "data").exists()


async def test_a_full_disk_is_said_in_the_sites_words_and_leaves_nothing(
    record: JobRecord, folder: Path, local: LocalSite
) -> None:
    for words in ("No space left on device", "Disk quota exceeded"):
        full = f"cat >/dev/null; echo \"dd: error writing 'standard output': {words}\" >&2; exit 1"
        files = files_of(local, environment={"PATH": _stand_in(local, "dd", full)})
        with pytest.raises(NoSpace, match=words) as refused:
            await _put(files, record, "data", length=len(_DATA))
        assert "There is no space left for data at Geneva" in refused.value.message
        assert refused.value.hint
        assert _left(folder) == []


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small file system")
@pytest.mark.parametrize("length", [1024 * 1024, None])
async def test_a_disk_that_is_really_full_leaves_nothing(
    record: JobRecord, folder: Path, local: LocalSite, length: int | None
) -> None:
    shell, left = local.home / "shell", local.home / "left"
    inside = 'mount -t tmpfs -o size=200k,mode=700 none "$0" && mkdir "$0/.job" && sh "$@"; s=$?'
    shell.write_text(
        f'#!/bin/sh\nexec unshare -m sh -c \'{inside}; ls -AR "$0" >{left}; exit $s\' "{folder}" "$@"\n'
    )
    shell.chmod(0o755)
    local.shell = str(shell)
    pieces = chunks(*[bytes(64 * 1024)] * 16)
    with pytest.raises(NoSpace, match="No space left on device"):
        await files_of(local).put(record, "data", pieces, length)
    assert left.read_text().splitlines() == [f"{folder}:", layout.OURS, "", f"{folder}/{layout.OURS}:"]


def _stand_in(local: LocalSite, name: str, lines: str) -> str:
    """Put a program in the place of one at the site, and return the PATH that finds it."""
    program = local.home / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{lines}\n")
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


@pytest.mark.parametrize("path", ["in", "in/data/more", "file/data"])
async def test_a_name_that_a_folder_has_or_a_folder_that_is_a_file_takes_no_chunk(
    files: Files, record: JobRecord, folder: Path, path: str
) -> None:
    (folder / "in/data").mkdir(parents=True)
    (folder / "in/data/more").mkdir()
    (folder / "file").touch()
    with pytest.raises(Invalid) as refused:
        await _put(files, record, path)
    assert list(refused.value.fields) == ["path"]
    assert isinstance(refused.value, NotAFile) == path.startswith("in")
    assert _left(folder) == []


async def test_many_files_come_into_one_new_folder_at_once(files: Files, record: JobRecord, folder: Path) -> None:
    await asyncio.gather(*(_put(files, record, f"in/{n}") for n in range(6)))
    assert {path.read_bytes() for path in (folder / "in").iterdir()} == {_DATA}
    assert _left(folder) == []


def test_no_file_is_larger_than_the_service_takes_whatever_its_site_does() -> None:
    takes_more = site(jobs={"folder": "/scratch/{owner}/jobs", "upload_max": "10M"})
    Upload("data", takes_more, 2 << 20, None)
    with pytest.raises(TooLarge, match="Geneva takes files of up to 1 MB"):
        Upload("data", takes_more, 2 << 20, None, most_mib=1)


async def test_a_site_that_takes_no_jobs_any_more_takes_no_files(record: JobRecord, local: LocalSite) -> None:
    with pytest.raises(TooLarge, match="Geneva takes no files for jobs any more"):
        await _put(files_of(local, jobs=None), record, "data")


async def test_what_is_left_of_files_that_did_not_come_is_swept_after_a_day(
    files: Files, record: JobRecord, folder: Path
) -> None:
    ours = [folder / layout.OURS, folder.parent / "ba9876543210" / layout.OURS]
    ours[1].mkdir(parents=True)
    for each in ours:
        for name in ("put-old.part", "put-new.part", "old", "end"):
            (each / name).touch()
        for name in ("put-old.part", "old"):
            os.utime(each / name, (0, time.time() - 25 * 3600))
    elsewhere = folder / "put-old.part"
    elsewhere.touch()
    os.utime(elsewhere, (0, 0))
    await _put(files, record, "data")
    assert _left(folder) == ["end", "old", "put-new.part"]
    assert (ours[1] / "put-old.part").exists()
    await files.sweep(record)
    assert not (ours[1] / "put-old.part").exists()
    assert elsewhere.exists()
    assert _left(folder) == ["end", "old", "put-new.part"]


# -- out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, None),
        (0, 10),
        (100, None),
        (100, 5),
        (-7, None),
        (-7, 3),
        (-(10**30), 4),
        (5, 10**30),
        (10**30, 1),
        (10**6, 1),
        (0, 0),
    ],
)
async def test_a_part_of_a_file_is_what_it_is_in_python(
    files: Files, record: JobRecord, folder: Path, start: int, length: int | None
) -> None:
    (folder / "out").mkdir()
    (folder / "out/data").write_bytes(_DATA)
    async with files.get(record, "out/data", start, length) as (found, said):
        came = b"".join([piece async for piece in said])
    rest = _DATA[start:]
    assert came == (rest if length is None else rest[:length])
    assert (found.size, found.kind) == (len(_DATA), "file")
    assert found.modified_ns == (folder / "out/data").stat().st_mtime_ns


async def test_an_entity_tag_is_another_once_the_file_is(files: Files, record: JobRecord, folder: Path) -> None:
    tags = set()
    for text in ("one", "two", "three"):
        (folder / "data").write_text(text)
        async with files.get(record, "data") as (found, _):
            tags.add(found.etag)
    assert len(tags) == 3
    assert all(tag[0] == tag[-1] == '"' for tag in tags)


async def test_whoever_only_wants_to_know_a_file_leaves_it(files: Files, record: JobRecord, folder: Path) -> None:
    with (folder / "data").open("wb") as sparse:
        sparse.truncate(10**12)
    async with files.get(record, "data") as (found, _):
        assert found.size == 10**12
    async with files.get(record, "data") as (_, said):
        assert set(await anext(said)) == {0}


async def test_a_file_that_becomes_shorter_while_it_is_read_is_told(
    files: Files, record: JobRecord, folder: Path
) -> None:
    with (folder / "data").open("wb") as sparse:
        sparse.truncate(30_000_000)
        async with files.get(record, "data") as (_, said):
            await anext(said)
            sparse.truncate(0)
            with pytest.raises(Unavailable, match="data became shorter while it was read"):
                async for _ in said:
                    pass


async def test_a_file_that_cannot_be_read_is_told_with_the_reason(record: JobRecord, local: LocalSite) -> None:
    (Path(record.folder) / "data").write_text("x")
    path = _stand_in(local, "dd", "echo 'dd: error reading data: Input/output error' >&2; exit 1")
    files = files_of(local, environment={"PATH": path})
    with pytest.raises(Refused, match=r"data could not be read at Geneva: dd: .* Input/output error\."):
        await _get(files, record, "data")


_ASKS: list[Callable[[Files, JobRecord, str], Awaitable[object]]] = [
    _get,
    lambda files, record, path: files.list(record, path),
    lambda files, record, path: files.delete(record, path),
]


@pytest.mark.parametrize("ask", _ASKS)
async def test_what_is_not_there_is_not_found(
    files: Files, record: JobRecord, ask: Callable[[Files, JobRecord, str], Awaitable[object]]
) -> None:
    for path in ("data", "in/data"):
        with pytest.raises(NotFound, match=f"There is no {path} in the folder of this job"):
            await ask(files, record, path)


@pytest.mark.parametrize("lacks", [0, 1, 3])
async def test_a_job_without_a_folder_yet_has_no_files(
    files: Files, record: JobRecord, folder: Path, lacks: int
) -> None:
    above = "".join(f"/none{n}" for n in range(lacks))
    waits = replace(record, submission="none", folder=f"{folder.parent}{above}/ba9876543210")
    assert await files.list(waits) == Listing(())
    for follow in (None, asyncio.Event()):
        async with files.log(waits, "stdout", None, follow) as (_, printed):
            assert [each async for each in printed] == []
    for ask in _ASKS:
        with pytest.raises(NotMade, match="The job has no files yet"):
            await ask(files, waits, "results")
    with pytest.raises(NotMade):
        await files.list(waits, "results")


@pytest.mark.parametrize("closed", ["", "..", "../.."])
async def test_the_folder_of_a_job_that_was_not_sent_is_not_empty_because_nobody_may_look(
    record: JobRecord, local: LocalSite, tmp_path: Path, closed: str
) -> None:
    folder = tmp_path / "a/b/0123456789ab"
    folder.mkdir(parents=True)
    (folder / "data").touch()
    shut = (folder / closed).resolve()
    shut.chmod(0)
    if os.getuid() == 0:
        # Root may enter any folder, but not without its rights to.
        local.shell = str(tmp_path / "shell")
        Path(local.shell).write_text(
            '#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search sh "$@"\n'
        )
        Path(local.shell).chmod(0o755)
    waits = replace(record, submission="none", folder=str(folder))
    with pytest.raises(Refused, match=r"can't cd to|Permission denied"):
        await files_of(local).list(waits)
    shut.chmod(0o700)


@pytest.mark.parametrize("ask", [*_ASKS, _put])
async def test_a_folder_that_was_removed_at_the_site_is_told(
    files: Files, record: JobRecord, folder: Path, ask: Callable[[Files, JobRecord, str], Awaitable[object]]
) -> None:
    (folder / layout.OURS).rmdir()
    folder.rmdir()
    with pytest.raises(NotFound, match="The folder of this job was removed at the site"):
        await ask(files, record, "data")
    assert not folder.exists()
    folder.parent.rmdir()
    # It may be that a file system is not there.
    with pytest.raises(Refused, match="can't cd to"):
        await ask(files, record, "data")


async def test_a_folder_that_is_somebody_elses_is_not_entered(record: JobRecord, local: LocalSite) -> None:
    # By a name for itself that is everywhere owned by root.
    if os.getuid() == 0:
        os.chown(record.folder, 1, 1)
        for each in (record, replace(record, submission="none")):
            with pytest.raises(Refused, match="does not belong to you any more"):
                await files_of(local).list(each)


async def test_a_folder_is_listed_with_all_that_is_in_it_whatever_its_names_are(
    files: Files, record: JobRecord, folder: Path
) -> None:
    (folder / "out/deep").mkdir(parents=True)
    names = [b"plain", b"new\nline", b"no utf-8 \xff", "é".encode(), b"a%2fb", b"out/deep/x", b" "]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(name)
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    (folder / layout.OURS / "end").touch()
    found = await files.list(record)
    assert not found.is_cut
    kinds = {os.fsencode(each.path): each.kind for each in found.items}
    expected = dict.fromkeys(names, "file") | {b"link": "link", b"pipe": "other"}
    assert kinds == expected | {b"out": "folder", b"out/deep": "folder"}
    assert {each.size for each in found.items if each.path == "plain"} == {5}
    quoted = {each.quoted for each in found.items}
    assert {"new%0Aline", "no%20utf-8%20%FF", "%C3%A9", "a%252fb", "out/deep/x", "%20"} < quoted
    shown = {each.name for each in found.items}
    assert {"new\N{REPLACEMENT CHARACTER}line", "no utf-8 \N{REPLACEMENT CHARACTER}", "é"} < shown
    assert [each.path for each in (await files.list(record, "out")).items] == ["out/deep", "out/deep/x"]
    assert [each.path for each in (await files.list(record, "out/deep/")).items] == ["out/deep/x"]


async def test_a_folder_that_cannot_be_looked_at_is_not_taken_for_an_empty_one(
    record: JobRecord, local: LocalSite
) -> None:
    path = _stand_in(local, "find", "echo 'find: .: Input/output error' >&2; exit 1")
    files = files_of(local, environment={"PATH": path})
    for each in (record, replace(record, submission="none")):
        with pytest.raises(Refused, match=r"Not all files of the job .* Geneva: find: \.: Input/output error\."):
            await files.list(each)


async def test_of_a_folder_that_cannot_be_looked_at_whole_the_rest_is_listed(
    record: JobRecord, local: LocalSite
) -> None:
    row = "printf 'f 7 1.0000000000 data\\0'"
    path = _stand_in(local, "find", f"{row}; echo 'find: ./secret: Permission denied' >&2; exit 1")
    found = await files_of(local, environment={"PATH": path}).list(record)
    assert ([each.path for each in found.items], found.is_cut) == (["data"], True)


@pytest.mark.parametrize("name", ["head", "base64"])
async def test_a_listing_of_which_nothing_comes_is_told(record: JobRecord, local: LocalSite, name: str) -> None:
    files = files_of(local, environment={"PATH": _stand_in(local, name, "exit 1")})
    with pytest.raises(LaunchError):
        await files.list(record)


async def test_names_that_are_no_ascii_are_written_read_and_deleted(
    files: Files, record: JobRecord, folder: Path
) -> None:
    for path in ("é/ü %", "no utf-8 \udcff/\udcfe"):
        await _put(files, record, path)
        assert (folder / path).read_bytes() == _DATA
        assert await _get(files, record, path, 0, 9) == _DATA[:9]
        await files.delete(record, path)
        assert not (folder / path).exists()


async def test_of_more_files_than_are_listed_the_first_are(
    files: Files, record: JobRecord, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "LONGEST_LISTING", 1000)
    for number in range(100):
        (folder / str(number)).touch()
    found = await files.list(record)
    assert found.is_cut
    assert 10 < len(found.items) < 100


async def test_a_file_a_link_and_a_folder_are_deleted_and_nothing_that_a_link_leads_to(
    files: Files, record: JobRecord, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (folder / "out/more").mkdir(parents=True)
    (folder / "out/link").symlink_to(elsewhere)
    (folder / "link").symlink_to(elsewhere)
    (folder / "-f").touch()
    for path in ("link", "-f", "out"):
        await files.delete(record, path)
    assert sorted(path.name for path in folder.iterdir()) == [layout.OURS]
    assert (elsewhere / "kept").exists()


async def test_an_archive_has_all_but_what_is_ours_and_links_as_links(
    files: Files, record: JobRecord, folder: Path
) -> None:
    (folder / "out/.job").mkdir(parents=True)
    (folder / "out/data").write_bytes(_DATA)
    (folder / "out/.job/x").touch()
    (folder / "link").symlink_to("/etc/passwd")
    (folder / layout.OURS / "command").touch()
    async with files.archive(record) as said:
        whole = b"".join([piece async for piece in said])
    with tarfile.open(fileobj=BytesIO(whole)) as archive:
        assert sorted(archive.getnames()) == [".", "./link", "./out", "./out/.job", "./out/.job/x", "./out/data"]
        assert archive.getmember("./link").issym()
        data = archive.extractfile("./out/data")
        assert data is not None
        assert data.read() == _DATA


async def test_an_archive_that_is_not_whole_is_told_at_its_end(record: JobRecord, local: LocalSite) -> None:
    path = _stand_in(local, "tar", "echo part; echo 'tar: ./x: Cannot open: Permission denied' >&2; exit 2")
    came: list[bytes] = []
    with pytest.raises(Refused, match=r"Not all files of the job could be read at Geneva: tar: \./x: Cannot open"):
        await _archive(files_of(local, environment={"PATH": path}), record, came)
    assert b"".join(came) == b"part\n"


async def _archive(files: Files, record: JobRecord, into: list[bytes]) -> None:
    async with files.archive(record) as said:
        async for piece in said:
            into += [piece]
