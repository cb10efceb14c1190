"""The programs that make, read and remove the folders of jobs, run in a real shell."""

import asyncio
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from job_service import layout
from job_service.record import JobRecord
from job_service.running import folder
from job_service.running.folder import Left
from job_service.spec import JobSpec
from kernels.shell import Shell, quote
from profiles.catalogue.dataset import Dataset
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.transport import Completed
from tests.support import builders
from tests.support.local import LocalSite

# For whom modes count, as for everybody but root.
_UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()

NOW = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "it's alice"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def record(home: Path) -> JobRecord:
    return JobRecord(
        id=1,
        job_id=builders.LAUNCH_ID,
        owner="alice",
        login="alice",
        system="geneva",
        project="default",
        account=None,
        spec=JobSpec(type="command", command="echo 'a b'; exit 7"),
        title="a job",
        nodes=1,
        cores=1,
        memory_mib=1024,
        gpus=0,
        limit_s=3600,
        held_s=0,
        folder=f"{home}/jobs/{builders.LAUNCH_ID}",
        created=NOW,
        submission="sent",
        native_id="17",
    )


async def made(site: LocalSite, record: JobRecord, *awaited: str) -> Completed:
    return await site.run(*folder.make(record, awaited))


async def test_a_folder_is_made_private_with_the_line_in_it_and_may_be_made_again(
    home: Path, record: JobRecord
) -> None:
    site, path = LocalSite(home), Path(record.folder)
    for _ in range(2):
        assert await made(site, record) == Completed(0, "", "")
    assert [each.stat().st_mode & 0o777 for each in (path.parent, path, path / layout.OURS)] == [0o700] * 3
    assert (path / layout.COMMAND).read_text() == "echo 'a b'; exit 7\n"
    assert (path / layout.COMMAND).stat().st_mode & 0o777 == 0o600


async def test_what_is_known_of_its_datasets_is_in_it_beside_the_line(home: Path, record: JobRecord) -> None:
    site, path = LocalSite(home), Path(record.folder)
    datasets = (
        Dataset("demo:a", "Ä", "scan", "/data/it's", {"channels": 2, "ok": True}),
        Dataset("own:geneva/b", "b", "scan", "/data/b", {}, "geneva"),
    )
    for some in (datasets[:1], datasets):
        assert await site.run(*folder.make(record, (), some)) == Completed(0, "", "")
        written = json.loads((path / layout.DATASETS).read_text())
        assert tuple(Dataset.from_json(each) for each in written) == some
    assert (path / layout.COMMAND).read_text() == "echo 'a b'; exit 7\n"
    assert {each.name for each in (path / layout.OURS).iterdir()} == {"command", "datasets.json"}


def _beside(home: Path, record: JobRecord) -> list[JobRecord]:
    """Return jobs whose folders lie beside each other: two with a line of their own, one without."""
    lines = ("echo 'ü'", None, "true\n\nfalse")
    names = [f"{number:012x}" for number in range(len(lines))]
    return [
        replace(record, job_id=name, folder=f"{home}/jobs/{name}", spec=replace(record.spec, command=line))
        for name, line in zip(names, lines, strict=True)
    ]


async def test_some_folders_are_made_at_once_each_as_by_itself(home: Path, record: JobRecord) -> None:
    site, jobs = LocalSite(home), _beside(home, record)
    on = {jobs[1].job_id: (Dataset("demo:a", "a", "scan", "/data/a"),)}
    for _ in range(2):
        made = await site.run(*folder.make_all([(each, on.get(each.job_id, ())) for each in jobs]))
        assert made == Completed(0, "", "")
    for each in jobs:
        assert (Path(each.folder) / layout.DATASETS).exists() == (each.job_id in on)
        command = Path(each.folder) / layout.COMMAND
        assert command.parent.stat().st_mode & 0o777 == 0o700
        line = each.spec.command
        assert (command.read_text() if command.exists() else None) == (line and f"{line}\n")


