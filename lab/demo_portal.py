"""The part of the demo about the portal: many datasets with one command, a server for some, a gateway."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.demo_jobs import SUBMIT, NotDone, Sender, sent, zipped
from lab.person import Person

_SECONDS = 300
_LOOK_SECONDS = 0.5
_IMAGES = [f"images:embryo-{number}" for number in (1, 2, 3)]
_COUNTS = ["8", "3", "16", "7", "28", "12"]
"""How many spots there are in each channel of the images."""

_CELL = """
import json, os
for image in json.load(open(os.environ["DATASETS"])):
    print(image["name"], "has", open(image["location"]).read().count("\\n\\n") + 1, "channels")
"""


def show_array(url: str) -> Iterator[str]:
    """Run a job type that is written in the portal's XML for three images; yield what there is to show.

    alice has logged in before.  Raises NotDone.
    """
    with _sender(url, "alice") as alice:
        alice.ijp("login", "--hub", url, "db", "username", "alice", "password", "-", given="alice-pw\n")
        chosen = [word for image in _IMAGES for word in ("-d", image)]
        asked = ("submit", "--array", *chosen, "count_spots", "--threshold", "150", "--second-channel")
        number = alice.ijp(*asked).strip()
        yield f"$ ijp {' '.join(asked)}"
        yield number
        yield "$ ijp status"
        yield _ended(alice, number)
        printed = alice.ijp("output", number).splitlines()
        yield f"$ ijp output {number}"
        yield from printed
        if [line.split()[-2] for line in printed] != _COUNTS:
            raise NotDone(f"job {number} did not find the spots that there are")


def _ended(alice: Sender, number: str) -> str:
    """Return the line that `ijp status` has for a job once it is over."""
    end = time.monotonic() + _SECONDS
    over = {f"{number}, {letter}" for letter in "CFX"}
    while not (found := over.intersection(lines := alice.ijp("status").splitlines())):
        if time.monotonic() > end:
            raise NotDone(f"job {number} is not over after {_SECONDS} s: {lines}")
        time.sleep(_LOOK_SECONDS)
    return found.pop()


def show_server(url: str, alice: Person) -> Iterator[str]:
    """Start a server that knows two images, and look at them in it; yield what there is to show.

    Raises NotDone or NotStarted.
    """
    with _sender(url, "alice") as sender:
        asked = ("submit", "view", "--dataset", _IMAGES[0], "--dataset", _IMAGES[1])
        address = sender.hubjobs(*asked).strip()
        yield f"$ hubjobs {' '.join(asked)}"
        yield address
        alice.wait_until_ready("view")
        printed = alice.run(_CELL, "view").splitlines()
        yield from printed
        if printed != ["Embryo 1 has 2 channels", "Embryo 2 has 2 channels"]:
            raise NotDone("the server does not know the images that were chosen")


def show_gateway(url: str) -> Iterator[str]:
    """Send heidi's zip by the old path to what stands in for a UNICORE server; yield what there is to show.

    She has logged in before.  Raises NotDone.
    """
    with _sender(url, "heidi") as heidi:
        yield from sent(heidi, "pizdaint/", heidi.home / "job.zip")


@contextmanager
def _sender(url: str, name: str) -> Iterator[Sender]:
    """Give somebody in a home of their own, in which a zip lies, who has logged in with hubjobs."""
    with tempfile.TemporaryDirectory() as folder:
        sender = Sender(url, name, SUBMIT, Path(folder))
        sender.log_in(url, name)
        (sender.home / "job.zip").write_bytes(zipped())
        yield sender
