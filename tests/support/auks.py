#!/usr/bin/python3
"""Stands in for auks and its auksd where the real ones cannot be had; stdlib only, so that any host runs it.

It takes the options of the real client and ends with the same statuses.  Instead of asking a daemon it keeps
one credential cache for each uid in the CacheDir of its configuration, under auksd's own rule: a ticket is
replaced by one that can be renewed for longer, or for as long and does not end before; otherwise it reports
success and changes nothing.  A word in the file `mode` there is what ails the daemon: down, refuse, hang.
"""

import getopt
import os
import re
import struct
import sys
import time
from pathlib import Path

DEFAULT_CONF = "/etc/auks/auks.conf"
NO_TICKET, CONNECTION_FAILED, CORRUPTED_REPLY = 4, 247, 146
SENTENCES = {
    NO_TICKET: "krb5 cred : unable to read credential cache",
    CONNECTION_FAILED: "auks api : connection failed",
    CORRUPTED_REPLY: "auks api : reply seems corrupted",
}


class Failed(Exception):  # noqa: N818
    """A request failed with an exit status of auks."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Cache:
    """The first ticket of a credential cache file of format 4: when it ends, until when it may be renewed."""

    def __init__(self, path: str) -> None:
        try:
            self.data = Path(path.removeprefix("FILE:")).read_bytes()
            self.end, self.renew_until = self._times()
        except (OSError, struct.error):
            raise Failed(NO_TICKET) from None

    def _times(self) -> tuple[int, int]:
        at = 4 + self._number(2, ">H")
        at = self._principal(at)  # the cache's own
        at = self._principal(self._principal(at))  # client and server
        at += 2
        at += 4 + self._number(at)  # the key
        return self._number(at + 8), self._number(at + 12)

    def _principal(self, at: int) -> int:
        count = self._number(at + 4)
        at += 8
        for _ in range(count + 1):
            at += 4 + self._number(at)
        return at

    def _number(self, at: int, form: str = ">I") -> int:
        return int(struct.unpack_from(form, self.data, at)[0])


def main() -> None:
    """Carry out the request on the command line."""
    try:
        request(sys.argv[1:])
    except Failed as failed:
        print(f"Auks API request failed : {SENTENCES[failed.status]}", file=sys.stderr)
        sys.exit(failed.status)
    print("Auks API request succeed")


def request(arguments: list[str]) -> None:
    """Carry out a request; raises Failed."""
    options = dict(getopt.getopt(arguments, "pagrC:f:")[0])
    conf = Path(options.get("-f", DEFAULT_CONF)).read_text(encoding="utf-8")
    folder = Path(re.findall(r'CacheDir\s*=\s*"([^"]+)"', conf)[0])
    own = os.environ.get("KRB5CCNAME", f"/tmp/krb5cc_{os.getuid()}")
    stored = folder / f"aukscc_{os.getuid()}"
    new = Cache(options.get("-C", own)) if "-a" in options else None
    ails = connect(folder, own)
    if new:
        if ails == "refuse":
            raise Failed(CORRUPTED_REPLY)
        add(new, stored)
    elif "-g" in options or "-r" in options:
        if ails == "refuse" or not stored.exists():
            raise Failed(CORRUPTED_REPLY)
        if "-g" in options:
            write(Path(options.get("-C", own).removeprefix("FILE:")), stored.read_bytes())
        else:
            stored.unlink()


def connect(folder: Path, own: str) -> str:
    """Return what ails the daemon; without a valid ticket there is no connection, whatever is wrong with it."""
    mode = folder / "mode"
    ails = mode.read_text(encoding="utf-8").strip() if mode.exists() else ""
    if ails == "hang":
        time.sleep(300)
    try:
        valid = Cache(own).end > time.time()
    except Failed:
        valid = False
    if ails == "down" or not valid:
        raise Failed(CONNECTION_FAILED)
    return ails


def add(new: Cache, stored: Path) -> None:
    """Store a ticket under auksd's rule."""
    if stored.exists():
        old = Cache(str(stored))
        if (new.renew_until, new.end) < (old.renew_until, old.end):
            return
    write(stored, new.data)


def write(path: Path, data: bytes) -> None:
    """Write a file of mode 0600."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
