"""Our side of NSG against the stand-in."""

import asyncio
import io
import ssl
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from job_service import errors
from job_service.gateways.backend import Handle, Order, Seen
from job_service.gateways.nsg.backend import Nsg
from job_service.gateways.nsg.server import NotThereError, Server
from job_service.stages import Stage
from profiles.catalogue.gateway import Gateway as Entry
from slurm_ssh.errors import Broken, InDoubt, LaunchError, Refused, Unavailable
from tests.support import builders, gateways
from tests.support.gateways import Gateway
from tests.support.waiting import PATIENCE_SECONDS

KEY = "APP-KEY-1"


def _settings(**changed: Any) -> dict[str, Any]:
    application = {"name": "jobs", "owner": gateways.ACCOUNT, **changed}
    return {"applications": {KEY: application}, "tools": {"PY": {"program": ["python3"]}}, "poll_seconds": 70}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateways.running("nsg", tmp_path_factory.mktemp("nsg") / "nsg", **_settings(is_umbrella=True)) as up:
        yield up


def entry(stand_in: Gateway, folder: Path, **changed: Any) -> Entry:
    secret = folder / "robot"
    secret.touch(mode=0o600)
    secret.write_text(f'{{"user": "{gateways.ACCOUNT}", "password": "{gateways.PASSWORD}", "appkey": "{KEY}"}}')
    written: dict[str, Any] = {
        "title": "NSG",
        "kind": "nsg",
        "url": f"{stand_in.origin}/cipresrest/v1",
        "credentials": str(secret),
        "authority": str(stand_in.authority.path),
        "tools": {"PY": {"arguments": "cmdlineopts_", "cores": "number_cores_", "nodes": "number_nodes_"}},
        "umbrella": {"application": "jobs", "email": "jobs+{owner}@example.org", "country": "CH"},
        **changed,
    }
    return builders.catalogue(gateways={"nsg": written}).gateways["nsg"]


@pytest.fixture
async def nsg(stand_in: Gateway, tmp_path: Path) -> AsyncIterator[Nsg]:
    backend = Nsg(entry(stand_in, tmp_path), tmp_path / "inputs")
    yield backend
    await backend.close()
    stand_in.breaks()


_numbers = iter(range(1, 1000))


def order(*words: str, owner: str = "alice", native_id: str = "", limit_s: int = 1800) -> Order:
    job_id = f"{next(_numbers):012x}"
    handle = Handle(job_id, f"job-hub-{job_id}", owner, native_id)
    return Order(handle, "a title", ("PY", *words), "", ".job/script", 1, 1, 100, 0, limit_s, inputs=("job.zip",))


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 1000):
        yield data[at : at + 1000]


