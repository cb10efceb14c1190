import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from krb_caches import cache, credential

from kerberos_auth import gss
from kerberos_auth.errors import AuthFailed, BadTicket, NameRefused, TicketExpired, TicketMissing
from kerberos_auth.reader import TicketReader
from kerberos_auth.store import TicketStore

ALICE = "alice@LAB.TEST"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes owners, so it needs root")


@pytest.fixture
def store(tmp_path):
    return TicketStore(tmp_path / "krb5", "LAB.TEST")


def files(folder):
    return [path.name for path in folder.iterdir()]


def put(store, **facts):
    return store.put("alice", cache(credential(**facts)), ALICE)


def test_what_was_put_is_what_is_got(store):
    end = int(time.time()) + 100
    ticket = put(store, end=end)
    assert store.get("alice") == ticket
    assert (ticket.user, ticket.principal, ticket.end) == ("alice", ALICE, end)
    assert ticket.ccache == f"FILE:{store.folder}/alice"
    assert store.read("alice") == ticket.path.read_bytes()
    assert store.users() == ["alice"]


def test_folder_and_files_are_private(store):
    path = put(store).path
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_default_realm_is_that_of_krb5_conf(realm, tmp_path):
    assert TicketStore(tmp_path / "krb5").realm == "LAB.TEST"


def test_a_second_login_replaces_the_ticket(store):
    now = int(time.time())
    put(store, end=now + 100)
    put(store, end=now + 200)
    assert store.get("alice").end == now + 200
    assert files(store.folder) == ["alice"]


def test_a_ticket_survives_a_restart_of_the_hub(store):
    ticket = put(store)
    store.close()
    assert TicketStore(store.folder, "LAB.TEST").get("alice") == ticket


def test_nobody_has_no_ticket(store):
    with pytest.raises(TicketMissing, match="Log in again"):
        store.get("alice")
    store.remove("alice")


def test_a_removed_ticket_is_missing(store):
    put(store)
    store.remove("alice")
    with pytest.raises(TicketMissing):
        store.read("alice")


def test_an_expired_ticket_says_so(store):
    with pytest.raises(TicketExpired):
        put(store, end=int(time.time()))
    put(store, end=int(time.time()) + 100).path.write_bytes(cache(credential(end=int(time.time()) - 1)))
    for look in (store.get, store.read):
        with pytest.raises(TicketExpired) as refusal:
            look("alice")
        assert refusal.value.message == "Your Kerberos ticket has expired. Log in again."


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../alice", "a/b", "ALICE", "alice\0", "/etc/passwd", "x" * 10_000, "\udcff", ".new"],
)
def test_odd_names_touch_no_file(store, name):
    with pytest.raises(NameRefused):
        store.put(name, cache(), ALICE)
    for look in (store.get, store.read):
        with pytest.raises(TicketMissing):
            look(name)
    store.remove(name)
    assert files(store.folder) == []


@pytest.mark.parametrize("owner", ["bob@LAB.TEST", "alice@OTHER", "alice/admin@LAB.TEST", "ALICE@LAB.TEST"])
def test_somebody_elses_ticket_is_refused_at_every_load(store, owner):
    realm = owner.rpartition("@")[2]
    data = cache(credential(owner, f"krbtgt/{realm}@{realm}"), owner=owner)
    with pytest.raises(BadTicket):
        store.put("alice", data, owner)
    put(store).path.write_bytes(data)
    for look in (store.get, store.read):
        with pytest.raises(BadTicket):
            look("alice")


def test_a_ticket_of_another_principal_than_asked_for_is_refused(store):
    with pytest.raises(BadTicket):
        store.put("alice", cache(), "alice@OTHER")


def plant_link(path: Path) -> None:
    other = path.parent / ".other"
    other.write_bytes(cache())
    other.chmod(0o600)
    path.symlink_to(".other")


def plant_second_name(path: Path) -> None:
    path.write_bytes(cache())
    path.chmod(0o600)
    (path.parent / ".other").hardlink_to(path)


def plant_open_mode(path: Path) -> None:
    path.write_bytes(cache())
    path.chmod(0o640)


def plant_sparse(path: Path) -> None:
    path.touch(0o600)
    os.truncate(path, 2 << 30)


def plant_garbage(path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(os.urandom(500))


@pytest.mark.parametrize(
    "plant",
    [
        plant_link,
        plant_second_name,
        plant_open_mode,
        plant_sparse,
        plant_garbage,
        lambda path: os.mkfifo(path, 0o600),
        lambda path: path.mkdir(0o700),
        lambda path: path.touch(0o600),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="device"),
    ],
)
def test_what_is_no_private_file_is_a_bad_ticket(store, plant):
    plant(store.folder / "alice")
    for look in (store.get, store.read):
        with pytest.raises(BadTicket, match="cannot be used"):
            look("alice")


