import os
import time

import pytest
from krb_caches import cache

from kerberos_auth import holds
from kerberos_auth.holds import Holds
from kerberos_auth.store import TicketStore

FILE = ".hold-jobs"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes owners, so it needs root")


@pytest.fixture
def store(tmp_path):
    store = TicketStore(tmp_path / "krb5", "LAB.TEST")
    yield store
    store.close()


@pytest.fixture
def written(store):
    """Holds of another process."""
    return Holds(store.folder)


@pytest.fixture
def read(store):
    return Holds(store.folder)


def write(store, data):
    path = store.folder / FILE
    path.touch(0o600)
    path.write_bytes(data)
    return path


def test_whoever_is_held_is_read_beside_the_tickets_and_is_no_ticket(store, written, read):
    assert read.users() == frozenset()
    written.put(["bob", "alice", "bob"])
    assert read.users() == {"alice", "bob"}
    path = store.folder / FILE
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("alice\nbob\n", 0o600)
    store.put("alice", cache(), "alice@LAB.TEST")
    assert store.users() == ["alice"]
    assert store.sweep() == {}
    assert read.users() == {"alice", "bob"}


def test_each_list_replaces_the_one_before(store, written, read):
    written.put(["alice", "bob"])
    before = (store.folder / FILE).stat().st_ino
    written.put(["bob"])
    assert read.users() == {"bob"}
    assert (store.folder / FILE).stat().st_ino != before
    written.put([])
    assert read.users() == frozenset()
    assert [path.name for path in store.folder.iterdir()] == [FILE]


@pytest.mark.parametrize("hours", [25, -25])
def test_a_list_that_nobody_writes_any_more_holds_nobody(store, written, read, hours):
    written.put(["alice"])
    then = time.time() - hours * 3600
    os.utime(store.folder / FILE, (then, then))
    assert read.users() == frozenset()
    written.put(["alice"])
    assert read.users() == {"alice"}


ODD = [b"", b"..", b"/etc/passwd", b"../bob", b"ALICE", b" bob", b"bob ", b"b\0ob", b"bob\r", b"\xff\xfe", b".bob"]


def test_odd_lines_are_passed_over(store, written, read):
    write(store, b"\n".join([b"alice", *ODD, b"\xc2\x85bob", b"x" * 100_000, b"carol"]))
    assert read.users() == {"alice", "carol"}
    written.put(["alice", "../bob", "bob\ncarol", "", "\udcff"])
    assert (store.folder / FILE).read_text() == "alice\n"


def test_of_a_list_without_end_only_the_beginning_is_read_and_no_half_name(store, read, monkeypatch):
    monkeypatch.setattr(holds, "_MOST_BYTES", 12)
    write(store, b"alice\ncarola\n" + b"dave\n" * 10)
    assert read.users() == {"alice"}
    path = write(store, b"alice\n")
    os.truncate(path, 1 << 40)
    assert read.users() == {"alice"}


def plant_link(path):
    (path.parent / ".other").write_text("alice\n")
    path.symlink_to(".other")


def plant_open_mode(path):
    path.write_text("alice\n")
    path.chmod(0o622)


def plant_foreign(path):
    path.write_text("alice\n")
    path.chmod(0o600)
    os.chown(path, 4000, -1)


PLANTS = [
    plant_link,
    plant_open_mode,
    pytest.param(plant_foreign, marks=as_root),
    lambda path: os.mkfifo(path, 0o600),
    lambda path: path.mkdir(0o700),
    pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device"),
]


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_no_private_file_holds_nobody_and_is_told_once(store, read, plant, caplog):
    plant(store.folder / FILE)
    for _ in range(3):
        assert read.users() == frozenset()
    assert caplog.text.count("Whose tickets are held") == 1


def test_a_list_that_cannot_be_read_now_changes_nothing_for_a_day(store, written):
    now = time.time()
    read = Holds(store.folder, lambda: now)
    written.put(["alice"])
    assert read.users() == {"alice"}
    (store.folder / FILE).unlink()
    (store.folder / FILE).mkdir()
    assert read.users() == {"alice"}
    now += 25 * 3600
    assert read.users() == frozenset()


def test_a_list_that_was_removed_holds_nobody(store, written, read):
    written.put(["alice"])
    assert read.users() == {"alice"}
    (store.folder / FILE).unlink()
    assert read.users() == frozenset()


def test_what_a_killed_writer_left_is_in_nobodys_way(store, written, read):
    os.mkfifo(store.folder / ".hold-jobs-new")
    written.put(["alice"])
    assert read.users() == {"alice"}
    assert [path.name for path in store.folder.iterdir()] == [FILE]


def test_a_list_that_could_not_be_written_leaves_nothing_behind(store, written):
    (store.folder / FILE).mkdir()
    with pytest.raises(OSError, match="directory"):
        written.put(["alice"])
    assert [path.name for path in store.folder.iterdir()] == [FILE]