async def test_new_folders_are_made_by_a_few_programs(home: Path, record: JobRecord) -> None:
    jobs = _beside(home, record)
    (home / "bin").mkdir()
    for name in ("mktemp", "mv", "chmod"):
        fails = home / "bin" / name
        fails.write_text("#!/bin/sh\nexit 9\n")
        fails.chmod(0o755)
    (home / "jobs").mkdir(mode=0o700)
    program, data = folder.make_all([(each, ()) for each in jobs])
    without = Shell(f"PATH={quote(str(home))}/bin:$PATH\n{program}")
    assert await LocalSite(home).run(without, data) == Completed(0, "", "")
    assert (Path(jobs[2].folder) / layout.COMMAND).read_text() == "true\n\nfalse\n"


@pytest.mark.parametrize("at", [0, 2])
async def test_if_one_folder_is_there_all_are_as_they_should_be(home: Path, record: JobRecord, at: int) -> None:
    site, jobs = LocalSite(home), _beside(home, record)
    there = Path(jobs[at].folder)
    await made(site, jobs[at])
    (there / "mine").touch()
    (there / layout.COMMAND).write_text("older")
    assert await site.run(*folder.make_all([(each, ()) for each in jobs])) == Completed(0, "", "")
    for each in jobs:
        command = Path(each.folder) / layout.COMMAND
        assert [path.stat().st_mode & 0o777 for path in (command.parent, command.parent.parent)] == [0o700] * 2
        line = each.spec.command
        assert (command.read_text() if command.exists() else None) == (line and f"{line}\n")
    assert (there / "mine").exists()


@pytest.mark.parametrize("lacks", [1, 9])
async def test_what_has_not_come_whole_fails_and_is_made_anew(home: Path, record: JobRecord, lacks: int) -> None:
    site, jobs = LocalSite(home), _beside(home, record)
    program, data = folder.make_all([(each, ()) for each in jobs])
    assert (await site.run(program, data[:-lacks])).status == 1
    assert await site.run(program, data) == Completed(0, "", "")
    assert (Path(jobs[2].folder) / layout.COMMAND).read_text() == "true\n\nfalse\n"


async def test_it_ends_at_a_folder_that_cannot_be_made(home: Path, record: JobRecord) -> None:
    site, jobs = LocalSite(home), _beside(home, record)
    (home / "jobs").mkdir(mode=0o700)
    Path(jobs[1].folder).symlink_to(home)
    answer = await site.run(*folder.make_all([(each, ()) for each in jobs]))
    assert folder.is_strange(answer)
    assert not Path(jobs[2].folder).exists()


async def test_it_is_told_which_files_are_not_there(home: Path, record: JobRecord) -> None:
    site, names = LocalSite(home), ("it's", "-n", "sub/a b", "there")
    await made(site, record)
    (Path(record.folder) / "there").touch()
    assert folder.lacking(await made(site, record, *names), names) == names[:3]


async def test_inputs_of_another_job_are_copied_where_they_are_still_there(home: Path, record: JobRecord) -> None:
    site, names = LocalSite(home), ("it's", "sub/a b", "gone", "link", "there")
    first = Path(record.folder)
    await made(site, record)
    (first / "sub").mkdir()
    for name in ("it's", "sub/a b", "there"):
        (first / name).write_text(name)
    (first / "link").symlink_to("/etc/passwd")
    again = replace(
        record,
        job_id="ba9876543210",
        folder=f"{home}/jobs/ba9876543210",
        spec=replace(record.spec, inputs=names, inputs_of=record.job_id),
    )
    await made(site, replace(again, spec=record.spec))
    (Path(again.folder) / "there").write_text("sent anew")
    for _ in range(2):
        assert folder.lacking(await made(site, again, *names), names) == ("gone", "link")
    found = [(Path(again.folder) / name).read_text() for name in ("it's", "sub/a b", "there")]
    assert found == ["it's", "sub/a b", "sent anew"]


