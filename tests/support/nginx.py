"""A real nginx on loopback, of Debian's package as `make setup` unpacks it, with a configuration of the test's."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.folders import NGINX_PROGRAM
from tests.support import loopback
from tests.support.ports import free_port
from tests.support.waiting import until

_CONFIG = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {outside}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        {inside}
    }}
}}
"""


@asynccontextmanager
async def running(folder: Path, outside: str, inside: str) -> AsyncIterator[int]:
    """Give the port of one that speaks https for `localhost`, with these lines in `http` and in its `server`.

    Without TLS it holds back less.  Its certificate, `localhost.pem` in the folder, is its own authority.
    """
    port, log, config = free_port(), folder / "error.log", folder / "nginx.conf"
    certificate, user = loopback.certificate(folder), pwd.getpwuid(os.geteuid()).pw_name
    named = {"folder": folder, "port": port, "certificate": certificate, "user": user}
    config.write_text(_CONFIG.format(**named, outside=outside, inside=inside))
    words = ("-e", str(log), "-p", str(folder), "-c", str(config))
    nginx = await asyncio.create_subprocess_exec(NGINX_PROGRAM, *words)
    try:
        await until(lambda: loopback.listens(port) or nginx.returncode is not None)
        assert nginx.returncode is None, log.read_text()
        yield port
    finally:
        nginx.terminate()
        await nginx.wait()
