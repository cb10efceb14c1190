"""What every Backend does, whatever kind of gateway it asks; `TestABackend` asks a real server if one is named."""

import asyncio
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from job_service.errors import NotAFile, NotFound, TooLarge
from job_service.gateways.backend import Backend, Handle, Order, Seen
from job_service.stages import Stage
from slurm_ssh.errors import Broken, InDoubt, LaunchError, Unavailable
from tests.support import gateway_kinds, gateways
from tests.support.gateway_kinds import Kind, There, pieces
from tests.support.waiting import PATIENCE_SECONDS

_MEBIBYTE = 1 << 20


@pytest.fixture(scope="module", params=gateway_kinds.ALL, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def standin(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    folder = tmp_path_factory.mktemp(kind.name)
    with gateways.running(kind.name, folder / "gateway", file_bytes=_MEBIBYTE, **kind.settings) as running:
        yield gateway_kinds.of_standin(kind, running, folder)


@pytest.fixture
def local(standin: There) -> Iterator[There]:
    """Give the stand-in, which may be broken."""
    yield standin
    standin.breaks()


@pytest.fixture
def there(kind: Kind, request: pytest.FixtureRequest, tmp_path: Path) -> There:
    """Give the stand-in, or a real server if there is one."""
    return gateway_kinds.real(kind, tmp_path) or request.getfixturevalue("standin")


@asynccontextmanager
async def _opened(there: There) -> AsyncIterator[Backend]:
    backend = there.backend()
    try:
        yield backend
    finally:
        await backend.close()


@pytest.fixture
async def backend(there: There) -> AsyncIterator[Backend]:
    async with _opened(there) as opened:
        yield opened


@pytest.fixture
async def ours(local: There) -> AsyncIterator[Backend]:
    async with _opened(local) as opened:
        yield opened


async def _sent(there: There, backend: Backend, line: str) -> Handle:
    order = there.order(line)
    await there.prepare(backend, order, line)
    return replace(order.handle, native_id=(await backend.submit(order)).native_id)


async def _until(backend: Backend, handle: Handle, *stages: Stage) -> Seen:
    """Return what is said of a job that has come to a stage: a real site may take some minutes to run it."""
    end = time.monotonic() + (PATIENCE_SECONDS if "_URL" not in "".join(os.environ) else 600)
    while True:
        seen = (await backend.observe([handle]))[handle.job_id]
        if seen.stage in stages:
            return seen
        assert time.monotonic() < end, seen
        await asyncio.sleep(0.02)


async def _over(backend: Backend, handle: Handle) -> Seen:
    await _until(backend, handle, Stage.SUCCESSFUL, Stage.FAILED)
    seen = await backend.conclude(handle)
    assert seen is not None
    return seen


async def _read(backend: Backend, handle: Handle, path: str, start: int = 0, length: int | None = None) -> bytes:
    async with backend.read(handle, path, start, length) as (_, chunks):
        return b"".join([chunk async for chunk in chunks])


async def _paths(backend: Backend, handle: Handle, path: str = "") -> set[str]:
    return {each.path for each in (await backend.files(handle, path)).items}


class TestABackend:
    async def test_runs_a_job_with_its_files(self, there: There, backend: Backend) -> None:
        line = "echo a line; mkdir -p results; printf 0123456789 >results/out"
        order = there.order(line)
        await there.prepare(backend, order, line)
        assert await backend.find([order.handle]) == {}
        accepted = await backend.submit(order)
        assert await backend.find([order.handle]) == {order.handle.job_id: accepted.native_id}
        handle = replace(order.handle, native_id=accepted.native_id)
        seen = await _over(backend, handle)
        assert (seen.stage, seen.exit_code) == (Stage.SUCCESSFUL, 0)
        assert await _read(backend, handle, there.kind.stdout) == b"a line\n"
        await backend.remove(handle)
        assert await backend.observe([handle]) == {}
        assert await backend.conclude(handle) is None
        await backend.remove(handle)

    async def test_says_how_a_job_failed(self, there: There, backend: Backend) -> None:
        handle = await _sent(there, backend, "exit 7")
        seen = await _over(backend, handle)
        assert (seen.stage, seen.exit_code, seen.is_abort) == (Stage.FAILED, 7, False)
        await backend.remove(handle)

    async def test_ends_a_job(self, there: There, backend: Backend) -> None:
        handle = await _sent(there, backend, "sleep 600")
        await _until(backend, handle, there.kind.runs)
        await backend.cancel(handle)
        if there.kind.forgets:
            assert (await backend.observe([handle]), await backend.conclude(handle)) == ({}, None)
        else:
            seen = await _over(backend, handle)
            assert (seen.stage, seen.is_abort) == (Stage.FAILED, True)
        await backend.cancel(handle)
        await backend.remove(handle)

    async def test_gives_a_file_in_parts(self, there: There, backend: Backend) -> None:
        handle = await _sent(there, backend, "printf 0123456789")
        await _over(backend, handle)
        out = there.kind.stdout
        for start, length, expected in (
            (2, 3, b"234"),
            (7, None, b"789"),
            (8, 100, b"89"),
            (-3, None, b"789"),
            (-30, 2, b"01"),
            (10, None, b""),
            (99, 5, b""),
            (0, 0, b""),
        ):
            assert await _read(backend, handle, out, start, length) == expected, (start, length)
        with pytest.raises(NotFound):
            await _read(backend, handle, "nothing")
        await backend.remove(handle)

    async def test_says_that_a_job_is_gone_with_its_files(self, there: There, backend: Backend) -> None:
        handle = await _sent(there, backend, "true")
        await _over(backend, handle)
        async with _opened(there) as another:
            await another.remove(handle)
        async with _opened(there) as another:
            with pytest.raises(NotFound):
                await another.files(handle)
            with pytest.raises(NotFound):
                await _read(another, handle, there.kind.stdout)

    async def test_prepares_any_number_of_times(self, there: There, backend: Backend) -> None:
        line = "echo ran"
        order = there.order(line)
        for _ in range(2):
            await there.prepare(backend, order, line)
        async with _opened(there) as another:
            await there.prepare(another, order, line)
            accepted = await another.submit(order)
        assert await backend.find([order.handle]) == {order.handle.job_id: accepted.native_id}
        handle = replace(order.handle, native_id=accepted.native_id)
        await _over(backend, handle)
        assert await _read(backend, handle, there.kind.stdout) == b"ran\n"
        await backend.remove(handle)

    async def test_two_who_prepare_a_job_at_once_prepare_one(self, there: There, backend: Backend) -> None:
        line = "echo ran"
        order = there.order(line)
        await asyncio.gather(*(there.prepare(backend, order, line) for _ in range(4)))
        native = (await backend.submit(order)).native_id
        async with _opened(there) as another:
            assert await another.find([order.handle]) == {order.handle.job_id: native}
            await another.remove(order.handle)
            assert await another.conclude(replace(order.handle, native_id=native)) is None


async def _ends(there: There, backend: Backend, order: Order) -> Handle:
    """Return a job that is there once, and has ended well."""
    found = await backend.find([order.handle])
    handle = replace(order.handle, native_id=found[order.handle.job_id])
    assert (await _over(backend, handle)).stage is Stage.SUCCESSFUL
    return handle


class TestAnAnswerThatIsLost:
    async def test_before_it_came_there_is_no_job(self, local: There, ours: Backend, tmp_path: Path) -> None:
        line = f"echo ran >>{tmp_path}/runs"
        order = local.order(line)
        await local.prepare(ours, order, line)
        local.breaks(submission="lost_before")
        with pytest.raises(InDoubt):
            await ours.submit(order)
        local.breaks()
        assert await ours.find([order.handle]) == {}
        await ours.submit(order)
        await ours.remove(await _ends(local, ours, order))
        assert (tmp_path / "runs").read_text() == "ran\n"

    async def test_after_it_came_there_is_one(self, local: There, ours: Backend, tmp_path: Path) -> None:
        line = f"echo ran >>{tmp_path}/runs"
        order = local.order(line)
        await local.prepare(ours, order, line)
        local.breaks(submission="lost_after")
        with pytest.raises(InDoubt):
            await ours.submit(order)
        local.breaks()
        async with _opened(local) as another:
            await another.remove(await _ends(local, another, order))
        assert (tmp_path / "runs").read_text() == "ran\n"


async def _do(backend: Backend, what: str, order: Order, handle: Handle) -> None:
    asked = {
        "prepare": lambda: backend.prepare(order),
        "submit": lambda: backend.submit(order),
        "find": lambda: backend.find([order.handle]),
        "observe": lambda: backend.observe([handle]),
        "conclude": lambda: backend.conclude(handle),
        "cancel": lambda: backend.cancel(handle),
        "files": lambda: backend.files(handle),
        "remove": lambda: backend.remove(handle),
    }
    await asked[what]()


class _Listener:
    """Somebody else's server, with a certificate of some authority: it counts what it is asked."""

    def __init__(self, certificate: Path) -> None:
        self.heard: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[str]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heard.append(await reader.read(65536))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self._context)
        async with server:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class TestAGatewayInTrouble:
    @pytest.fixture
    async def job(self, local: There, ours: Backend) -> AsyncIterator[tuple[Order, Handle]]:
        """Give a job that is to be sent, and one that runs."""
        line = "echo ran"
        order = local.order(line)
        await local.prepare(ours, order, line)
        handle = await _sent(local, ours, "sleep 600")
        yield order, handle
        local.breaks()
        seen = (await ours.observe([handle]))[handle.job_id]
        assert seen.stage is local.kind.runs
        await ours.submit(order)
        await ours.remove(await _ends(local, ours, order))
        await ours.remove(handle)

    @pytest.mark.parametrize("away", ["closed", "busy"])
    async def test_that_is_away_costs_no_job(self, local: There, job: tuple[Order, Handle], away: str) -> None:
        local.breaks(away=away)
        for what in local.kind.asks:
            async with _opened(local) as fresh:
                with pytest.raises((Unavailable, InDoubt)):
                    await _do(fresh, what, *job)

    async def test_that_sends_elsewhere_is_not_followed(
        self, local: There, ours: Backend, job: tuple[Order, Handle]
    ) -> None:
        assert local.standin
        listener = _Listener(local.standin.authority.certificate())
        async with listener.up() as elsewhere:
            local.breaks(redirect=elsewhere)
            for what in local.kind.asks:
                async with _opened(local) as fresh:
                    with pytest.raises(Unavailable, match="sends to another address"):
                        await _do(fresh, what, *job)
            with pytest.raises(Unavailable, match="sends to another address"):
                await ours.observe([job[1]])
        assert listener.heard == []

    async def test_that_shows_another_certificate_is_told_nothing(
        self, local: There, job: tuple[Order, Handle], tmp_path: Path
    ) -> None:
        other = gateways.Authority(tmp_path / "other", "Another authority")
        listener = _Listener(other.certificate())
        async with listener.up() as impostor:
            url = impostor + local.kind.path
            async with _opened(replace(local, entry={**local.entry, "url": url})) as fresh:
                for what in local.kind.asks:
                    with pytest.raises(Unavailable, match="could not prove that it is Daint"):
                        await _do(fresh, what, *job)
        assert [each for each in listener.heard if each] == []

    async def test_that_does_not_take_the_credentials_says_so_to_admins(
        self, local: There, job: tuple[Order, Handle], tmp_path: Path
    ) -> None:
        wrong = local.with_password("wrong", tmp_path)
        for what in local.kind.asks:
            async with _opened(wrong) as fresh:
                with pytest.raises(Broken, match="does not take the credentials"):
                    await _do(fresh, what, *job)

    async def test_whose_credentials_are_open_to_others_is_not_asked(
        self, local: There, job: tuple[Order, Handle]
    ) -> None:
        path = Path(local.gateway.credentials)
        path.chmod(0o644)
        try:
            async with _opened(local) as fresh:
                with pytest.raises(Broken, match="has no credentials"):
                    await _do(fresh, "find", *job)
        finally:
            path.chmod(0o600)


class TestItsPassword:
    async def test_is_nowhere(self, local: There, ours: Backend, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        line = "echo ran"
        order = local.order(line)
        said: list[object] = [ours, order]
        await local.prepare(ours, order, line)
        for broken in ({"away": "busy"}, {"away": "closed"}, {"redirect": "https://elsewhere.test"}):
            local.breaks(**broken)
            for what in local.kind.asks:
                try:
                    await _do(ours, what, order, replace(order.handle, native_id="x"))
                except LaunchError as error:
                    said += [error, error.message, error.detail, error.__context__]
        local.breaks()
        said += [await ours.files(order.handle), vars(ours), local.gateway]
        await ours.remove(order.handle)
        text = caplog.text + "".join(f"{each}{each!r}" for each in said)
        assert "Daint" in text
        for secret in (gateways.PASSWORD, "Basic "):
            assert secret not in text


class TestFiles:
    """Of a job that is not sent, where its kind has a folder for it then."""

    @pytest.fixture
    async def waiting(self, local: There, ours: Backend) -> AsyncIterator[Handle]:
        order = local.order("true")
        await ours.prepare(order)
        yield order.handle
        await ours.remove(order.handle)

    async def test_are_put_and_had_back(self, ours: Backend, waiting: Handle) -> None:
        found = await ours.put(waiting, "in.zip", pieces(b"one ", b"two"), 7)
        assert (found.path, found.size, found.kind) == ("in.zip", 7, "file")
        assert await _read(ours, waiting, "in.zip") == b"one two"
        await ours.put(waiting, "in.zip", pieces(b"other"))
        assert await _read(ours, waiting, "in.zip") == b"other"
        assert await _paths(ours, waiting) == {"in.zip"}
        await ours.remove(waiting, "in.zip")
        assert await _paths(ours, waiting) == set()
        with pytest.raises(NotFound):
            await ours.remove(waiting, "in.zip")

    async def test_are_there_whole_or_not_at_all(self, ours: Backend, waiting: Handle) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"some"
            raise ConnectionResetError

        await ours.put(waiting, "in.zip", pieces(b"whole"), 5)
        with pytest.raises(ConnectionResetError):
            await ours.put(waiting, "in.zip", broken(), 100)
        assert await _read(ours, waiting, "in.zip") == b"whole"
        assert await _paths(ours, waiting) == {"in.zip"}

    async def test_are_no_larger_than_is_taken(self, ours: Backend, waiting: Handle) -> None:
        async def large() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield bytes(_MEBIBYTE // 16)

        with pytest.raises((TooLarge, Unavailable)):
            await ours.put(waiting, "in.zip", large())
        assert await _paths(ours, waiting) == set()


class TestFilesOfUnicore:
    @pytest.fixture
    def local(self, kind: Kind, standin: There) -> There:
        if kind.name != "unicore":
            pytest.skip("its jobs have no folder of that kind")
        return standin

    async def test_lie_in_folders_under_any_name(self, local: There, ours: Backend) -> None:
        order = local.order("true")
        await ours.prepare(order)
        for name in ("a b/c#1?.txt", "a b/é%2e", "x;y&z=1", "+"):
            await ours.put(order.handle, name, pieces(b"1"), 1)
            assert await _read(ours, order.handle, name) == b"1"
        whole = {"a b", "a b/c#1?.txt", "a b/é%2e", "x;y&z=1", "+"}
        assert await _paths(ours, order.handle) == whole
        assert await _paths(ours, order.handle, "a b") == {"a b/c#1?.txt", "a b/é%2e"}
        with pytest.raises(NotAFile):
            await _read(ours, order.handle, "a b")
        await ours.remove(order.handle, "a b")
        assert await _paths(ours, order.handle) == {"x;y&z=1", "+"}
        await ours.remove(order.handle)

    async def test_a_session_that_is_over_is_begun_anew(self, local: There, ours: Backend) -> None:
        order = local.order("true")
        await ours.prepare(order)
        local.breaks(is_session_over=True)
        try:
            await ours.submit(order)
            handle = await _ends(local, ours, order)
            await ours.put(handle, "later", pieces(b"1"), 1)
        finally:
            local.breaks()
        await ours.remove(handle)