@pytest.mark.parametrize("what", ["link", "file", "ours"])
async def test_a_folder_is_not_made_where_something_else_is(home: Path, record: JobRecord, what: str) -> None:
    site, path = LocalSite(home), Path(record.folder)
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    path.parent.mkdir(mode=0o700)
    match what:
        case "link":
            path.symlink_to(elsewhere)
        case "file":
            path.touch()
        case "ours":
            path.mkdir()
            (path / layout.OURS).symlink_to(elsewhere)
    answer = await made(site, record)
    assert answer.status
    assert isinstance(folder.not_made(record, "Geneva", answer), Refused)
    assert not list(elsewhere.iterdir())


async def test_a_folder_of_jobs_that_others_may_enter_is_not_used(home: Path, record: JobRecord) -> None:
    Path(record.folder).parent.mkdir()
    Path(record.folder).parent.chmod(0o755)
    answer = await made(LocalSite(home), record)
    assert "0700" in folder.not_made(record, "Geneva", answer).message


async def test_a_folder_that_is_made_several_times_at_once_is_made(home: Path, record: JobRecord) -> None:
    """As while several files come, and the job is about to be sent."""
    (home / "jobs").mkdir(mode=0o700)
    before = home / "jobs/ba9876543210"
    before.mkdir()
    (before / "in").write_text("x" * 100_000)
    record = replace(record, spec=replace(record.spec, inputs=("in",), inputs_of=before.name))
    answers = await asyncio.gather(*(made(LocalSite(home), record, "in") for _ in range(16)))
    assert [(answer.status, answer.stdout) for answer in answers] == [(0, "")] * 16
    assert (Path(record.folder) / layout.COMMAND).read_text() == f"{record.spec.command}\n"
    assert (Path(record.folder) / "in").read_text() == "x" * 100_000
    assert [each.name for each in (Path(record.folder) / layout.OURS).iterdir()] == ["command"]


@pytest.mark.parametrize("words", ["No space left on device", "Disk quota exceeded"])
async def test_a_folder_for_which_there_is_no_space_is_told_with_the_sites_words(
    home: Path, record: JobRecord, words: str
) -> None:
    """Of programs that say what theirs say on a full disk."""
    (home / "mkdir").write_text(f"#!/bin/sh\necho 'mkdir: cannot create directory: {words}' >&2\nexit 1\n")
    (home / "mkdir").chmod(0o755)
    program, data = folder.make(record, ())
    answer = await LocalSite(home).run(Shell(f"PATH={quote(str(home))}:$PATH\n{program}"), data)
    told = folder.not_made(record, "Geneva", answer)
    assert isinstance(told, folder.FolderFull)
    assert f"Geneva: mkdir: cannot create directory: {words}. Delete files" in told.message


async def test_a_command_that_came_half_is_not_kept(home: Path, record: JobRecord) -> None:
    site = LocalSite(home)
    program, data = folder.make(record, ())
    assert (await site.run(program, data[:5])).status
    assert not (Path(record.folder) / layout.COMMAND).exists()


