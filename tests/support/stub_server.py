"""Stands for a notebook server: `python3 stub_server.py WHAT...`, with what it does, in order.

`fail N` ends with status N; `take` has the hub take the port away, once, and then ends; `serve` listens and
writes its record as jupyter_server does; `answer` does that, and says hello to whoever asks, until it is ended;
`listen` only listens, as programs do that are no Jupyter server; `until-term` runs until SIGTERM and ends with
status 5; `stubborn` does not end at SIGTERM.
"""

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def _port() -> int:
    return int(os.environ["JUPYTERHUB_SERVICE_URL"].rsplit(":", 1)[1].split("/")[0])


def _take() -> None:
    once = Path("taken")
    if once.exists():
        return
    once.touch()
    hub = os.environ["JUPYTERHUB_SITES_REPORT_URL"].split("/hub/")[0]
    urllib.request.urlopen(f"{hub}/take/{_port()}").close()  # noqa: S310 - the test's own address
    sys.exit(1)


def _listen() -> socket.socket:
    is_ipv6 = "[::]" in os.environ["JUPYTERHUB_SERVICE_URL"]
    return socket.create_server(("", _port()), family=socket.AF_INET6 if is_ipv6 else socket.AF_INET)


def _serve() -> socket.socket:
    listener = _listen()
    Path("environ.json").write_text(json.dumps(dict(os.environ)))
    _recorded()
    return listener


def _recorded() -> None:
    record = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{os.getpid()}.json")
    record.write_text(json.dumps({"port": _port(), "pid": os.getpid()}))


def _answer() -> None:
    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-JupyterHub-Version", os.environ.get("JUPYTERHUB_VERSION", ""))
            self.end_headers()
            self.wfile.write(b"hello\n")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", _port()), Hello)
    _recorded()
    server.serve_forever()


def _until_term(is_stubborn: bool = False) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if is_stubborn else lambda *_: sys.exit(5))
    Path("pid").write_text(str(os.getpid()))
    print("waiting for SIGTERM", flush=True)
    while True:
        time.sleep(60)


def main(words: list[str]) -> None:
    """Do what the words say."""
    kept = []
    while words:
        match words.pop(0):
            case "fail":
                sys.exit(int(words.pop(0)))
            case "take":
                _take()
            case "serve":
                kept.append(_serve())
            case "answer":
                _answer()
            case "listen":
                kept.append(_listen())
            case "stubborn":
                _until_term(is_stubborn=True)
            case "until-term":
                _until_term()


main(sys.argv[1:])
