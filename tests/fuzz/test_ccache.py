"""The reader of credential caches, given 100 000 damaged and invented ones.

Each run draws another seed and prints it; the same inputs come again with that seed:

    FUZZ_SEED=1234 .venv/bin/python -m pytest tests/fuzz

A failure names the input's number and shows its bytes; `made(seed, number)` returns it alone.
"""

import contextlib
import os
import random
import re
import secrets
import struct
import tracemalloc
from collections.abc import Callable

import pytest

from kerberos_auth.ccache import MAX_BYTES, Facts, parse
from kerberos_auth.errors import BadTicket
from tests.kerberos_auth.krb_caches import INITIAL, cache, credential
from tests.support.folders import DATA

pytestmark = pytest.mark.uncounted

INPUTS = 100_000
INVENTED = 10  # one in so many inputs is random bytes, the others are damaged caches
MEASURED = 100  # the memory of one in so many inputs is measured
# A principal of empty components costs two to three bytes for each of the file; the rest is for the reader itself.
MEMORY_PER_BYTE = 4
MEMORY_FOR_ALL = 64 * 1024

TIMES = {"authtime": 1_700_000_000, "end": 1_700_036_000, "renew_until": 1_700_600_000}
TGT = credential(**TIMES)
SERVICE = credential(server="host/login1.lab.test@LAB.TEST", **TIMES)
CONFIG = credential(server="krb5_ccache_conf_data/pa_type@X-CACHECONF:", authtime=1, end=0, renew_until=1)
ODD = credential("al@ice@R", "krbtgt/R@R", flags=INITIAL, **TIMES)

REAL = {path.name: path.read_bytes() for path in sorted((DATA / "ccaches").glob("[!R]*"))}
CACHES = (
    *REAL.values(),
    cache(CONFIG, TGT, SERVICE),
    cache(SERVICE, SERVICE, TGT),
    cache(TGT, TGT),
    cache(credential(version=3, **TIMES), version=3),
    cache(ODD, owner="al@ice@R"),
    cache(credential(ticket=bytes(65_536), **TIMES), SERVICE),
)
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, MAX_BYTES, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
HEADS = (b"", b"\x05\x03", b"\x05\x04", b"\x05\x04\x00\x00", b"\x05\x04\x00\x0c\x00\x01\x00\x08" + bytes(8))
# Unescaped, `/` and `@` separate, and what ends a line or a string never stands there.
COMPONENT = r"(?:[^\\/@\0\n\t\b]|\\[\\/@0ntb])*"
PRINCIPAL = re.compile(rf"(?:{COMPONENT}(?:/{COMPONENT})*)?@{COMPONENT}")

Damage = Callable[[random.Random, bytearray], None]


