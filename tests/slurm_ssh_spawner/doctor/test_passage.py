"""What a real nginx before a real proxy lets through to the hub's own handler, and what doctor says of it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application

from kerberos_auth.outcome import Outcome, State
from lab.folders import NODE_PROGRAM, PROXY_PROGRAM
from slurm_ssh_spawner.doctor import passage
from slurm_ssh_spawner.hub import passage as of_hub
from tests.support import loopback, nginx
from tests.support.folders import TREE
from tests.support.ports import free_port
from tests.support.waiting import until

_PAGE = (TREE / "docs/nginx.md").read_text(encoding="utf-8")
_UPGRADE = ("proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;")
_EVENTS = "proxy_buffering off;"


def _block(begins: str) -> str:
    """Return a block of the configuration that the page has."""
    found = re.search(rf"^( *){re.escape(begins)} .*?^\1}}$", _PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


@pytest.fixture
async def hub() -> AsyncIterator[int]:
    """The port of a hub that has no other page."""
    server = HTTPServer(Application([("/hub/api/passage", of_hub.Passage)]))
    port = free_port()
    server.listen(port, "127.0.0.1")
    yield port
    server.stop()
    await server.close_all_connections()


@pytest.fixture
async def proxy(hub: int) -> AsyncIterator[int]:
    """The port of the proxy before it."""
    port = free_port()
    words = ("--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--log-level", "error")
    more = ("--api-port", str(free_port()), "--default-target", f"http://127.0.0.1:{hub}")
    program = await asyncio.create_subprocess_exec(NODE_PROGRAM, PROXY_PROGRAM, *words, *more)
    await until(lambda: loopback.listens(port))
    yield port
    program.terminate()
    await program.wait()


async def _looked(url: str) -> list[Outcome]:
    return await asyncio.to_thread(lambda: [*passage.looked_at(url)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nginx has its files; its certificate is believed."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    return tmp_path


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are short."""
    monkeypatch.setattr(of_hub, "HOLD_SECONDS", 0.3)
    monkeypatch.setattr(passage, "HOLD_SECONDS", 0.3)


async def _through(folder: Path, proxy: int, *left_out: str) -> list[Outcome]:
    """Return what is found through an nginx as the page has it, without some lines."""
    location = _block("location /").replace("127.0.0.1:8000", f"127.0.0.1:{proxy}")
    for line in left_out:
        assert line in location
        location = location.replace(line, "")
    async with nginx.running(folder, _block("map $http_upgrade"), location) as port:
        return await _looked(f"https://localhost:{port}/")


async def test_the_proxy_alone_lets_everything_through(proxy: int) -> None:
    assert await _looked(f"http://127.0.0.1:{proxy}/") == []


async def test_so_does_an_nginx_as_our_page_has_it(folder: Path, proxy: int) -> None:
    assert await _through(folder, proxy) == []


@pytest.mark.parametrize("left_out", [_UPGRADE, _UPGRADE[:1], _UPGRADE[1:]])
async def test_an_nginx_that_takes_websockets_for_pages(
    folder: Path, proxy: int, left_out: tuple[str, ...]
) -> None:
    (found,) = await _through(folder, proxy, *left_out)
    assert (found.check, found.state) == ("C2", State.FAIL)
    assert "Websockets do not get through to the hub at https://localhost:" in found.sentence
    # What it says to write is what the page has.
    for line in (*_UPGRADE, "proxy_http_version 1.1;"):
        assert line in found.fix
        assert line in _block("location /")
    assert " ".join(_block("map $http_upgrade").split()).replace('""', "''") in found.fix


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("left_out", [(_EVENTS,), (_EVENTS, "proxy_http_version 1.1;")])
async def test_an_nginx_that_keeps_events_until_the_end(
    folder: Path, proxy: int, left_out: tuple[str, ...]
) -> None:
    (found,) = await _through(folder, proxy, *left_out)
    assert (found.check, found.state) == ("C2", State.WARN)
    assert "holds back events" in found.sentence
    assert _EVENTS in found.fix


@pytest.mark.usefixtures("soon")
async def test_a_plain_nginx_has_both_faults(folder: Path, proxy: int) -> None:
    async with nginx.running(folder, "", f"location / {{ proxy_pass http://127.0.0.1:{proxy}; }}") as port:
        found = await _looked(f"https://localhost:{port}/")
    assert [each.state for each in found] == [State.FAIL, State.WARN]
    # Of streams that somebody has left none stays.
    await until(lambda: of_hub.Passage._streams == 0)


async def test_many_streams_are_too_many(hub: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_hub, "_MOST", 0)
    (found,) = await _looked(f"http://127.0.0.1:{hub}/")
    assert (found.check, found.state) == ("C2", State.SKIP)
    assert "(status 429)" in found.sentence


async def test_a_hub_of_an_older_version_is_not_asked() -> None:
    server = HTTPServer(Application([]))
    port = free_port()
    server.listen(port, "127.0.0.1")
    (found,) = await _looked(f"http://127.0.0.1:{port}/")
    server.stop()
    await server.close_all_connections()
    assert (found.state, "(status 404)" in found.sentence) == (State.SKIP, True)
    assert "restart it" in found.fix


async def test_an_event_that_was_late_once_is_not_held_back() -> None:
    late = [60.0]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        sent = time.time() - (late.pop() if late else 0)
        body = b"" if b"websocket" in asked else f"data: {sent:.3f}\n\n".encode()
        status = "200 OK" if body else "101 Switching Protocols"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        assert await _looked(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") == []
    assert late == []
