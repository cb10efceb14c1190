import os
import stat
from pathlib import Path

import pytest

from kernels.fragment import Fragment
from kernels.shell import Shell
from slurm_ssh import delivery, sentences
from slurm_ssh.delivery import CopyDelivery, Delivered, NoDelivery, Run
from slurm_ssh.delivery.protocol import put
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.transport import Completed
from tests.support import builders, shells
from tests.support.local import LocalSite

TICKET = b"\x05\x04" + bytes(range(256))
ID = builders.LAUNCH_ID


@pytest.fixture
def site(tmp_path: Path) -> LocalSite:
    return LocalSite(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "it's $HOME" / "alice" / "tickets"


def _copy(folder: Path | str) -> CopyDelivery:
    return CopyDelivery("Geneva", str(folder).replace("/alice/", "/{owner}/"))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def _place(run: Run, folder: Path | str, launch_id: str = ID, ticket: bytes = TICKET) -> Fragment:
    """Do what a submission does, in an exchange of its own; return what the job gets."""
    delivered = await _copy(folder).place(run, "alice", launch_id, ticket)
    assert delivered.placing
    await put(run, delivered.placing)
    return delivered.fragment


async def _refusal(site: LocalSite, folder: Path | str) -> str:
    with pytest.raises(Refused) as refused:
        await _place(site.run, folder)
    return refused.value.message


async def test_a_ticket_is_a_private_file_in_a_private_folder(site: LocalSite, folder: Path) -> None:
    await _place(site.run, folder)
    (path,) = folder.iterdir()
    assert path.read_bytes() == TICKET
    assert (_mode(folder), _mode(path)) == (0o700, 0o600)


async def test_the_job_is_told_where_its_ticket_is_and_removes_it(site: LocalSite, folder: Path) -> None:
    fragment = await _place(site.run, folder)
    path = folder / f"{ID}.ccache"
    assert fragment.environ == {"KRB5CCNAME": f"FILE:{path}"}
    assert path.exists()
    shells.bash(fragment.after)
    assert not path.exists()


async def test_every_owner_has_a_folder(site: LocalSite, tmp_path: Path) -> None:
    await _place(site.run, tmp_path / "{owner}" / "tickets")
    assert (tmp_path / "alice" / "tickets" / f"{ID}.ccache").exists()


async def test_a_newer_ticket_takes_the_place_of_the_older_one_by_rename(site: LocalSite, folder: Path) -> None:
    await _place(site.run, folder, ticket=b"old")
    path = folder / f"{ID}.ccache"
    with path.open("rb") as reader:
        assert await _copy(folder).renew(site.run, "alice", ID, TICKET) == ""
        assert reader.read() == b"old"
    assert path.read_bytes() == TICKET
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o770, 0o1777])
async def test_a_folder_that_others_may_enter_is_refused(site: LocalSite, folder: Path, mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert await _refusal(site, folder) == sentences.TICKET_FOLDER_OPEN.format(folder=folder, site="Geneva")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("mode", [0o700, 0o2700])
async def test_a_private_folder_that_exists_is_used(site: LocalSite, folder: Path, mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    await _place(site.run, folder)
    assert [path.read_bytes() for path in folder.iterdir()] == [TICKET]


@pytest.mark.parametrize("end", ["", "/", "//"])
async def test_a_link_to_a_folder_is_refused(site: LocalSite, folder: Path, tmp_path: Path, end: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(elsewhere)
    said = sentences.TICKET_FOLDER_FOREIGN.format(folder=folder, site="Geneva")
    assert await _refusal(site, f"{folder}{end}") == said
    assert not list(elsewhere.iterdir())


async def test_a_folder_of_somebody_else_is_refused(site: LocalSite, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    if os.geteuid():
        folder = Path("/usr/bin")
    else:
        os.chown(folder, 65534, 65534)
    assert await _refusal(site, folder) == sentences.TICKET_FOLDER_FOREIGN.format(folder=folder, site="Geneva")


async def test_a_folder_below_somebody_elses_or_one_that_others_write_to_is_refused(
    site: LocalSite, folder: Path
) -> None:
    folder.parent.parent.mkdir(mode=0o777)
    folder.parent.parent.chmod(0o777)
    said = sentences.TICKET_FOLDER_REPLACEABLE.format(folder=folder.parent.parent, site="Geneva")
    assert await _refusal(site, folder) == said


async def test_a_folder_that_is_everybodys_is_not_made_by_the_first(site: LocalSite, tmp_path: Path) -> None:
    assert "could not be put into" in await _refusal(site, tmp_path / "tickets")


async def test_a_file_in_place_of_the_folder_is_refused(site: LocalSite, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    assert "could not be put into" in await _refusal(site, folder)


async def test_a_refusal_names_the_folder_and_the_site(site: LocalSite) -> None:
    message = await _refusal(site, "/proc/{owner}")
    assert message.startswith("Your ticket could not be put into /proc/alice at Geneva: ")
    assert "No such file or directory" in message


async def test_a_ticket_that_could_not_be_written_leaves_nothing(site: LocalSite, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / f"{ID}.ccache.new").symlink_to("/dev/full")
    assert "No space left on device" in await _refusal(site, folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("arrived", [0, 1, len(TICKET) - 1])
async def test_a_ticket_cut_off_on_its_way_takes_no_place(site: LocalSite, folder: Path, arrived: int) -> None:
    await _place(site.run, folder, ticket=b"old")

    async def cut(program: Shell, data: bytes) -> Completed:
        return await site.run(program, data[:arrived])

    with pytest.raises(Refused, match="exit status 1"):
        await _place(cut, folder)
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [(f"{ID}.ccache", b"old")]


async def test_nothing_is_sent_before_the_submission_and_the_ticket_is_in_no_repr(
    site: LocalSite, folder: Path
) -> None:
    delivered = await _copy(folder).place(site.run, "alice", ID, b"5ec4e7")
    assert site.exchanges == 0
    assert delivered.placing
    assert delivered.placing.data == b"5ec4e7"
    assert "5ec4e7" not in repr(delivered)


async def test_what_follows_the_ticket_is_left_for_the_next_step(site: LocalSite, folder: Path) -> None:
    delivered = await _copy(folder).place(site.run, "alice", ID, TICKET)
    assert delivered.placing
    answer = await site.run(Shell(f"({delivered.placing.program}) && cat"), TICKET + b"next")
    assert answer.stdout == "next"


async def test_a_released_ticket_is_removed_and_the_others_stay(site: LocalSite, folder: Path) -> None:
    place = _copy(folder)
    for launch_id in (ID, "ffffffffffff"):
        await _place(site.run, folder, launch_id)
    for _ in range(2):
        await place.release(site.run, "alice", ID)
    assert [path.name for path in folder.iterdir()] == ["ffffffffffff.ccache"]


async def test_without_delivery_nothing_is_written(site: LocalSite, tmp_path: Path) -> None:
    assert await NoDelivery().place(site.run, "alice", ID, TICKET) == Delivered()
    assert await NoDelivery().renew(site.run, "alice", ID, TICKET) == ""
    await NoDelivery().release(site.run, "alice", ID)
    assert not list(tmp_path.iterdir())


def test_the_catalogue_names_the_delivery() -> None:
    none = builders.catalogue(sites={"geneva": builders.site(ticket={"delivery": "none"})}).sites["geneva"]
    copy = builders.catalogue().sites["geneva"]
    assert isinstance(delivery.of(none), NoDelivery)
    assert isinstance(delivery.of(copy), CopyDelivery)
