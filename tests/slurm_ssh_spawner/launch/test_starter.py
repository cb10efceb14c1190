import ast
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slurm_ssh_spawner.launch import jobside
from tests.support import loopback
from tests.support.loopback import WAIT_SECONDS, Hub
from tests.support.ports import free_port

_STUB = Path(loopback.__file__).with_name("stub_server.py")
_SOURCE = Path(jobside.__file__).parent / "starter.py"
_VERSION = subprocess.run(
    ["/usr/bin/python3", "-c", "import sys; print(sys.version.split()[0])"],
    capture_output=True,
    text=True,
    check=True,
).stdout.strip()
_NOTES_SCANS = b"""
import sys
sys.addaudithook(lambda what, args: what == "open" and args[0] == "/proc/net/tcp" and print("scanned", flush=True))
"""
_STARTING = {"stage": "starting", "text": f"Python {_VERSION}, /usr/bin/python3"}
_CUT_SHORT = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{"
Start = Callable[..., "_Starter"]


class _Starter:
    """The starter as a job runs it: Python reads it from stdin, the server's command follows as arguments."""

    def __init__(
        self, folder: Path, hub: Hub, command: list[str], environ: dict[str, str], before: bytes = b""
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.runtime = folder / "jupyter-runtime"
        self.runtime.mkdir()
        settings = {
            "PATH": "/usr/bin:/bin",
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTERHUB_SITES_LAUNCH_FOLDER": str(folder),
            "JUPYTERHUB_API_TOKEN": "5ec4e7",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/",
            "JUPYTERHUB_SITES_REPORT_URL": hub.url,
        }
        program = folder / "program.py"
        program.write_bytes(before + _SOURCE.read_bytes())
        with program.open("rb") as source, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["python3", "-I", "-", *command],
                stdin=source,
                stdout=log,
                stderr=log,
                env={**settings, **environ},
                cwd=folder,
            )

    def status(self) -> int:
        """Wait for the end and return the status."""
        return self.process.wait(WAIT_SECONDS)

    def said(self) -> str:
        return self.log.read_text()

    def waits_until(self, said: str) -> None:
        """Wait until the log holds some words."""
        while said not in self.said():
            with pytest.raises(subprocess.TimeoutExpired):
                self.process.wait(0.02)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with loopback.listening(Hub()) as hub:
        yield hub


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[_Starter] = []

    def start(hub: Hub, *words: str, command: list[str] | None = None, **environ: str) -> _Starter:
        starter = _Starter(tmp_path, hub, command or ["python3", str(_STUB), *words], environ)
        started.append(starter)
        return starter

    yield start
    for starter in started:
        if starter.process.poll() is None:
            starter.process.terminate()
            starter.process.wait(WAIT_SECONDS)


def _is_alive(folder: Path) -> bool:
    return Path("/proc", (folder / "pid").read_text()).exists()


def test_the_job_reports_that_it_starts_and_then_the_port_its_server_listens_on(hub: Hub, start: Start) -> None:
    starter = start(hub, "serve", "until-term")
    port = hub.reported_port()
    assert hub.reports == [_STARTING, {"port": port}]
    socket.create_connection(("127.0.0.1", port)).close()
    starter.process.terminate()
    starter.status()


def test_reports_carry_the_jobs_token_and_go_to_the_launch(hub: Hub, start: Start) -> None:
    start(hub, "fail", "1").status()
    assert hub.requests == [("/hub/api/launches/0123456789ab", "token 5ec4e7")]


def test_the_server_is_told_its_address_and_a_folder_of_its_own(hub: Hub, start: Start) -> None:
    starter = start(hub, "serve", "fail", "0")
    starter.status()
    environ = json.loads((starter.folder / "environ.json").read_text())
    assert environ["JUPYTERHUB_SERVICE_URL"].startswith("http://0.0.0.0:")
    assert environ["JUPYTERHUB_SERVICE_URL"].endswith("/user/alice/")
    assert environ["JUPYTER_RUNTIME_DIR"] == str(starter.runtime)


@pytest.mark.parametrize("status", [0, 1, 77])
def test_a_server_that_ends_gives_the_job_its_status(hub: Hub, start: Start, status: int) -> None:
    starter = start(hub, "fail", str(status))
    assert starter.status() == status
    assert hub.reports == [_STARTING]


def test_a_server_that_is_killed_gives_the_status_a_shell_would(hub: Hub, start: Start) -> None:
    assert start(hub, command=["sh", "-c", "kill -KILL $$"]).status() == 128 + 9


def test_a_program_that_does_not_exist_is_said(hub: Hub, start: Start) -> None:
    starter = start(hub, command=["/nowhere/jupyterhub-singleuser"])
    assert starter.status() == 127
    assert "The notebook server cannot be started: [Errno 2]" in starter.said()


def test_a_launch_that_the_hub_does_not_know_is_not_started(start: Start, hub: Hub) -> None:
    hub.statuses = [loopback.UNWANTED]
    starter = start(hub, "until-term")
    assert starter.status() == 3
    assert "This job ends, because the hub does not know it: nobody waits for it." in starter.said()
    assert not (starter.folder / "pid").exists()


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_what_a_proxy_or_a_limiter_answers_is_not_the_hubs_word(start: Start, hub: Hub, status: int) -> None:
    hub.statuses = [status, 204, status]
    starter = start(hub, "serve", "until-term")
    assert hub.reports == [_STARTING, {"port": hub.reported_port()}]
    assert f"waiting for the hub: HTTP Error {status}" in starter.said()


_WORD = b'{"status": 404, "message": "No.", "unknown_launch": true}'


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3a\r\n" + _WORD + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 404 No\r\n" + b"X-Header: much\r\n" * 300 + b"\r\n" + _WORD,
    ],
)
def test_the_hubs_word_is_heard_through_whatever_stands_before_it(start: Start, answer: bytes) -> None:
    hub = Hub(port=free_port())
    with loopback.babbling(hub.port, answer):
        starter = start(hub, "serve", "until-term")
        assert starter.status() == 3
    assert not (starter.folder / "pid").exists()


