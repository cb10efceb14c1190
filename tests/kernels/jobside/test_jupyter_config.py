"""What the job's configuration makes of a real notebook server: its kernels, their channels, its terminals."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.folders import SETUP
from tests.support import shells
from tests.support.notebook_server import CONFIG, WAIT_SECONDS, Server

MADE = ".local/share/jupyterhub-sites/made"


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
        read, _ = spy.communicate(timeout=WAIT_SECONDS)
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
        shutil.copy(CONFIG, self.config)
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
        files = [path for path in self.config.rglob("*") if path.is_file() and path.name != CONFIG.name]
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


class TestLab:
    """JupyterLab 4 gets the extension that the job brought; any other server is left alone."""

    @pytest.fixture(autouse=True)
    def _job(self, tmp_path: Path) -> None:
        self.launch, self.environ = tmp_path, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        shutil.copy(CONFIG, tmp_path)
        facts = {"launch": "0123456789ab", "server": "a/b", "site": "Geneva", "minutes": 60, "words": {}}
        (tmp_path / "lab.json").write_text(json.dumps(facts))
        (tmp_path / "lab_page.js").write_text("program")

    def _loaded(self, python: str, **environ: str) -> Any:
        done = shells.run([python, "-c", _LOAD, str(self.launch)], environ={**self.environ, **environ})
        assert done.status == 0, done.stderr
        return json.loads(done.stdout)[0]

    def _facts(self) -> Any:
        config = json.loads((self.launch / "labconfig" / "page_config.json").read_text())
        return json.loads(config["jupyterhubSites"])

    def test_it_is_where_jupyterlab_looks(self) -> None:
        config = self._loaded(
            _python("jupyterlab"), SLURM_JOB_END_TIME="1000", SLURM_JOB_ID="42", SLURMD_NODENAME="n1"
        )
        folder = self.launch / "jupyter" / "labextensions" / "jupyterhub-sites"
        build = json.loads((folder / "package.json").read_text())["jupyterlab"]["_build"]
        assert (folder / build["load"]).read_text() == "program"
        assert {name: self._facts()[name] for name in ("site", "job", "node", "ends")} == {
            "site": "Geneva",
            "job": "42",
            "node": "n1",
            "ends": 1000,
        }
        assert config["LabApp"]["workspaces_dir"] == f"{self.launch}/.jupyter/lab/workspaces-a%2Fb"

    def test_a_slurm_that_does_not_say_when_it_ends_leaves_the_time_that_was_asked_for(self) -> None:
        begun = int((self.launch / "lab.json").stat().st_mtime)
        self._loaded(_python("jupyterlab"))
        assert self._facts()["ends"] == begun + 3600

    def test_a_folder_for_workspaces_that_was_set_counts(self) -> None:
        assert "LabApp" not in self._loaded(_python("jupyterlab"), JUPYTERLAB_WORKSPACES_DIR="/w")

    def test_the_default_server_keeps_the_workspaces_that_there_are(self) -> None:
        facts = json.loads((self.launch / "lab.json").read_text())
        (self.launch / "lab.json").write_text(json.dumps({**facts, "server": ""}))
        assert "LabApp" not in self._loaded(_python("jupyterlab"))

    @pytest.mark.parametrize("env", ["jupyterlab-old", "without"])
    def test_others_are_left_alone(self, env: str) -> None:
        # That of the hub has no JupyterLab.
        config = self._loaded(sys.executable if env == "without" else _python(env))
        assert "LabApp" not in config
        assert not (self.launch / "jupyter").exists()
        assert not (self.launch / "labconfig").exists()


def _python(env: str) -> str:
    return str(SETUP / env / "bin" / "python")
