#!/usr/bin/python3
"""Stands in for auks and its auksd where the real ones cannot be had; stdlib only, so that any host runs it.

It takes the options of the real client and ends with the same statuses and words (those of auks 0.5.4).  Instead
of asking a daemon it keeps one credential cache for each uid in the CacheDir of its configuration, under auksd's
own rule: a ticket is replaced by one that can be renewed for longer, or for as long and does not end before;
otherwise it reports success and changes nothing.  A word in the file `mode` there is what ails the daemon: down,
hang, stranger (the ACL has no rule for the person), guest (who may only add).  "secondary" is no ailment: only
with a second daemon is a ticket that proves nothing told as such.  With one, the real client tries a second one
all the same, and says that the connection failed.
"""

import getopt
import os
import re
import struct
import sys
import time
from pathlib import Path

DEFAULT_CONF = "/etc/auks/auks.conf"
NO_TICKET, BAD_CONF, NOT_PROCESSED, HUNG_UP = 4, 63, 90, 145
CORRUPTED, INVALID, NOT_PROVEN, UNCONNECTED = 146, 147, 153, 247
SENTENCES = {
    NO_TICKET: "krb5 cred : unable to read credential cache",
    BAD_CONF: "unable to parse configuration file",
    NOT_PROCESSED: "auks api : request processing failed",
    HUNG_UP: "krb5 stream : unable to read data",
    CORRUPTED: "auks api : reply seems corrupted",
    INVALID: "auks api : reply type is invalid",
    NOT_PROVEN: "krb5 sendauth stage failed (client side)",
    UNCONNECTED: "auks api : connection failed",
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
        request(dict(getopt.getopt(sys.argv[1:], "pagrC:f:")[0]))
    except Failed as failed:
        what = "init" if failed.status == BAD_CONF else "request"
        print(f"Auks API {what} failed : {SENTENCES[failed.status]}", file=sys.stderr)
        sys.exit(failed.status)
    print("Auks API request succeed")


def request(options: dict[str, str]) -> None:
    """Carry out a request; raises Failed."""
    folder = cache_dir(options.get("-f", DEFAULT_CONF))
    own = os.environ.get("KRB5CCNAME", f"/tmp/krb5cc_{os.getuid()}")
    cache = options.get("-C", own).removeprefix("FILE:")
    stored = folder / f"aukscc_{os.getuid()}"
    mode = folder / "mode"
    ails = mode.read_text(encoding="utf-8").strip() if mode.exists() else ""
    if "-a" in options:
        new = Cache(cache)
        connect(ails, own)
        add(new, stored)
        return
    try:
        connect(ails, own)
    except Failed:
        raise Failed(CORRUPTED if "-g" in options else NOT_PROCESSED) from None
    if "-g" in options:
        if ails == "guest" or not stored.exists():
            raise Failed(CORRUPTED)
        write(Path(cache), stored.read_bytes())
    elif "-r" in options:
        if ails == "guest" or not stored.exists():
            raise Failed(INVALID)
        stored.unlink()


def cache_dir(conf: str) -> Path:
    """Return the folder that a configuration file names."""
    try:
        return Path(re.findall(r'CacheDir\s*=\s*"([^"]+)"', Path(conf).read_text(encoding="utf-8"))[0])
    except (OSError, IndexError):
        raise Failed(BAD_CONF) from None


def connect(ails: str, own: str) -> None:
    """Raise Failed unless the daemon answers and knows the person by her ticket."""
    if ails == "hang":
        time.sleep(300)
    if ails == "down":
        raise Failed(UNCONNECTED)
    if Cache(own).end <= time.time():
        raise Failed(NOT_PROVEN if ails == "secondary" else UNCONNECTED)
    if ails == "stranger":
        raise Failed(HUNG_UP)


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