def zipped(program: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("input.py", program)
    return buffer.getvalue()


async def sent(nsg: Nsg, program: str, *words: str, **changed: Any) -> Handle:
    """Send a job; return it as it is known then."""
    wanted = order(*words, **changed)
    await nsg.prepare(wanted)
    data = zipped(program)
    await nsg.put(wanted.handle, "job.zip", chunks(data), len(data))
    accepted = await nsg.submit(wanted)
    return Handle(wanted.handle.job_id, wanted.handle.mark, wanted.handle.owner, accepted.native_id)


async def ended(nsg: Nsg, handle: Handle) -> Seen:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            seen = (await nsg.observe([handle]))[handle.job_id]
            assert seen.stage
            if seen.stage.is_over:
                concluded = await nsg.conclude(handle)
                assert concluded
                return concluded
            await asyncio.sleep(0.05)


async def content(nsg: Nsg, handle: Handle, path: str, *window: int) -> bytes:
    async with nsg.read(handle, path, *window) as (_, found):
        return b"".join([piece async for piece in found])


async def test_a_job_runs_and_its_results_can_be_read(nsg: Nsg) -> None:
    program = "import sys, pathlib\npathlib.Path('made').write_text('result')\nprint('here', sys.argv[1:])"
    handle = await sent(nsg, program, "--name", "two words")
    seen = await ended(nsg, handle)
    assert (seen.stage, seen.exit_code, seen.is_abort) == (Stage.SUCCESSFUL, 0, False)
    assert seen.started
    assert seen.ended
    assert seen.started <= seen.ended
    listed = await nsg.files(handle)
    assert {"STDOUT", "STDERR", "done.txt", "output.tar.gz"} <= {each.path for each in listed.items}
    assert await content(nsg, handle, "STDOUT") == b"here ['--name', 'two words']\n"
    assert await content(nsg, handle, "stdout", 5, 3) == b"['-"
    assert await content(nsg, handle, "stdout", -3) == b"']\n"
    assert await content(nsg, handle, "stdout", 1000) == b""
    with pytest.raises(errors.NotFound):
        await content(nsg, handle, "made.txt")
    await nsg.remove(handle)
    assert await nsg.conclude(handle) is None
    with pytest.raises(errors.NotFound):
        await nsg.files(handle)
    await nsg.remove(handle)


async def test_a_program_that_fails_has_failed_though_nsg_does_not_say_so(nsg: Nsg) -> None:
    seen = await ended(nsg, await sent(nsg, "raise SystemExit(7)"))
    assert (seen.stage, seen.exit_code, seen.message) == (Stage.FAILED, 7, "")


async def test_time_that_is_over_and_a_job_that_cannot_be_run_are_told_apart(nsg: Nsg) -> None:
    late = await ended(nsg, await sent(nsg, "import time; time.sleep(600)", limit_s=1))
    assert (late.stage, late.exit_code) == (Stage.FAILED, None)
    assert "time" in late.message
    wanted = order()
    await nsg.put(wanted.handle, "job.zip", chunks(b"no zip"), 6)
    accepted = await nsg.submit(wanted)
    seen = await ended(nsg, Handle(wanted.handle.job_id, wanted.handle.mark, "alice", accepted.native_id))
    assert seen.stage is Stage.FAILED
    assert "could not be run" in seen.message


async def test_one_job_that_is_gone_hides_no_other(nsg: Nsg) -> None:
    handles = [await sent(nsg, "import time; time.sleep(600)", owner=owner) for owner in ("alice", "bob", "x@y z")]
    await nsg.remove(handles[1])
    assert set(await nsg.observe(handles)) == {handles[0].job_id, handles[2].job_id}
    for handle in (handles[0], handles[2]):
        await nsg.cancel(handle)
    assert await nsg.observe(handles) == {}
    assert await nsg.conclude(handles[0]) is None


async def test_a_job_that_is_over_is_not_cancelled_so_its_results_stay(nsg: Nsg) -> None:
    handle = await sent(nsg, "print('kept')")
    await ended(nsg, handle)
    await nsg.cancel(handle)
    assert await content(nsg, handle, "stdout") == b"kept\n"


async def test_files_are_had_while_it_runs_and_before_it_is_sent(nsg: Nsg) -> None:
    wanted = order()
    data = zipped("print('begun', flush=True)\nimport time; time.sleep(600)")
    await nsg.put(wanted.handle, "job.zip", chunks(data), len(data))
    assert [each.path for each in (await nsg.files(wanted.handle)).items] == ["job.zip"]
    assert await content(nsg, wanted.handle, "job.zip") == data
    accepted = await nsg.submit(wanted)
    handle = Handle(wanted.handle.job_id, wanted.handle.mark, "alice", accepted.native_id)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ("stdout.txt", 6) not in {(each.path, each.size) for each in (await nsg.files(handle)).items}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await content(nsg, handle, "stdout") == b"begun\n"
    with pytest.raises(Refused):
        await nsg.put(handle, "more.zip", chunks(b""), 0)
    with pytest.raises(Refused):
        await nsg.remove(handle, "stdout.txt")
    await nsg.remove(handle)


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.test/a", "http://127.0.0.1/a", "//elsewhere.test/a", "https://127.0.0.1:1/a", "x\n"],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(stand_in: Gateway, tmp_path: Path, link: str) -> None:
    server = Server(entry(stand_in, tmp_path))
    with pytest.raises((Broken, NotThereError)):
        async with server.stream("alice", link):
            pass
    await server.close()


async def test_it_is_asked_as_seldom_as_it_says(nsg: Nsg) -> None:
    assert nsg.pause_s == 60
    await nsg.observe([await sent(nsg, "print(1)")])
    assert nsg.pause_s == 70


async def test_without_an_umbrella_all_jobs_are_the_accounts(tmp_path: Path) -> None:
    with gateways.running("nsg", tmp_path / "nsg", **_settings()) as stand_in:
        nsg = Nsg(entry(stand_in, tmp_path, umbrella=None), tmp_path / "inputs")
        handles = [await sent(nsg, "print(1)", owner=owner) for owner in ("alice", "bob")]
        assert await nsg.find(handles) == {each.job_id: each.native_id for each in handles}
        assert (await ended(nsg, handles[1])).exit_code == 0
        await nsg.close()


async def test_half_a_file_is_none(nsg: Nsg) -> None:
    handle = order().handle
    with pytest.raises(Unavailable):
        await nsg.put(handle, "job.zip", chunks(b"abc"), 4)
    assert (await nsg.files(handle)).items == ()


async def test_a_submission_that_is_not_answered_is_in_doubt_and_settled_by_a_look(
    nsg: Nsg, stand_in: Gateway
) -> None:
    data = zipped("import time; time.sleep(600)")
    for broken, is_there in (("lost_before", False), ("lost_after", True)):
        wanted = order(owner=broken)
        await nsg.put(wanted.handle, "job.zip", chunks(data), len(data))
        stand_in.breaks(submission=broken)
        with pytest.raises(InDoubt):
            await nsg.submit(wanted)
        stand_in.breaks()
        found = await nsg.find([wanted.handle, order(owner=broken).handle])
        assert set(found) == ({wanted.handle.job_id} if is_there else set())
        if is_there:
            handle = Handle(wanted.handle.job_id, "", broken, found[wanted.handle.job_id])
            assert set(await nsg.observe([handle])) == {handle.job_id}
            await nsg.remove(handle)
        else:
            assert (await nsg.submit(wanted)).native_id


@pytest.mark.parametrize("broken", ["closed", "busy", "missing", "redirect", "certificate"])
async def test_whoever_answers_in_its_place_gets_no_job_and_no_password(
    nsg: Nsg, stand_in: Gateway, tmp_path: Path, broken: str
) -> None:
    running = await sent(nsg, "import time; time.sleep(600)")
    await nsg.close()
    wanted = order()
    await nsg.put(wanted.handle, "job.zip", chunks(b"x"), 1)
    with gateways.running("nsg", tmp_path / "other", **_settings(is_umbrella=True)) as other:
        stranger = gateways.Authority(tmp_path / "stranger", "A stranger").certificate()
        faults = {
            "closed": {"away": "closed"},
            "busy": {"away": "busy"},
            "missing": {"away": "missing"},
            "redirect": {"redirect": other.origin},
            "certificate": {"certificate": str(stranger)},
        }
        stand_in.breaks(**faults[broken])
        with pytest.raises((Unavailable, Broken, InDoubt)):
            await nsg.submit(wanted)
        for asked in (nsg.observe([running]), nsg.conclude(running), nsg.find([running]), nsg.cancel(running)):
            with pytest.raises(LaunchError):
                await asked
        stand_in.breaks()
    assert (await nsg.observe([running]))[running.job_id].stage is not None
    assert await nsg.find([wanted.handle]) == {}
    await nsg.remove(running)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", InDoubt),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"<jobstatus>" * 2_000_000, InDoubt),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<jobstatus>", InDoubt),
        (b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", InDoubt),
        (b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n", InDoubt),
        (b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", Unavailable),
        (b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", Broken),
        (b"nonsense\r\n\r\n", InDoubt),
    ],
    ids=["no XML", "no end", "cut", "500", "502", "404", "403", "no HTTP"],
)
async def test_an_answer_to_a_submission_that_may_mean_a_job_leaves_it_in_doubt(
    stand_in: Gateway, tmp_path: Path, answer: bytes, error: type[LaunchError]
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
            # What was sent is taken, or the client hears of that before of the answer; who says much goes on.
            await reader.read(-1 if len(answer) > 1000 else 65536)
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stand_in.authority.certificate())
    async with await asyncio.start_server(say, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/cipresrest/v1"
        nsg = Nsg(entry(stand_in, tmp_path, url=url), tmp_path / "inputs")
        wanted = order()
        await nsg.put(wanted.handle, "job.zip", chunks(b"x"), 1)
        with pytest.raises(error):
            await nsg.submit(wanted)
        await nsg.close()
    assert [each.path for each in (await nsg.files(wanted.handle)).items] == ["job.zip"]


async def test_what_nsg_refuses_is_refused_with_its_words(nsg: Nsg) -> None:
    wanted = order(limit_s=90_000)
    await nsg.put(wanted.handle, "job.zip", chunks(b"x"), 1)
    with pytest.raises(Refused, match=r"runtime_.*no more than"):
        await nsg.submit(wanted)


async def test_a_wrong_password_is_an_admins_and_is_nowhere_told(stand_in: Gateway, tmp_path: Path) -> None:
    wrong = entry(stand_in, tmp_path)
    Path(wrong.credentials).write_text('{"user": "robot", "password": "gu3ssed", "appkey": "APP-KEY-1"}')
    backend = Nsg(wrong, tmp_path / "inputs")
    with pytest.raises(Broken) as error:
        await backend.find([order().handle])
    assert "gu3ssed" not in repr(error.value) + str(error.value) + error.value.detail
    await backend.close()
