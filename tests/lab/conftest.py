from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.folders import TREE
from lab.person import Person
from tests.lab.look import logged_in

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The one lab of all tests; leave it as you found it."""
    with Lab(state=TREE / ".lab-test", port=0) as running:
        yield running


@pytest.fixture
def alice(lab: Lab) -> Iterator[Person]:
    """Give alice, logged in; what she starts as her default server or as `south` is stopped afterwards."""
    with logged_in(lab, "alice") as person:
        yield person
        person.stop()
        person.remove("south")