async def test_what_jobs_have_left_is_read_in_one_exchange(home: Path, record: JobRecord) -> None:
    site = LocalSite(home)
    others = {"gone": "0" * 12, "began": "1" * 12, "odd": "2" * 12}
    records = [record] + [
        replace(record, job_id=job_id, folder=f"{home}/jobs/{job_id}") for job_id in others.values()
    ]
    for each in records:
        if each.job_id != others["gone"]:
            await made(site, each)
    path = Path(record.folder)
    (path / layout.STARTED).write_text("17\n")
    (path / layout.END).write_text("17 7 1772449506\n")
    (path / layout.STDERR).write_text("x" * 5000 + "\n\x1b[31mlast | words\x1b[0m\n")
    Path(records[2].folder, layout.STARTED).write_text("18\n")
    os.utime(Path(records[2].folder, layout.STARTED), (NOW.timestamp(),) * 2)
    Path(records[3].folder, layout.STARTED).write_text("no; number $(id)\n")
    Path(records[3].folder, layout.END).write_text("17 0\n18 1 1772449506\n")
    before = site.exchanges
    found = folder.read_left((await site.run(folder.left(records))).stdout)
    assert site.exchanges == before + 1
    assert found[others["gone"]] == Left(False)
    began = found[others["began"]]
    assert replace(began, since=None) == Left(True, "18")
    assert began.since == NOW
    assert replace(found[others["odd"]], since=None) == Left(True)
    mine = found[record.job_id]
    assert (mine.started, mine.end and (mine.end.native_id, mine.end.status)) == ("17", ("17", 7))
    assert mine.log.endswith("last | words")
    assert len(mine.log) < 2000


def _text(path: Path) -> None:
    path.write_text("no; number $(id)\n")


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _old(path: Path) -> None:
    path.write_text("17\n")
    os.utime(path, (-5, -5))


@pytest.mark.parametrize("name", [layout.STARTED, layout.END, layout.STDERR])
@pytest.mark.parametrize("spoilt", [_text, _pipe, _old])
async def test_what_its_owner_put_into_its_place_does_not_keep_a_job_from_its_end(
    home: Path, record: JobRecord, name: str, spoilt: Callable[[Path], None]
) -> None:
    site = LocalSite(home)
    await made(site, record)
    Path(record.folder, layout.END).write_text("17 7 1772449506\n")
    spoilt(Path(record.folder, name))
    async with asyncio.timeout(60):
        found = folder.read_left((await site.run(folder.left([record]))).stdout)
    assert found[record.job_id].has_folder
    if name != layout.END:
        assert found[record.job_id].end is not None


async def test_a_folder_is_removed_and_nothing_else(home: Path, record: JobRecord) -> None:
    site, path = LocalSite(home), Path(record.folder)
    assert (await site.run(folder.remove(record))).status == 0
    await made(site, record)
    (path / "sub").mkdir()
    outside = home / "kept"
    outside.mkdir()
    (outside / "file").touch()
    (path / "sub" / "link").symlink_to(outside)
    assert (await site.run(folder.remove(record))).status == 0
    assert not path.exists()
    assert (outside / "file").exists()
    assert (await site.run(folder.remove(record))).status == 0


async def test_folders_that_are_closed_to_their_owner_are_removed_with_all_in_them(
    home: Path, record: JobRecord
) -> None:
    site, path = LocalSite(home), Path(record.folder)
    await made(site, record)
    outside = home / "kept"
    outside.mkdir(mode=0o500)
    for mode in (0o500, 0o000, 0o200):
        (path / f"{mode:o}" / "-deep\n").mkdir(parents=True)
        (path / f"{mode:o}" / "-deep\n" / "file").touch()
        (path / f"{mode:o}" / "link").symlink_to(outside)
        (path / f"{mode:o}" / "-deep\n").chmod(mode)
        (path / f"{mode:o}").chmod(mode)
    removed = await asyncio.create_subprocess_exec(*_UNPRIVILEGED, "sh", "-c", folder.remove(record))
    assert await removed.wait() == 0
    assert not path.exists()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o500


async def test_a_link_in_the_place_of_a_folder_is_left_alone(home: Path, record: JobRecord) -> None:
    site, path = LocalSite(home), Path(record.folder)
    outside = home / "kept"
    outside.mkdir()
    (outside / "file").touch()
    path.parent.mkdir(mode=0o700)
    path.symlink_to(outside)
    answer = await site.run(folder.remove(record))
    assert folder.is_strange(answer)
    assert (outside / "file").exists()
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(outside)
    (outside / record.job_id).mkdir()
    assert folder.is_strange(await site.run(folder.remove(record)))
    assert (outside / record.job_id).exists()
