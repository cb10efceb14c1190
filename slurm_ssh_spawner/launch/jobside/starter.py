"""Start the notebook server given as arguments, and tell the hub its port once it listens.

Runs in the job, read from stdin.  Ends with the server's status, or 3 if the hub does not know this launch.
"""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Optional

HUB_WAIT_SECONDS = 600
PORT_TRIES = 3
LOOK_SECONDS = 0.02
UNKNOWN_LAUNCH = 3


class UnknownLaunchError(Exception):
    """The hub has no such launch: nobody waits for this job."""


def say(text: str) -> None:
    """Write one line to the job's log."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def report(facts: dict) -> None:
    """POST facts to the hub, trying for as long as it is away."""
    request = urllib.request.Request(
        os.environ["JUPYTERHUB_SITES_REPORT_URL"],
        data=json.dumps(facts).encode(),
        headers={
            "Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"],
            "Content-Type": "application/json",
        },
    )
    # A proxy meant for the outside world must not see the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    pause, end = 0.2, time.time() + HUB_WAIT_SECONDS
    while True:
        try:
            opener.open(request, timeout=20).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise UnknownLaunchError("the hub answered %d %s" % (error.code, error.reason)) from error
            problem = str(error)
        except (OSError, ValueError) as error:
            problem = str(error)
        if time.time() > end:
            raise UnknownLaunchError("the hub could not be reached for %d s: %s" % (HUB_WAIT_SECONDS, problem))
        say("waiting for the hub: %s" % problem)
        time.sleep(pause)
        pause = min(pause * 2, 10)


def free_port() -> int:
    """Return a port that nobody on this node uses now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether somebody else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def start(command: list, port: int, runtime: str) -> subprocess.Popen:
    """Start the server on the port; its own record of itself goes to the runtime folder."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    environ = dict(
        os.environ,
        JUPYTERHUB_SERVICE_URL="http://0.0.0.0:%d%s" % (port, prefix),
        JUPYTER_RUNTIME_DIR=runtime,
    )
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL)


def listens(child: subprocess.Popen, runtime: str) -> bool:
    """Wait until the server has written its record (it listens by then) or has ended."""
    # The folder is ours alone and new, so a record in it is our server's, also behind a wrapper script.
    records = os.path.join(runtime, "jpserver-*.json")
    while child.poll() is None:
        if glob.glob(records):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def serve(command: list, runtime: str) -> int:
    """Run the server to its end and return its status."""
    report({"stage": "starting", "text": "Python %s, %s" % (sys.version.split()[0], sys.executable)})
    for _ in range(PORT_TRIES):
        port = free_port()
        child = start(command, port, runtime)
        pass_on_signals(child)
        if listens(child, runtime):
            try:
                report({"port": port})
            except UnknownLaunchError:
                child.terminate()
                child.wait()
                raise
            return child.wait()
        if not is_taken(port):
            break
        say("port %d was taken by somebody else, trying another" % port)
    return child.returncode


def pass_on_signals(child: Optional[subprocess.Popen]) -> None:
    """Make the end of the job the end of the server; without a server, end in order."""

    def forward(number: int, _frame: object) -> None:
        if child is None or child.poll() is not None:
            sys.exit(128 + number)
        child.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)


def main() -> int:
    """Run, and leave nothing on the node."""
    pass_on_signals(None)
    runtime = tempfile.mkdtemp(prefix="jupyter-runtime-")
    try:
        status = serve(sys.argv[1:], runtime)
    except UnknownLaunchError as error:
        say("This job ends, because %s." % error)
        status = UNKNOWN_LAUNCH
    except OSError as error:
        say("The notebook server cannot be started: %s" % error)
        status = 127
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    return status if status >= 0 else 128 - status


sys.exit(main())
