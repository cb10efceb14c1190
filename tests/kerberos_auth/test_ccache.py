import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from krb_caches import INITIAL, RENEWABLE, cache, credential, principal

from kerberos_auth.ccache import MAX_BYTES, alone, parse
from kerberos_auth.errors import BadTicket

SERVICE = credential(server="host/login1.lab.test@LAB.TEST", end=1)
CONFIG = credential(server="krb5_ccache_conf_data/pa_type@X-CACHECONF:", end=0)


@pytest.mark.parametrize("version", [3, 4])
def test_both_formats_of_today_are_read(version):
    now = int(time.time())
    facts = parse(
        cache(credential(end=now + 60, renew_until=now + 90, start=now, version=version), version=version)
    )
    assert (facts.principal, facts.start, facts.end, facts.renew_until) == (
        "alice@LAB.TEST",
        now,
        now + 60,
        now + 90,
    )
    assert facts.forwardable
    assert facts.renewable


def test_a_ticket_that_is_not_renewable_has_no_renewal_time():
    facts = parse(cache(credential(flags=INITIAL)))
    assert (facts.renewable, facts.forwardable, facts.renew_until) == (False, False, 0)
    assert parse(cache(credential(flags=INITIAL | RENEWABLE))).renewable


def test_a_ticket_without_start_time_starts_when_it_was_made():
    assert parse(cache(credential(authtime=1234))).start == 1234


def test_times_after_2038_are_later_not_negative():
    assert parse(cache(credential(end=2**31 + 5))).end == 2**31 + 5


@pytest.mark.parametrize(
    "credentials",
    [(CONFIG, credential(), SERVICE), (SERVICE, SERVICE, credential()), (credential(), SERVICE, SERVICE)],
)
def test_the_tgt_is_found_among_service_tickets(credentials):
    data = cache(*credentials)
    facts = parse(data)
    assert facts.end > time.time()
    assert facts.whole == len(data)


def test_of_two_tgts_the_one_the_cache_was_made_with_counts():
    now = int(time.time())
    assert parse(cache(credential(end=now + 60), credential(end=now + 90))).end == now + 60


def test_a_service_ticket_just_being_appended_does_not_matter():
    whole = cache(credential(), SERVICE)
    for cut in range(1, len(SERVICE)):
        facts = parse(whole + SERVICE[:cut])
        assert facts.whole == len(whole)


@pytest.mark.parametrize(
    "credentials",
    [
        (SERVICE,),
        (credential(server="krbtgt/OTHER@LAB.TEST"),),
        (credential(server="krbtgt/LAB.TEST@OTHER"),),
        (credential(server="krbtgt@LAB.TEST"),),
        (credential(client="bob@LAB.TEST"),),
        (credential(authtime=2**32 - 1, end=0),),
    ],
)
def test_only_the_owners_own_tgt_counts(credentials):
    with pytest.raises(BadTicket):
        parse(cache(*credentials))


def test_separators_inside_a_component_are_escaped():
    for owner, text in [("al@ice@R", r"al\@ice@R"), ("a\\b@R", r"a\\b@R"), ("a\0b\n@R", r"a\0b\n@R")]:
        tgt = credential(owner, "krbtgt/R@R")
        assert parse(cache(tgt, owner=owner)).principal == text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05",
        b"\x05\x04",
        b"\x05\x01" + principal("alice@LAB.TEST"),
        b"\x05\x02" + principal("alice@LAB.TEST"),
        b"\x05\x05" + bytes(100),
        b"-----BEGIN",
        b"\x05\x03" + b"\xff" * 100,
        b"\x05\x04\xff\xff",
        b"\x05\x03" + bytes(4) + b"\xff\xff\xff\xff" + bytes(1000),
        cache(owner="alice@LAB.TEST") + bytes(MAX_BYTES),
        cache().replace(b"alice", b"al\xffce"),
    ],
)
def test_what_is_no_cache_is_a_bad_ticket(data):
    with pytest.raises(BadTicket):
        parse(data)


def test_a_cut_tgt_is_a_bad_ticket():
    data = cache()
    for end in range(len(data)):
        with pytest.raises(BadTicket):
            parse(data[:end])


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x05\x03", b"\x05\x04", b"\x05\x04\x00\x00"]))
def test_arbitrary_bytes_raise_nothing_but_bad_ticket(tail, head):
    with pytest.raises(BadTicket):
        parse(head + tail)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_caches_raise_nothing_but_bad_ticket(damage):
    data = bytearray(cache(CONFIG, credential(), SERVICE))
    for at, value in damage:
        data[at] = value
    try:
        facts = parse(bytes(data))
    except BadTicket:
        return
    assert facts.whole <= len(data)


@pytest.mark.parametrize("version", [3, 4])
def test_a_cache_without_its_service_tickets_has_the_same_facts(version):
    tgt = credential(version=version)
    service = credential(server="host/localhost@LAB.TEST", version=version)
    for credentials in ([tgt], [service, tgt, service], [tgt, service]):
        data = cache(*credentials, version=version)
        assert alone(data) == cache(tgt, version=version)
    with pytest.raises(BadTicket):
        alone(cache(service, version=version))