def flip_bits(draw: random.Random, data: bytearray) -> None:
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def set_bytes(draw: random.Random, data: bytearray) -> None:
    for _ in range(draw.choice((1, 2, 4))):
        data[draw.randrange(len(data))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def cut(draw: random.Random, data: bytearray) -> None:
    del data[draw.randrange(len(data)) :]


def leave_out(draw: random.Random, data: bytearray) -> None:
    part = stretch(draw, data)
    del data[part]


def repeat(draw: random.Random, data: bytearray) -> None:
    part = stretch(draw, data)
    data[part.stop : part.stop] = data[part] * draw.choice((1, 1, 2, 9))


def swap(draw: random.Random, data: bytearray) -> None:
    one, other = stretch(draw, data), stretch(draw, data)
    data[one], data[other] = data[other], data[one]


def append(draw: random.Random, data: bytearray) -> None:
    data += draw.choice((TGT, SERVICE, ODD, draw.randbytes(40), bytes(200)))


def set_a_length(draw: random.Random, data: bytearray) -> None:
    """Set what may be a length or a count, a small number that fits into the rest, to something else."""
    start = draw.randrange(len(data))
    for at in range(start, min(start + 300, len(data) - 3)):
        (number,) = struct.unpack_from(">I", data, at)
        if number <= len(data) - at:
            extreme = draw.choice((*EXTREMES, number + 1, max(number - 1, 0), len(data) - at - 4, len(data)))
            struct.pack_into(">I", data, at, extreme)
            return


def rename(draw: random.Random, data: bytearray) -> None:
    """Exchange a byte for another wherever it stands, so that owner and ticket still agree about the name."""
    old, new = (
        draw.choice(b"alicebofrnkLABTES.@"),
        draw.choice((*b"\0\n\r\t\b\\/@\x7f\x80\xc3\xff", draw.randrange(256))),
    )
    data[:] = data.replace(bytes([old]), bytes([new]))


DAMAGES: tuple[Damage, ...] = (
    flip_bits,
    set_bytes,
    cut,
    leave_out,
    repeat,
    swap,
    append,
    rename,
    set_a_length,
    set_a_length,
)


def stretch(draw: random.Random, data: bytearray) -> slice:
    start = draw.randrange(len(data))
    return slice(start, min(start + draw.choice((1, 2, 4, 8, draw.randrange(1, 400))), len(data)))


def made(seed: int, number: int) -> bytes:
    """Return one input; each depends on nothing but these two numbers."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    if number % INVENTED == 0:
        return draw.choice(HEADS) + draw.randbytes(draw.randrange(600))
    data = bytearray(draw.choice(CACHES))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        if data:
            draw.choice(DAMAGES)(draw, data)
    return bytes(data)


def check(facts: Facts, data: bytes) -> None:
    """What was accepted can be relied on, whatever the rest of the bytes are."""
    assert PRINCIPAL.fullmatch(facts.principal)
    assert all(0 <= moment < 2**32 for moment in (facts.start, facts.end, facts.renew_until))
    assert facts.renewable or facts.renew_until == 0
    assert 0 < facts.whole <= len(data)
    assert parse(data[: facts.whole]) == facts


def accepted(data: bytes) -> bool:
    try:
        facts = parse(data)
    except BadTicket:
        return False
    check(facts, data)
    return True


def check_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(BadTicket):
            parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_FOR_ALL + MEMORY_PER_BYTE * len(data)


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("FUZZ_SEED") or secrets.randbelow(10**9))


def test_damaged_and_invented_caches_raise_nothing_but_bad_ticket(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    good = 0
    for number in range(INPUTS):
        data = made(seed, number)
        try:
            good += accepted(data)
            if number % MEASURED == 1:
                check_memory(data)
        except Exception as error:  # noqa: BLE001 - any other error is the finding
            pytest.fail(f"seed {seed}, input {number}: {error!r}\n{data[:20_000].hex()}")
        if (number + 1) % (INPUTS // 4) == 0:
            with capsys.disabled():
                print(f"\nfuzz: seed {seed}, {number + 1} of {INPUTS} caches, {good} accepted", end="", flush=True)
    # Neither answer came for all: the damages are neither too coarse nor too fine.
    assert INPUTS / 20 < good < INPUTS * 19 / 20


@pytest.mark.parametrize("data", CACHES)
def test_what_is_damaged_is_good_before(data: bytes) -> None:
    assert accepted(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x05\x03" + b"\0\0\0\1" + b"\xff\xff\xff\xff" + bytes(MAX_BYTES - 10),
        b"\x05\x03" + bytes(MAX_BYTES - 2),
        b"\x05\x03" + b"\xff" * (MAX_BYTES - 2),
        cache(TGT)[:-12] + struct.pack(">I", 2**32 - 1) + bytes(MAX_BYTES // 2),
        (cache(TGT) + SERVICE * (MAX_BYTES // len(SERVICE)))[:MAX_BYTES],
        bytes(MAX_BYTES + 1),
    ],
    ids=["many components", "zeros", "ones", "many entries", "many credentials", "too large"],
)
def test_the_largest_caches_take_little_memory(data: bytes) -> None:
    check_memory(data)