@as_root
def test_a_file_of_another_owner_is_a_bad_ticket(store):
    os.chown(put(store).path, 4000, -1)
    with pytest.raises(BadTicket):
        store.get("alice")


def test_refusals_leave_no_descriptor_open(store):
    plant_garbage(store.folder / "alice")
    before = len(files(Path("/proc/self/fd")))
    for _ in range(50):
        with pytest.raises(BadTicket):
            store.get("alice")
    assert len(files(Path("/proc/self/fd"))) == before


def test_readers_never_see_half_a_ticket(store):
    data = cache(credential(ticket=bytes(60_000)))
    store.put("alice", data, ALICE)
    stop = threading.Event()

    def log_in_again():
        while not stop.is_set():
            store.put("alice", data, ALICE)

    writers = [threading.Thread(target=log_in_again) for _ in range(2)]
    for writer in writers:
        writer.start()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert store.read("alice") == data
    stop.set()
    for writer in writers:
        writer.join()
    assert files(store.folder) == ["alice"]


def test_a_service_ticket_being_appended_is_not_delivered_in_half(store):
    ticket = put(store)
    whole = store.read("alice")
    service = credential(server="host/login1.lab.test@LAB.TEST")
    with ticket.path.open("ab") as file:
        file.write(service[:50])
        file.flush()
        assert store.read("alice") == whole
        file.write(service[50:])
    assert store.read("alice") == whole + service


def test_libkrb5_appends_a_service_ticket_and_the_store_goes_on(realm, tmp_path):
    store = TicketStore(tmp_path / "krb5")
    ticket = store.put("alice", gss.acquire(ALICE, "alice-pw", store.folder, ""), ALICE)
    size = ticket.path.stat().st_size
    subprocess.run(["kvno", "-c", ticket.ccache, "host/hub.lab.test"], check=True, capture_output=True)
    assert ticket.path.stat().st_size > size
    assert store.get("alice") == ticket
    assert len(store.read("alice")) == ticket.path.stat().st_size


def test_a_killed_hub_leaves_nothing_after_the_next_start(store):
    put(store)
    (store.folder / ".new-0123").write_bytes(b"half")
    assert store.users() == ["alice"]
    store.sweep()
    assert files(store.folder) == ["alice"]


def test_a_start_removes_tickets_of_no_use_and_tells_why(store):
    put(store)
    plant_garbage(store.folder / "bob")
    store.put("carol", cache(owner="carol@LAB.TEST"), "carol@LAB.TEST").path.write_bytes(cache())
    expired = cache(credential("dave@LAB.TEST", end=int(time.time()) - 2 * 86400), owner="dave@LAB.TEST")
    store.put("dave", cache(owner="dave@LAB.TEST"), "dave@LAB.TEST").path.write_bytes(expired)
    (store.folder / "eve").mkdir()
    told = store.sweep()
    assert sorted(told) == ["bob", "carol", "dave", "eve"]
    assert isinstance(told["bob"], BadTicket)
    assert store.users() == ["alice", "eve"]
    assert store.sweep().keys() == {"eve"}


def test_a_start_with_a_clock_that_is_an_hour_ahead_removes_no_ticket(store, monkeypatch):
    ticket = store.put("alice", cache(credential(end=int(time.time()) + 1800)), ALICE)
    with monkeypatch.context() as patch:
        now = time.time() + 3600
        patch.setattr(time, "time", lambda: now)
        assert store.sweep() == {}
    assert store.get("alice") == ticket


def test_whoever_subscribed_hears_of_every_new_ticket_and_of_nothing_else(store, caplog):
    heard = []
    store.subscribe(lambda user: heard.append((user, store.get(user).end)))
    store.subscribe(lambda _user: 1 / 0)
    store.subscribe(heard.append)
    end = put(store).end
    assert heard == [("alice", end), "alice"]
    with pytest.raises(BadTicket):
        store.put("alice", b"", ALICE)
    store.remove("alice")
    assert len(heard) == 2
    assert "After alice's new ticket" in caplog.text


def open_store(folder):
    script = f"""
import sys
from pathlib import Path
from kerberos_auth.store import TicketStore
TicketStore(Path({str(folder)!r}), "LAB.TEST")
print("open", flush=True)
sys.stdin.read()
"""
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_hub_on_the_folder_is_refused_until_the_first_is_dead(tmp_path):
    folder = tmp_path / "krb5"
    with open_store(folder) as first:
        assert first.stdout.readline() == "open\n"
        with pytest.raises(AuthFailed, match="cannot be used: another hub uses it"):
            TicketStore(folder, "LAB.TEST")
        first.kill()
    TicketStore(folder, "LAB.TEST")
    with open_store(folder) as second:
        assert "another hub uses it" in second.communicate()[1]