def test_stages_that_the_hub_refuses_do_not_keep_the_server_from_starting(start: Start, hub: Hub) -> None:
    hub.statuses = [400]
    held = json.dumps([{"stage": "notice", "text": "é" * 5}])
    start(hub, "serve", "until-term", JUPYTERHUB_SITES_HELD=held)
    assert hub.reports == [_STARTING, {"port": hub.reported_port()}]


def test_stages_are_no_longer_in_a_report_than_in_the_script(start: Start, hub: Hub) -> None:
    held = json.dumps([{"stage": "notice", "text": "日" * 4000}], ensure_ascii=False)
    start(hub, "serve", "until-term", JUPYTERHUB_SITES_HELD=held)
    hub.reported_port()
    assert hub.lengths[0] < len(held.encode()) + 200


def test_a_launch_that_the_hub_forgot_meanwhile_is_ended(start: Start, hub: Hub) -> None:
    hub.statuses = [204, loopback.UNWANTED]
    starter = start(hub, command=["sh", "-c", f"echo $$ > pid; exec python3 {_STUB} serve until-term"])
    assert starter.status() == 3
    assert not _is_alive(starter.folder)


def test_a_hub_that_is_busy_is_asked_again(start: Start, hub: Hub) -> None:
    hub.statuses = [503, 204, 502]
    starter = start(hub, "serve", "until-term")
    assert hub.reports == [_STARTING, {"port": hub.reported_port()}]
    assert "waiting for the hub: HTTP Error 503" in starter.said()


def test_a_hub_that_is_away_is_waited_for(start: Start) -> None:
    hub = Hub(port=free_port())
    starter = start(hub, "serve", "until-term")
    starter.waits_until("waiting for the hub")
    with loopback.listening(hub):
        hub.reported_port()


@pytest.mark.parametrize("answer", [b"\x15\x03\x01\n", b"\n", _CUT_SHORT])
def test_what_speaks_no_http_in_the_place_of_the_hub_ends_no_server(start: Start, answer: bytes) -> None:
    hub = Hub(port=free_port())
    with loopback.babbling(hub.port, answer):
        starter = start(hub, "serve", "until-term")
        starter.waits_until("waiting for the hub")
    with loopback.listening(hub):
        hub.reported_port()
    with loopback.babbling(hub.port, answer) as has_answered:
        # It says again where it is.
        assert has_answered.wait(WAIT_SECONDS)
        with pytest.raises(subprocess.TimeoutExpired):
            starter.process.wait(0.5)


def test_a_proxy_for_the_outside_world_does_not_see_the_token(start: Start, hub: Hub) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    start(hub, "serve", "until-term", http_proxy=proxy, HTTP_PROXY=proxy)
    hub.reported_port()


def test_a_port_that_somebody_took_is_left_to_them(start: Start, hub: Hub) -> None:
    starter = start(hub, "take", "serve", "until-term")
    port = hub.reported_port()
    (taken,) = [stranger.getsockname()[1] for stranger in hub.taken]
    assert port != taken
    assert f"port {taken} was taken by somebody else" in starter.said()


def test_the_end_of_the_job_is_the_end_of_the_server(start: Start, hub: Hub) -> None:
    starter = start(hub, "serve", "until-term")
    hub.reported_port()
    starter.waits_until("waiting for SIGTERM")
    starter.process.send_signal(signal.SIGTERM)
    assert starter.status() == 5
    assert not _is_alive(starter.folder)


def test_a_job_that_is_cancelled_while_it_waits_for_the_hub_leaves_nothing(start: Start) -> None:
    starter = start(Hub(port=free_port()), "until-term")
    starter.waits_until("waiting for the hub")
    starter.process.terminate()
    assert starter.status() == 128 + signal.SIGTERM


