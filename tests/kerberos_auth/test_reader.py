import subprocess
import time

import pytest
from krb_caches import cache, credential

from kerberos_auth import gss
from kerberos_auth.errors import AuthFailed, BadTicket, TicketExpired, TicketMissing
from kerberos_auth.reader import TicketReader
from kerberos_auth.store import TicketStore

ALICE = "alice@LAB.TEST"


@pytest.fixture
def store(tmp_path):
    return TicketStore(tmp_path / "krb5", "LAB.TEST")


def put(store, **facts):
    return store.put("alice", cache(credential(**facts)), ALICE)


def test_what_a_store_keeps_is_read_beside_it(store):
    reader = TicketReader(store.folder, "LAB.TEST")
    with pytest.raises(TicketMissing, match="Log in again"):
        reader.get("alice")
    ticket = put(store)
    assert reader.get("alice") == ticket
    assert reader.read("alice") == store.read("alice")
    assert reader.users() == ["alice"]
    later = put(store, end=int(time.time()) + 5000)
    assert reader.get("alice").end == later.end
    store.remove("alice")
    with pytest.raises(TicketMissing):
        reader.get("alice")
    reader.close()


def test_a_stamp_says_when_to_look_again(store):
    reader = TicketReader(store.folder, "LAB.TEST")
    assert reader.stamp("alice") is None
    path = put(store).path
    first = reader.stamp("alice")
    assert first == (path.stat().st_ino, path.stat().st_mtime_ns)
    store.get("alice")
    assert reader.stamp("alice") == first
    put(store)
    assert reader.stamp("alice") not in {first, None}
    store.remove("alice")
    assert reader.stamp("alice") is None
    for odd in ("..", "/etc/passwd", "", "a\0b", "\udcff", ".hold-jobs"):
        assert reader.stamp(odd) is None
    reader.close()


def test_a_service_ticket_that_libkrb5_keeps_changes_the_stamp_and_no_ticket(realm, tmp_path):
    store = TicketStore(tmp_path / "krb5")
    ticket = store.put("alice", gss.acquire(ALICE, "alice-pw", store.folder, ""), ALICE)
    reader = TicketReader(store.folder)
    first, known = reader.stamp("alice"), reader.get("alice")
    subprocess.run(["kvno", "-c", ticket.ccache, "host/hub.lab.test"], check=True, capture_output=True)
    assert reader.stamp("alice") != first
    assert reader.get("alice") == known
    reader.close()
    store.close()


def test_a_reader_keeps_no_store_from_its_folder(store):
    store.close()
    reader = TicketReader(store.folder, "LAB.TEST")
    TicketStore(store.folder, "LAB.TEST").close()
    reader.close()


def test_an_expired_ticket_says_so(store):
    put(store).path.write_bytes(cache(credential(end=int(time.time()) - 1)))
    reader = TicketReader(store.folder, "LAB.TEST")
    with pytest.raises(TicketExpired):
        reader.get("alice")
    reader.close()


def test_a_folder_that_is_missing_is_not_made(tmp_path):
    with pytest.raises(AuthFailed, match=r"krb5"):
        TicketReader(tmp_path / "krb5", "LAB.TEST")
    assert not (tmp_path / "krb5").exists()


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_folder_that_others_may_enter_is_refused(store, mode):
    store.folder.chmod(mode)
    with pytest.raises(AuthFailed, match="0700"):
        TicketReader(store.folder, "LAB.TEST")


def test_a_file_is_read_again_only_when_it_has_changed(store, monkeypatch):
    reader = TicketReader(store.folder, "LAB.TEST")
    loads = []
    load = reader._load
    monkeypatch.setattr(reader, "_load", lambda user: loads.append(user) or load(user))
    path = put(store).path
    for _ in range(3):
        reader.get("alice")
    assert len(loads) == 1
    # As libkrb5 does, which keeps tickets of services in the same file.
    with path.open("ab") as file:
        file.write(cache(credential(server="host/n1@LAB.TEST"))[-100:])
    reader.get("alice")
    assert len(loads) == 2
    path.chmod(0o640)
    for _ in range(2):
        with pytest.raises(BadTicket):
            reader.get("alice")
    path.chmod(0o600)
    reader.get("alice")
    other = path.with_name(".other")
    other.hardlink_to(path)
    with pytest.raises(BadTicket):
        reader.get("alice")
    reader.close()
