import time

import pytest

from kerberos_auth import ccache, gss, keytabs, tickets
from kerberos_auth.errors import AuthFailed, TicketExpired, TicketMissing
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.store import TicketStore
from tests.support.realm import SHORT_LIFE_SECONDS

MONITOR = "jmonitor@LAB.TEST"


@pytest.fixture
def store(realm, tmp_path):
    return TicketStore(tmp_path / "krb5", "LAB.TEST")


@pytest.fixture
async def kept(store):
    return KeytabTickets(store.folder)


@pytest.fixture
def later(monkeypatch):
    """Let a share of a ticket's life be over, for whoever looks at its end."""
    now = time.time

    def go(share):
        monkeypatch.setattr(keytabs.time, "time", lambda: now() + share * SHORT_LIFE_SECONDS)

    return go


async def test_at_first_there_is_no_ticket(kept):
    assert not kept.has(MONITOR)
    with pytest.raises(TicketMissing):
        kept.get(MONITOR)


async def test_a_ticket_is_in_a_private_file_that_is_no_users(kept, store, realm):
    assert await kept.keep(MONITOR, realm.monitor_keytab)
    path = kept.get(MONITOR).path
    assert ccache.parse(path.read_bytes()).principal == MONITOR
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(store.folder.iterdir())
    assert store.users() == []


async def test_a_ticket_is_read_without_what_has_come_to_stand_beside_it(kept, realm):
    with pytest.raises(TicketMissing):
        kept.read(MONITOR)
    await kept.keep(MONITOR, realm.monitor_keytab)
    path = kept.get(MONITOR).path
    data = path.read_bytes()
    whole = ccache.parse(data).whole
    # libkrb5 has begun to write one for a service.
    path.write_bytes(data[:whole] + b"\0cut")
    assert kept.read(MONITOR) == ccache.alone(data)
    assert ccache.parse(kept.read(MONITOR)).principal == MONITOR
    path.unlink()
    with pytest.raises(AuthFailed, match="could not be"):
        kept.read(MONITOR)


async def test_a_young_ticket_is_kept(kept, realm, later):
    await kept.keep(MONITOR, realm.monitor_keytab)
    later(0.7)
    assert not await kept.keep(MONITOR, realm.monitor_keytab)


async def test_an_old_one_is_replaced_before_it_ends(kept, realm, later):
    await kept.keep(MONITOR, realm.monitor_keytab)
    old = kept.get(MONITOR)
    later(0.85)
    assert kept.has(MONITOR)
    assert await kept.keep(MONITOR, realm.monitor_keytab)
    assert kept.get(MONITOR).path == old.path
    assert kept.get(MONITOR).start >= old.start


async def test_the_last_ticket_stays_until_it_ends_when_there_is_no_new_one(kept, later, realm):
    await kept.keep(MONITOR, realm.monitor_keytab)
    later(0.85)
    with pytest.raises(AuthFailed):
        await kept.keep(MONITOR, "/nonexistent")
    assert kept.has(MONITOR)
    later(1.01)
    assert not kept.has(MONITOR)
    with pytest.raises(TicketExpired):
        kept.get(MONITOR)


async def test_several_identities_do_not_mix(kept, realm):
    await kept.keep(MONITOR, realm.monitor_keytab)
    await kept.keep("host/localhost@LAB.TEST", realm.front_end_keytab)
    assert ccache.parse(kept.get(MONITOR).path.read_bytes()).principal == MONITOR
    assert kept.get("host/localhost@LAB.TEST").principal == "host/localhost@LAB.TEST"


async def test_a_ticket_of_somebody_else_is_not_taken(kept, realm, monkeypatch):
    def mixed_up(_principal, _keytab, into):
        return gss.acquire("alice@LAB.TEST", "alice-pw", into, "")

    monkeypatch.setattr(tickets, "_kinit", lambda cache, *_: cache.write_bytes(mixed_up("", "", cache.parent)))
    with pytest.raises(AuthFailed, match="alice"):
        await kept.keep(MONITOR, realm.monitor_keytab)
    assert not kept.has(MONITOR)
