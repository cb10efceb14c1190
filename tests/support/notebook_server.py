"""A notebook server of one of the lab's sites, with the configuration that a job gives it."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from kernels import jobside
from lab.folders import SETUP
from lab.plain_http import NO_TLS
from tests.support import loopback, shells
from tests.support.ports import free_port

CONFIG = Path(jobside.__file__).with_name("jupyter_config.py")
WAIT_SECONDS = 60
TOKEN = "t0ken"
T = TypeVar("T")


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
    """A server of a site's JupyterLab, as a job starts it; its home and launch folder are in `folder`.

    `added` is what a job has put at the end of its configuration.
    """

    def __init__(self, folder: Path, jupyterlab: str, environ: dict[str, str], added: str = "") -> None:
        self.home, self.launch = folder / "home", folder / "launch"
        self.python = SETUP / jupyterlab / "bin" / "python"
        self.launch.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)
        (self.launch / CONFIG.name).write_text(f"{CONFIG.read_text()}{added}")
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
        command = [self.python, "-m", "jupyter_server", f"--ServerApp.token={TOKEN}"]
        self.port = free_port()
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
        headers = {"Authorization": f"token {TOKEN}"}
        url = f"http://127.0.0.1:{self.port}"
        self._http = httpx.Client(
            verify=NO_TLS, base_url=url, headers=headers, timeout=WAIT_SECONDS, trust_env=False
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        if self._http:
            self._http.close()
        shutil.rmtree(self.runtime)

    def get(self, path: str) -> Any:
        assert self._http
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, said: Any, **headers: str) -> httpx.Response:
        assert self._http
        return self._http.post(path, json=said, headers=headers)

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
    end = time.monotonic() + WAIT_SECONDS
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