def test_a_reader_beside_a_hub_is_never_refused(tmp_path):
    folder = tmp_path / "krb5"
    with open_store(folder) as hub:
        assert hub.stdout.readline() == "open\n"
        readers = [TicketReader(folder, "LAB.TEST") for _ in range(3)]
        with pytest.raises(AuthFailed, match="another hub uses it"):
            TicketStore(folder, "LAB.TEST")
        hub.kill()
    store = TicketStore(folder, "LAB.TEST")
    put(store)
    for reader in readers:
        assert reader.get("alice") == store.get("alice")
        reader.close()
    store.close()


@as_root
def test_a_full_disk_keeps_the_old_ticket(tmp_path):
    # A mount namespace of its own, so that the full disk is a real one.
    script = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from krb_caches import cache, credential
from kerberos_auth.errors import AuthFailed
from kerberos_auth.store import TicketStore
store = TicketStore(Path({str(tmp_path)!r}) / "disk/krb5", "LAB.TEST")
old = store.put("alice", cache(), "alice@LAB.TEST")
try:
    store.put("alice", cache(credential(ticket=bytes(200_000))), "alice@LAB.TEST")
except AuthFailed as error:
    print(error.message)
assert store.get("alice") == old
assert [path.name for path in store.folder.iterdir()] == ["alice"]
"""
    (tmp_path / "disk").mkdir()
    (tmp_path / "script.py").write_text(script)
    mount = 'mount -t tmpfs -o size=64k,mode=755 tmpfs "$1" && exec "$2" "$3"'
    out = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            mount,
            "sh",
            tmp_path / "disk",
            sys.executable,
            tmp_path / "script.py",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out == "Your ticket could not be stored. Contact the administrators.\n"


def test_missing_parents_are_made(tmp_path):
    TicketStore(tmp_path / "run" / "jupyterhub" / "krb5", "LAB.TEST")
    assert (tmp_path / "run/jupyterhub/krb5").stat().st_mode & 0o777 == 0o700


def test_a_link_above_the_folder_is_resolved_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")
    assert TicketStore(tmp_path / "run" / "krb5", "LAB.TEST").folder == tmp_path / "real" / "krb5"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o770, 0o701, 0o1700])
def test_a_folder_that_is_not_private_is_refused(tmp_path, mode):
    folder = tmp_path / "krb5"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(AuthFailed, match="with mode 0700"):
        TicketStore(folder, "LAB.TEST")


def test_a_linked_folder_and_a_file_are_refused(tmp_path):
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(AuthFailed, match="symbolic link or not a folder"):
            TicketStore(tmp_path / name, "LAB.TEST")


def test_a_parent_that_others_may_write_to_is_refused_unless_sticky(tmp_path):
    parent = tmp_path / "open"
    parent.mkdir()
    for mode in (0o777, 0o775):
        parent.chmod(mode)
        with pytest.raises(AuthFailed, match="other users may write"):
            TicketStore(parent / "krb5", "LAB.TEST")
    parent.chmod(0o1777)
    TicketStore(parent / "krb5", "LAB.TEST")


@as_root
def test_a_folder_or_parent_of_another_owner_is_refused(tmp_path):
    (tmp_path / "krb5").mkdir(0o700)
    os.chown(tmp_path / "krb5", 4000, -1)
    with pytest.raises(AuthFailed, match="must belong to uid 0"):
        TicketStore(tmp_path / "krb5", "LAB.TEST")
    with pytest.raises(AuthFailed, match="belongs to uid 4000"):
        TicketStore(tmp_path / "krb5" / "below", "LAB.TEST")


def test_a_mark_stays_with_the_ticket_and_goes_with_it(store):
    store.put("alice", cache(), "alice@LAB.TEST")
    store.mark("alice")
    store.put("alice", cache(), "alice@LAB.TEST")
    assert store.marked() == {"alice"}
    store.unmark("alice")
    store.unmark("alice")
    assert store.marked() == set()
    store.mark("alice")
    assert store.users() == ["alice"]
    store.remove("alice")
    assert store.marked() == set()
    assert list(store.folder.iterdir()) == []


def test_a_mark_without_a_ticket_is_swept(store):
    store.mark("alice")
    store.mark("../alice")
    assert store.sweep() == {}
    assert list(store.folder.iterdir()) == []
    assert not (store.folder.parent / "alice").exists()
