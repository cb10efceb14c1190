"""Logins and kinit in turn, on the hub's host as the hub's account.  Prints the seconds of each by name."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from kerberos_auth import gss
from kerberos_auth.authenticator import KerberosPAMAuthenticator
from lab.people import PEOPLE
from lab.plain_http import NO_TLS
from lab.plan import HUB_PORT, REALM

PERSON = next(person for person in PEOPLE if person.name == "bob")
PRINCIPAL = f"{PERSON.name}@{REALM}"
ROUNDS = 30
KEYTAB = "/etc/jupyterhub/krb5.keytab"

AUTHENTICATOR = "authenticator: PAM, then a verified ticket, stored"
KDC_ALONE = 'authenticator with pam_service = "": the KDC alone'
FORM = "POST /hub/login, through the proxy"
KINIT = "kinit"
KINIT_START = "klist -V: what starting a program like kinit costs"
LIBRARY = "libkrb5 called from Python: the ticket alone, not verified"


def authenticator(folder: Path, pam_service: str) -> Callable[[], Awaitable[object]]:
    """Return what logs the person in by an authenticator as the lab's hub has it, with a store in `folder`."""
    settings = {"allow_all": True, "ticket_folder": str(folder), "keytab": KEYTAB, "pam_service": pam_service}
    made = KerberosPAMAuthenticator(**settings)

    async def log_in() -> None:
        form = {"username": PERSON.name, "password": PERSON.password}
        if not await made.get_authenticated_user(None, form):
            sys.exit("The authenticator refused a right password.")

    return log_in


def program(argv: list[str]) -> Callable[[], Awaitable[object]]:
    """Return what runs a program that reads the person's password."""

    async def run() -> None:
        subprocess.run(argv, input=PERSON.password, text=True, capture_output=True, check=True)  # noqa: ASYNC221

    return run


async def library() -> None:
    """Take a ticket as the authenticator does, without PAM, keytab, store and thread."""
    with tempfile.TemporaryDirectory() as folder:
        gss.acquire(PRINCIPAL, PERSON.password, Path(folder), "")


def form() -> float:
    """Return the seconds of one POST of the login form by a browser that has just opened the page."""
    with httpx.Client(verify=NO_TLS, base_url=f"http://127.0.0.1:{HUB_PORT}") as browser:
        browser.get("/hub/login")
        fields = {"username": PERSON.name, "password": PERSON.password, "_xsrf": browser.cookies["_xsrf"]}
        began = time.perf_counter()
        answer = browser.post("/hub/login", data=fields)
        took = time.perf_counter() - began
    if answer.status_code != httpx.codes.FOUND:
        sys.exit(f"The hub answered a right password with {answer.status_code}.")
    return took


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that `work` takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        contestants = {
            KINIT: program(["kinit", "-c", f"FILE:{place}/kinit", PRINCIPAL]),
            AUTHENTICATOR: authenticator(place / "pam", "jupyterhub"),
            KDC_ALONE: authenticator(place / "kdc", ""),
            LIBRARY: library,
            KINIT_START: program(["klist", "-V"]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in (*contestants, FORM)}
        for index in range(ROUNDS + 1):
            found = {name: await timed(work) for name, work in contestants.items()} | {FORM: form()}
            # The first round loads libraries.
            for name, took in found.items() if index else ():
                seconds[name].append(took)
    print(json.dumps(seconds))


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(main())
