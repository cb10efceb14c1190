"""Whether a server is in use, asked of what answers in its place on a local port."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from slurm_ssh_spawner.hub import in_use
from slurm_ssh_spawner.hub.in_use import Use
from slurm_ssh_spawner.hub.restored import Looker

IDLE, BUSY = '{"execution_state": "idle"}', '{"execution_state": "busy"}'


class Kernels(RequestHandler):
    answer = ""

    def get(self) -> None:
        assert self.request.headers["Authorization"] == "token its-own"
        self.finish(type(self).answer)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/user/alice/api/kernels", Kernels)]))
    server.add_socket(socket)
    yield f"http://127.0.0.1:{port}/user/alice/"
    server.stop()
    await server.close_all_connections()


async def _use(url: str, used: datetime | None = None) -> Use:
    async def get_url() -> str:
        return url

    # As JupyterHub has a spawner.
    row = SimpleNamespace(last_activity=used)
    spawner: Any = SimpleNamespace(get_url=get_url, api_token="its-own", orm_spawner=row)
    looker = Looker()
    try:
        return await in_use.of(spawner, looker)
    finally:
        looker.close()


@pytest.mark.parametrize(
    ("answer", "busy"),
    [
        (f"[{IDLE}, {BUSY}, {BUSY}]", 2),
        (f"[{IDLE}]", 0),
        ("[]", 0),
        ("no JSON", 0),
        ('{"execution_state": "busy"}', 0),
        ('["busy", null, {"execution_state": 7}]', 0),
        ("[" * 100_000, 0),
    ],
)
async def test_kernels_that_compute_are_counted_whatever_the_server_answers(
    url: str, answer: str, busy: int
) -> None:
    Kernels.answer = answer
    use = await _use(url)
    assert (use.busy, use.minutes, use.is_worth_a_question) == (busy, None, busy > 0)


async def test_a_server_that_does_not_answer_is_in_use_if_it_was_used_lately() -> None:
    socket, port = bind_unused_port()
    socket.close()
    now = datetime.now(UTC).replace(tzinfo=None)
    for minutes, asks in ((3, True), (30, False)):
        use = await _use(f"http://127.0.0.1:{port}/", now - timedelta(minutes=minutes, seconds=5))
        assert (use.busy, use.minutes, use.is_worth_a_question) == (0, minutes, asks)
