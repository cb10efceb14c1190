import asyncio
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from krb_caches import cache, credential

from kerberos_auth import gss, reader, renewal, tickets
from kerberos_auth.breaker import Breaker
from kerberos_auth.errors import AuthFailed, LoginServersUnreachable, RenewalRefused
from kerberos_auth.moments import Moment
from kerberos_auth.notices import Notices
from kerberos_auth.renewal import RenewalLoop
from kerberos_auth.store import TicketStore
from tests.support.realm import SHORT_LIFE_SECONDS
from tests.support.waiting import PATIENCE_SECONDS, until

LIFE = SHORT_LIFE_SECONDS  # of frank's tickets
HALF, LAST_QUARTER = LIFE * 2 // 3, LIFE * 5 // 6


class Kept:
    """A loop over a store of its own; `wanted` and `refused` are whose tickets are kept, or not any more."""

    def __init__(self, folder, aged):
        self.aged = aged
        self.store = TicketStore(folder, "LAB.TEST")
        self.wanted, self.refused, self.later = set(), set(), 0
        self.loop = RenewalLoop(
            self.store, lambda: self.wanted, self._may_go_on, lambda: time.time() + self.later, lambda: 0.5
        )
        self.notices = Notices(self.store, self.loop.ends)

    async def _may_go_on(self, user):
        return user not in self.refused

    def log_in(self, *names):
        for name in names:
            principal = f"{name}@LAB.TEST"
            data = self.aged.get(name) or gss.acquire(principal, f"{name}-pw", self.store.folder, "")
            self.store.put(name, data, principal)

    def put(self, name, **facts):
        """Store a made-up ticket, for which nothing asks a KDC."""
        principal = f"{name}@LAB.TEST"
        return self.store.put(name, cache(credential(principal, **facts), owner=principal), principal)

    def put_due(self, name):
        now = int(time.time())
        return self.put(name, start=now - 5000, end=now + 1000)


@pytest.fixture
async def kept(realm, tmp_path, aged):
    kept = Kept(tmp_path / "krb5", aged)
    yield kept
    await kept.loop.close()
    kept.store.close()


@pytest.fixture
def tried(monkeypatch):
    """Counts tries to renew; each ends with the error in `tried.error`."""

    class Tries(Counter):
        error: Exception = LoginServersUnreachable("nobody there")

    tries = Tries()

    def renew(data, principal, into):
        tries[principal.partition("@")[0]] += 1
        raise tries.error

    monkeypatch.setattr(tickets, "renew", renew)
    return tries


async def test_a_ticket_is_renewed_while_it_is_wanted(kept):
    kept.log_in("frank", "gina")
    kept.wanted = {"frank"}
    heard = []
    kept.store.subscribe(heard.append)
    before, others = kept.store.get("frank"), kept.store.read("gina")
    kept.later = HALF
    kept.loop.start()
    await until(lambda: kept.store.get("frank").end > before.end)
    assert heard == ["frank"]
    assert kept.store.get("frank").renew_until == before.renew_until
    assert (kept.store.folder / "gina").read_bytes() == others


async def test_two_loops_on_two_stores_do_not_disturb_each_other(kept, tmp_path):
    other = Kept(tmp_path / "other", kept.aged)
    for one in (kept, other):
        one.log_in("frank")
        one.wanted, one.later = {"frank"}, HALF
    ends = [one.store.get("frank").end for one in (kept, other)]
    for one in (kept, other):
        one.loop.start()
    await until(
        lambda: all(one.store.get("frank").end > end for one, end in zip((kept, other), ends, strict=True))
    )
    await other.loop.close()


async def test_an_outage_keeps_the_old_ticket_and_the_kdc_is_asked_again(kept, realm, monkeypatch, caplog):
    kept.log_in("frank")
    kept.wanted = {"frank"}
    before = kept.store.get("frank")
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    kept.later = LIFE - 3  # so near the end it is tried every second
    kept.loop.start()
    await until(lambda: "the old one stays" in caplog.text)
    assert kept.store.get("frank") == before
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["good"]))
    await until(lambda: kept.store.get("frank").end > before.end)


@pytest.mark.parametrize("way", ["not renewable", "no account"])
async def test_a_refusal_is_final_until_the_next_ticket(kept, caplog, way):
    name = "gina" if way == "not renewable" else "frank"
    kept.log_in(name)
    kept.wanted, kept.later = {name}, HALF
    if way == "no account":
        kept.refused = {name}
        kept.loop.start()
        await until(lambda: "the account may not be used any more" in caplog.text)
    else:
        kept.loop.start()
    for _ in range(3):
        kept.loop.look()
        await asyncio.sleep(0.02)
    assert caplog.text.count("will not be renewed") == (way == "no account")
    assert kept.loop._plans[name].due == float("inf")
    kept.refused, kept.later = set(), 0
    kept.put_due(name)
    await until(lambda: name in kept.loop._plans and kept.loop._plans[name].due < float("inf"))


