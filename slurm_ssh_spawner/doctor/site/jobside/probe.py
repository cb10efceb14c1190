"""Look from a node at the hub, and be looked at: listen on a port, and say in the log what was found.

Runs in the job, read from stdin, with arguments: the word that begins each line, the URL of the hub's API ("" for
none), the id of the launch, and for how many seconds to listen.  Whoever connects gets back the line that they
send, behind that word.
"""

import sys

try:
    import socket
except ImportError:
    # That of an old virtualenv finds Python's library by its own `site` only.
    import site

    site.main()
    import socket

import threading
import time

HUB_SECONDS = 10
LONGEST_ANSWER = 16000
LONGEST_LINE = 64
REQUEST = "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n%s"
BODY = '{"stage": "job", "text": ""}'
HEADERS = "Authorization: token doctor\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(BODY)


def say(check: str, word: str, text: str = "") -> None:
    """Write one line to the job's log."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    print("%s %s %s %s" % (sys.argv[1], check, word, plain[:500]), flush=True)


def opened() -> socket.socket:
    """Return a socket that listens on a free port, as a notebook server does."""
    listener = socket.socket(socket.AF_INET6 if has_ipv6_alone() else socket.AF_INET)
    listener.bind(("", 0))
    listener.listen(5)
    return listener


def has_ipv6_alone() -> bool:
    """Return whether the node has addresses of IPv6 and no way by IPv4."""
    try:
        with open("/proc/net/route") as routes:
            has_ipv4 = any(not route.startswith("lo\t") for route in routes.readlines()[1:])
        with open("/proc/net/if_inet6") as addresses:
            rows = [row.split() for row in addresses]
    except OSError:
        return False
    return not has_ipv4 and any(row[3] == "00" and row[5] != "lo" for row in rows)


def look_at_hub(url: str, launch_id: str) -> None:
    """Say how far the hub's API can be reached: its name, its port, TLS, its answer; then a report."""
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    host = host.strip("[]")
    number = int(port or (443 if scheme == "https" else 80))
    try:
        addresses = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except OSError as error:
        say("G2", "name", str(error))
        return
    say("G2", "address", str(addresses[0][4][0]))
    answer = asked(scheme, host, number, REQUEST % ("GET", "/" + path, place, "", ""))
    if answer is None:
        return
    say("G2", "status", answer.partition("\r\n")[0])
    if "x-jupyterhub-version" in answer.lower():
        say("G2", "hub", answer.lower().partition("x-jupyterhub-version:")[2].partition("\r\n")[0].strip())
    report = REQUEST % ("POST", "/" + path + "/launches/" + launch_id, place, HEADERS, BODY)
    answer = asked(scheme, host, number, report)
    if answer is not None:
        say("G4", understood(answer.replace(" ", "")), answer.partition("\r\n")[0])


def understood(answer: str) -> str:
    """Return what a hub's answer means that waits for no such launch; "other" for somebody else's."""
    if '"unknown_launch"' not in answer:
        return "other"
    if '"has_token":' not in answer:
        return "unknown_launch"
    return "token" if '"has_token":true' in answer else "no_token"


def asked(scheme: str, host: str, port: int, request: str) -> "str | None":
    """Return what the hub answers; None, having said why, for nothing."""
    step = "tcp"
    try:
        connection = socket.create_connection((host, port), timeout=HUB_SECONDS)
        if scheme == "https":
            import ssl  # noqa: PLC0415 - it takes long to load

            step = "tls"
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        step = "http"
        with connection:
            connection.sendall(request.encode())
            answer = b""
            while len(answer) < LONGEST_ANSWER:
                part = connection.recv(LONGEST_ANSWER)
                if not part:
                    break
                answer += part
    except (OSError, ValueError) as error:
        say("G2", step, str(error) or type(error).__name__)
        return None
    return answer.decode("utf-8", "replace")


def serve(listener: socket.socket, seconds: float) -> None:
    """Give back a line to whoever connects, until the time is up."""
    end = time.time() + seconds
    while time.time() < end:
        listener.settimeout(max(0.1, end - time.time()))
        try:
            client, _ = listener.accept()
            with client:
                client.settimeout(5)
                line = client.recv(LONGEST_LINE)
                client.sendall(sys.argv[1].encode() + b" " + line)
        except OSError:
            continue


def main() -> None:
    """Open a port, look at the hub beside, and serve."""
    url, launch_id, seconds = sys.argv[2], sys.argv[3], float(sys.argv[4])
    listener = None
    try:
        listener = opened()
        say("F9", "port", str(listener.getsockname()[1]))
    except OSError as error:
        say("F9", "failed", str(error))
    if url:
        threading.Thread(target=look_at_hub, args=(url, launch_id), daemon=True).start()
    if listener is None:
        time.sleep(seconds)
    else:
        serve(listener, seconds)


main()
