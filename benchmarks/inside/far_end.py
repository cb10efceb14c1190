#!/usr/bin/python3
"""The far end of the tunnels that are measured: runs on a node, on the port that is its argument.

A client's first byte says what it wants: `e`, every byte back; `d`, that many MiB as the next four bytes say.
"""

import socket
import socketserver
import sys

MEGABYTE = bytes(1024 * 1024)


class Client(socketserver.BaseRequestHandler):
    """Serves one client."""

    def handle(self) -> None:
        """Do what it wants until it has ended."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.request.recv(1) == b"e":
            while data := self.request.recv(65536):
                self.request.sendall(data)
            return
        for _ in range(int.from_bytes(self.request.recv(4, socket.MSG_WAITALL), "big")):
            self.request.sendall(MEGABYTE)


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer.request_queue_size = 100
    with socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Client) as server:
        server.serve_forever()
