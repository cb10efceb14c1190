"""A browser as Kerberos sees it: a ticket, and the tokens made of it."""

import subprocess
from pathlib import Path

import gssapi
import httpx
from gssapi import RequirementFlag as Flag

from lab.plain_http import NO_TLS

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
SERVICE = "HTTP/hub.lab.test@LAB.TEST"


def browser() -> httpx.AsyncClient:
    """Return a client that looks like a browser; no connection of it outlives its answer and is to be closed."""
    lone = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(verify=NO_TLS, headers={"Sec-Fetch-Mode": "navigate"}, timeout=60, limits=lone)


def kinit(folder: Path, principal: str, *options: str, password: str = "") -> str:
    """Take a ticket into a file of its own and return the name of the cache; the password is `<name>-pw`."""
    name = principal.partition("@")[0]
    cache = f"FILE:{folder / 'cache-of-'}{principal.replace('/', '-')}{''.join(options)}"
    subprocess.run(
        ["kinit", "-c", cache, *options, principal],
        input=f"{password or name + '-pw'}\n".encode(),
        check=True,
        capture_output=True,
    )
    return cache


def context(cache: str, *, delegate: bool = True, service: str = SERVICE) -> gssapi.SecurityContext:
    """Return the client's side of a login; its first `step()` gives the token."""
    flags = [Flag.mutual_authentication, *([Flag.delegate_to_peer] if delegate else [])]
    return gssapi.SecurityContext(
        name=gssapi.Name(service, gssapi.NameType.kerberos_principal),
        creds=gssapi.Credentials(usage="initiate", store={"ccache": cache}),
        flags=flags,
        mech=SPNEGO,
        usage="initiate",
    )


def token(cache: str, *, delegate: bool = True, service: str = SERVICE) -> bytes:
    """Return the first token of a new login."""
    return bytes(context(cache, delegate=delegate, service=service).step())
