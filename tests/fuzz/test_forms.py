"""Forms as browsers send them, hostile and damaged: what was typed is read as it was sent, or the form is refused.

`FUZZ_COUNT=10000 .venv/bin/python -m pytest tests/fuzz/test_forms.py` gives as many of each; each run draws
another seed and prints it, and `FUZZ_SEED` repeats one.
"""

import asyncio
import logging
import os
import random
import secrets
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from job_service.http.pages import multipart, route, written
from job_service.http.problems import Problem
from profiles.sentences import shown as harmless
from slurm_ssh.text import one_line
from tests.fuzz.test_jobs import GOOD, _check_refusal, _check_script, _outcome
from tests.support.hostile import Fields, Hostile

pytestmark = pytest.mark.uncounted

COUNT = int(os.environ.get("FUZZ_COUNT", "500"))
SEED = int(os.environ.get("FUZZ_SEED", secrets.randbelow(2**32)))
MEMORY = 16 * 1024**2
BOUNDARY = "----a boundary"
KIND = f'multipart/form-data; boundary="{BOUNDARY}"'
_FORM = {
    **GOOD,
    "type": ("tool", "command"),
    "site": ("geneva", "lugano"),
    "project": ("p1", ""),
    "title": ("a job title",),
    "command": ("hostname\r\ntrue\r\n",),
    "unpack": ("yes",),
    "key": ("a key",),
}
_PIECES = (
    b"\r\n",
    b"\n",
    b"--",
    f"--{BOUNDARY}".encode(),
    f"\r\n--{BOUNDARY}--".encode(),
    b"Content-Disposition: form-data; name=",
    b'"',
    b";",
    b"filename*=UTF-8''%00",
    b"\0",
    b"\xff\xfe",
    b"a" * 5000,
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"X: y\r\n" * 20,
)


def _fields(pick: random.Random, source: Hostile) -> Fields:
    """Return the fields of a form, each sent once, as a page has them."""
    typed = dict(source.fields())
    typed |= {name: pick.choice(values) for name, values in _FORM.items() if pick.random() < 0.3}
    typed.setdefault("type", "tool")
    return [(name, text[:3000]) for name, text in typed.items()]


def _name(name: str) -> str:
    """Return a name as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _encoded(fields: Fields, file: tuple[str, bytes] | None) -> bytes:
    parts = [(f'name="{_name(name)}"', text.encode()) for name, text in fields]
    if file:
        parts.append((f'name="file"; filename="{_name(file[0])}"\r\nContent-Type: text/plain', file[1]))
    whole = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return whole + f"--{BOUNDARY}--\r\n".encode()


async def _split(pick: random.Random, body: bytes) -> AsyncIterator[bytes]:
    at = 0
    while at < len(body):
        end = at + pick.choice((1, 2, 7, 50, 1000, 10**6))
        yield body[at:end]
        at = end


async def _read(pick: random.Random, body: bytes) -> tuple[dict[str, list[str]], str, bytes]:
    """Return the fields, the name of the file and its bytes.  Raises Problem."""
    sent = await multipart.opened(_split(pick, body), KIND)
    data = b""
    async for _, chunks in sent.files:
        data += b"".join([chunk async for chunk in chunks])
    return sent.fields, sent.file_name, data


async def test_what_was_typed_is_read_as_it_was_sent_and_passes_the_gate_or_is_refused() -> None:
    print(f"FUZZ_SEED={SEED}")
    pick, source, seen = random.Random(SEED), Hostile(SEED, _FORM), Counter[str]()  # noqa: S311 - no secret
    for _ in range(COUNT):
        fields = _fields(pick, source)
        file = (f"a{pick.choice(('', ' b', '$(id)', 'é'))}.zip", pick.randbytes(pick.choice((0, 3, 3000))))
        has_file = pick.random() < 0.3
        read, name, data = await _read(pick, _encoded(fields, file if has_file else None))
        expected: dict[str, list[str]] = {}
        for each, text in fields:
            expected.setdefault(one_line(_name(each), 100), []).append(text)
        assert read == expected
        assert (name, data) == (file if has_file else ("", b""))
        assert route.read(urlencode(fields).encode()) == {each: [text] for each, text in fields}
        spec = written.spec(read, name)
        outcome = _outcome(spec)
        seen[type(outcome).__name__] += 1
        if isinstance(outcome, Exception):
            _check_refusal(spec, outcome)
        else:
            _check_script(spec, outcome)
    assert min(seen["Decided"], seen["Invalid"]) > COUNT / 50, seen


async def test_what_is_damaged_is_refused_or_read_and_takes_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # pytest keeps what is logged.
    monkeypatch.setattr(logging.getLogger("python_multipart"), "disabled", True)
    monkeypatch.setattr(logging.getLogger("python_multipart.multipart"), "disabled", True)
    print(f"FUZZ_SEED={SEED}")
    pick, source, seen = random.Random(SEED), Hostile(SEED, _FORM), Counter[str]()  # noqa: S311 - no secret
    tracemalloc.start()
    try:
        for _ in range(COUNT):
            body = bytearray(_encoded(_fields(pick, source)[:8], ("a.zip", b"PK" * 100)))
            for _ in range(pick.choice((1, 1, 2, 4))):
                start = pick.randrange(len(body) + 1)
                end = min(len(body), start + pick.choice((0, 0, 1, 3, 40)))
                body[start:end] = pick.choice((*_PIECES, b"")) * pick.choice((1, 1, 1, 9))
            try:
                read, name, _ = await _read(pick, bytes(body))
            except Problem as problem:
                seen[f"refused {problem.status_code}"] += 1
            else:
                assert all(each.isprintable() and len(each) <= 100 for each in read)
                assert isinstance(name, str)
                assert harmless(written.spec(read, name).type).isprintable()
                seen["read"] += 1
            # The loop closes what was left of the body.
            await asyncio.sleep(0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen.keys() <= {"read", "refused 400", "refused 413"}
    assert min(seen["read"], seen["refused 400"]) > COUNT / 50, seen
    assert peak < MEMORY


@pytest.mark.parametrize(
    "body",
    [
        f"--{BOUNDARY}\r\n".encode() * 200_000,
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode() + b"a" * 3_000_000,
        f"--{BOUNDARY}\r\n".encode() + b"a: b\r\n" * 500_000,
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n'.encode() + b"-" * 5_000_000,
        b"".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{at}"\r\n\r\n\r\n'.encode()
            for at in range(5000)
        ),
    ],
    ids=["boundaries", "long name", "headers", "long value", "fields"],
)
async def test_what_is_large_is_refused_before_it_is_held(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as refused:
            await _read(random.Random(1), body)  # noqa: S311 - no secret
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.status_code in (400, 413)
    assert peak < MEMORY
