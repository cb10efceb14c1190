"""Start the notebook server given as arguments, and tell the hub its port once it listens.

Runs in the job, read from stdin.  Ends with the server's status, or 3 if nobody waits for this launch.
"""

import sys

try:
    import json
except ImportError:
    # That of an old virtualenv finds Python's library by its own `site` only.
    import site

    site.main()
    import json

import os
import re
import signal
import socket
import subprocess
import time

# The job has waited for its turn, maybe for a day; its own time limit ends it anyway.
HUB_WAIT_SECONDS = 4 * 3600
# A hub that knows this launch no more tells it so then; one that was restarted just now hears it soon.
FIRST_REPEAT_SECONDS = 5
REPEAT_SECONDS = 120
PORT_TRIES = 3
LOOK_SECONDS, LOOK_GROWTH, LONGEST_LOOK_SECONDS = 0.02, 1.1, 0.2
# A kernel walks all of its table of connections for whoever reads it: 10 ms on a node with much memory.
FIRST_SCAN_SECONDS, SCANS_SHARE = 1, 0.01
LEAST_SCAN_PAUSE_SECONDS, LONGEST_SCAN_PAUSE_SECONDS = 0.5, 5
GRACE_SECONDS = 4
UNKNOWN_LAUNCH = 3
LONGEST_ANSWER = 16000
POST_SECONDS = 20
HEAD = (
    "POST /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: token %s\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
ERROR = "HTTP Error "
# A body that is not what the hub knows, or too long.
REFUSED = (ERROR + "400", ERROR + "413")
STATUS = re.compile(rb"HTTP/\S+ +(\d\d\d[^\r\n]*)")
ACCEPTED = re.compile(rb"HTTP/\S+ +2\d\d\s.*?\r\n\r\n", re.DOTALL)


class UnknownLaunchError(Exception):
    """The hub has no such launch: nobody waits for this job."""


def say(text: str) -> None:
    """Write one line to the job's log."""
    print(text, file=sys.stderr, flush=True)


def report(facts: object, otherwise: object = None) -> None:
    """Tell the hub, trying for as long as it is away or says what is not its own word.

    `otherwise` is told in their place once it refuses the facts as such.
    """
    pause, end = 0.2, time.monotonic() + HUB_WAIT_SECONDS
    while True:
        problem = told(facts)
        if not problem:
            return
        if otherwise and problem.startswith(REFUSED):
            facts, otherwise = otherwise, None
            continue
        if time.monotonic() > end:
            hours = HUB_WAIT_SECONDS // 3600
            raise UnknownLaunchError("the hub could not be reached for %d h: %s" % (hours, problem))
        say("waiting for the hub: %s" % problem)
        time.sleep(pause)
        pause = min(pause * 2, 10)


def told(facts: object) -> str:
    """POST facts to the hub once; return why that came to nothing, "" if it was heard."""
    try:
        answer = post(json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace"))
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    first = STATUS.match(answer)
    if not first:
        return "it answers no HTTP: %r" % answer[:60]
    if not first.group(1).startswith(b"2") and b'"unknown_launch"' in answer:
        # Only the hub itself says so; a proxy's 404 means that the hub is away.
        raise UnknownLaunchError("the hub does not know it: nobody waits for it")
    status = first.group(1).decode("ascii", "replace").strip()
    return "" if status.startswith("2") else ERROR + status


def post(body: bytes) -> bytes:
    """Return how the answer to a POST to the hub begins; one that says yes ends with its head.

    Python's modules for this take longer to load than all else takes.  No proxy for the outside sees the token.
    """
    scheme, _, rest = os.environ["JUPYTERHUB_SITES_REPORT_URL"].partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    answer = b""
    with connection(scheme, host.strip("[]"), port) as hub:
        hub.sendall((HEAD % (path, place, os.environ["JUPYTERHUB_API_TOKEN"], len(body))).encode() + body)
        while len(answer) < LONGEST_ANSWER and not ACCEPTED.match(answer):
            try:
                part = hub.recv(LONGEST_ANSWER)
            except socket.timeout:
                # What stands before the hub may keep the connection open.
                part = b""
            if not part:
                break
            answer += part
    return answer


def connection(scheme: str, host: str, port: str) -> socket.socket:
    """Return a connection to a host, at the usual port where none is named."""
    plain = socket.create_connection((host, int(port or (443 if scheme == "https" else 80))), timeout=POST_SECONDS)
    if scheme != "https":
        return plain
    import ssl  # noqa: PLC0415 - it takes long to load, and most hubs speak plain http with their jobs

    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def family() -> int:
    """Return the family of addresses on which servers listen here: IPv6 where a node has nothing else."""
    try:
        with open("/proc/net/route") as routes:
            has_ipv4 = any(not route.startswith("lo\t") for route in routes.readlines()[1:])
        with open("/proc/net/if_inet6") as addresses:
            rows = [row.split() for row in addresses]
    except OSError:
        return socket.AF_INET
    has_ipv6 = any(row[3] == "00" and row[5] != "lo" for row in rows)
    return socket.AF_INET6 if has_ipv6 and not has_ipv4 else socket.AF_INET


def free_port() -> int:
    """Return a port that nobody on this node uses now."""
    with socket.socket(family()) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether somebody else listens on the port."""
    with socket.socket(family()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def start(command: list, port: int) -> subprocess.Popen:
    """Start the server on the port, in a process group of its own."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    host = "[::]" if family() == socket.AF_INET6 else "0.0.0.0"  # noqa: S104
    environ = python_of_the_site(dict(os.environ))
    environ["JUPYTERHUB_SERVICE_URL"] = "http://%s:%d%s" % (host, port, prefix)
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)


def python_of_the_site(environ: dict) -> dict:
    """Return an environment with the Python variables of the site's own, where the job has kept them.

    Those of the profile, which are for kernels and terminals, are beside them: jupyter_config.py sets them again.
    """
    path = os.path.join(os.environ["JUPYTERHUB_SITES_LAUNCH_FOLDER"], "python")
    try:
        with open(path, "rb") as file:
            kept = [os.fsdecode(each).partition("=") for each in file.read().split(b"\0") if each]
    except OSError:
        return environ
    profile = {name: value for name, value in environ.items() if name.startswith("PYTHON")}
    rest = {name: value for name, value in environ.items() if name not in profile}
    rest.update({name: value for name, _, value in kept}, JUPYTERHUB_SITES_PYTHON=json.dumps(profile))
    return rest


def listens(child: subprocess.Popen, port: int) -> bool:
    """Wait until the server listens, or has ended.

    It does when it has written its record, as Jupyter's do, or when a program that it has started has the port.
    """
    runtime = os.environ["JUPYTER_RUNTIME_DIR"]
    pause, next_scan = LOOK_SECONDS, time.monotonic() + FIRST_SCAN_SECONDS
    while child.poll() is None:
        # The folder is ours alone and new, so a record in it is our server's, also behind a wrapper script.
        if any(name.startswith("jpserver-") and name.endswith(".json") for name in os.listdir(runtime)):
            return True
        began = time.monotonic()
        if began >= next_scan:
            if is_ours(listeners(port), runtime):
                return True
            rest = (time.monotonic() - began) / SCANS_SHARE
            next_scan = began + min(max(rest, LEAST_SCAN_PAUSE_SECONDS), LONGEST_SCAN_PAUSE_SECONDS)
        time.sleep(pause)
        pause = min(pause * LOOK_GROWTH, LONGEST_LOOK_SECONDS)
    return False


def listeners(port: int) -> set:
    """Return the inodes of this user's sockets that listen on the port, on any address."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as file:
                rows = [row.split() for row in file.readlines()[1:]]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port and int(row[7]) == os.getuid():
                found.add("socket:[%s]" % row[9])
    return found


def is_ours(inodes: set, runtime: str) -> bool:
    """Return whether a program of this job, which its environment tells, has one of the sockets."""
    mark = b"JUPYTER_RUNTIME_DIR=" + os.fsencode(runtime)
    for process in filter(str.isdigit, os.listdir("/proc") if inodes else []):
        folder = "/proc/%s" % process
        try:
            with open(folder + "/environ", "rb") as file:
                if mark not in file.read().split(b"\0"):
                    continue
            links = {os.readlink("%s/fd/%s" % (folder, name)) for name in os.listdir(folder + "/fd")}
        except OSError:
            continue
        if links & inodes:
            return True
    return False


def held() -> list:
    """Return the stages that the script has left for us to report."""
    said = os.environb.pop(b"JUPYTERHUB_SITES_HELD", b"").decode("utf-8", "replace")  # a job's locale is C
    try:
        return list(json.loads(said, strict=False))
    except ValueError:
        return []


def serve(command: list) -> int:
    """Run the server to its end and return its status."""
    starting = {"stage": "starting", "text": "Python %s, %s" % (sys.version.split()[0], sys.executable)}
    report([*held(), starting], otherwise=starting)
    for _ in range(PORT_TRIES):
        port = free_port()
        child = start(command, port)
        pass_on_signals(child)
        if listens(child, port):
            try:
                report({"port": port})
                return repeating(child, port)
            except UnknownLaunchError:
                end(child, signal.SIGTERM)
                child.wait()
                raise
        if not is_taken(port):
            break
        say("port %d was taken by somebody else, trying another" % port)
    return child.returncode


def repeating(child: subprocess.Popen, port: int) -> int:
    """Wait for the server's end and return its status; until then tell the hub again and again where it is.

    A hub that was restarted learns by this that it is there, and with which token.
    """
    pause = FIRST_REPEAT_SECONDS
    while True:
        try:
            return child.wait(pause)
        except subprocess.TimeoutExpired:
            pause = min(pause * 2, REPEAT_SECONDS)
            told({"port": port})


def end(child: subprocess.Popen, number: int) -> None:
    """Tell the server to end, and kill it if it has not ended soon: the job itself has little time."""

    def kill(_number: int, _frame: object) -> None:
        os.killpg(child.pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    child.send_signal(number)
    signal.alarm(GRACE_SECONDS)


def pass_on_signals(child: "subprocess.Popen | None") -> None:
    """Make the end of the job the end of the server; without a server, end in order."""

    def forward(number: int, _frame: object) -> None:
        if child is None or child.poll() is not None:
            sys.exit(128 + number)
        end(child, number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)


def main() -> int:
    """Run, and end with a status as a shell's."""
    pass_on_signals(None)
    try:
        status = serve(sys.argv[1:])
    except UnknownLaunchError as error:
        say("This job ends, because %s." % error)
        status = UNKNOWN_LAUNCH
    except OSError as error:
        say("The notebook server cannot be started: %s" % error)
        status = 127
    signal.alarm(0)
    return status if status >= 0 else 128 - status


sys.exit(main())
