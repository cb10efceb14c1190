"""A door on this host to the Spark master of a launch: its address is known before the master is.

Argument: the file that holds the master's `host:port` once there is one.  Writes its own port to standard output,
then passes connections of this host on until it is ended.  Whoever comes before the master is sent away.
"""

import contextlib
import socket
import sys
import threading

CONNECT_SECONDS = 10


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until the source ends or one of the two breaks."""
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def pass_on(client: socket.socket, path: str) -> None:
    """Connect one client to the master."""
    with client:
        try:
            with open(path, encoding="ascii") as file:
                host, _, port = file.read().strip().rpartition(":")
            master = socket.create_connection((host, int(port)), CONNECT_SECONDS)
        except (OSError, ValueError):
            return
        with master:
            master.settimeout(None)
            back = threading.Thread(target=copy, args=(master, client))
            back.start()
            copy(client, master)
            back.join()


def main(path: str) -> None:
    """Listen, say where, and serve."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    sys.stdout.write("%d\n" % listener.getsockname()[1])
    sys.stdout.flush()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=pass_on, args=(client, path), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
