import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.folders import TREE
from tests.lab.jobs.sender import Sender, sender
from tests.lab.look import logged_in

STATE = TREE / "-".join([".lab-test-jobs", *filter(None, [os.environ.get("PYTEST_XDIST_WORKER")])])
"""A process has one beside that of its other tests.

The tests here are four groups of about the same length, so that no process has to run them all, one after another.
"""


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The one lab of all tests of batch jobs of this process; leave it as you found it."""
    with Lab(state=STATE, port=0) as running:
        yield running


@pytest.fixture(scope="session")
def alice(lab: Lab) -> Iterator[Sender]:
    """Give alice with a token for batch jobs; she has logged in once."""
    with logged_in(lab, "alice"), sender(lab, "alice") as alice:
        yield alice


@pytest.fixture
def zipped(tmp_path: Path) -> bytes:
    """Give a zip with a script in it that makes a result."""
    return Sender.zip(
        {"run.sh": "echo from $SLURM_JOB_ID; tr a-z A-Z <in.txt >out.txt\n", "in.txt": "all is well\n"}
    )
