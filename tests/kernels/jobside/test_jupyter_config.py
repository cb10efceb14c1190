"""What the job's configuration makes of a real notebook server: its kernels, their channels, its terminals."""

import json
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from kernels import jobside
from lab.folders import SETUP
from lab.plain_http import NO_TLS
from tests.support import loopback, shells

_SOURCE = Path(jobside.__file__).with_name("jupyter_config.py")
_WAIT_SECONDS = 60
_TOKEN = "t0ken"
T = TypeVar("T")
MADE = ".local/share/jupyterhub-sites/made"


_ASK = """
import sys
from jupyter_client.blocking import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels(hb=False)
client.wait_for_ready(60)
client.execute_interactive("print(6 * 7)")
client.stop_channels()
"""


class Server:
    """A server of one of the sites' JupyterLabs, as a job starts it, in `folder` with the home in it."""

    def __init__(self, folder: Path, jupyterlab: str, environ: dict[str, str]) -> None:
        self.home, self.launch = folder / "home", folder / "launch"
        self.python = SETUP / jupyterlab / "bin" / "python"
        self.launch.mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        shutil.copy(_SOURCE, self.launch)
        # The paths of sockets are short, those of tests are not.
        self.runtime = Path(tempfile.mkdtemp())
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "JUPYTER_CONFIG_PATH": str(self.launch),
            "JUPYTER_PATH": str(self.launch / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            **environ,
        }
        command = [self.python, "-m", "jupyter_server", f"--ServerApp.token={_TOKEN}"]
        self.port = loopback.free_port()
        command += [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*map(str, command), "--allow-root", "--no-browser"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
            )
        self._http: httpx.Client | None = None

    def __enter__(self) -> "Server":
        wait_for(lambda: next(self.runtime.glob("jpserver-*.json"), None) and loopback.listens(self.port))
        headers = {"Authorization": f"token {_TOKEN}"}
        url = f"http://127.0.0.1:{self.port}"
        self._http = httpx.Client(
            verify=NO_TLS, base_url=url, headers=headers, timeout=_WAIT_SECONDS, trust_env=False
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(_WAIT_SECONDS)
        if self._http:
            self._http.close()
        shutil.rmtree(self.runtime)

    def get(self, path: str) -> Any:
        assert self._http
        return self._http.get(path).raise_for_status().json()

    def kernels(self) -> dict[str, Any]:
        """Return the kernelspecs that are shown."""
        return {name: spec["spec"] for name, spec in self.get("/api/kernelspecs")["kernelspecs"].items()}

    def start_kernel(self, name: str = "python3") -> str:
        """Start a kernel, have it answer a question, and return its id."""
        assert self._http
        answer = self._http.post("/api/kernels", json={"name": name})
        kernel: str = answer.raise_for_status().json()["id"]
        self.ask(kernel)
        return kernel

    def ask(self, kernel: str) -> None:
        """Have a kernel run a line, as its owner."""
        asked = shells.run([str(self.python), "-c", _ASK, str(self.runtime / f"kernel-{kernel}.json")])
        assert asked.lines == ["42"], asked.stderr


def wait_for(look: Callable[[], T]) -> T:
    """Return what `look` finds, once it finds something."""
    end = time.monotonic() + _WAIT_SECONDS
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


@pytest.fixture(params=["jupyterlab", "jupyterlab-old"])
def jupyterlab(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(tmp_path: Path, jupyterlab: str) -> Callable[..., Server]:
    def make(**environ: str) -> Server:
        return Server(tmp_path, jupyterlab, environ)

    return make


_SPY = """
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.subscribe(b"")
for port in sys.argv[1:]:
    socket.connect("tcp://127.0.0.1:" + port)
poller = zmq.Poller()
poller.register(socket)
poller.register(sys.stdin)
print("listening", flush=True)
while True:
    for source, _ in poller.poll():
        if source is socket:
            print(socket.recv_multipart())
        else:
            sys.exit()
"""


class TestChannels:
    """What a kernel is sent and prints is nobody else's on the node."""

    def _spied(self, server: Server) -> tuple[str, str]:
        """Return the transport of a kernel, and what somebody else on the node can read of it without a token."""
        kernel = server.start_kernel()
        ports = [port for pid in _children(server.process.pid) for port in _listening(pid)]
        spy = subprocess.Popen(
            [str(server.python), "-c", _SPY, *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert spy.stdout
        assert spy.stdout.readline() == "listening\n"
        server.ask(kernel)
        read, _ = spy.communicate(timeout=_WAIT_SECONDS)
        return json.loads((server.runtime / f"kernel-{kernel}.json").read_text())["transport"], read

    def test_nobody_reads_what_is_run(self, make: Callable[..., Server]) -> None:
        with make() as server:
            assert self._spied(server) == ("ipc", "")
            assert stat.S_IMODE(server.runtime.stat().st_mode) & 0o077 == 0
            assert [path for path in server.runtime.iterdir() if stat.S_ISSOCK(path.stat().st_mode)]

    def test_a_profile_of_kernels_that_know_ports_alone_has_those(self, make: Callable[..., Server]) -> None:
        with make(JUPYTERHUB_SITES_KERNEL_TRANSPORT="tcp") as server:
            transport, read = self._spied(server)
            assert transport == "tcp"
            assert "print(6 * 7)" in read


def _listening(pid: int) -> list[str]:
    """Return the ports on which a process listens."""
    rows = shells.run(["ss", "-Hltnp"]).stdout.decode().splitlines()
    return [row.split()[3].rsplit(":", 1)[1] for row in rows if f"pid={pid}," in row]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *_children(child)]
    return found


class TestWhichKernels:
    """Kernels that scripts of other profiles made are hidden; the server's own never is."""

    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self.home = tmp_path / "home"
        (self.home / MADE).mkdir(parents=True)

    def _made(self, digest: str, *names: str) -> None:
        for name in names:
            folder = self.home / ".local/share/jupyter/kernels" / name
            folder.mkdir(parents=True, exist_ok=True)
            spec = {"argv": ["/opt/made/bin/python"], "display_name": f"made by {digest}", "language": "python"}
            (folder / "kernel.json").write_text(json.dumps(spec))
        (self.home / MADE / f"{digest}.json").write_text(json.dumps({"kernelspecs": names}))

    def test_a_script_of_another_profile_does_not_take_the_servers_own_name(
        self, make: Callable[..., Server]
    ) -> None:
        self._made("aaaa", "python3")
        self._made("bbbb", "other")
        with make(JUPYTERHUB_SITES_KERNEL_SCRIPTS="bbbb") as server:
            kernels = server.kernels()
            assert {name: spec["display_name"] for name, spec in kernels.items()} == {
                "python3": "Python 3 (ipykernel)",
                "other": "made by bbbb",
            }
            assert kernels["python3"]["argv"][0] == str(server.python)

    def test_a_profile_without_scripts_shows_the_servers_own_alone(self, make: Callable[..., Server]) -> None:
        self._made("aaaa", "python3", "thalamus")
        self._made("bbbb", "other")
        with make(JUPYTERHUB_SITES_KERNEL_SCRIPTS="") as server:
            assert {name: spec["argv"][0] for name, spec in server.kernels().items()} == {
                "python3": str(server.python)
            }
            server.start_kernel()

    def test_the_profile_whose_script_made_it_has_it(self, make: Callable[..., Server]) -> None:
        self._made("aaaa", "python3")
        with make(JUPYTERHUB_SITES_KERNEL_SCRIPTS="aaaa") as server:
            # With an environment of its own, a server may prefer its own kernel to the home's.
            assert set(server.kernels()) == {"python3"}


_LOAD = """
import json, os, sys
from traitlets.config.loader import PyFileConfigLoader
config = PyFileConfigLoader("jupyter_config.py", sys.argv[1]).load_config()
print(json.dumps([config, {n: v for n, v in os.environ.items() if n.startswith("PYTHON")}]))
"""


class TestTerminals:
    """A terminal has what a login has, and then what the job has."""

    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self.home, self.config = tmp_path / "it's home", tmp_path / "launch"
        self.home.mkdir()
        self.config.mkdir(parents=True)
        shutil.copy(_SOURCE, self.config)
        (self.home / "init.sh").write_text("module() { echo module in $1; }\n")
        self.environ = {
            "HOME": str(self.home),
            "PATH": "/opt/a module/bin:/usr/bin:/bin",
            "LOADEDMODULES": "neuron/7.5",
            "NEURON": "it's 7.5 $HOME",
            "JUPYTERHUB_API_TOKEN": "5ec4e7",
            "JUPYTERHUB_SITES_MODULE_INIT": str(self.home / "init.sh"),
        }

    def _loaded(self, shell: str, **environ: str) -> Any:
        python = str(SETUP / "jupyterlab" / "bin" / "python")
        settings = {**self.environ, "SHELL": shell, **environ}
        done = shells.run([python, "-c", _LOAD, str(self.config)], environ=settings)
        assert done.status == 0, done.stderr
        return json.loads(done.stdout)

    def _says(self, shell: str, typed: str) -> list[str]:
        """Return what a terminal with this shell prints for a line."""
        command = self._loaded(shell)[0]["ServerApp"]["terminado_settings"]["shell_command"]
        done = shells.run(command, f"{typed}\n".encode(), {**self.environ, "SHELL": shell}, cwd=str(self.home))
        return done.lines

    def test_bash_reads_the_login_files_and_keeps_the_jobs_modules(self) -> None:
        (self.home / ".profile").write_text(
            "PATH=/usr/bin:/bin:$HOME/bin\nunset LOADEDMODULES\nexport NEURON=no EDITOR=vi\n"
        )
        line = 'echo "$PATH|$LOADEDMODULES|$NEURON|$EDITOR"; shopt -q login_shell || echo no login; type -t module'
        assert self._says("/bin/bash", line)[-3:] == [
            f"/opt/a module/bin:/usr/bin:/bin:{self.home}/bin|neuron/7.5|it's 7.5 $HOME|vi",
            "no login",
            "function",
        ]

    @pytest.mark.parametrize("name", [".bash_profile", ".bash_login", ".bashrc"])
    def test_bash_reads_the_file_that_people_have(self, name: str) -> None:
        (self.home / name).write_text("alias mine='echo my alias'\n")
        assert self._says("/bin/bash", "mine")[-1] == "my alias"

    @pytest.mark.skipif(not Path("/usr/bin/tcsh").exists(), reason="the lab's setup brings it")
    @pytest.mark.parametrize("name", [".tcshrc", ".cshrc", ".login"])
    @pytest.mark.parametrize("shell", ["/usr/bin/tcsh", "/bin/tcsh"])
    def test_tcsh_does_too(self, shell: str, name: str) -> None:
        (self.home / name).write_text(
            "set path = ( /usr/bin /bin ~/bin )\nunsetenv LOADEDMODULES\n"
            "setenv EDITOR vi\nalias mine 'echo my alias'\n"
        )
        line = 'echo "$PATH|$LOADEDMODULES|$NEURON|$EDITOR|$HOME|$home"; mine'
        says = self._says(shell, line)
        path = f"/opt/a module/bin:/usr/bin:/bin:{self.home}/bin"
        assert says[-2:] == [f"{path}|neuron/7.5|it's 7.5 $HOME|vi|{self.home}|{self.home}", "my alias"]

    def test_any_other_shell_is_started_as_it_is(self) -> None:
        assert self._loaded("/bin/zsh")[0]["ServerApp"]["terminado_settings"] == {"shell_command": ["/bin/zsh"]}

    def test_what_is_written_for_them_holds_no_secret_and_is_the_owners_alone(self) -> None:
        for shell in ("/bin/bash", "/usr/bin/tcsh"):
            self._loaded(shell)
        files = [path for path in self.config.rglob("*") if path.is_file() and path.name != _SOURCE.name]
        assert len(files) == 3
        for path in files:
            assert "5ec4e7" not in path.read_text()
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_kernels_and_terminals_have_the_python_of_the_profile(self) -> None:
        kept = {"PYTHONPATH": "/opt/profile", "PYTHONHOME": "/opt/python"}
        _, python = self._loaded("/bin/bash", PYTHONPATH="/opt/site", JUPYTERHUB_SITES_PYTHON=json.dumps(kept))
        assert python == kept
        assert "PYTHONPATH=/opt/profile" in (self.config / "terminal.sh").read_text()

    def test_without_any_told_they_have_the_servers(self) -> None:
        assert self._loaded("/bin/bash", PYTHONPATH="/opt/site")[1] == {"PYTHONPATH": "/opt/site"}