async def test_what_the_kdc_refuses_for_good_is_asked_once(kept, tried, caplog):
    tried.error = RenewalRefused("kinit: Ticket expired while renewing credentials")
    ticket = kept.put_due("alice")
    kept.wanted = {"alice"}
    kept.loop.start()
    await until(lambda: "will not be renewed" in caplog.text)
    kept.loop.look()
    await kept.loop.refresh("alice", 1)
    await asyncio.sleep(0.05)
    assert tried == {"alice": 1}
    assert kept.store.get("alice") == ticket
    kept.put_due("alice")
    await until(lambda: tried["alice"] == 2)


async def test_a_ticket_that_had_ended_by_a_clock_that_was_wrong_is_renewed_once_it_is_right(
    kept, tried, monkeypatch
):
    monkeypatch.setattr(reader, "time", SimpleNamespace(time=lambda: time.time() + kept.later))
    kept.put_due("eve")
    kept.wanted = {"eve"}
    kept.later = 3600
    await kept.loop._round()
    assert tried["eve"] == 0
    kept.later = 0
    await kept.loop._round()
    assert tried["eve"] == 1


async def test_pauses_grow_and_shrink_again_near_the_end(kept):
    now = int(time.time())
    kept.loop._clock = lambda: now
    kept.put("alice", end=now + 100_000)
    pauses = [kept.loop._next_try("alice", failures) - now for failures in (1, 2, 3, 7, 5000)]
    assert pauses == [30, 60, 120, 600, 600]
    kept.put("alice", end=now + 40)
    assert kept.loop._next_try("alice", 5) - now == 10
    kept.store.remove("alice")
    assert kept.loop._next_try("alice", 1) == float("inf")


async def test_after_three_without_an_answer_the_others_are_spared(kept, tried):
    names = [f"u{n}" for n in range(50)]
    for name in names:
        kept.put_due(name)
    kept.wanted = set(names)
    kept.loop.start()
    await until(lambda: all(name in kept.loop._plans for name in names))
    await until(lambda: all(kept.loop._plans[name].due > time.time() for name in names))
    assert 3 <= sum(tried.values()) <= 3 + renewal.AT_ONCE
    assert {kept.store.get(name).end for name in names}


async def test_a_slow_name_service_says_nothing_about_the_kdc(kept, tried, caplog):
    async def may_go_on(user):
        if user.startswith("u"):
            raise TimeoutError
        return True

    kept.loop._may_go_on = may_go_on
    names = [f"u{n}" for n in range(10)]
    for name in names:
        kept.put_due(name)
    kept.wanted = set(names)
    kept.loop.start()
    await until(lambda: caplog.text.count("whether the account may be used is not known") == 10)
    kept.put_due("alice")
    kept.wanted = {*names, "alice"}
    kept.loop.look()
    await until(lambda: tried == {"alice": 1})
    assert kept.loop._plans["u0"].due < time.time() + renewal._RETRY_SECONDS[1]


def test_a_breaker_lets_one_probe_through_each_half_minute():
    breaker = Breaker()
    for _ in range(3):
        assert breaker.lets_pass(100)
        breaker.failed(100)
    assert not breaker.lets_pass(101)
    assert [breaker.lets_pass(131), breaker.lets_pass(131)] == [True, False]
    breaker.failed(131)
    assert not breaker.lets_pass(160)
    assert breaker.lets_pass(50), "the clock was set back"
    breaker.answered()
    assert breaker.lets_pass(51)


async def test_four_renewals_run_at_once_and_no_more(kept, monkeypatch):
    running, most = set(), 0
    counting, full = threading.Lock(), threading.Event()

    def renew(data, principal, into):
        nonlocal most
        with counting:
            running.add(principal)
            most = max(most, len(running))
            if most == renewal.AT_ONCE:
                full.set()
        full.wait(PATIENCE_SECONDS)
        with counting:
            running.remove(principal)
        raise AuthFailed("no")

    monkeypatch.setattr(tickets, "renew", renew)
    names = [f"u{n}" for n in range(20)]
    for name in names:
        kept.put_due(name)
    kept.wanted = set(names)
    kept.loop.start()
    await until(lambda: len(kept.loop._plans) == 20 and all(p.failures for p in kept.loop._plans.values()))
    assert most == renewal.AT_ONCE


async def test_one_users_error_is_logged_and_the_others_are_renewed(kept, tried, caplog):
    tried.error = AuthFailed("x")

    async def may_go_on(user):
        return 1 / (user != "alice")

    kept.loop._may_go_on = may_go_on
    kept.put_due("alice")
    kept.put_due("bob")
    kept.wanted = {"alice", "bob"}
    kept.loop.start()
    await until(lambda: tried["bob"] == 1)
    await until(lambda: "Renewing the ticket of alice" in caplog.text)


async def test_tickets_are_renewed_while_nobody_can_say_who_has_servers_and_the_log_says_so_once(
    kept, tried, caplog
):
    kept.put_due("bob")
    kept.wanted = {"bob"}
    kept.loop.start()
    await until(lambda: tried["bob"] == 1)
    kept.wanted = None
    for tries in (2, 3):
        kept.put_due("bob")
        await until(lambda tries=tries: tried["bob"] == tries)
    assert [each.levelname for each in caplog.records if "cannot be asked" in each.message] == ["ERROR"]
    kept.wanted = {"carol"}
    kept.put_due("carol")
    await until(lambda: tried["carol"] == 1)


