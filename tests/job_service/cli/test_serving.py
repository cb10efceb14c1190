"""The process: whom it answers, how it ends, and what it closes then."""

import asyncio
import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from job_service.cli.serving import _listening
from tests.support import builders
from tests.support.folders import TREE
from tests.support.ports import free_port

# The process of the service, with another service in it: one that says what becomes of it.
PROGRAM = """
import asyncio, gc, sys
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from job_service.cli import serving
from job_service.service import Settings

@asynccontextmanager
async def opened(settings):
    try:
        yield SimpleNamespace(settings=settings, closing=asyncio.Event(), catalogue=SimpleNamespace(sites={}))
    finally:
        await asyncio.sleep(0)
        print("closed", flush=True)

def make_app(service, auth, logins, servers, **settings):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/until-the-end":
            await service.closing.wait()
        asked = {"/frozen": gc.get_freeze_count(), "/full-collections": gc.get_threshold()[2]}
        length = asked.get(scope["path"], 0)
        while scope["method"] == "PUT":
            message = await receive()
            length += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send({"type": "http.response.body", "body": b"%d" % length})
    return app

serving.opened, serving.make_app = opened, make_app
folder = Path(sys.argv[1])
asyncio.run(serving.serve(Settings(*sys.argv[3:] or [""], folder, folder, "", "hub", 1), sys.argv[2], "token"))
print("ended", flush=True)
"""


@contextmanager
def serving(folder: Path, *catalogue: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, str(folder), f"127.0.0.1:{port}", *map(str, catalogue)]
    with subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, port
        finally:
            process.kill()


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """Give a connection, as soon as the service takes one."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        wait(lambda: is_open(port))
        connection.connect()
        yield connection


def is_open(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def obeys(pid: int) -> bool:
    """Whether a process does something else at SIGTERM than to be gone."""
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_a_request_under_way_is_answered_and_all_is_closed_after_sigterm(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, port), connected(port) as upload, connected(port) as long_answer:
        upload.putrequest("PUT", "/file")
        upload.putheader("Content-Length", "6")
        upload.endheaders()
        upload.send(b"abc")
        long_answer.request("GET", "/until-the-end")
        answer = long_answer.getresponse()
        process.send_signal(signal.SIGTERM)
        assert answer.read() == b"0"
        wait(lambda: not is_open(port))
        upload.send(b"def")
        assert upload.getresponse().read() == b"6"
        printed, _ = process.communicate()
        assert (process.returncode, printed) == (0, "closed\nended\n")


def test_it_waits_for_the_folder_of_tickets_and_can_be_ended_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(builders.written())
    with serving(tmp_path / "krb5", tmp_path / "catalogue.yaml") as (process, _):
        wait(lambda: obeys(process.pid))
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
        assert (process.returncode, printed) == (0, "ended\n")


def test_it_waits_for_no_tickets_where_no_site_needs_one(tmp_path: Path) -> None:
    login = {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"}
    sites = {"zurich": builders.site(login=login, ticket={})}
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites=sites))
    with serving(tmp_path / "krb5", tmp_path / "catalogue.yaml") as (process, port):
        with connected(port) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"0"
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
        assert (process.returncode, printed) == (0, "closed\nended\n")


def test_it_ends_with_the_hub_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    service = [sys.executable, "-c", PROGRAM, str(tmp_path), f"127.0.0.1:{port}"]
    hub = (
        "import subprocess, sys; subprocess.Popen(sys.argv[1:], env={'JUPYTERHUB_SERVICE_NAME': 'jobs'}); input()"
    )
    command = [sys.executable, "-c", hub, *service]
    with subprocess.Popen(command, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait(lambda: is_open(port))
        process.kill()
        assert process.stdout is not None
        assert process.stdout.read() == "closed\nended\n"


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), f"127.0.0.1:{port}"]
        done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"jupyterhub-jobs cannot listen on 127.0.0.1:{port} (Address already in use)." in done.stderr


def test_what_is_there_from_the_start_is_not_collected_again_and_again(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port), connected(port) as connection:
        connection.request("GET", "/frozen")
        assert int(connection.getresponse().read()) > 10_000


def test_all_that_open_pages_keep_is_seldom_looked_through(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port), connected(port) as connection:
        connection.request("GET", "/full-collections")
        assert int(connection.getresponse().read()) == 1000


async def test_no_part_of_an_answer_waits_for_the_one_before() -> None:
    sends_at_once: list[int] = []

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = writer.get_extra_info("socket")
        sends_at_once.append(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with _listening("127.0.0.1:0") as sock:
        async with await asyncio.start_server(connected, sock=sock):
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
    assert sends_at_once == [1]
