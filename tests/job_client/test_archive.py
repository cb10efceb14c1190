"""What is unpacked of an archive that somebody hostile may have written."""

import io
import os
import stat
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from hubjobs import AsyncJobs, Jobs, WrongFile
from hubjobs.archive import leads_inside
from tests.support.job_hub import JOB_ID, TOKEN, JobHub, plain


def _tar(*members: tuple[str, bytes, str], mode: int = 0o644) -> bytes:
    """Return a tar of members: name, type, and content or where a link leads."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, mode
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content
            tar.addfile(member, io.BytesIO(content.encode()))
    return made.getvalue()


FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def _unpack(hub: JobHub, folder: Path, archive: bytes) -> list[str]:
    hub.gives(f"GET jobs/{JOB_ID}/archive.tar", plain(200, archive))
    with Jobs(hub.url, TOKEN, patience_s=0) as jobs:
        return jobs.get_all(JOB_ID, folder).left_out


def test_files_and_folders_and_links_among_them_are_made(hub: JobHub, tmp_path: Path) -> None:
    archive = _tar(
        ("./", FOLDER, ""),
        ("./latest", LINK, "runs/2/out"),
        ("./runs/1/out", FILE, "first"),
        ("./runs/2/out", FILE, "second" * 100_000),
        ("./runs/2/up", LINK, "../1/out"),
        ("./runs/2/same", HARD, "./runs/1/out"),
        ("./empty", FOLDER, ""),
        ("./new\nline", FILE, "odd"),
    )
    assert _unpack(hub, tmp_path / "new" / "here", archive) == []
    there = tmp_path / "new" / "here"
    assert (there / "latest").read_text() == "second" * 100_000
    assert (there / "runs/2/up").read_text() == "first"
    assert (there / "runs/2/same").read_text() == "first"
    assert (there / "new\nline").read_text() == "odd"
    assert (there / "empty").is_dir()
    assert not list(there.rglob("*.part"))


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("/etc/evil", FILE, "x"),
        ("../evil", FILE, "x"),
        ("a/../../evil", FILE, "x"),
        ("../evil", FOLDER, ""),
        ("/evil", FOLDER, ""),
        ("evil", LINK, "/etc/passwd"),
        ("evil", LINK, "../outside"),
        ("evil", LINK, ""),
        ("a/evil", LINK, "../../outside"),
        ("evil", LINK, "a/../.."),
        ("evil", HARD, "/etc/passwd"),
        ("evil", HARD, "../outside"),
        ("evil", HARD, "nowhere"),
        ("evil", tarfile.FIFOTYPE, ""),
        ("evil", tarfile.CHRTYPE, ""),
        ("evil", tarfile.BLKTYPE, ""),
    ],
)
def test_what_would_lie_or_lead_outside_is_left_out(
    hub: JobHub, tmp_path: Path, name: str, kind: bytes, content: str
) -> None:
    (tmp_path / "outside").write_text("mine")
    folder = tmp_path / "in"
    left_out = _unpack(hub, folder, _tar(("good", FILE, "good"), (name, kind, content), ("last", FILE, "last")))
    assert left_out == [name]
    assert sorted(each.name for each in folder.iterdir() if each.name != "a") == ["good", "last"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "outside"]
    assert (tmp_path / "outside").read_text() == "mine"


def test_nothing_is_written_through_a_link_of_the_archive(hub: JobHub, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "in" / "real").mkdir(parents=True)
    archive = _tar(("way", LINK, "real"), ("way/evil", FILE, "x"), ("real/l", LINK, "."), ("real/l/..", LINK, "x"))
    assert sorted(_unpack(hub, tmp_path / "in", archive)) == ["real/l", "real/l/..", "way"]
    assert (tmp_path / "in/way/evil").read_text() == "x"
    assert not (tmp_path / "in/way").is_symlink()


def test_every_file_comes_whatever_its_name_is(hub: JobHub, tmp_path: Path) -> None:
    names = ["out.part", "out", "x" * 255]
    assert _unpack(hub, tmp_path / "in", _tar(*((name, FILE, name) for name in names))) == []
    assert {each.name: each.read_text() for each in (tmp_path / "in").iterdir()} == {name: name for name in names}


def test_a_file_with_holes_is_left_out(hub: JobHub, tmp_path: Path) -> None:
    """One of 8 GB may be a few bytes in an archive."""
    member = tarfile.TarInfo("holes")
    member.size = 512
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[156:157] = tarfile.GNUTYPE_SPARSE
    block[386:410], block[483:495] = b"%011o\0%011o\0" % (0, 512), b"%011o\0" % (2**20)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    archive = bytes(block) + b"x" * 512 + _tar(("after", FILE, "x"))
    assert _unpack(hub, tmp_path, archive) == ["holes"]
    assert [each.name for each in tmp_path.iterdir()] == ["after"]


def test_nothing_is_written_through_a_link_that_was_there(hub: JobHub, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "way").symlink_to(tmp_path / "outside")
    with pytest.raises(WrongFile, match="is in the way"):
        _unpack(hub, tmp_path / "in", _tar(("way/evil", FILE, "x")))
    assert not list((tmp_path / "outside").iterdir())


def test_a_link_is_replaced_by_a_file_and_not_followed(hub: JobHub, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path / "mine")
    assert _unpack(hub, tmp_path / "in", _tar(("out", FILE, "theirs"))) == []
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "in/out").read_text() == "theirs"


def test_of_the_mode_only_whether_it_runs_is_taken(hub: JobHub, tmp_path: Path) -> None:
    _unpack(hub, tmp_path, _tar(("run", FILE, "x"), mode=0o6777))
    mode = stat.S_IMODE((tmp_path / "run").stat().st_mode)
    assert mode & 0o100
    assert not mode & 0o6022 & ~(0o777 & ~os.umask(os.umask(0o22)))


@pytest.mark.parametrize("length", [0, 100, 512, 600, 1536])
def test_what_is_cut_short_is_told_and_leaves_no_half_file(hub: JobHub, tmp_path: Path, length: int) -> None:
    archive = _tar(("first", FILE, "x" * 400), ("second", FILE, "y" * 400))[:length]
    with pytest.raises(WrongFile, match="not a whole archive"):
        _unpack(hub, tmp_path / "in", archive)
    assert not list((tmp_path / "in").rglob("*.part"))


def test_a_name_without_an_end_is_not_read(hub: JobHub, tmp_path: Path) -> None:
    member = tarfile.TarInfo("long")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 8 * 1024**3
    with pytest.raises(WrongFile, match="too long"):
        _unpack(hub, tmp_path / "in", member.tobuf(tarfile.GNU_FORMAT) + b"x" * 100_000)


def test_a_disk_on_which_nothing_can_be_written_is_told(hub: JobHub, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file")
    with pytest.raises(FileExistsError):
        _unpack(hub, tmp_path / "in", _tar(("good", FILE, "x" * 3_000_000)))


@pytest.mark.parametrize(
    ("path", "to", "leads"),
    [
        ("a", "b", True),
        ("a/b", "../c", True),
        ("a/b/c", "../../d/e", True),
        ("a", ".", False),
        ("a", "..", False),
        ("a/b", "../..", False),
        ("a", "b/../../c", False),
        ("a", "b/..", False),
        ("a", "/a", False),
    ],
)
def test_links_that_lead_inside(path: str, to: str, leads: bool) -> None:
    assert leads_inside(PurePosixPath(path), PurePosixPath(to)) is leads


async def test_the_other_client_does_the_same(hub: JobHub, tmp_path: Path) -> None:
    hub.gives(
        f"GET jobs/{JOB_ID}/archive.tar", plain(200, _tar(("out", FILE, "x" * 500_000), ("../no", FILE, "")))
    )
    async with AsyncJobs(hub.url, TOKEN) as jobs:
        done = await jobs.get_all(JOB_ID, tmp_path / "in")
    assert (done.files, done.bytes, done.left_out) == (1, 500_000, ["../no"])
