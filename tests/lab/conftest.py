import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.folders import TREE
from lab.person import Person
from tests.lab.look import logged_in

HERE = Path(__file__).parent
STATE = TREE / "-".join([".lab-test", *filter(None, [os.environ.get("PYTEST_XDIST_WORKER")])])
"""Each of the processes that share the tests has a lab of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Say below a failure where the lab of its test has its logs."""
    report = yield
    if report.failed and (lab := getattr(item, "funcargs", {}).get("lab")):
        report.sections.append(("The lab", f"Its daemons' logs are in {lab.state.name}/logs."))
    return report


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The one lab of all tests of this process; leave it as you found it."""
    with Lab(state=STATE, port=0) as running:
        yield running


@pytest.fixture
def alice(lab: Lab) -> Iterator[Person]:
    """Give alice, logged in; what she starts as her default server or as `south` is stopped afterwards."""
    with logged_in(lab, "alice") as person:
        yield person
        person.stop()
        person.remove("south")