@pytest.mark.parametrize("meanwhile", ["login", "logout"])
async def test_a_login_or_logout_during_a_renewal_wins(kept, monkeypatch, meanwhile):
    ticket = kept.put_due("alice")
    proceed, begun = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    renewed = cache(credential(end=ticket.end + 50))

    def renew(data, principal, into):
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(proceed.wait(), loop).result()
        return renewed

    monkeypatch.setattr(tickets, "renew", renew)
    kept.wanted = {"alice"}
    kept.loop.start()
    await begun.wait()
    kept.wanted = set()
    if meanwhile == "login":
        kept.put("alice", end=ticket.end + 9000)
    else:
        kept.store.remove("alice")
    proceed.set()
    await asyncio.sleep(0.05)
    ends = [kept.store.get(user).end for user in kept.store.users()]
    assert ends == ([ticket.end + 9000] if meanwhile == "login" else [])


async def test_a_page_waits_for_a_renewal_of_a_ticket_that_is_about_to_end(kept):
    kept.log_in("frank")
    before = kept.store.get("frank")
    kept.loop.start()
    await kept.loop.refresh("frank", PATIENCE_SECONDS)
    assert kept.store.get("frank") == before
    kept.later = LAST_QUARTER
    await asyncio.gather(*(kept.loop.refresh("frank", PATIENCE_SECONDS) for _ in range(3)))
    assert kept.store.get("frank").end > before.end
    await kept.loop.refresh("nobody", 5)


async def test_a_page_does_not_wait_for_a_silent_kdc(kept, monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(tickets, "renew", lambda *_: answer.wait())
    kept.log_in("frank")
    before = kept.store.get("frank")
    kept.loop.start()
    kept.later = LAST_QUARTER
    await kept.loop.refresh("frank", 0.05)
    assert kept.store.get("frank") == before
    assert not answer.is_set()
    answer.set()


async def test_no_copy_is_left_when_the_hub_ends_during_a_renewal(kept, silent_kdc, monkeypatch):
    monkeypatch.setattr(tickets, "RENEWAL_SECONDS", 60)
    kept.log_in("frank")
    kept.wanted, kept.later = {"frank"}, HALF
    monkeypatch.setenv("KRB5_CONFIG", str(silent_kdc.config))
    kept.loop.start()
    await until(lambda: len(list(kept.store.folder.iterdir())) == 2)
    await kept.loop.close()
    silent_kdc.end()
    await until(lambda: [path.name for path in kept.store.folder.iterdir()] == ["frank"])


async def test_people_are_told_a_day_and_two_hours_before_renewals_end(kept):
    now = int(time.time())

    def notice(end, renew_until, start=None, flags=None):
        more = {} if flags is None else {"flags": flags}
        kept.put("alice", start=start or now, end=now + end, renew_until=now + renew_until, **more)
        return kept.notices.of("alice")

    assert notice(36_000, 90_000) is None
    told = notice(36_000, 80_000)
    assert (told.until, told.urgent) == (Moment.of(now + 80_000), False)
    assert told.message == (
        "Your Kerberos ticket expires at {time} and cannot be renewed any longer. "
        "Your servers go on then, but lose access to files that need it."
    )
    assert notice(7_000, 7_000).urgent
    never = 0x40000000
    assert notice(20_000, 0, now - 20_000, never) is None
    assert notice(9_000, 0, now - 31_000, never).until == Moment.of(now + 9_000)


_NONE = "You have no valid Kerberos ticket: your servers go on, but lose access to files that need it."


async def test_people_without_a_ticket_are_told(kept):
    assert kept.notices.of("alice").message == _NONE
    kept.put("alice").path.write_bytes(cache(credential(end=1)))
    told = kept.notices.of("alice")
    assert (told.message, told.until, told.urgent) == (_NONE, None, True)


async def test_who_was_refused_is_told_when_the_ticket_ends(kept, tried, caplog):
    tried.error = RenewalRefused("revoked")
    ticket = kept.put_due("alice")
    assert kept.notices.of("alice").until == Moment.of(ticket.renew_until)
    kept.wanted = {"alice"}
    kept.loop.start()
    await until(lambda: "will not be renewed" in caplog.text)
    assert kept.notices.of("alice").until == Moment.of(ticket.end)


async def test_tickets_and_renewals_are_counted(kept, tried):
    now = int(time.time())
    kept.put("frank", start=now - 10, end=now + 50000)
    kept.put("gina", start=now - 10, end=now + 600, renew_until=now + 600)
    kept.put_due("heidi")
    kept.wanted = {"heidi"}
    kept.loop.start()
    await until(lambda: tried["heidi"] == 1 and kept.loop.counts().unanswered == 1)
    assert kept.loop.counts() == renewal.Counts(valid=3, ending=1, refused=0, unanswered=1)