def test_a_server_that_does_not_end_is_killed_in_time(start: Start, hub: Hub) -> None:
    starter = start(hub, "serve", "stubborn")
    hub.reported_port()
    starter.waits_until("waiting for SIGTERM")
    starter.process.send_signal(signal.SIGTERM)
    assert starter.status() == 128 + signal.SIGKILL
    assert not _is_alive(starter.folder)


@pytest.mark.parametrize("command", ["exec python3 {stub}", "python3 {stub}", "setsid python3 {stub} & wait"])
def test_any_program_that_listens_is_a_server(start: Start, hub: Hub, command: str) -> None:
    line = command.replace("{stub}", f"{_STUB} listen until-term", 1)
    starter = start(hub, command=["sh", "-c", line])
    socket.create_connection(("127.0.0.1", hub.reported_port())).close()
    starter.waits_until("waiting for SIGTERM")
    os.kill(int((starter.folder / "pid").read_text()), signal.SIGTERM)
    starter.status()


def test_a_node_is_seldom_searched_for_a_server_that_takes_its_time(tmp_path: Path, hub: Hub) -> None:
    starter = _Starter(tmp_path, hub, ["sleep", "3"], {}, _NOTES_SCANS)
    assert starter.status() == 0
    assert 1 <= starter.said().count("scanned") <= 5


def test_a_stranger_on_the_port_is_not_the_server(start: Start, hub: Hub) -> None:
    taken = f"python3 {_STUB} take; until [ -e {{go}} ]; do sleep 0.02; done; exit 1"
    starter = start(
        hub,
        command=[
            "sh",
            "-c",
            f"[ ! -e taken ] || exec python3 {_STUB} serve until-term; {taken}".replace("{go}", "go"),
        ],
    )
    while not hub.taken:
        time.sleep(0.02)
    # Looks at the port are many in this time.
    time.sleep(1)
    assert hub.reports == [_STARTING]
    (starter.folder / "go").touch()
    assert hub.reported_port() != hub.taken[0].getsockname()[1]


_IPV6_ONLY = """
ip link set lo up
ip link add node0 type veth peer name switch0
ip link set node0 up
ip link set switch0 up
ip -6 addr add fd00::1/64 dev node0 nodad
exec "$@"
"""


def test_a_node_without_ipv4_listens_on_ipv6(tmp_path: Path) -> None:
    """The hub of this test is in the same network, which has IPv4 on loopback alone."""
    program = f"""
import json, pathlib, socket, sys
sys.path.insert(0, {str(Path.cwd())!r})
from tests.slurm_ssh_spawner.launch import test_starter
from tests.support import loopback
with loopback.listening(loopback.Hub()) as hub:
    command = ["python3", "-I", str(test_starter._STUB), "serve", "until-term"]
    starter = test_starter._Starter(pathlib.Path("."), hub, command, {{}})
    socket.create_connection(("fd00::1", hub.reported_port())).close()
    starter.process.terminate()
    starter.status()
"""
    network = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    command = [*network, "bash", "-c", _IPV6_ONLY, "bash", sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    environ = json.loads((tmp_path / "environ.json").read_text())
    assert environ["JUPYTERHUB_SERVICE_URL"].startswith("http://[::]:")


def test_a_python_that_finds_its_library_by_its_own_site_only_will_do(tmp_path: Path, hub: Hub) -> None:
    paths = subprocess.run(
        ["/usr/bin/python3", "-I", "-S", "-c", "import sys; print(sys.path)"], capture_output=True, check=True
    )
    (tmp_path / "site.py").write_text(f"import sys\ndef main():\n    sys.path[:] = {paths.stdout.decode()}")
    # Newer ones have `site` built in.
    last = "sys.meta_path.sort(key=lambda each: 'Frozen' in repr(each))"
    begin = f"import sys; {last}; sys.path[:] = [{str(tmp_path)!r}]; exec(open({str(_SOURCE)!r}).read())"
    environ = {
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
        "JUPYTERHUB_SITES_LAUNCH_FOLDER": str(tmp_path),
        "JUPYTERHUB_API_TOKEN": "5ec4e7",
        "JUPYTERHUB_SITES_REPORT_URL": hub.url,
    }
    ended = subprocess.run(["/usr/bin/python3", "-I", "-S", "-c", begin, "/bin/false"], env=environ, check=False)
    assert ended.returncode == 1
    assert hub.reports == [_STARTING]


def test_the_source_is_clean_for_python_3_6() -> None:
    ast.parse(_SOURCE.read_text(), feature_version=(3, 6))


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
    return []


def test_the_source_needs_the_standard_library_only() -> None:
    names = [name for node in ast.walk(ast.parse(_SOURCE.read_text())) for name in _imported(node)]
    assert names
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
